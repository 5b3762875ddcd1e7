package logging

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

// wait is a value that tells itself what it is in the log.
type wait time.Duration

func (w wait) LogValue() slog.Value { return slog.DurationValue(time.Duration(w)) }

func TestTimesAndDurationsInLines(t *testing.T) {
	at := time.Date(2026, 11, 28, 22, 0, 0, 123_456_789, time.FixedZone("", 3600))
	took := 1_234_567 * time.Microsecond
	l := open(t, Options{})
	l.Info("plain", "n", 1, "text", "two words")
	l.Info("own", "at", at, "took", took, "wait", wait(took), "end", "x")
	l.With("since", at, "took", took).Info("with")
	l.WithGroup("g").Info("group", "took", took, slog.Group("in", "at", at, "took", took))
	got := logged(t, l)
	for _, want := range []string{
		"msg=plain n=1 text=\"two words\"\n",
		"msg=own at=2026-11-28T21:00:00.123Z took=1.235s wait=1.235s end=x\n",
		"msg=with since=2026-11-28T21:00:00.123Z took=1.235s\n",
		"msg=group g.took=1.235s g.in.at=2026-11-28T21:00:00.123Z g.in.took=1.235s\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	for line := range strings.Lines(got) {
		stamp, _, _ := strings.Cut(strings.TrimPrefix(line, "time="), " ")
		if when, err := time.Parse("2006-01-02T15:04:05.000Z", stamp); err != nil || time.Since(when).Abs() > time.Hour {
			t.Errorf("time %q: %v", stamp, err)
		}
	}
}

func TestTheTimeOfALineIsUTC(t *testing.T) {
	l := open(t, Options{})
	r := slog.NewRecord(time.Date(2026, 11, 28, 22, 0, 0, 0, time.FixedZone("", 3600)), slog.LevelInfo, "elsewhere", 0)
	if err := l.Handler().Handle(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if got := logged(t, l); !strings.HasPrefix(got, "time=2026-11-28T21:00:00.000Z level=INFO msg=elsewhere") {
		t.Errorf("%q", got)
	}
}
