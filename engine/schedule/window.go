package schedule

import "time"

// window is a stretch of time in which mail is collected, end excluded.
type window struct{ start, end time.Time }

func (w window) contains(t time.Time) bool {
	return !t.Before(w.start) && t.Before(w.end)
}

// windows returns the windows that open from the day before t to a week and a
// day after it, in order; those that touch or overlap are joined, so that
// "Monday to Friday, 00:00 to 24:00" is one window of five days.
func (r Rule) windows(t time.Time, loc *time.Location) []window {
	from, to := r.minutes()
	y, m, d := t.In(loc).Date()
	var all []window
	for i := -2; i <= 8; i++ {
		// Noon exists on every day of every time zone, midnight does not.
		if !r.Days[time.Date(y, m, d+i, 12, 0, 0, 0, time.UTC).Weekday()] {
			continue
		}
		w := window{start: instant(y, m, d+i, from, loc, false), end: instant(y, m, d+i, to, loc, true)}
		if !w.end.After(w.start) {
			// The hour that the clocks skip in spring held the whole window: it
			// is moved behind the gap, so that the day keeps its collection.
			w.end = w.start.Add(time.Duration(to-from) * time.Minute)
		}
		if n := len(all); n > 0 && !w.start.After(all[n-1].end) {
			if w.end.After(all[n-1].end) {
				all[n-1].end = w.end
			}
			continue
		}
		all = append(all, w)
	}
	return all
}

// instant finds the moment of a local time given in minutes after midnight. A
// time that the clocks skip is the moment of the change. Of a time that comes
// twice it is the first, or the last when last is set: a window that ends in
// the doubled hour stays open until that hour is really over.
func instant(y int, m time.Month, d, minute int, loc *time.Location, last bool) time.Time {
	want := time.Date(y, m, d, 0, minute, 0, 0, time.UTC)
	t := time.Date(y, m, d, 0, minute, 0, 0, loc)
	start, end := t.ZoneBounds() // zero: no change before, or after
	_, offset := t.Zone()
	if got := wall(t, offset); !got.Equal(want) {
		if got.After(want) {
			return start
		}
		return end
	}
	if !last && !start.IsZero() {
		if twin := t.Add(seconds(offset - offsetAt(start.Add(-time.Nanosecond)))); twin.Before(start) {
			return twin
		}
	}
	if last && !end.IsZero() {
		if twin := t.Add(seconds(offset - offsetAt(end))); !twin.Before(end) {
			return twin
		}
	}
	return t
}

// wall returns the reading of the clock on the wall as if it were UTC.
func wall(t time.Time, offset int) time.Time { return t.UTC().Add(seconds(offset)) }

func offsetAt(t time.Time) int {
	_, offset := t.Zone()
	return offset
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
