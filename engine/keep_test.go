package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"postbag/engine/mail"
	"postbag/engine/mail/header"
	"postbag/engine/route"
	"postbag/engine/source"
	"postbag/engine/store"
)

// keeperRig is a session's way into the store without its provider.
type keeperRig struct {
	*fetcher
	t     *testing.T
	store *store.Store
}

func newKeeperRig(t *testing.T) *keeperRig {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	router, err := route.New(route.Office{Domains: []string{"office.test"}, UnknownRecipient: "postmaster@office.test",
		InstallationID: st.InstallationID(), Targets: []route.TargetDomain{{Name: "office"}}})
	if err != nil {
		t.Fatal(err)
	}
	rules, err := router.Compile(route.Mailbox{ID: "anne", Name: "anne", Kind: "individual", Username: "anne", DeliverTo: []string{"anne@office.test"}})
	if err != nil {
		t.Fatal(err)
	}
	e := New(Settings{}, Deps{Store: st})
	f := newFetcher(&session{e: e, mb: &Mailbox{ID: "anne", Rules: rules}, run: newRun(e), watch: newWatch()})
	return &keeperRig{fetcher: f, t: t, store: st}
}

// listed records messages and returns them as they are planned.
func (r *keeperRig) listed(n int) []source.Planned {
	r.t.Helper()
	items := make([]store.NewItem, n)
	for i := range items {
		items[i] = store.NewItem{UID: fmt.Sprintf("u%03d", i), Size: 100}
	}
	rows, err := r.store.RecordListing(r.t.Context(), "anne", items, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	out := make([]source.Planned, n)
	for i, k := range rows {
		out[i] = source.Planned{Item: source.Item{Number: i + 1, UID: k.UID, Size: 100}, Known: convertOne(k)}
	}
	return out
}

// come has a message arrive with this text.
func (r *keeperRig) come(it source.Planned, text string) {
	r.t.Helper()
	a := &arrival{it: it, draft: r.store.NewDraft(), col: header.NewCollector()}
	if _, err := a.Write([]byte("Subject: " + text + "\r\n\r\n" + text + "\r\n")); err != nil {
		r.t.Fatal(err)
	}
	r.keep(r.t.Context(), a)
}

// inGroups has everything that came kept by one keeper, so that the groups are full.
func (r *keeperRig) inGroups() {
	r.t.Helper()
	if !r.keeping {
		r.t.Fatal("others keep")
	}
	r.end()
	r.serve(r.t.Context())
}

// states are those of all rows, in the order of the listing.
func (r *keeperRig) states(list []source.Planned) string {
	r.t.Helper()
	var out []string
	for _, it := range list {
		en, err := r.store.Entry(context.Background(), it.Known.Row)
		if err != nil {
			r.t.Fatal(err)
		}
		state := string(en.State)
		if len(en.Recipients) > 0 && en.Recipients[0].Held {
			state = "held"
		}
		out = append(out, state)
	}
	return strings.Join(out, " ")
}

// over closes the store; nothing of a draft may be left.
func (r *keeperRig) over() {
	r.t.Helper()
	if n := r.store.DraftBytes(); n != 0 {
		r.t.Errorf("%d octets of drafts are left", n)
	}
	if err := r.store.Close(); err != nil {
		r.t.Error(err)
	}
}

// rule 16: a fault of this program is one of the message that provoked it, and
// the others of its group are kept.
func TestRule16_PanicInAGroup(t *testing.T) {
	r := newKeeperRig(t)
	list := r.listed(grouped + 3)
	r.keeping = true // no keeper begins before all have come
	r.skip = func(h header.Header) bool {
		if strings.HasPrefix(header.Summarize(h).Subject, "bad") {
			panic("a fault of this program")
		}
		return false
	}
	for i, it := range list {
		text := fmt.Sprint("good", i)
		if i == 2 || i == grouped {
			it.ByFingerprint, text = true, fmt.Sprint("bad", i)
		}
		r.come(it, text)
	}
	r.inGroups()
	if err := r.durable(nil); err != nil {
		t.Error(err)
	}
	suspects, _ := r.run.suspects("anne")
	if len(suspects) != 2 || suspects[0].it.UID != "u002" || suspects[0].why.Code != mail.CodeInternal || suspects[1].it.UID != fmt.Sprintf("u%03d", grouped) {
		t.Errorf("%+v", suspects)
	}
	want := slices.Repeat([]string{"queued"}, len(list))
	want[2], want[grouped] = "waiting", "waiting"
	if got := r.states(list); got != strings.Join(want, " ") {
		t.Error(got)
	}
	if len(r.rows) != len(list)-2 || r.run.taken("anne") != len(list)-2 {
		t.Errorf("%d rows, %d taken", len(r.rows), r.run.taken("anne"))
	}
	r.over()
}

// rule 35: the first of one content is the first, inside a group and beyond it.
func TestRule35_OneContentInAGroup(t *testing.T) {
	r := newKeeperRig(t)
	list := r.listed(2 * grouped)
	r.keeping = true
	for i, it := range list {
		r.come(it, fmt.Sprint("text", i%3))
	}
	r.inGroups()
	if err := r.durable(nil); err != nil {
		t.Error(err)
	}
	want := slices.Repeat([]string{"held"}, len(list))
	want[0], want[1], want[2] = "queued", "queued", "queued"
	if got := r.states(list); got != strings.Join(want, " ") {
		t.Error(got)
	}
	if len(r.alike) != 0 {
		t.Errorf("%d are under way", len(r.alike))
	}
	r.over()
}

// rule 35: a keeper waits for the first of one content while another has it.
func TestRule35_TheFirstIsInAnotherGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newKeeperRig(t)
		gate := make(chan struct{})
		r.skip = func(header.Header) bool { <-gate; return false }
		list := r.listed(2)
		r.keeping = true
		r.come(list[0], "same")
		r.come(source.Planned{Item: source.Item{Number: 3, Size: 100}, ByFingerprint: true}, "other")
		go r.serve(t.Context()) // has the first in its group and stands at the other one
		synctest.Wait()
		r.come(list[1], "same")
		go r.serve(t.Context())
		synctest.Wait()
		if got := r.states(list); got != "waiting waiting" {
			t.Error(got)
		}
		close(gate)
		if err := r.durable(nil); err != nil {
			t.Error(err)
		}
		r.end()
		if got := r.states(list); got != "queued held" {
			t.Error(got)
		}
		r.over()
	})
}

// rule 35: keepers that wait for each other's messages do not wait for ever.
func TestRule35_OneContentAmongKeepers(t *testing.T) {
	for round := range 7 {
		r := newKeeperRig(t)
		list := r.listed(5 * underWay)
		kinds := 1 + round
		for i, it := range list {
			r.come(it, fmt.Sprint("text", i%kinds))
		}
		if err := r.durable(nil); err != nil {
			t.Error(err)
		}
		r.end()
		want := slices.Repeat([]string{"held"}, len(list))
		for i := range kinds {
			want[i] = "queued"
		}
		if got := r.states(list); got != strings.Join(want, " ") {
			t.Error(kinds, got)
		}
		r.over()
	}
}

// A target hears of a group once, and before the session may take its messages
// for kept: it waits for targets that have something to do only.
func TestKickBeforeKept(t *testing.T) {
	r := newKeeperRig(t)
	list := r.listed(2 * grouped)
	r.keeping = true
	var kicks []string
	r.kick = func(target string) { kicks = append(kicks, fmt.Sprint(target, " ", len(r.slots))) }
	for i, it := range list {
		r.come(it, fmt.Sprint("text", i))
	}
	r.inGroups()
	if want := []string{fmt.Sprint("office ", 2*grouped), fmt.Sprint("office ", grouped)}; !slices.Equal(kicks, want) {
		t.Errorf("%q, want %q", kicks, want)
	}
	if err := r.durable(nil); err != nil {
		t.Error(err)
	}
	r.over()
}

// A message that the store refuses fails alone; the session hears of it.
func TestOneOfAGroupCannotBeKept(t *testing.T) {
	r := newKeeperRig(t)
	list := r.listed(grouped)
	r.keeping = true
	for i, it := range list {
		if i == 3 {
			it.Known.Row = 1 << 20 // there is none
		}
		r.come(it, fmt.Sprint("text", i))
	}
	r.inGroups()
	if err := r.durable(nil); err == nil {
		t.Error("no fault")
	}
	want := slices.Repeat([]string{"queued"}, len(list))
	want[3] = "waiting"
	if got := r.states(list); got != strings.Join(want, " ") {
		t.Error(got)
	}
	r.over()
}

// Fetching waits when so many are under way: what is kept in memory is bounded.
func TestUnderWayIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newKeeperRig(t)
		gate := make(chan struct{})
		r.skip = func(header.Header) bool { <-gate; return false }
		list := r.listed(2 * underWay)
		var came atomic.Int64
		all := make(chan struct{})
		go func() {
			defer close(all)
			for i, it := range list {
				it.ByFingerprint = true
				r.come(it, fmt.Sprint("text", i))
				came.Add(1)
			}
		}()
		synctest.Wait()
		if n := came.Load(); n != underWay {
			t.Errorf("%d are under way", n)
		}
		close(gate)
		<-all
		if err := r.durable(nil); err != nil {
			t.Error(err)
		}
		r.end()
		r.over()
	})
}

// What goes into quarantine is kept beside the group in which it came.
func TestQuarantineBesideAGroup(t *testing.T) {
	r := newKeeperRig(t)
	list := r.listed(3)
	r.keeping = true
	r.come(list[0], "one")
	r.come(list[1], "two\r\nX-Postbag-Loop: "+r.store.InstallationID())
	r.come(list[2], "three")
	r.inGroups()
	if err := r.durable(nil); err != nil {
		t.Error(err)
	}
	if got := r.states(list); got != "queued quarantined queued" {
		t.Error(got)
	}
	if aside, _ := r.run.setAside(); aside != 1 {
		t.Errorf("%d set aside", aside)
	}
	r.over()
}
