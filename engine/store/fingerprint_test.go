package store

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"testing"

	"postbag/engine/mail"
)

// Wherever a fingerprint lies, the same message is known again: rule 35 across
// mailboxes, rule 3 in one.
func TestFingerprintsAreFoundInBothTables(t *testing.T) {
	for _, noPlain := range []bool{false, true} {
		r := newRig(t, func(o *Options) { o.noPlain = noPlain })
		const n = 300
		var uids []string
		for i := range n {
			uids = append(uids, fmt.Sprintf("u%03d", i))
		}
		rows := r.list("box", uids...)
		parallel(64, n, func(i int) {
			_, err := r.Keep(r.ctx, Kept{Row: rows[i].Row, Draft: r.draft(uids[i]), Fingerprint: fingerprint(uids[i]), Decision: decision("anne")})
			r.ok(err)
		})
		for jobs := r.claim(n); len(jobs) > 0; jobs = r.claim(n) {
			parallel(64, len(jobs), func(i int) { r.settle(jobs[i], mail.Delivered, "") })
		}
		r.audit()
		if small, large := r.keysIn("fingerprint_new"), r.keysIn("fingerprint_old"); small == 0 || large == 0 || small+large != n {
			t.Errorf("%d in the small table, %d in the large one", small, large)
		}
		for i, uid := range uids {
			known, err := r.ByFingerprint(r.ctx, "box", fingerprint(uid))
			r.ok(err)
			if len(known) != 1 || known[0].Row != rows[i].Row || known[0].Fingerprint != fingerprint(uid) {
				t.Fatalf("%s: %+v", uid, known)
			}
			if got := r.keep("other", uid, uid, "anne"); got.State != mail.Duplicate {
				t.Fatalf("%s is %s", uid, got.State)
			}
		}
		if got := r.keep("other", "new", "new", "anne"); got.State != mail.Queued {
			t.Errorf("a new one is %s", got.State)
		}
	}
}

// keysIn counts the keys in a table.
func (r *rig) keysIn(table string) (n int) {
	r.t.Helper()
	r.ok(r.readBeside(r.ctx, "count", func(c *conn) error {
		rec, _, err := c.one(r.ctx, "SELECT count(*) FROM "+table)
		n = int(rec.int(0))
		return err
	}))
	return n
}

// Two messages alike in one transaction: the second waits for what becomes of the
// first (rule 35).
func TestAlikeInOneTransaction(t *testing.T) {
	r := newRig(t, func(o *Options) { o.noPlain = true })
	rows := r.listMany(3)
	r.still(func() {
		var ops []*operation
		for i, k := range rows {
			text := []string{"same", "other", "same"}[i]
			op := keepOp{id: r.ids.next(r.clock.Now()), key: fingerprintKey(fingerprint(text)), Kept: Kept{Row: k.Row, Draft: r.draft(text),
				Size: int64(len(text)), Decision: decision("anne")}}
			ops = append(ops, &operation{beside: true, done: make(chan struct{}), run: func(t *tx) error {
				_, err := op.run(t)
				return err
			}})
		}
		(&batch{s: r.Store, ops: ops}).commit()
		for _, op := range ops {
			r.ok(op.err)
		}
	})
	r.audit()
	jobs := r.claim(10)
	if len(jobs) != 2 {
		t.Fatalf("%d jobs", len(jobs))
	}
	for _, j := range jobs {
		r.settle(j, mail.Delivered, "")
	}
	known, err := r.Rows(r.ctx, []int64{rows[2].Row})
	r.ok(err)
	if known[0].State != mail.Duplicate {
		t.Errorf("the second one is %s", known[0].State)
	}
}

// The same first octets are not the same fingerprint.
func TestFingerprintsThatBeginAlike(t *testing.T) {
	r := newRig(t)
	for i, fp := range []string{fingerprint("a"), fingerprint("a")[:2*keyOctets] + fingerprint("b")[2*keyOctets:], "begin", "beginning", "beginnings"} {
		uid := fmt.Sprint("u", i)
		k, err := r.Keep(r.ctx, Kept{Mailbox: "box", UID: uid, Draft: r.draft(uid), Fingerprint: fp, Decision: decision("anne")})
		r.ok(err)
		if k.State != mail.Queued {
			t.Errorf("%s is %s", fp, k.State)
		}
		known, err := r.ByFingerprint(r.ctx, "box", fp)
		r.ok(err)
		if len(known) != 1 || known[0].UID != uid {
			t.Errorf("%s: %+v", fp, known)
		}
	}
	if jobs := r.claim(10); len(jobs) != 5 {
		t.Errorf("%d jobs", len(jobs))
	}
}

// However many messages there are, about newKeys of them are in the small table.
func TestSmallTableStaysSmall(t *testing.T) {
	r := newRig(t)
	const all, each = 6 * newKeys, 1024
	for row := int64(1); row <= all; row += each {
		r.ok(r.write(r.ctx, "fill", 0, func(t *tx) error {
			for n := row; n < row+each; n++ {
				key := sha256.Sum256(fmt.Append(nil, n))
				_, err := t.exec(`INSERT INTO identity (row, id, mailbox, uid, state, at_source, fingerprint, seen)
					VALUES (?1, 'i' || ?1, 'box', 'u' || ?1, 'delivered', 'gone', ?2, 1)`, n, key[:])
				if err != nil {
					return err
				}
				t.keyed(n, key[:])
			}
			t.delta[mail.Delivered] += each
			return nil
		}))
	}
	r.audit()
	small, large := r.keysIn("fingerprint_new"), r.keysIn("fingerprint_old")
	if small < newKeys/2 || small > 2*newKeys || small+large != all {
		t.Errorf("%d in the small table, %d in the large one", small, large)
	}
}

// The parts follow each other without gaps, and a key is in its own.
func TestPartsOfAllKeys(t *testing.T) {
	for _, n := range []int{1, 3, 100, newKeys - 1, newKeys, newKeys + 1} {
		key := make([]byte, keyOctets)
		for parts := 0; ; parts++ {
			first, end := partOf(string(key), n)
			if !bytes.Equal(first, key) || bytes.Compare(key, end) >= 0 || parts > newKeys {
				t.Fatalf("%d: part %d of %x is %x to %x", n, parts, key, first, end)
			}
			if within, _ := partOf(string(append(bytes.Clone(key[:5]), key[5]|1)), n); !bytes.Equal(within, first) {
				t.Fatalf("%d: %x is not in the part of %x", n, within, first)
			}
			if len(end) > keyOctets {
				if parts+1 < newKeys/n {
					t.Errorf("%d: %d parts", n, parts+1)
				}
				break
			}
			key = end
		}
	}
	for _, odd := range []string{"", "x", "\xff\xff\xff\xff\xff\xff", "longer than six"} {
		if first, end := partOf(odd, 1); string(first) > odd+"\x00\x00\x00\x00\x00\x00" || string(end) <= odd {
			t.Errorf("%q is not between %x and %x", odd, first, end)
		}
	}
}

// secondRelease unpacks a store of schema 2, with the index of whole fingerprints.
func secondRelease(t *testing.T) Options { return released(t, "testdata/store-v2.tar.gz") }

func TestStoreOfTheSecondSchema(t *testing.T) {
	m := mended(t, secondRelease(t), map[string]mail.State{"uid-000": mail.Waiting, "uid-001": mail.Delivered, "uid-003": mail.Quarantined,
		"uid-004": mail.Queued, "uid-005": mail.TooBig, "large": mail.Queued})
	defer m.Store.Close()
	m.knowsAgain()
}

// knowsAgain tells whether a store that holds the sample knows it by its content.
func (r *rig) knowsAgain() {
	r.t.Helper()
	for i := 1; i < 60; i += 6 {
		text := fmt.Sprintf("delivered uid-%03d", i)
		known, err := r.ByFingerprint(r.ctx, "box", fingerprint(text))
		r.ok(err)
		if len(known) != 1 || known[0].UID != fmt.Sprintf("uid-%03d", i) || known[0].Fingerprint != fingerprint(text) {
			r.t.Errorf("%s: %+v", text, known)
		}
		if got := r.keep("other", fmt.Sprint("again", i), text, "anne", "bob"); got.State != mail.Duplicate {
			r.t.Errorf("%s is %s", text, got.State)
		}
	}
	if got := r.keep("other", "new", "new", "anne"); got.State != mail.Queued {
		r.t.Errorf("a new one is %s", got.State)
	}
	r.audit()
}

// Identities whose rows are lost are put together from the indexes; what is known
// of their fingerprints is enough to know the messages again.
func TestRepairKnowsFingerprintsOfLostRows(t *testing.T) {
	r := newRig(t)
	sample(r)
	r.ok(r.Store.Close())
	for name, o := range map[string]Options{"today": r.opt, "schema 2": secondRelease(t)} {
		path := filepath.Join(o.Dir, fileDB)
		c, err := openConn(path, "query_only = 1")
		r.ok(err)
		var pages []int64
		r.ok(c.each(r.ctx, "SELECT pageno FROM dbstat WHERE name = 'identity' AND pagetype = 'leaf'", func(rec record) error {
			pages = append(pages, rec.int(0))
			return nil
		}))
		r.ok(c.close())
		for _, p := range pages {
			overwrite(t, path, (p-1)*pageSize, bytes.Repeat([]byte{0xA5}, pageSize))
		}
		r.ok(markDamaged(osFiles{}, o.Dir, "for the test"))
		rep, err := Repair(r.ctx, o)
		r.ok(err)
		if rep.Rebuilt < 50 {
			t.Errorf("%s: %d rebuilt: %+v", name, rep.Rebuilt, rep)
		}
		m := &rig{t: t, ctx: r.ctx, clock: newClock(), opt: o}
		m.open()
		m.knowsAgain()
		r.ok(m.Store.Close())
	}
	r.opt.Dir = t.TempDir() + "/store"
	r.open() // for the end of the test
}
