package gui

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"postbag/app/facts"
	"postbag/engine/mail"
)

func TestShellOrders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		for _, c := range []struct{ label, want string }{{"Start collecting", "start"}, {"Collect now", "collect"}, {"Stop collecting", "stop"}} {
			b.know(facts.Status{}, nil)
			b.host.choose(t, c.label)
			synctest.Wait()
			if got := b.backend.calls[len(b.backend.calls)-1]; got != c.want {
				t.Errorf("%s: %s", c.label, got)
			}
		}
		b.order(func(context.Context) error { return &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeStoreDamaged} })
		synctest.Wait()
		if !strings.Contains(b.banner.what.Text, "damaged") {
			t.Errorf("banner %q", b.banner.what.Text)
		}
	})
}
