package source

import (
	"time"

	"postbag/engine/mail"
)

// Known is what the store remembers of a message of this mailbox.
type Known struct {
	Row            int64
	UID            string
	State          mail.State
	AtSource       mail.AtSource
	Fingerprint    string    // "" when it was never fetched
	ByFingerprint  bool      // its identity is the fingerprint, not the UIDL (rule 3)
	Size           int64     // octets; as LIST said before it was fetched, -1 unknown
	Fetches        int       // that failed
	FirstDelivered time.Time // first accepted delivery, zero without one
	FetchAnyway    bool      // a person wants it although it is too big
	DeleteAsked    bool      // a person wants it deleted at the provider
}

// After says what happens at the provider to a message that is settled here.
type After struct {
	Keep  bool          // leave it there
	Delay time.Duration // with Keep false: delete it this long after the first accepted delivery (rule 14)
}

// May tells whether the provider's copy may be deleted now. By age only what
// was accepted is deleted; what lies in quarantine has no delivery to count
// from and stays.
func (a After) May(k Known, now time.Time) bool {
	if k.DeleteAsked {
		return true
	}
	if !k.State.Settled() || k.State == mail.Filtered || k.Fingerprint == "" || a.Keep {
		return false // without a fingerprint it never was here
	}
	if a.Delay > 0 && k.State != mail.Deleted {
		return !k.FirstDelivered.IsZero() && !now.Before(k.FirstDelivered.Add(a.Delay))
	}
	return true
}

// Policy is what a mailbox allows.
type Policy struct {
	After          After
	MaxMessageSize int64 // octets, 0: no limit
	MaxMessages    int   // per session, 0: no limit
	MaxBytes       int64 // per session, 0: no limit
	SkipFirst      bool  // first_collection = "new": what lies there at the first start is not collected
}

// Planned is an item together with what is known of it.
type Planned struct {
	Item
	Known         Known // Row is 0 when it is not known yet
	ByFingerprint bool  // only its content tells which message it is (rule 3)
}

// Plan is what to do in one session.
type Plan struct {
	New     []Item    // never seen before: to be recorded
	Skip    []Item    // never seen before, and not wanted by first_collection
	Fetch   []Planned // to be fetched, small ones first when there are many
	TooBig  []Planned // over the limit: to be recorded with a notice, not fetched
	Delete  []Planned // settled, and the policy says so
	Keep    []Planned // settled, and the policy leaves them there
	Pending []Planned // here already, not settled yet
	Renamed bool      // the provider seems to have renumbered (rule 4)
}

// backlog is the number of messages from which on small ones go first, so that
// one big message does not keep the office waiting for all the others.
const backlog = 20

// Make compares a listing with what is known. known holds the rows of each
// listed UIDL, vanished those that were there and are not listed any more.
func Make(l Listing, known map[string][]Known, vanished []Known, p Policy, now time.Time) Plan {
	var plan Plan
	count := make(map[string]int, len(l.Items))
	for _, it := range l.Items {
		count[it.UID]++
	}
	plan.room(l, known)
	fresh := 0
	for _, it := range l.Items {
		rows := known[it.UID]
		switch {
		case it.UID == "" || count[it.UID] > 1 || ambiguous(rows):
			plan.Fetch = append(plan.Fetch, Planned{Item: it, ByFingerprint: true}) // rule 3
		case len(rows) == 0:
			fresh++
			plan.addNew(it, p)
		default:
			plan.addKnown(Planned{Item: it, Known: rows[0]}, p, now)
		}
	}
	plan.Renamed = renumbered(vanished, fresh, len(l.Items))
	if len(plan.Fetch) > backlog {
		sortSmallFirst(plan.Fetch)
	}
	sortFailedLast(plan.Fetch)
	return plan
}

// room makes some for what is new or waits: in a first listing that is everything.
func (plan *Plan) room(l Listing, known map[string][]Known) {
	fresh, waiting := 0, 0
	for _, it := range l.Items {
		switch rows := known[it.UID]; {
		case len(rows) == 0:
			fresh++
		case rows[0].State == mail.Waiting:
			waiting++
		}
	}
	plan.New = make([]Item, 0, fresh)
	plan.Fetch = make([]Planned, 0, fresh+waiting)
}

func (plan *Plan) addNew(it Item, p Policy) {
	switch {
	case p.SkipFirst:
		plan.Skip = append(plan.Skip, it)
	case p.MaxMessageSize > 0 && it.Size > p.MaxMessageSize:
		plan.New = append(plan.New, it)
		plan.TooBig = append(plan.TooBig, Planned{Item: it})
	default:
		plan.New = append(plan.New, it)
		plan.Fetch = append(plan.Fetch, Planned{Item: it})
	}
}

func (plan *Plan) addKnown(it Planned, p Policy, now time.Time) {
	k := it.Known
	switch {
	case p.After.May(k, now):
		plan.Delete = append(plan.Delete, it)
	case k.State == mail.Waiting, k.State == mail.TooBig:
		size := it.Size
		if k.State == mail.TooBig {
			size = max(size, k.Size) // LIST is a hint only (rule 10): it was bigger than that when it was tried
		}
		if p.MaxMessageSize > 0 && size > p.MaxMessageSize && !k.FetchAnyway {
			plan.TooBig = append(plan.TooBig, it) // rule 15
			return
		}
		plan.Fetch = append(plan.Fetch, it)
	case k.State.Settled() && k.AtSource != mail.SourceKept:
		plan.Keep = append(plan.Keep, it)
	case k.State == mail.Queued, k.State == mail.Collected:
		plan.Pending = append(plan.Pending, it)
	}
}

// ambiguous tells that a UIDL stood for several messages once (rule 3).
func ambiguous(rows []Known) bool {
	return len(rows) > 1 || (len(rows) == 1 && rows[0].ByFingerprint)
}

// renumbered: most of what was there has vanished, and about as many unknown
// ones have come (rule 4). A handful proves nothing.
func renumbered(vanished []Known, fresh, listed int) bool {
	const few = 4
	stayed := listed - fresh
	return len(vanished) > few && len(vanished) > stayed && fresh*2 >= len(vanished)
}
