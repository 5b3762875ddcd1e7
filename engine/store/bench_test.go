package store

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"postbag/engine/mail"
)

// wholeWay takes n messages of 5 KB from listing to the provider's deletion,
// as the engine does: many at once, so that commits are shared.
func wholeWay(r *rig, mailbox string, n int) {
	uids := make([]string, n)
	for i := range uids {
		uids[i] = fmt.Sprintf("%s-%08d", mailbox, i)
	}
	_, err := r.Compare(r.ctx, mailbox, uids)
	r.ok(err)
	rows := r.list(mailbox, uids...)
	body := strings.Repeat("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n", 80)
	parallel(64, n, func(i int) {
		k := rows[i]
		_, err := r.Keep(r.ctx, Kept{Row: k.Row, Mailbox: mailbox, UID: k.UID, Draft: r.draft(body), Fingerprint: fingerprint(k.UID),
			Summary: mail.Summary{MessageID: "<" + k.UID + "@mail.isp.test>", From: "Anne Sender <anne.sender@isp.test>",
				Subject: "The minutes of our meeting number " + k.UID}, Source: "pop.isp.test", Decision: decision("anne")})
		r.ok(err)
	})
	var mu sync.Mutex
	parallel(8, 8, func(int) {
		for {
			mu.Lock()
			jobs := r.claim(64)
			mu.Unlock()
			if len(jobs) == 0 {
				return
			}
			parallel(len(jobs), len(jobs), func(i int) {
				m, _, err := r.OpenMessage(r.ctx, jobs[i].Message)
				r.ok(err)
				_ = m.Close()
				r.settle(jobs[i], mail.Delivered, "")
			})
		}
	})
	gone, err := r.AtSource(r.ctx, mailbox)
	r.ok(err)
	var ids []int64
	for _, k := range gone {
		ids = append(ids, k.Row)
	}
	if len(ids) != n {
		r.t.Fatalf("%d settled, want %d", len(ids), n)
	}
	r.ok(r.SetAtSource(r.ctx, ids, mail.SourceDeleted))
	_, err = r.Balance(r.ctx) // all of it stands in the tables then
	r.ok(err)
}

func parallel(workers, n int, do func(int)) {
	var wg sync.WaitGroup
	next := make(chan int)
	for range workers {
		wg.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

func BenchmarkWholeWay2000(b *testing.B) {
	b.ReportAllocs()
	r := newRig(b)
	n := 0
	start := cpuTime()
	for b.Loop() {
		n++
		wholeWay(r, fmt.Sprintf("box%d", n), 2000)
	}
	b.ReportMetric(float64((cpuTime()-start)/time.Duration(n))/1e6, "cpu-ms/op")
	b.ReportMetric(float64(r.commits.Load())/float64(n), "commits/op")
}

func BenchmarkOpenClose(b *testing.B) {
	r := newRig(b)
	for b.Loop() {
		r.reopen()
	}
}

func BenchmarkCompare100k(b *testing.B) {
	r := newRig(b)
	uids := make([]string, 100_000)
	for i := range uids {
		uids[i] = fmt.Sprintf("uid-%08d", i)
	}
	r.list("box", uids...)
	for b.Loop() {
		c, err := r.Compare(r.ctx, "box", uids)
		r.ok(err)
		if len(c.Known) != len(uids) {
			b.Fatal(len(c.Known))
		}
	}
}
