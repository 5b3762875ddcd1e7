package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"postbag/engine/mail"
)

func (r *rig) log(f Filter) []mail.Entry {
	r.t.Helper()
	var out []mail.Entry
	r.ok(r.Log(r.ctx, f, func(e mail.Entry) error { out = append(out, e); return nil }))
	return out
}

func subjects(list []mail.Entry) string {
	var out []string
	for _, e := range list {
		out = append(out, e.Subject)
	}
	return strings.Join(out, ",")
}

func TestEntryIsTheObjectOfTheContract(t *testing.T) {
	r := newRig(t)
	r.ok(r.UpdateMailbox(r.ctx, "box", func(m *MailboxState) { m.Name = "Whole office" }))
	k := r.keep("box", "u1", "Budget", "anne")
	w := r.list("box", "u2")[0]
	next := r.clock.Now().Add(time.Minute)
	j := r.claim(1)[0]
	_, err := r.Settle(r.ctx, j, []Settlement{{Copy: j.Copies[0], State: mail.Queued, Code: mail.CodeDeferred, Reply: "450 4.2.0 later", Next: next}})
	r.ok(err)
	for _, c := range []struct {
		row  int64
		want string
	}{
		{k.Row, `{"time":"2026-11-02T08:00:00Z","id":"` + k.ID + `","mailbox":"Whole office","uid":"u1","message_id":"<u1@isp.test>",` +
			`"from":"Sender <sender@isp.test>","subject":"Budget","size":6,"state":"queued","at_source":"present","route":"to_cc",` +
			`"recipients":[{"address":"anne@office.test","state":"queued","reply":"450 4.2.0 later"}],"attempts":1,"next_attempt":"2026-11-02T08:01:00Z","reason":"450 4.2.0 later"}`},
		{w.Row, `{"time":"2026-11-02T08:00:00Z","id":"` + w.ID + `","mailbox":"Whole office","uid":"u2","message_id":null,"from":null,"subject":null,` +
			`"size":100,"state":"waiting","at_source":"present","route":"","recipients":[],"attempts":0,"next_attempt":null,"reason":null}`},
	} {
		e := r.entry(c.row)
		b, err := json.Marshal(e)
		r.ok(err)
		var buf strings.Builder
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		r.ok(enc.Encode(e))
		if got := strings.TrimSpace(buf.String()); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
		var back mail.Entry
		r.ok(json.Unmarshal(b, &back))
		if again, err := json.Marshal(back); err != nil || string(again) != string(b) {
			t.Errorf("read back: %s %v", again, err)
		}
	}
}

func TestLogIsNewestFirstAndFiltered(t *testing.T) {
	r := newRig(t)
	r.ok(r.UpdateMailbox(r.ctx, "box-b", func(m *MailboxState) { m.Name = "Second" }))
	start := r.clock.Now()
	for i, who := range []string{"anne", "bob", "anne", "claire"} {
		r.keep([]string{"box-a", "box-b"}[i%2], fmt.Sprint("u", i), fmt.Sprint("S", i), who)
		r.clock.Advance(time.Minute)
	}
	j := r.claim(1)[0]
	r.settle(j, mail.Delivered, "") // S0 is the newest now, but for S1
	j = r.claim(1)[0]
	r.clock.Advance(time.Minute)
	r.settle(j, mail.Quarantined, mail.CodePolicy)
	for _, c := range []struct {
		name string
		f    Filter
		want string
	}{
		{"all", Filter{}, "S1,S0,S3,S2"},
		{"limit", Filter{Limit: 2}, "S1,S0"},
		{"since", Filter{Since: start.Add(2 * time.Minute)}, "S1,S0,S3,S2"},
		{"until", Filter{Until: start.Add(3 * time.Minute)}, "S2"},
		{"state", Filter{State: mail.Delivered}, "S0"},
		{"mailbox by id", Filter{Mailbox: "box-b"}, "S1,S3"},
		{"mailbox by name", Filter{Mailbox: "Second"}, "S1,S3"},
		{"person", Filter{Person: "ANNE@office.test"}, "S0,S2"},
		{"search and state", Filter{Search: "sender", State: mail.Queued}, "S3,S2"},
		{"search and limit", Filter{Search: "sender", Limit: 1}, "S1"},
		{"search and mailbox", Filter{Search: "sender", Mailbox: "Second"}, "S1,S3"},
		{"nothing", Filter{Search: "zebra"}, ""},
		{"rare state", Filter{State: mail.Quarantined}, "S1"},
		{"rare state and mailbox", Filter{State: mail.Quarantined, Mailbox: "box-a"}, ""},
		{"rare state and words", Filter{State: mail.Quarantined, Search: "sender bob"}, "S1"},
	} {
		if got := subjects(r.log(c.f)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	var paged []mail.Entry
	f := Filter{Limit: 1}
	for {
		p := r.log(f)
		if len(p) == 0 {
			break
		}
		paged = append(paged, p...)
		f.Before = Cursor(p[0])
	}
	if got := subjects(paged); got != "S1,S0,S3,S2" {
		t.Errorf("paged: %s", got)
	}
	wantCode(t, r.Log(r.ctx, Filter{Before: "nonsense"}, nil), mail.CodeNotFound)
	stop := errors.New("enough")
	if err := r.Log(r.ctx, Filter{}, func(mail.Entry) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("err = %v", err)
	}
}

func TestLogGoesOnOverPages(t *testing.T) {
	r := newRig(t)
	for i := range 3 {
		items := make([]NewItem, page-1)
		for n := range items {
			items[n] = NewItem{UID: fmt.Sprint(i, "-", n)}
		}
		_, err := r.RecordListing(r.ctx, "box", items, nil)
		r.ok(err)
	}
	seen := make(map[string]bool)
	for _, e := range r.log(Filter{}) {
		seen[e.ID] = true
	}
	if len(seen) != 3*(page-1) {
		t.Errorf("%d lines", len(seen))
	}
	if got := len(r.log(Filter{Limit: page + 50})); got != page+50 {
		t.Errorf("%d lines", got)
	}
}

func TestSearchFinds(t *testing.T) {
	r := newRig(t)
	d := decision("anne")
	d.Recipients[0].Address, d.Recipients[0].For = "anne@pop.office.test", "info@office.test"
	k, err := r.Keep(r.ctx, Kept{Mailbox: "box", UID: "uid-77", Draft: r.draft("text"), Decision: d,
		Summary: mail.Summary{MessageID: "<20261102.4711@mail.isp.test>", From: `"O'Brien, Zoë" <zoe.obrien@Firm.test>`, Subject: `Réunion: 50% "off" – 請求書 AND NOT (x*`}})
	r.ok(err)
	for _, q := range []string{
		"zoe", "ZOË", "obrien", "zoe.obrien@firm.test", "firm.test", "@firm", "reunion", "Réunion", "réu", "<20261102.4711@mail.isp.test>", "4711",
		"anne@office.test", "anne@pop", "info@office.test", "reunion zoe", `"off"`, "請求書", "50%", k.ID, strings.ToUpper(k.ID),
		"brie", "union", "irm.te", "uid-77", "AND", "NOT (x*", "(x*",
	} {
		if got := r.find(q); len(got) != 1 || got[0].Row != k.Row {
			t.Errorf("%q finds %d", q, len(got))
		}
	}
	for _, q := range []string{"zoe zebra", "OR", "subject:", `"`, `""`, "*", "^", "- -", "\x00", "NEAR(a b)", "zoe OR zebra", "col:zoe"} {
		if got := r.find(q); len(got) != 0 && strings.ContainsAny(q, "zN") {
			t.Errorf("%q finds %d", q, len(got))
		}
	}
}

func FuzzSearch(f *testing.F) {
	for _, s := range []string{"anne", `"`, "a*b", "NEAR(a b, 3)", "col:x", "請求", "\x00", "-", "a AND", "{a b}: c", "^a", "a + b"} {
		f.Add(s)
	}
	r := newRig(f)
	r.keep("box", "u1", "Budget", "anne")
	f.Fuzz(func(t *testing.T, s string) {
		if err := r.Log(r.ctx, Filter{Search: s, Limit: 3}, func(mail.Entry) error { return nil }); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
	})
}

func TestStoryTellsWhatHappened(t *testing.T) {
	r := newRig(t)
	k0 := r.list("box", "u1")[0]
	r.clock.Advance(time.Minute)
	_, err := r.FetchFailed(r.ctx, k0.Row, &mail.Failure{Code: mail.CodeSysTemp, Reply: "-ERR later"})
	r.ok(err)
	r.clock.Advance(time.Minute)
	k := r.keep("box", "u1", "text", "anne")
	for _, code := range []mail.Code{mail.CodeConnect, mail.CodeConnect, mail.CodeDeferred} {
		r.clock.Advance(time.Hour)
		r.settle(r.claim(1)[0], mail.Queued, code)
	}
	r.clock.Advance(time.Hour)
	r.settle(r.claim(1)[0], mail.Quarantined, mail.CodePolicy)
	r.clock.Advance(time.Hour)
	_, err = r.Retry(r.ctx, k.ID)
	r.ok(err)
	r.clock.Advance(time.Hour)
	r.settle(r.claim(1)[0], mail.Delivered, "")
	r.clock.Advance(time.Hour)
	r.ok(r.SetAtSource(r.ctx, []int64{k.Row}, mail.SourceDeleted))
	steps, err := r.Story(r.ctx, k.ID)
	r.ok(err)
	var got []string
	for i, s := range steps {
		got = append(got, s.What)
		if i > 0 && s.Time.Before(steps[i-1].Time) {
			t.Error("not in order of time")
		}
	}
	want := "listed fetch_failed fetched routed deferred deferred quarantined retry delivered source_deleted"
	if strings.Join(got, " ") != want {
		t.Errorf("story: %s\nwant:  %s", strings.Join(got, " "), want)
	}
	_, err = r.Story(r.ctx, "nothing")
	wantCode(t, err, mail.CodeNotFound)
}

func TestQueueListsWhatNeedsAttention(t *testing.T) {
	r := newRig(t)
	r.list("box", "waiting")
	r.keep("box", "delivered", "d", "anne")
	r.settle(r.claim(1)[0], mail.Delivered, "")
	r.keep("box", "queued", "q", "anne")
	big := r.list("box", "big")[0]
	_, err := r.SetTooBig(r.ctx, big.Row, 1e9, mail.Summary{})
	r.ok(err)
	var got []string
	r.ok(r.Queue(r.ctx, func(e mail.Entry) error { got = append(got, e.UID); return nil }))
	if strings.Join(got, " ") != "queued big" {
		t.Errorf("queue = %v", got)
	}
}

func TestPurgeKeepsIdentitiesAndTheBalance(t *testing.T) {
	r := newRig(t, func(o *Options) { o.DuplicateWindow = time.Hour })
	for i := range 5 {
		r.keep("box", fmt.Sprint("u", i), fmt.Sprint("old", i), "anne")
	}
	for _, j := range r.claim(9) {
		r.settle(j, mail.Delivered, "")
	}
	r.clock.Advance(24 * time.Hour)
	kept := r.keep("box", "q", "queued", "anne")
	before, err := r.Balance(r.ctx)
	r.ok(err)
	cut := r.clock.Now().Add(-time.Hour)
	for _, want := range []int{3, 2, 0} {
		n, err := r.Purge(r.ctx, cut, 3)
		r.ok(err)
		if n != want {
			t.Errorf("purged %d, want %d", n, want)
		}
	}
	after, err := r.Balance(r.ctx)
	r.ok(err)
	if fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("balance was %v, is %v", before, after)
	}
	if got := r.log(Filter{}); len(got) != 1 || got[0].Row != kept.Row {
		t.Errorf("journal: %s", subjects(got))
	}
	if got := r.find("old1"); len(got) != 0 {
		t.Error("found after the purge")
	}
	c, err := r.Compare(r.ctx, "box", []string{"u0", "u4"})
	r.ok(err)
	if len(c.Known) != 2 || c.Known["u0"][0].State != mail.Delivered || c.Known["u0"][0].FirstDelivered.IsZero() || c.Known["u0"][0].Fingerprint == "" {
		t.Errorf("known = %+v", c.Known)
	}
	r.audit()

	if n, err := r.Purge(r.ctx, r.clock.Now().Add(time.Hour), 10); err != nil || n != 0 {
		t.Errorf("purged %d of what is queued, %v", n, err)
	}
}

// TestRule35_AfterThePurge: the retention of the journal is kept to, and a
// delivery is known nevertheless as long as the window for duplicates lasts.
func TestRule35_AfterThePurge(t *testing.T) {
	r := newRig(t, func(o *Options) { o.DuplicateWindow = time.Hour })
	first := r.keep("box", "u1", "same", "anne")
	r.settle(r.claim(1)[0], mail.Delivered, "")
	r.clock.Advance(time.Minute)
	if n, err := r.Purge(r.ctx, r.clock.Now(), 10); err != nil || n != 1 {
		t.Fatalf("purged %d, %v", n, err)
	}
	if got := r.log(Filter{}); len(got) != 0 {
		t.Errorf("journal: %s", subjects(got))
	}
	_, err := r.Get(r.ctx, first.ID)
	wantCode(t, err, mail.CodeNotFound)
	again := r.keep("other", "u2", "same", "anne")
	r.wantState(again.Row, mail.Duplicate)
	r.audit()
	r.clock.Advance(2 * time.Hour)
	left := 0
	for range 3 {
		n, err := r.Purge(r.ctx, r.clock.Now(), 10)
		r.ok(err)
		left += n
	}
	if left != 2 { // the line of the duplicate, and what was kept of the delivery
		t.Errorf("purged %d after the window", left)
	}
	third := r.keep("box", "u3", "same", "anne")
	r.wantState(third.Row, mail.Queued)
	r.audit()
}

func TestStatesAreKept(t *testing.T) {
	r := newRig(t)
	m := MailboxState{ID: "box", Name: "Box", Suspended: true, Strikes: 3, Result: "needs_user", ErrorCode: mail.CodeAuth, ErrorReply: "-ERR [AUTH]",
		LastStart: r.clock.Now(), LastEnd: r.clock.Now(), Next: r.clock.Now(), NextAllowed: r.clock.Now(), Collected: 7, Paused: true, Notes: map[string]string{"a": "b"}}
	r.ok(r.SaveMailbox(r.ctx, m))
	r.ok(r.SaveTarget(r.ctx, TargetState{Name: "office", PausedUntil: r.clock.Now(), Attempts: 2, Code: mail.CodeRelay, Reply: "554", Refusals: 3}))
	r.ok(r.UpdateAlert(r.ctx, "target:office", func(a *Alert) { a.First, a.Count = r.clock.Now(), 1 }))
	r.reopen()
	got, err := r.GetMailbox(r.ctx, "box")
	r.ok(err)
	if fmt.Sprint(got) != fmt.Sprint(m) {
		t.Errorf("mailbox = %+v", got)
	}
	list, err := r.Mailboxes(r.ctx)
	r.ok(err)
	if len(list) != 1 || fmt.Sprint(list[0]) != fmt.Sprint(m) {
		t.Errorf("mailboxes = %+v", list)
	}
	tg, err := r.GetTarget(r.ctx, "office")
	r.ok(err)
	if tg.Attempts != 2 || tg.Name != "office" || tg.Refusals != 3 {
		t.Errorf("target = %+v", tg)
	}
	al, err := r.Alerts(r.ctx)
	r.ok(err)
	if len(al) != 1 || al[0].Cause != "target:office" || al[0].Count != 1 {
		t.Errorf("alerts = %+v", al)
	}
	r.ok(r.UpdateAlert(r.ctx, "target:office", func(a *Alert) { *a = Alert{} }))
	if al, err := r.Alerts(r.ctx); err != nil || len(al) != 0 {
		t.Errorf("alerts = %+v %v", al, err)
	}
	fresh, err := r.GetTarget(r.ctx, "nobody")
	r.ok(err)
	if fresh.Name != "nobody" || fresh.Attempts != 0 {
		t.Errorf("fresh = %+v", fresh)
	}
}

// What an id and the words of a message both find is one line.
func TestFoundTwiceIsShownOnce(t *testing.T) {
	r := newRig(t)
	k := r.keep("box", "u1", "text", "anne")
	other := r.keep("box", "u2", "other", "anne")
	for _, row := range []int64{k.Row, other.Row} {
		r.ok(r.write(r.ctx, "index", 0, func(t *tx) error {
			return t.index(row, mail.Summary{Subject: "about " + k.ID}, nil)
		}))
	}
	for limit, want := range map[int]int{0: 2, 1: 1, 2: 2, 3: 2} {
		if got := r.log(Filter{Search: k.ID, Limit: limit}); len(got) != want {
			t.Errorf("limit %d: %d lines, want %d", limit, len(got), want)
		}
	}
}
