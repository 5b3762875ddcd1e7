package source

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"postbag/engine/mail"
)

// day is the unit of the policies here.
const day = 24 * time.Hour

func known(row int64, uid string, s mail.State) Known {
	k := Known{Row: row, UID: uid, State: s, AtSource: mail.SourcePresent, Size: 100}
	if s != mail.Waiting && s != mail.TooBig && s != mail.Failed {
		k.Fingerprint = "f"
	}
	return k
}

func TestMay(t *testing.T) {
	now := time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)
	delivered := func(ago time.Duration) Known {
		k := known(1, "u", mail.Delivered)
		k.FirstDelivered = now.Add(-ago)
		return k
	}
	asked := known(1, "u", mail.TooBig)
	asked.DeleteAsked = true
	byHand := known(1, "u", mail.Deleted)
	vanished := Known{Row: 1, UID: "u", State: mail.Deleted}
	tests := []struct {
		name  string
		after After
		known Known
		want  bool
	}{
		{"delivered", After{}, delivered(0), true},
		{"quarantined, on disk", After{}, known(1, "u", mail.Quarantined), true},
		{"duplicate", After{}, known(1, "u", mail.Duplicate), true},
		{"waiting", After{}, known(1, "u", mail.Waiting), false},
		{"too big", After{}, known(1, "u", mail.TooBig), false},
		{"failed", After{}, known(1, "u", mail.Failed), false},
		{"collected", After{}, known(1, "u", mail.Collected), false},
		{"queued", After{}, known(1, "u", mail.Queued), false},
		{"left out by first_collection", After{}, known(1, "u", mail.Filtered), false},
		{"deleted by a person", After{}, byHand, true},
		{"had vanished before it was fetched", After{}, vanished, false},
		{"a person wants it", After{Keep: true}, asked, true},
		{"keep", After{Keep: true}, delivered(100 * day), false},
		{"too early", After{Delay: 14 * day}, delivered(14*day - time.Second), false}, // rule 14
		{"in time", After{Delay: 14 * day}, delivered(14 * day), true},
		{"quarantined has no delivery to count from", After{Delay: day}, known(1, "u", mail.Quarantined), false},
		{"queued is never deleted by age", After{Delay: day}, known(1, "u", mail.Queued), false},
		{"deleted by a person, at once", After{Delay: day}, byHand, true},
	}
	for _, tt := range tests {
		if got := tt.after.May(tt.known, now); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// words tells a plan as "fetch a b, delete c".
func words(p Plan) string {
	var out []string
	list := func(name string, items []Planned) {
		if len(items) == 0 {
			return
		}
		for _, it := range items {
			name += " " + it.UID
			if it.ByFingerprint {
				name += "*"
			}
		}
		out = append(out, name)
	}
	list("fetch", p.Fetch)
	list("too_big", p.TooBig)
	list("delete", p.Delete)
	list("keep", p.Keep)
	list("pending", p.Pending)
	list("skip", leftOut(p))
	return strings.Join(out, ", ")
}

// leftOut is what first_collection does not want.
func leftOut(p Plan) (out []Planned) {
	for _, it := range (&p).Skip {
		out = append(out, Planned{Item: it})
	}
	return out
}

func TestMake(t *testing.T) {
	item := func(uids ...string) (l Listing) {
		l.HasUIDL = true
		for i, u := range uids {
			l.Items = append(l.Items, Item{Number: i + 1, UID: u, Size: 100})
		}
		return l
	}
	one := func(k Known) map[string][]Known { return map[string][]Known{k.UID: {k}} }
	kept := known(1, "a", mail.Delivered)
	kept.AtSource = mail.SourceKept
	byContent := known(1, "a", mail.Delivered)
	byContent.ByFingerprint = true
	anyway := known(1, "a", mail.TooBig)
	anyway.FetchAnyway = true
	grown := known(1, "a", mail.TooBig)
	grown.Size = 9000
	failed := known(1, "a", mail.Waiting)
	failed.Fetches = 1
	tests := []struct {
		name   string
		list   Listing
		known  map[string][]Known
		policy Policy
		want   string
	}{
		{"new ones", item("a", "b"), nil, Policy{}, "fetch a b"},
		{"the first time, only what comes", item("a", "b"), nil, Policy{SkipFirst: true}, "skip a b"},
		{"known and delivered: rule 13", item("a", "b"), one(known(1, "a", mail.Delivered)), Policy{}, "fetch b, delete a"},
		{"kept by policy", item("a"), one(known(1, "a", mail.Delivered)), Policy{After: After{Keep: true}}, "keep a"},
		{"kept long ago", item("a"), one(kept), Policy{After: After{Keep: true}}, ""},
		{"kept, and now to be deleted", item("a"), one(kept), Policy{}, "delete a"},
		{"under way", item("a"), one(known(1, "a", mail.Queued)), Policy{}, "pending a"},
		{"set aside", item("a"), one(known(1, "a", mail.Failed)), Policy{}, ""},
		{"two with one UIDL: rule 3", item("a", "a", "b"), nil, Policy{}, "fetch a* a* b"},
		{"two with a known UIDL", item("a", "a"), one(known(1, "a", mail.Delivered)), Policy{}, "fetch a* a*"},
		{"a UIDL that was several messages'", item("a"), one(byContent), Policy{}, "fetch a*"},
		{"without UIDL", Listing{Items: []Item{{Number: 1, Size: 5}, {Number: 2, Size: 5}}}, nil, Policy{}, "fetch * *"},
		{"too big: rule 15", item("a"), nil, Policy{MaxMessageSize: 99}, "too_big a"},
		{"wanted anyway", item("a"), one(anyway), Policy{MaxMessageSize: 99}, "fetch a"},
		{"the limit was raised", item("a"), one(known(1, "a", mail.TooBig)), Policy{MaxMessageSize: 100}, "fetch a"},
		{"LIST said less than it was: rule 10", item("a"), one(grown), Policy{MaxMessageSize: 5000}, "too_big a"},
		{"what failed waits for the others: rule 16", item("a", "b"), one(failed), Policy{}, "fetch b a"},
	}
	for _, tt := range tests {
		if got := words(Make(tt.list, tt.known, nil, tt.policy, time.Now())); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Small ones first when many wait, in the order in which they came.
func TestSmallFirst(t *testing.T) {
	var l Listing
	for i := range backlog + 1 {
		size := int64(1000)
		if i%5 == 0 {
			size = int64(1000-i) << 10
		}
		l.Items = append(l.Items, Item{Number: i + 1, UID: fmt.Sprint(i), Size: size})
	}
	plan := Make(l, nil, nil, Policy{}, time.Now())
	var order []int
	for _, it := range plan.Fetch {
		order = append(order, it.Number)
	}
	want := []int{2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 14, 15, 17, 18, 19, 20, 21, 16, 11, 6, 1}
	if !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
}

func TestRule4_Renumbered(t *testing.T) {
	for _, tt := range []struct {
		vanished, fresh, stayed int
		want                    bool
	}{
		{0, 10, 0, false}, {4, 4, 0, false}, {5, 5, 0, true}, {10, 5, 0, true}, {10, 4, 0, false},
		{100, 100, 99, true}, {100, 100, 100, false}, {100, 0, 0, false},
	} {
		if got := renumbered(make([]Known, tt.vanished), tt.fresh, tt.fresh+tt.stayed); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}
