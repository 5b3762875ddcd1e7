package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"postbag/engine/mail"
)

func TestRule1_StateIsKeyedByMailboxAndUIDL(t *testing.T) {
	r := newRig(t)
	a, b := r.list("box-a", "u1"), r.list("box-b", "u1")
	if a[0].Row == b[0].Row || a[0].ID == b[0].ID {
		t.Fatal("one identity for two mailboxes")
	}
	c, err := r.Compare(r.ctx, "box-a", []string{"u1", "u2"})
	r.ok(err)
	if len(c.Known) != 1 || c.Known["u1"][0] != a[0] {
		t.Errorf("known = %+v, want %+v", c.Known, a[0])
	}
	if c.First {
		t.Error("a listed mailbox is called new")
	}
}

func TestCompareTellsTheFirstListing(t *testing.T) {
	r := newRig(t)
	c, err := r.Compare(r.ctx, "box", nil)
	r.ok(err)
	if !c.First {
		t.Error("a mailbox never listed is not called new")
	}
	r.ok(r.UpdateMailbox(r.ctx, "box", func(m *MailboxState) { m.Name = "Box" }))
	if c, err = r.Compare(r.ctx, "box", nil); err != nil || !c.First {
		t.Error("a mailbox with a state but no listing is not called new", err)
	}
	r.list("box")
	if c, err = r.Compare(r.ctx, "box", nil); err != nil || c.First {
		t.Error("an empty listing does not count", err)
	}
}

func TestVanishedBeforeCollectedBecomesDeleted(t *testing.T) {
	r := newRig(t)
	k := r.list("box", "u1", "u2")
	c, err := r.Compare(r.ctx, "box", []string{"u2"})
	r.ok(err)
	if len(c.Vanished) != 1 || c.Vanished[0].Row != k[0].Row {
		t.Fatalf("vanished = %+v", c.Vanished)
	}
	_, err = r.RecordListing(r.ctx, "box", nil, []int64{k[0].Row})
	r.ok(err)
	e := r.entry(k[0].Row)
	if e.State != mail.Deleted || e.AtSource != mail.SourceGone || e.Reason != reasonVanished {
		t.Errorf("entry = %+v", e)
	}
	r.audit()

	// Only out of sight: a server's listing was short. It must be collected.
	back := r.list("box", "u1")
	if back[0].Row != k[0].Row || back[0].State != mail.Waiting || back[0].AtSource != mail.SourcePresent {
		t.Errorf("back = %+v", back[0])
	}
	if e := r.entry(k[0].Row); e.State != mail.Waiting || e.Reason != "" {
		t.Errorf("entry = %+v", e)
	}
	r.audit()
}

// rule 13
func TestRule13_SettledAndListedAgainIsNotNew(t *testing.T) {
	r := newRig(t)
	r.list("box", "u1")
	k := r.keep("box", "u1", "text", "anne")
	r.settle(r.claim(1)[0], mail.Delivered, "")
	r.ok(r.SetAtSource(r.ctx, []int64{k.Row}, mail.SourceDeleted))
	// The server said +OK to QUIT and lists it all the same.
	again := r.list("box", "u1")
	if again[0].State != mail.Delivered || again[0].AtSource != mail.SourcePresent || again[0].FirstDelivered.IsZero() {
		t.Errorf("again = %+v", again[0])
	}
	list, err := r.AtSource(r.ctx, "box")
	r.ok(err)
	if len(list) != 1 {
		t.Errorf("to be deleted again: %+v", list)
	}
}

// rule 3
func TestRule3_MessagesWithoutUIDLGoByFingerprint(t *testing.T) {
	r := newRig(t)
	fp := fingerprint("same")
	var rows []int64
	for _, ident := range []string{"fp:" + fp + "#1", "fp:" + fp + "#2"} {
		k, err := r.Keep(r.ctx, Kept{Mailbox: "box", Ident: ident, Draft: r.draft("same"), Fingerprint: fp, Decision: decision("anne")})
		r.ok(err)
		rows = append(rows, k.Row)
	}
	if rows[0] == rows[1] {
		t.Fatal("two occurrences became one")
	}
	list, err := r.ByFingerprint(r.ctx, "box", fp)
	r.ok(err)
	if len(list) != 2 || list[0].Row != rows[0] || list[0].Ident != "fp:"+fp+"#1" || list[0].UID != "" || list[0].Fingerprint != fp {
		t.Errorf("by fingerprint: %+v", list)
	}
	if other, err := r.ByFingerprint(r.ctx, "other", fp); err != nil || len(other) != 0 {
		t.Errorf("another mailbox has %v, %v", other, err)
	}
	// Kept again after a crash before DELE: nothing new.
	k, err := r.Keep(r.ctx, Kept{Mailbox: "box", Ident: "fp:" + fp + "#2", Draft: r.draft("same"), Fingerprint: fp, Decision: decision("anne")})
	r.ok(err)
	if k.Row != rows[1] {
		t.Error("kept twice")
	}
	c, err := r.Compare(r.ctx, "box", nil)
	r.ok(err)
	if len(c.Vanished) != 0 {
		t.Errorf("without a UID nothing vanishes: %+v", c.Vanished)
	}
	// Two messages that share a UIDL: the caller is told that it is ambiguous.
	for _, n := range []string{"a", "b"} {
		f := fingerprint(n)
		_, err := r.Keep(r.ctx, Kept{Mailbox: "box", UID: "shared", Ident: "fp:" + f + "#1", Draft: r.draft(n), Fingerprint: f, Decision: decision("anne")})
		r.ok(err)
	}
	c, err = r.Compare(r.ctx, "box", []string{"shared"})
	r.ok(err)
	if got := c.Known["shared"]; len(got) != 2 || got[0].Ident == got[0].UID {
		t.Errorf("shared = %+v", got)
	}
	r.audit()
}

func TestRule4_RekeyAfterTheProviderRenumbered(t *testing.T) {
	r := newRig(t)
	r.list("box", "old")
	k := r.keep("box", "old", "text", "anne")
	r.settle(r.claim(1)[0], mail.Delivered, "")
	_, err := r.RecordListing(r.ctx, "box", nil, []int64{k.Row})
	r.ok(err)
	fresh := r.list("box", "new")
	r.ok(r.Rekey(r.ctx, k.Row, "new", fresh[0].Row))
	c, err := r.Compare(r.ctx, "box", []string{"new"})
	r.ok(err)
	if got := c.Known["new"]; len(got) != 1 || got[0].Row != k.Row || got[0].AtSource != mail.SourcePresent || got[0].State != mail.Delivered {
		t.Errorf("known = %+v", got)
	}
	b, err := r.Balance(r.ctx)
	r.ok(err)
	if b[mail.Delivered] != 1 || b[mail.Waiting] != 0 {
		t.Errorf("balance = %v: the dropped row must not be counted", b)
	}
	r.audit()

	// A message with octets of its own is never dropped.
	other := r.keep("box", "other", "other", "anne")
	wantCode(t, r.Rekey(r.ctx, k.Row, "newer", other.Row), mail.CodeWrongState)
	r.audit()
}

func TestRule15_TooBigIsWarnedOfOnce(t *testing.T) {
	r := newRig(t)
	k := r.list("box", "u1")[0]
	sum := mail.Summary{MessageID: "<big@isp.test>", From: "Big <big@isp.test>", Subject: "A film"}
	for i, want := range []bool{true, false} {
		first, err := r.SetTooBig(r.ctx, k.Row, 50e6, sum)
		r.ok(err)
		if first != want {
			t.Errorf("call %d: first = %v", i, first)
		}
	}
	e := r.entry(k.Row)
	if e.State != mail.TooBig || e.Size != 50e6 || e.From != sum.From || e.Subject != sum.Subject || e.Code != mail.CodeTooBig {
		t.Errorf("entry = %+v", e)
	}
	_, err := r.Retry(r.ctx, e.ID)
	r.ok(err)
	c, err := r.Compare(r.ctx, "box", []string{"u1"})
	r.ok(err)
	if !c.Known["u1"][0].FetchAnyway {
		t.Error("not to be fetched anyway")
	}
	got := r.keep("box", "u1", "the film", "anne")
	if got.Row != k.Row || got.State != mail.Queued {
		t.Errorf("kept = %+v", got)
	}
	r.audit()
	if found := r.find("film"); len(found) != 1 {
		t.Errorf("found %d times", len(found))
	}
}

func (r *rig) find(text string) []mail.Entry {
	r.t.Helper()
	var out []mail.Entry
	r.ok(r.Log(r.ctx, Filter{Search: text}, func(e mail.Entry) error { out = append(out, e); return nil }))
	return out
}

func TestRule16_ThreeFailedFetchesSetAside(t *testing.T) {
	r := newRig(t)
	k := r.list("box", "u1")[0]
	f := &mail.Failure{Code: mail.CodeSysPerm, Reply: "-ERR message is damaged"}
	for n, want := range []mail.State{mail.Waiting, mail.Waiting, mail.Failed, mail.Failed} {
		got, err := r.FetchFailed(r.ctx, k.Row, f)
		r.ok(err)
		if got != want {
			t.Errorf("failure %d: %s, want %s", n+1, got, want)
		}
	}
	e := r.entry(k.Row)
	if e.Reason != "-ERR message is damaged" || e.Code != mail.CodeSysPerm {
		t.Errorf("entry = %+v", e)
	}
	_, err := r.Retry(r.ctx, e.ID)
	r.ok(err)
	if got, err := r.FetchFailed(r.ctx, k.Row, f); err != nil || got != mail.Waiting {
		t.Errorf("after retry: %s %v", got, err)
	}
	r.audit()
}

// rule 14: the time of the first accepted delivery is kept.
func TestRule14_FirstDeliveryIsKept(t *testing.T) {
	r := newRig(t)
	k := r.keep("box", "u1", "text", "anne", "bob")
	r.clock.Advance(time.Hour)
	first := r.clock.Now()
	j := r.claim(1)[0]
	_, err := r.Settle(r.ctx, j, []Settlement{{Copy: j.Copies[0], State: mail.Delivered}, {Copy: j.Copies[1], State: mail.Queued, Next: first.Add(time.Hour)}})
	r.ok(err)
	r.clock.Advance(48 * time.Hour)
	r.settle(r.claim(1)[0], mail.Delivered, "")
	c, err := r.Compare(r.ctx, "box", []string{"u1"})
	r.ok(err)
	if got := c.Known["u1"][0].FirstDelivered; !got.Equal(first) {
		t.Errorf("first delivered %v, want %v", got, first)
	}
	r.wantState(k.Row, mail.Delivered)
}

func TestAtSourceListsWhatMayBeDeletedThere(t *testing.T) {
	r := newRig(t)
	rows := r.list("box", "waiting", "delivered", "queued", "asked", "kept", "gone")
	for _, u := range []string{"delivered", "kept", "gone"} {
		r.keep("box", u, u, "anne")
	}
	for _, j := range r.claim(10) {
		r.settle(j, mail.Delivered, "")
	}
	r.keep("box", "queued", "queued", "anne")
	r.ok(r.SetAtSource(r.ctx, []int64{rows[4].Row}, mail.SourceKept))
	r.ok(r.SetAtSource(r.ctx, []int64{rows[5].Row}, mail.SourceGone))
	_, err := r.Delete(r.ctx, rows[3].ID)
	r.ok(err)
	list, err := r.AtSource(r.ctx, "box")
	r.ok(err)
	got := ""
	for _, k := range list {
		got += k.UID + " "
	}
	if got != "delivered asked kept " {
		t.Errorf("to be deleted: %s", got)
	}
}

func TestConfirmRecordsAllOfManyAndTheMailbox(t *testing.T) {
	r := newRig(t)
	uids := make([]string, 2*chunk+7)
	for i := range uids {
		uids[i] = fmt.Sprint("u", i)
	}
	var gone, kept []int64
	for i, k := range r.list("box", uids...) {
		if i < chunk+3 {
			gone = append(gone, k.Row)
		} else {
			kept = append(kept, k.Row)
		}
	}
	r.ok(r.SaveMailbox(r.ctx, MailboxState{ID: "box", Strikes: 2}))
	r.ok(r.Confirm(r.ctx, "box", gone, kept, func(m *MailboxState) { m.Strikes++ }))
	count := map[mail.AtSource]int{}
	all, err := r.Rows(r.ctx, append(gone, kept...))
	r.ok(err)
	for _, k := range all {
		count[k.AtSource]++
	}
	if count[mail.SourceDeleted] != len(gone) || count[mail.SourceKept] != len(kept) {
		t.Errorf("%v, want %d and %d", count, len(gone), len(kept))
	}
	if m, err := r.GetMailbox(r.ctx, "box"); err != nil || m.Strikes != 3 {
		t.Errorf("%+v %v", m, err)
	}
}

func TestListingWithoutUIDLRecordsNothing(t *testing.T) {
	r := newRig(t)
	got, err := r.RecordListing(r.ctx, "box", []NewItem{{Size: 5}, {UID: "u1"}, {Size: 6}}, nil)
	r.ok(err)
	if len(got) != 3 || got[0].Row != 0 || got[1].Row == 0 || got[2].Row != 0 {
		t.Errorf("got %+v", got)
	}
	r.audit()
}

// Whatever servers and mail put into texts comes back as it was.
func TestOddTexts(t *testing.T) {
	r := newRig(t)
	for i, odd := range []string{"a\x00b", "\xff\xfe", "'; DROP TABLE identity; --", strings.Repeat("ü", 5000), "\r\n.\r\n", "?1 @x :y $z", "\u202egnp.exe"} {
		uid := fmt.Sprint(i, odd)
		d := decision("anne")
		d.Recipients[0].Address, d.Evidence, d.Notes, d.Sender = odd+"@office.test", odd, []string{odd}, odd
		k, err := r.Keep(r.ctx, Kept{Mailbox: "box", UID: uid, Draft: r.draft(odd), Decision: d, Fingerprint: odd,
			Summary: mail.Summary{MessageID: odd, From: odd, Subject: odd}})
		r.ok(err)
		j := r.claim(1)[0]
		_, err = r.Settle(r.ctx, j, []Settlement{{Copy: j.Copies[0], State: mail.Delivered, Reply: odd}})
		r.ok(err)
		e := r.entry(k.Row)
		if e.UID != uid || e.Subject != odd || e.From != odd || e.MessageID != odd || e.Evidence != odd || j.Sender != odd ||
			e.Recipients[0].Reply != odd || e.Recipients[0].Address != odd+"@office.test" {
			t.Errorf("%q came back as %+v", odd, e)
		}
	}
	r.audit()
}

func TestIDsAreUniqueAndForgiving(t *testing.T) {
	var g ids
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	seen := make(map[string]bool)
	last := ""
	for n := range 20000 {
		if n%7000 == 6999 {
			now = now.Add(-time.Minute) // a clock that goes back
		}
		id := g.next(now)
		if len(id) != idLength || seen[id] || id <= last {
			t.Fatalf("id %d = %q after %q", n, id, last)
		}
		seen[id], last = true, id
	}
	if got := cleanID("  OIL0123ABCxyz "); got != "0110123abcxyz" {
		t.Errorf("cleaned: %q", got)
	}
}
