package schedule

import "time"

// openingSlack lets an interval of days end at the opening of a window a
// little early, so that "every 24 hours" means each day at the opening and
// does not wander later with every collection. It is short enough that an
// interval of two days never becomes one, also where a day has 25 hours.
const openingSlack = 22 * time.Hour

// Next returns the time of the next collection: now itself when one is due,
// else a later time inside a window of the rule. The zero time means never: the
// rule names no day.
//
// last is when the last sign-in to this mailbox began, by schedule or by hand;
// zero when there was none, which makes a collection due as soon as a window
// is open. loc is where the hours of the rule are meant; nil is time.Local.
//
// Inside a window collections follow each other by Every. The opening of a
// window makes one due too. However many were missed while the computer slept
// or the program was not running, at most one is made good, at once when a
// window is open. Only the clock on the wall counts, not the time that the
// computer was awake. A last sign-in that lies further in the future than one
// interval was written by a wrong clock, and is ignored.
func Next(now, last time.Time, r Rule, loc *time.Location) time.Time {
	if loc == nil {
		loc = time.Local
	}
	now, last = now.Round(0), last.Round(0) // the monotonic clock stands still in sleep
	if last.Sub(now) > r.distance() {
		last = time.Time{}
	}
	if last.IsZero() {
		return r.firstOpen(now, loc)
	}
	due := r.firstOpen(last.Add(r.distance()), loc)
	if o, ok := r.opening(last, loc); ok && o.Before(due) {
		due = o
	}
	if due.Before(now) {
		return r.firstOpen(now, loc)
	}
	return due
}

// Open tells whether t lies inside a window of the rule.
func Open(t time.Time, r Rule, loc *time.Location) bool {
	if loc == nil {
		loc = time.Local
	}
	t = t.Round(0)
	first := r.firstOpen(t, loc)
	return !first.IsZero() && first.Equal(t)
}

// firstOpen returns t when a window is open then, else the next opening; the
// zero time when no day has a window.
func (r Rule) firstOpen(t time.Time, loc *time.Location) time.Time {
	for _, w := range r.windows(t, loc) {
		if w.contains(t) {
			return t
		}
		if w.start.After(t) {
			return w.start
		}
	}
	return time.Time{}
}

// opening returns the collection that the first opening after last makes due,
// late enough for LOGIN-DELAY (rule 9). An opening that comes well before an
// interval of several days has passed makes none due.
func (r Rule) opening(last time.Time, loc *time.Location) (time.Time, bool) {
	earliest := last.Add(r.every() - min(r.every(), openingSlack))
	for _, w := range r.windows(earliest, loc) {
		if !w.start.After(last) || w.start.Before(earliest) {
			continue
		}
		t := w.start
		if allowed := last.Add(r.LoginDelay); allowed.After(t) {
			t = allowed
		}
		if w.contains(t) {
			return t, true
		}
	}
	return time.Time{}, false
}
