package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a span of time, written "60m", "5d", "14 days", "1h 30m".
type Duration time.Duration

// D returns the span as the standard library's type.
func (d Duration) D() time.Duration { return time.Duration(d) }

const day = 24 * time.Hour

// String writes the span in the largest units that fit: "5d", "90m", "1h1m1s".
func (d Duration) String() string {
	t := time.Duration(d)
	switch {
	case t == 0:
		return "0s"
	case t%day == 0:
		return strconv.FormatInt(int64(t/day), 10) + "d"
	case t%time.Minute == 0:
		return strconv.FormatInt(int64(t/time.Minute), 10) + "m"
	}
	return t.String()
}

// spanUnits are the words for units of time.
var spanUnits = map[string]time.Duration{
	"ms": time.Millisecond,
	"s":  time.Second, "sec": time.Second, "second": time.Second, "seconds": time.Second,
	"m": time.Minute, "min": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": day, "day": day, "days": day,
	"w": 7 * day, "week": 7 * day, "weeks": 7 * day,
}

// ParseDuration reads pairs of a number and a unit (s, m, h, d, w or their
// English words) in any case, with or without spaces. "0" needs no unit.
func ParseDuration(text string) (Duration, error) {
	s := strings.ToLower(strings.TrimSpace(text))
	if s == "0" {
		return 0, nil
	}
	if s == "" {
		return 0, fmt.Errorf("span %q: empty", text)
	}
	var total float64
	for s != "" {
		number, unit, rest := pair(s)
		length, known := spanUnits[unit]
		value, err := strconv.ParseFloat(number, 64)
		if err != nil || !known {
			return 0, fmt.Errorf("span %q: want a number and a unit", text)
		}
		total += value * float64(length)
		s = rest
	}
	if total >= math.MaxInt64 {
		return 0, fmt.Errorf("span %q: too long", text)
	}
	return Duration(math.Round(total)), nil
}

// pair cuts "12 days 3h" into "12", "days" and "3h".
func pair(s string) (number, unit, rest string) {
	number, s = takeWhile(s, func(c byte) bool { return c >= '0' && c <= '9' || c == '.' })
	s = strings.TrimLeft(s, " ")
	unit, s = takeWhile(s, func(c byte) bool { return c >= 'a' && c <= 'z' })
	return number, unit, strings.TrimLeft(s, " ")
}

func takeWhile(s string, ok func(byte) bool) (head, tail string) {
	i := 0
	for i < len(s) && ok(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

// Size is a number of octets, written "10MB" with powers of ten (KB, MB, GB, TB).
type Size int64

// sizeUnits are the units of Size, largest first.
var sizeUnits = []struct {
	name   string
	octets int64
}{{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1}}

// String writes the size with the largest unit that needs no fraction.
func (s Size) String() string {
	if s == 0 {
		return "0"
	}
	for _, u := range sizeUnits {
		if int64(s)%u.octets == 0 {
			return strconv.FormatInt(int64(s)/u.octets, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// ParseSize reads a number with an optional unit in any case; without a unit
// it counts octets. KiB, MiB, GiB and TiB are powers of 1024.
func ParseSize(text string) (Size, error) {
	number, unit, rest := pair(strings.ToLower(strings.TrimSpace(text)))
	factor, known := sizeFactor(unit)
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || !known || rest != "" {
		return 0, fmt.Errorf("size %q: want a number and KB, MB or GB", text)
	}
	if total := value * factor; total < math.MaxInt64 {
		return Size(math.Round(total)), nil
	}
	return 0, fmt.Errorf("size %q: too large", text)
}

func sizeFactor(unit string) (float64, bool) {
	switch unit {
	case "", "b":
		return 1, true
	case "k", "kb":
		return 1e3, true
	case "m", "mb":
		return 1e6, true
	case "g", "gb":
		return 1e9, true
	case "t", "tb":
		return 1e12, true
	case "kib":
		return 1 << 10, true
	case "mib":
		return 1 << 20, true
	case "gib":
		return 1 << 30, true
	case "tib":
		return 1 << 40, true
	}
	return 0, false
}

// Clock is a time of day in minutes since midnight, 0 to 1440 ("24:00").
type Clock int

// String writes hh:mm.
func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

// ParseClock reads hh:mm from 00:00 to 24:00.
func ParseClock(text string) (Clock, error) {
	h, m, found := strings.Cut(strings.TrimSpace(text), ":")
	hours, err1 := strconv.ParseUint(h, 10, 8)
	minutes, err2 := strconv.ParseUint(m, 10, 8)
	c := Clock(hours*60 + minutes)
	if !found || err1 != nil || err2 != nil || len(m) != 2 || len(h) > 2 || minutes > 59 || c > 24*60 {
		return 0, fmt.Errorf("time of day %q: want hh:mm", text)
	}
	return c, nil
}

// Day is a day of the week, written "mon" to "sun".
type Day time.Weekday

// dayNames in the order of time.Weekday.
var dayNames = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// String writes the three letters.
func (d Day) String() string {
	if d < 0 || int(d) >= len(dayNames) {
		return "day" + strconv.Itoa(int(d))
	}
	return dayNames[d]
}

// ParseDay reads "mon" or "Monday", in any case.
func ParseDay(text string) (Day, error) {
	s := strings.ToLower(strings.TrimSpace(text))
	for i, short := range dayNames {
		if s == short || s == strings.ToLower(time.Weekday(i).String()) {
			return Day(i), nil
		}
	}
	return 0, fmt.Errorf("day %q: want mon, tue, wed, thu, fri, sat or sun", text)
}

// AfterDelivery says what happens at the provider to mail that is settled here.
// Exactly one of: Keep; Days > 0 (delete that many days after the first
// accepted delivery, rule 14); neither (delete at once).
type AfterDelivery struct {
	Keep bool
	Days int
}

// String writes it as in the file.
func (a AfterDelivery) String() string {
	switch {
	case a.Keep:
		return "keep"
	case a.Days == 1:
		return "delete after 1 day"
	case a.Days > 0:
		return fmt.Sprintf("delete after %d days", a.Days)
	}
	return "delete"
}

// maxKeepDays bounds "delete after N days": a century is surely a slip.
const maxKeepDays = 36500

// ParseAfterDelivery reads "delete", "keep" or "delete after 14 days".
func ParseAfterDelivery(text string) (AfterDelivery, error) {
	s := strings.Join(strings.Fields(strings.ToLower(text)), " ")
	switch s {
	case "delete":
		return AfterDelivery{}, nil
	case "keep":
		return AfterDelivery{Keep: true}, nil
	}
	if rest, found := strings.CutPrefix(s, "delete after "); found {
		span, err := ParseDuration(rest)
		days := span.D() / day
		if err == nil && span.D()%day == 0 && days >= 1 && days <= maxKeepDays {
			return AfterDelivery{Days: int(days)}, nil
		}
	}
	return AfterDelivery{}, fmt.Errorf("after_delivery %q: want delete, keep or delete after N days", text)
}

// FirstCollection says what to do, at the very first collection, with what
// already lies in the mailbox. Exactly one of: New (leave it there); Since not
// zero (collect what is dated that day or later); neither (collect all).
type FirstCollection struct {
	New   bool
	Since time.Time // midnight, local time, or the exact time when one was given
	text  string    // as written, so that saving does not change it
}

// FirstSince is the FirstCollection that begins with the given day, local time.
func FirstSince(t time.Time) FirstCollection {
	y, m, d := t.Date()
	return FirstCollection{Since: time.Date(y, m, d, 0, 0, 0, 0, time.Local), text: t.Format(time.DateOnly)}
}

// String writes it as in the file.
func (f FirstCollection) String() string {
	switch {
	case f.New:
		return "new"
	case f.Since.IsZero():
		return "all"
	case f.text != "":
		return f.text
	}
	return f.Since.Format(time.RFC3339)
}

// ParseFirstCollection reads "all", "new", a date (2026-11-01, local time) or
// an RFC 3339 time.
func ParseFirstCollection(text string) (FirstCollection, error) {
	s := strings.TrimSpace(text)
	switch strings.ToLower(s) {
	case "all":
		return FirstCollection{}, nil
	case "new":
		return FirstCollection{New: true}, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, time.Local); err == nil && t.Year() > 0 {
		return FirstCollection{Since: t, text: s}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.IsZero() {
		return FirstCollection{}, fmt.Errorf("first_collection %q: want all, new or a date", text)
	}
	return FirstCollection{Since: t, text: s}, nil
}
