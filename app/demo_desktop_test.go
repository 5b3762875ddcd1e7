package app

import (
	"context"
	"maps"
	"testing"

	"postbag/app/facts"
	"postbag/engine/mail"
)

// The windows of the demonstration show what its terminal shows: the settings
// that the wizard saves lead to the same fate of every message.
func TestDemoDesktopIsTheDemo(t *testing.T) {
	terminal, err := New(facts.Build{}).Demo(t.Context(), facts.Options{Lang: "en"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.WithoutCancel(t.Context())
	d, err := New(facts.Build{}).NewDemo(ctx, "en")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	if err := d.Open(ctx, d.Place()); mail.AsFailure(err).Code != facts.CodeConfigMissing {
		t.Fatalf("before the wizard: %v", err)
	}
	prepared, err := d.Config(ctx)
	if mail.AsFailure(err).Code != facts.CodeConfigMissing || prepared == nil {
		t.Fatalf("no settings prepared: %v", err)
	}
	if _, err := d.Apply(ctx, prepared); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Collect(ctx, nil); err != nil {
		t.Fatal(err)
	}
	st, err := d.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(st.Balance, terminal.Balance) || st.Balance["quarantined"] != 1 {
		t.Errorf("balance %+v, in the terminal %+v", st.Balance, terminal.Balance)
	}
}
