package present

import (
	"fmt"
	"strings"
	"time"
)

// Begin notes whether Postbag starts at sign-in so far; what is answered
// otherwise from here on is a change.
func (w *Wizard) Begin(autostart bool) {
	w.Autostart = autostart
	w.begun = w.typed()
}

// Changed tells whether anything was answered or typed that leaving the wizard
// would lose, also what cannot be used as it is.
func (w *Wizard) Changed() bool { return w.typed() != w.begun }

// typed is every answer in one text, to be compared and for nothing else.
func (w *Wizard) typed() string {
	s := w.Schedule
	if day, given := w.since(); given {
		s.Since = day.Format(time.DateOnly) // however the language writes it
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%v %#v %#v %#v %q %#v", w.Autostart, w.Line, w.Office, w.Target, w.Incoming.Kind, s)
	for _, m := range w.Incoming.Boxes {
		if !m.Empty() {
			one := *m
			one.filled, one.base = Provider{}, nil
			fmt.Fprintf(&b, " %#v", one)
		}
	}
	return b.String()
}
