package store

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"postbag/engine/mail"
)

// crowd is what a store holds before it is measured.
type crowd struct{ rows, present, queued, mailboxes int }

// usual is a store with so many lines of journal. Of the messages a tenth lies at
// the provider still, and a twentieth is queued: with a million lines that is a
// hundred thousand UIDLs and a queue of fifty thousand.
func usual(rows int) crowd { return crowd{rows, rows / 10, rows / 20, 1} }

// crowded makes it. It closes what it has filled, so that nobody has to fold that
// in later, and begins as a start does.
func crowded(b *testing.B, of crowd) *rig {
	r, rows := newRig(b), of.rows
	c, err := openConn(r.opt.Dir+"/"+fileDB, "synchronous = OFF", "cache_size = -200000", "wal_autocheckpoint = 100000")
	r.ok(err)
	fill := strings.NewReplacer(
		"{rows}", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "+strconv.Itoa(rows)+")",
		"{queued}", "i > "+strconv.Itoa(rows-of.queued),
		"{kept}", fmt.Sprintf("i * %d / %d > (i - 1) * %[1]d / %[2]d", of.present, rows), // spread evenly
		"{box}", fmt.Sprintf("CASE WHEN i %% %d = 0 THEN 'box' ELSE 'box' || (i %% %[1]d) END", of.mailboxes),
		"{at}", strconv.FormatInt(r.clock.Now().Add(-200*24*time.Hour).UnixMilli(), 10),
		"{next}", strconv.FormatInt(r.clock.Now().Add(time.Hour).UnixMilli(), 10))
	for _, sql := range []string{
		"BEGIN",
		`{rows} INSERT INTO identity (row, id, mailbox, uid, state, at_source, size, fingerprint, seen, changed, delivered)
			SELECT i, printf('0000%09d', i), CASE WHEN {kept} THEN {box} ELSE 'old' END, printf('uid-%08d', i), CASE WHEN {queued} THEN 'queued' ELSE 'delivered' END,
			CASE WHEN {kept} THEN 'kept' ELSE 'deleted' END, 5000, randomblob(32), {at} + i * 10000, {at} + i * 10000, {at} FROM n`,
		`{rows} INSERT INTO message (row, message_id, author, subject, route, received, indexed)
			SELECT i, printf('<%d.%x@mail.isp.test>', i, i * 7919), printf('Person %d <p%d@firm%d.test>', i % 5000, i % 5000, i % 300), printf('The subject of message %d about budget %d', i, i % 1000), 'to_cc', 1, 1 FROM n`,
		`INSERT INTO search (rowid, text) SELECT row, author || ' ' || subject || ' ' || message_id || ' anne@office.test' FROM message`,
		`{rows} INSERT INTO copy (id, person, address, target, state, queued, changed, next, attempts)
			SELECT i << 20, 'anne@office.test', 'anne@office.test', 'office', CASE WHEN {queued} THEN 'queued' ELSE 'delivered' END, {at}, {at}, CASE WHEN {queued} THEN {next} + i END, 1 FROM n`,
		`INSERT INTO body (row, size, data) SELECT row, 5000, zeroblob(500) FROM identity WHERE state = 'queued'`,
		// As they come to lie there: the newest in the small table, in no order in the large one.
		`INSERT INTO fingerprint_old (key, row) SELECT substr(fingerprint, 1, 6), row FROM identity WHERE row <= ` + strconv.Itoa(rows-newKeys),
		`INSERT INTO fingerprint_new (key, row) SELECT substr(fingerprint, 1, 6), row FROM identity WHERE row > ` + strconv.Itoa(rows-newKeys),
		`INSERT OR REPLACE INTO counter (state, n) SELECT state, count(*) FROM identity GROUP BY state`,
		"COMMIT",
	} {
		r.ok(c.script(fill.Replace(sql)))
	}
	r.ok(c.close())
	r.reopen()
	return r
}

// BenchmarkGrowth is the curve: what 2,000 messages cost, and a start, with so
// many lines of journal, UIDLs and queued messages in the store.
func BenchmarkGrowth(b *testing.B) {
	for _, rows := range []int{10_000, 100_000, 1_000_000} {
		r := crowded(b, usual(rows))
		b.Run(fmt.Sprintf("WholeWay2000/%d", rows), func(b *testing.B) { wholeWays(b, r) })
		b.Run(fmt.Sprintf("OpenClose/%d", rows), func(b *testing.B) {
			for b.Loop() {
				r.reopen()
			}
		})
	}
}

// BenchmarkGrowthOf is the curve of each alone: UIDLs at the provider, messages in
// the queue, mailboxes; with 100,000 lines of journal.
func BenchmarkGrowthOf(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		growth(b, "UIDLs", n, crowd{100_000, n, 500, 1})
	}
	for _, n := range []int{500, 5_000, 50_000} {
		growth(b, "Queue", n, crowd{100_000, 1_000, n, 1})
	}
	for _, n := range []int{2, 20, 200} {
		growth(b, "Mailboxes", n, crowd{100_000, 1_000, 500, n})
	}
}

func growth(b *testing.B, what string, n int, of crowd) {
	r := crowded(b, of)
	b.Run(fmt.Sprintf("%s/%d", what, n), func(b *testing.B) { wholeWays(b, r) })
}

func wholeWays(b *testing.B, r *rig) {
	n, start := 0, cpuTime()
	for b.Loop() {
		n++
		wholeWay(r, fmt.Sprintf("new%d-%d", n, start), 2000)
	}
	b.ReportMetric(float64((cpuTime()-start)/time.Duration(n))/1e6, "cpu-ms/op")
}

// BenchmarkCrowded tells whether the cost of a message grows with what the
// store holds: compare with BenchmarkWholeWay2000.
func BenchmarkCrowded(b *testing.B) {
	r := crowded(b, usual(1_000_000))
	b.Run("WholeWay2000", func(b *testing.B) { wholeWays(b, r) })
	b.Run("OpenClose", func(b *testing.B) {
		for b.Loop() {
			r.reopen()
		}
	})
	b.Run("NextDue", func(b *testing.B) {
		for b.Loop() {
			_, err := r.NextDue(r.ctx)
			r.ok(err)
		}
	})
	b.Run("Compare100k", func(b *testing.B) {
		uids := make([]string, 100_000)
		for i := range uids {
			uids[i] = fmt.Sprintf("uid-%08d", (i+1)*10)
		}
		for b.Loop() {
			c, err := r.Compare(r.ctx, "box", uids)
			r.ok(err)
			if len(c.Known) != len(uids) {
				b.Fatal(len(c.Known))
			}
		}
	})
	b.Run("Expire", func(b *testing.B) {
		for b.Loop() {
			_, err := r.Expire(r.ctx, r.clock.Now().Add(-300*24*time.Hour))
			r.ok(err)
		}
	})
	for name, f := range map[string]Filter{
		"newest": {Limit: 50}, "rare word": {Search: "4711", Limit: 50}, "common word": {Search: "budget", Limit: 50}, "everybody": {Search: "anne@office", Limit: 50},
		"part of a word": {Search: "udget 77", Limit: 50}, "nothing": {Search: "zebra", Limit: 50}, "person": {Person: "anne@office.test", Limit: 50}, "state": {State: mail.Failed, Limit: 50},
	} {
		b.Run("Log/"+name, func(b *testing.B) {
			for b.Loop() {
				r.log(f)
			}
		})
	}
	b.Run("Purge500", func(b *testing.B) {
		for b.Loop() {
			_, err := r.Purge(r.ctx, r.clock.Now(), 500)
			r.ok(err)
		}
	})
}
