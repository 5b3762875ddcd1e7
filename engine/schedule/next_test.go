package schedule

import (
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata" // the tests need Paris also on a computer without it
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// at reads a local time; "" is the zero time.
func at(t testing.TB, loc *time.Location, s string) time.Time {
	t.Helper()
	if s == "" {
		return time.Time{}
	}
	if when, err := time.Parse(time.RFC3339, s); err == nil {
		return when
	}
	when, err := time.ParseInLocation("2006-01-02 15:04:05", s, loc)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func everyDay() [7]bool { return [7]bool{true, true, true, true, true, true, true} }

func TestNext(t *testing.T) {
	paris := zone(t, "Europe/Paris")
	office := Rule{Every: time.Hour, Days: Default().Days, From: 8 * 60, To: 18 * 60}
	night := Rule{Every: time.Hour, Days: Default().Days, From: 22 * 60, To: 6 * 60}
	daily := Rule{Every: 24 * time.Hour, Days: Default().Days, From: 8 * 60, To: 9 * 60}
	twoDays := Rule{Every: 48 * time.Hour, Days: everyDay(), From: 8 * 60, To: 18 * 60}
	slow := office
	slow.LoginDelay = 90 * time.Minute
	delayed := office
	delayed.LoginDelay = 15 * time.Minute
	// 2026-11-20 is a Friday, 2026-11-23 a Monday.
	cases := []struct {
		name            string
		rule            Rule
		now, last, want string
	}{
		{"the first time, inside", Default(), "2026-11-20 10:00:00", "", "2026-11-20 10:00:00"},
		{"an hour later", Default(), "2026-11-20 10:00:30", "2026-11-20 10:00:00", "2026-11-20 11:00:00"},
		{"due to the second", Default(), "2026-11-20 11:00:00", "2026-11-20 10:00:00", "2026-11-20 11:00:00"},
		{"zero rule has no day", Rule{}, "2026-11-20 10:00:00", "", ""},
		{"no interval is the default one", Rule{Days: everyDay(), To: DayMinutes}, "2026-11-20 10:10:00", "2026-11-20 10:00:00", "2026-11-20 11:00:00"},
		{"midnight inside the week changes nothing", Default(), "2026-11-19 23:40:00", "2026-11-19 23:30:00", "2026-11-20 00:30:00"},
		{"the week ends on Friday at 24:00", Default(), "2026-11-20 23:40:00", "2026-11-20 23:30:00", "2026-11-23 00:00:00"},
		{"24:00 itself is Saturday", Default(), "2026-11-21 00:00:00", "2026-11-20 23:00:00", "2026-11-23 00:00:00"},
		{"Saturday, never collected", Default(), "2026-11-21 12:00:00", "", "2026-11-23 00:00:00"},
		{"before the opening", office, "2026-11-20 07:59:59", "2026-11-19 17:30:00", "2026-11-20 08:00:00"},
		{"the opening makes one due before the interval is over", office, "2026-11-20 07:50:00", "2026-11-20 07:45:00", "2026-11-20 08:00:00"},
		{"the last hour, then Monday", office, "2026-11-20 17:35:00", "2026-11-20 17:30:00", "2026-11-23 08:00:00"},
		{"the end is excluded", office, "2026-11-20 17:30:00", "2026-11-20 17:00:00", "2026-11-23 08:00:00"},
		{"missed while asleep, one is made good at once", office, "2026-11-20 14:17:00", "2026-11-18 09:00:00", "2026-11-20 14:17:00"},
		{"missed, and closed now", office, "2026-11-20 19:00:00", "2026-11-20 09:00:00", "2026-11-23 08:00:00"},
		{"missed over the week-end", office, "2026-11-22 12:00:00", "2026-11-20 09:00:00", "2026-11-23 08:00:00"},
		{"after the one made good the interval counts again", office, "2026-11-20 14:18:00", "2026-11-20 14:17:00", "2026-11-20 15:17:00"},
		{"past midnight: Friday's window lasts into Saturday", night, "2026-11-21 03:10:00", "2026-11-21 03:00:00", "2026-11-21 04:00:00"},
		{"past midnight: Monday morning belongs to Sunday", night, "2026-11-23 03:00:00", "2026-11-20 22:00:00", "2026-11-23 22:00:00"},
		{"past midnight: over at six", night, "2026-11-21 05:30:00", "2026-11-21 05:10:00", "2026-11-23 22:00:00"},
		{"from equal to to is a whole day", Rule{Every: time.Hour, Days: everyDay(), From: 600, To: 600}, "2026-11-20 09:59:00", "2026-11-20 09:00:00", "2026-11-20 10:00:00"},
		{"daily at the opening, although the last was late", daily, "2026-11-19 12:00:00", "2026-11-19 08:00:07", "2026-11-20 08:00:00"},
		{"daily: one by hand in the afternoon does not cost the next day", daily, "2026-11-19 17:00:00", "2026-11-19 17:00:00", "2026-11-20 08:00:00"},
		{"every two days leaves one out", twoDays, "2026-11-16 09:00:00", "2026-11-16 08:00:00", "2026-11-18 08:00:00"},
		{"every two days leaves one out over the day of 25 hours", twoDays, "2026-10-24 09:00:00", "2026-10-24 08:00:00", "2026-10-26 08:00:00"},
		{"LOGIN-DELAY is longer than the interval", slow, "2026-11-20 10:30:00", "2026-11-20 10:00:00", "2026-11-20 11:30:00"},
		{"LOGIN-DELAY holds at the opening", delayed, "2026-11-20 07:56:00", "2026-11-20 07:55:00", "2026-11-20 08:10:00"},
		{"LOGIN-DELAY over the closing", slow, "2026-11-20 17:00:00", "2026-11-20 16:45:00", "2026-11-23 08:00:00"},
		{"the clock went back a second", office, "2026-11-20 10:00:00", "2026-11-20 10:00:01", "2026-11-20 11:00:01"},
		{"the clock went back an hour and more", office, "2026-11-20 10:00:00", "2026-11-20 11:10:00", "2026-11-20 10:00:00"},
		{"the last one was in a wrong year", office, "2026-11-20 10:00:00", "2036-01-01 10:00:00", "2026-11-20 10:00:00"},
		{"the clock began in 1970", office, "2026-11-20 10:00:00", "1970-01-01 00:00:00", "2026-11-20 10:00:00"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := Next(at(t, paris, c.now), at(t, paris, c.last), c.rule, paris)
			if want := at(t, paris, c.want); !got.Equal(want) {
				t.Errorf("next = %v, want %v", got.In(paris), want)
			}
		})
	}
}

// The days on which the clocks change.
func TestNextDaylightSaving(t *testing.T) {
	cases := []struct {
		name, zone      string
		rule            Rule
		now, last, want string
	}{
		{"spring: the interval is real time", "Europe/Paris", Rule{Every: time.Hour, Days: everyDay(), To: DayMinutes},
			"2026-03-29T01:40:00+01:00", "2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00"},
		{"autumn: the doubled hour is collected twice", "Europe/Paris", Rule{Every: time.Hour, Days: everyDay(), To: DayMinutes},
			"2026-10-25T02:40:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"},
		{"spring: an opening that does not exist is the change", "Europe/Paris", Rule{Every: time.Hour, Days: everyDay(), From: 150, To: 360},
			"2026-03-29T00:00:00+01:00", "2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00"},
		{"spring: a window inside the gap keeps its day", "Europe/Paris", Rule{Every: time.Hour, Days: everyDay(), From: 130, To: 160},
			"2026-03-29T00:00:00+01:00", "2026-03-28T02:15:00+01:00", "2026-03-29T03:00:00+02:00"},
		{"spring: closing inside the gap", "Europe/Paris", Rule{Every: 30 * time.Minute, Days: everyDay(), From: 60, To: 150},
			"2026-03-29T01:50:00+01:00", "2026-03-29T01:45:00+01:00", "2026-03-30T01:00:00+02:00"},
		{"autumn: opens at the first 02:30", "Europe/Paris", Rule{Every: time.Hour, Days: everyDay(), From: 150, To: 360},
			"2026-10-25T00:00:00+02:00", "2026-10-24T05:30:00+02:00", "2026-10-25T02:30:00+02:00"},
		{"autumn: closes at the second 02:30", "Europe/Paris", Rule{Every: 10 * time.Minute, Days: everyDay(), From: 60, To: 150},
			"2026-10-25T02:15:00+01:00", "2026-10-25T02:14:00+01:00", "2026-10-25T02:24:00+01:00"},
		{"autumn: really closed after it", "Europe/Paris", Rule{Every: 10 * time.Minute, Days: everyDay(), From: 60, To: 150},
			"2026-10-25T02:31:00+01:00", "2026-10-25T02:24:00+01:00", "2026-10-26T01:00:00+01:00"},
		{"a midnight that does not exist", "Africa/Cairo", Rule{Every: time.Hour, Days: Weekdays(time.Friday), To: DayMinutes},
			"2026-04-23T12:00:00+02:00", "2026-04-23T11:00:00+02:00", "2026-04-24T01:00:00+03:00"},
		{"half an hour", "Australia/Lord_Howe", Rule{Every: time.Hour, Days: everyDay(), From: 135, To: 360},
			"2026-10-03T23:00:00+10:30", "2026-10-03T05:00:00+10:30", "2026-10-04T02:30:00+11:00"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			loc := zone(t, c.zone)
			got := Next(at(t, loc, c.now), at(t, loc, c.last), c.rule, loc)
			if want := at(t, loc, c.want); !got.Equal(want) {
				t.Errorf("next = %v, want %v", got.In(loc), want.In(loc))
			}
		})
	}
}

// inWindow reads the rule word by word from the local clock, without the code
// under test. It is not asked in the hours around a change of the clocks.
func inWindow(t time.Time, r Rule) bool {
	minute := t.Hour()*60 + t.Minute()
	yesterday := (t.Weekday() + 6) % 7
	if r.From < r.To {
		return r.Days[t.Weekday()] && minute >= r.From && minute < r.To
	}
	return r.Days[t.Weekday()] && minute >= r.From || r.Days[yesterday] && minute < r.To
}

func nearChange(t time.Time) bool {
	start, end := t.ZoneBounds()
	return !start.IsZero() && t.Sub(start) < 26*time.Hour || !end.IsZero() && end.Sub(t) < 26*time.Hour
}

func randomRule(rnd *rand.Rand) Rule {
	var r Rule
	r.Every = time.Duration(1+rnd.IntN(36*60)) * time.Minute
	for i := range r.Days {
		r.Days[i] = rnd.IntN(3) > 0
	}
	r.Days[rnd.IntN(7)] = true
	r.From, r.To = rnd.IntN(DayMinutes), rnd.IntN(DayMinutes+1)
	if rnd.IntN(4) == 0 {
		r.LoginDelay = time.Duration(rnd.IntN(90)) * time.Minute
	}
	return r
}

func TestNextProperties(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 11))
	zones := []*time.Location{zone(t, "Europe/Paris"), zone(t, "Africa/Cairo"), zone(t, "America/St_Johns"), zone(t, "Australia/Lord_Howe"), time.UTC}
	for range 20000 {
		loc := zones[rnd.IntN(len(zones))]
		r := randomRule(rnd)
		now := time.Date(2026, 1, 1, 0, 0, rnd.IntN(366*24*3600), 0, loc)
		last := now.Add(-time.Duration(rnd.IntN(10*24*3600)) * time.Second)
		if rnd.IntN(10) == 0 {
			last = time.Time{}
		}
		checkNext(t, now, last, r, loc)
	}
}

// checkNext holds for every rule with a day and an interval up to 36 hours.
func checkNext(t *testing.T, now, last time.Time, r Rule, loc *time.Location) {
	t.Helper()
	got := Next(now, last, r, loc)
	fail := func(what string) {
		t.Helper()
		t.Fatalf("%s: now %v last %v rule %+v: next %v", what, now, last, r, got.In(loc))
	}
	if got.Before(now) {
		fail("in the past")
	}
	if got.Sub(now) > 10*24*time.Hour {
		fail("further than a week and an interval")
	}
	if !nearChange(got.In(loc)) && !inWindow(got.In(loc), r) {
		fail("outside every window")
	}
	if !Open(got, r, loc) {
		fail("Open contradicts")
	}
	if !last.IsZero() && !last.After(now) && got.Sub(last) < r.LoginDelay { // rule 9
		fail("sooner than LOGIN-DELAY")
	}
	if again := Next(got, last, r, loc); !again.Equal(got) {
		fail("not due when its time has come")
	}
	if after := Next(got, got, r, loc); !after.After(got) {
		fail("due again at once")
	}
}

// A week is walked through from collection to collection: as many as the
// windows hold, whatever the clock was asked in between.
func TestNextWalk(t *testing.T) {
	paris := zone(t, "Europe/Paris")
	r := Rule{Every: 2 * time.Hour, Days: Default().Days, From: 8 * 60, To: 18 * 60}
	now := at(t, paris, "2026-11-16 00:00:00")
	end := now.AddDate(0, 0, 7)
	var last time.Time
	count := 0
	for {
		next := Next(now, last, r, paris)
		if !next.Before(end) {
			break
		}
		if halfway := now.Add(next.Sub(now) / 2); !Next(halfway, last, r, paris).Equal(next) {
			t.Fatalf("at %v the answer %v changed", halfway, next)
		}
		now, last = next, next
		count++
	}
	if count != 25 {
		t.Errorf("%d collections in a week, want 25", count)
	}
}

func TestRule09_LoginDelayIsTheLeastDistance(t *testing.T) {
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	r := Rule{Every: time.Minute, Days: everyDay(), To: DayMinutes, LoginDelay: 15 * time.Minute}
	if got := Next(now, now.Add(-time.Minute), r, time.UTC); !got.Equal(now.Add(14 * time.Minute)) {
		t.Errorf("next = %v", got)
	}
}

func FuzzNext(f *testing.F) {
	f.Add(int64(1_790_000_000), int64(3600), 60, 480, 1080, byte(0x3e), 0)
	f.Add(int64(0), int64(-5), 0, 1440, 0, byte(1), 90)
	f.Add(int64(1774746000), int64(86400), 1440, 130, 160, byte(0x7f), 15)
	loc := zone(f, "Europe/Paris")
	f.Fuzz(func(t *testing.T, unix, ago int64, every, from, to int, days byte, delay int) {
		const year = 366 * 24 * 3600
		now := time.Unix(unix%(200*year), 0)
		last := now.Add(-time.Duration(ago%(20*24*3600)) * time.Second)
		r := Rule{Every: time.Duration(every%2160) * time.Minute, From: from, To: to, LoginDelay: time.Duration(abs(delay)%720) * time.Minute}
		for i := range r.Days {
			r.Days[i] = days>>i&1 == 1
		}
		got := Next(now, last, r, loc)
		if days&0x7f == 0 {
			if !got.IsZero() {
				t.Fatalf("a day without a rule: %v", got)
			}
			return
		}
		if got.Before(now) || got.Sub(now) > 10*24*time.Hour || !Open(got, r, loc) {
			t.Fatalf("now %v last %v rule %+v: %v", now, last, r, got)
		}
	})
}

func abs(n int) int {
	if n < 0 {
		return -(n + 1)
	}
	return n
}

func BenchmarkNext(b *testing.B) {
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for b.Loop() {
		Next(now, now.Add(-time.Minute), Default(), time.UTC)
	}
}
