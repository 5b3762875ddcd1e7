// Package schedule answers when a mailbox is to be collected: a pure function
// of the clock, the last sign-in and a rule of weekdays, hours and interval.
// It knows no mailbox, no store and no goroutine.
package schedule

import "time"

// DayMinutes is 24:00, the largest value of Rule.From and Rule.To.
const DayMinutes = 24 * 60

// DefaultEvery is the interval of a rule that names none.
const DefaultEvery = time.Hour

// Rule says when a mailbox is collected: every so often while a window is open.
type Rule struct {
	// Every is the distance of two collections; 0 or less means DefaultEvery.
	Every time.Duration

	// Days are the weekdays on which a window opens, indexed by time.Weekday.
	// Without any day there is no collection by schedule.
	Days [7]bool

	// From and To bound the window in minutes after midnight, local time,
	// 0 to DayMinutes, To excluded. A window whose To is not after its From
	// runs past midnight and belongs to the day on which it starts; From equal
	// to To is a whole day.
	From, To int

	// LoginDelay is the least distance of two sign-ins that the server asked
	// for (RFC 2449 section 6.5, rule 9); 0 without.
	LoginDelay time.Duration
}

// Default is the rule of a configuration without a schedule: every 60 minutes
// from Monday to Friday, day and night.
func Default() Rule {
	return Rule{Every: DefaultEvery, Days: Weekdays(time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday), To: DayMinutes}
}

// Weekdays makes the value of Rule.Days.
func Weekdays(days ...time.Weekday) [7]bool {
	var set [7]bool
	for _, d := range days {
		set[d] = true
	}
	return set
}

// every is the interval that counts.
func (r Rule) every() time.Duration {
	if r.Every <= 0 {
		return DefaultEvery
	}
	return r.Every
}

// distance is the least time between the last sign-in and a collection that
// the interval makes due.
func (r Rule) distance() time.Duration {
	return max(r.every(), r.LoginDelay)
}

// minutes returns From and To in bounds, To after From: past midnight it
// exceeds DayMinutes.
func (r Rule) minutes() (from, to int) {
	from = min(max(r.From, 0), DayMinutes) % DayMinutes
	to = min(max(r.To, 0), DayMinutes)
	if to <= from {
		to += DayMinutes
	}
	return from, to
}
