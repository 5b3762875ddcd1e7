package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"postbag/engine/mail"
)

// clock is a clock that tests turn by hand.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// rig is a store with its clock, and short ways to say what tests do often.
type rig struct {
	*Store
	t     testing.TB
	ctx   context.Context
	clock *clock
	opt   Options
}

func newRig(t testing.TB, change ...func(*Options)) *rig {
	t.Helper()
	c := newClock()
	o := Options{Dir: t.TempDir() + "/store", Now: c.Now}
	for _, f := range change {
		f(&o)
	}
	r := &rig{t: t, ctx: context.Background(), clock: c, opt: o}
	r.open()
	t.Cleanup(func() {
		if err := r.Store.Close(); err != nil {
			t.Error("close:", err)
		}
	})
	return r
}

func (r *rig) open() {
	r.t.Helper()
	s, err := Open(r.ctx, r.opt)
	if err != nil {
		r.t.Fatal("open:", err)
	}
	r.Store = s
}

func (r *rig) reopen() {
	r.t.Helper()
	if err := r.Store.Close(); err != nil {
		r.t.Fatal("close:", err)
	}
	r.open()
}

func (r *rig) ok(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) list(mailbox string, uids ...string) []Known {
	r.t.Helper()
	items := make([]NewItem, len(uids))
	for i, u := range uids {
		items[i] = NewItem{UID: u, Size: 100}
	}
	out, err := r.RecordListing(r.ctx, mailbox, items, nil)
	r.ok(err)
	return out
}

func (r *rig) draft(text string) *Draft {
	r.t.Helper()
	d := r.NewDraft()
	if _, err := io.WriteString(d, text); err != nil {
		r.t.Fatal(err)
	}
	return d
}

func fingerprint(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func person(name string) mail.Recipient {
	return mail.Recipient{Address: name + "@office.test", Person: name + "@office.test", For: name + "@office.test", Target: "office"}
}

func decision(names ...string) *mail.Decision {
	d := &mail.Decision{Route: mail.RouteToCc, Sender: "sender@isp.test"}
	for _, n := range names {
		d.Recipients = append(d.Recipients, person(n))
	}
	return d
}

// keep collects a message for the named people.
func (r *rig) keep(mailbox, uid, text string, names ...string) KeepResult {
	r.t.Helper()
	out, err := r.Keep(r.ctx, Kept{Mailbox: mailbox, UID: uid, Draft: r.draft(text), Fingerprint: fingerprint(text),
		Summary:  mail.Summary{MessageID: "<" + uid + "@isp.test>", From: "Sender <sender@isp.test>", Subject: text},
		Decision: decision(names...)})
	r.ok(err)
	return out
}

func (r *rig) inAMinute(n int) time.Time { return r.clock.Now().Add(time.Duration(n) * time.Minute) }

func (r *rig) claim(max int) []mail.Job {
	r.t.Helper()
	jobs, err := r.Claim(r.ctx, "office", max, r.inAMinute)
	r.ok(err)
	return jobs
}

// settle records the same outcome for every copy of a job.
func (r *rig) settle(j mail.Job, state mail.State, code mail.Code) SettleResult {
	r.t.Helper()
	var list []Settlement
	for _, c := range j.Copies {
		list = append(list, Settlement{Copy: c, State: state, Code: code, Reply: "250 2.0.0 Ok"})
	}
	out, err := r.Settle(r.ctx, j, list)
	r.ok(err)
	return out
}

func (r *rig) entry(row int64) mail.Entry {
	r.t.Helper()
	e, err := r.Entry(r.ctx, row)
	r.ok(err)
	return e
}

func (r *rig) wantState(row int64, want mail.State) {
	r.t.Helper()
	if got := r.entry(row).State; got != want {
		r.t.Errorf("state = %s, want %s", got, want)
	}
}

// wantCode checks the code of an error.
func wantCode(t testing.TB, err error, want mail.Code) {
	t.Helper()
	f, ok := errors.AsType[*mail.Failure](err)
	if !ok || f.Code != want {
		t.Fatalf("error = %v, want code %s", err, want)
	}
}

// audit recounts everything and compares it with the counters (rule 49).
func (r *rig) audit() {
	r.t.Helper()
	if err := audit(r.ctx, r.Store); err != nil {
		r.t.Error(err)
	}
}

func audit(ctx context.Context, s *Store) error {
	balance, err := s.Balance(ctx)
	if err == nil && !s.readOnly {
		err = s.auditHeard(ctx)
	}
	if err != nil {
		return err
	}
	return s.snapshot(ctx, "audit", func(c *conn) error {
		counted := make(map[mail.State]int64)
		if err := c.each(ctx, "SELECT state, count(*) FROM identity GROUP BY state", func(r record) error {
			counted[mail.State(r.str(0))] = r.int(1)
			return nil
		}); err != nil {
			return err
		}
		for _, st := range mail.States() {
			if counted[st] != balance[st] {
				return fmt.Errorf("%d messages are %s, the counter says %d", counted[st], st, balance[st])
			}
		}
		r, _, err := c.one(ctx, "SELECT coalesce(sum(size), 0) FROM body")
		if err != nil {
			return err
		}
		if got := s.SpoolBytes(); got != r.int(0) {
			return fmt.Errorf("%d octets are held, the counter says %d", r.int(0), got)
		}
		for _, check := range auditRules {
			r, ok, err := c.one(ctx, check.sql)
			if err != nil {
				return err
			}
			if ok {
				return fmt.Errorf("%s: %v", check.rule, r)
			}
		}
		return nil
	})
}

// auditHeard looks for a fingerprint that the tables have and that nobody heard of.
func (s *Store) auditHeard(ctx context.Context) error {
	return s.writeBeside(ctx, "audit", func(t *tx) error {
		t.s.join()
		return t.query("SELECT key FROM fingerprint_new UNION ALL SELECT key FROM fingerprint_old", func(r record) error {
			if key := r.blob(0); !t.s.heard.maybe(key) {
				return fmt.Errorf("the fingerprint %x is in the tables, and unheard of", key)
			}
			return nil
		})
	})
}

// auditRules are queries that find nothing in a sound store.
var auditRules = []struct{ rule, sql string }{
	{"a message is found by its fingerprint", `SELECT i.row FROM identity i WHERE i.fingerprint IS NOT NULL
		AND NOT EXISTS (SELECT 1 FROM fingerprint_new f WHERE f.key = substr(i.fingerprint, 1, 6) AND f.row = i.row)
		AND NOT EXISTS (SELECT 1 FROM fingerprint_old f WHERE f.key = substr(i.fingerprint, 1, 6) AND f.row = i.row)`},
	{"a message under way has its octets", `SELECT i.id, i.state FROM identity i WHERE i.state IN ('collected', 'queued', 'quarantined')
		AND NOT EXISTS (SELECT 1 FROM body b WHERE b.row = i.row)`},
	{"a settled message has none", `SELECT i.id, i.state FROM body b JOIN identity i ON i.row = b.row
		WHERE i.state NOT IN ('collected', 'queued', 'quarantined')`},
	{"a copy is held only by one under way", `SELECT h.id, h.state FROM copy h JOIN copy l ON l.id = h.held_by
		WHERE l.state <> 'queued' OR l.held_by IS NOT NULL`},
	{"what holds a copy exists", `SELECT id FROM copy WHERE held_by IS NOT NULL AND held_by NOT IN (SELECT id FROM copy)`},
	{"only a queued copy is held", `SELECT id, state FROM copy WHERE held_by IS NOT NULL AND state <> 'queued'`},
	{"exactly a queued copy that is not held has its time", `SELECT id, state FROM copy WHERE (state = 'queued' AND held_by IS NULL) <> (next IS NOT NULL)`},
	{"a copy has its message", `SELECT id FROM copy WHERE NOT EXISTS (SELECT 1 FROM identity i WHERE i.row = copy.id >> 20)`},
	{"the message's state is its worst copy's", `SELECT i.id, i.state, min(CASE c.state WHEN 'queued' THEN 0 WHEN 'quarantined' THEN 1
		WHEN 'delivered' THEN 2 WHEN 'duplicate' THEN 3 ELSE 4 END) AS worst
		FROM copy c JOIN identity i ON i.row = c.id >> 20 GROUP BY i.row
		HAVING worst <> CASE i.state WHEN 'queued' THEN 0 WHEN 'quarantined' THEN 1 WHEN 'delivered' THEN 2 WHEN 'duplicate' THEN 3 ELSE 4 END`},
}
