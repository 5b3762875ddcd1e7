package store

import (
	"fmt"
	"testing"
	"time"

	"postbag/engine/mail"
)

// crowded is a store with a million lines of journal, a hundred thousand UIDLs
// at the provider and fifty thousand messages queued.
func crowded(b *testing.B) *rig {
	r := newRig(b)
	const count = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) `
	at := r.clock.Now().Add(-200 * 24 * time.Hour).UnixMilli()
	now := r.clock.Now().UnixMilli()
	c, err := openConn(r.opt.Dir+"/"+fileDB, "synchronous = OFF", "cache_size = -200000", "wal_autocheckpoint = 100000")
	r.ok(err)
	for _, sql := range []string{
		"BEGIN",
		fmt.Sprintf(count+`INSERT INTO identity (row, id, mailbox, uid, state, at_source, size, fingerprint, seen, changed, delivered)
			SELECT i, printf('0000%%09d', i), CASE WHEN i %% 10 = 0 THEN 'box' ELSE 'old' END, printf('uid-%%08d', i), CASE WHEN i > 950000 THEN 'queued' ELSE 'delivered' END,
			CASE WHEN i %% 10 = 0 THEN 'kept' ELSE 'deleted' END, 5000, randomblob(32), %d + i * 10000, %d + i * 10000, %d FROM n`, at, at, at),
		count + `INSERT INTO message (row, message_id, author, subject, route, received, indexed)
			SELECT i, printf('<%d.%x@mail.isp.test>', i, i * 7919), printf('Person %d <p%d@firm%d.test>', i % 5000, i % 5000, i % 300), printf('The subject of message %d about budget %d', i, i % 1000), 'to_cc', 1, 1 FROM n`,
		`INSERT INTO search (rowid, text) SELECT row, author || ' ' || subject || ' ' || message_id || ' anne@office.test' FROM message`,
		fmt.Sprintf(count+`INSERT INTO copy (id, person, address, target, state, queued, changed, next, attempts)
			SELECT i << 20, 'anne@office.test', 'anne@office.test', 'office', CASE WHEN i > 950000 THEN 'queued' ELSE 'delivered' END, %d, %d, CASE WHEN i > 950000 THEN %d + i END, 1 FROM n`, at, at, now+3600_000),
		`INSERT INTO body (row, size, data) SELECT row, 5000, zeroblob(500) FROM identity WHERE state = 'queued'`,
		`INSERT OR REPLACE INTO counter (state, n) SELECT state, count(*) FROM identity GROUP BY state`,
		"COMMIT",
	} {
		r.ok(c.script(sql))
	}
	r.ok(c.close())
	return r
}

// BenchmarkCrowded tells whether the cost of a message grows with what the
// store holds: compare with BenchmarkWholeWay2000.
func BenchmarkCrowded(b *testing.B) {
	r := crowded(b)
	b.Run("WholeWay2000", func(b *testing.B) {
		n, start := 0, cpuTime()
		for b.Loop() {
			n++
			wholeWay(r, fmt.Sprintf("new%d-%d", n, start), 2000)
		}
		b.ReportMetric(float64((cpuTime()-start)/time.Duration(n))/1e6, "cpu-ms/op")
	})
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
