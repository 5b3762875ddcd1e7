package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"postbag/app/facts"
	"postbag/assets"
	"postbag/engine/mail"
	"postbag/engine/mailtest"
)

// newDesktop is a desktop on a provider with n messages for Anne and one for
// Bob, all of them collected and delivered.
func newDesktop(t *testing.T, n int) (*Desktop, facts.Options) {
	t.Helper()
	provider, err := mailtest.NewPOP3(mailtest.POP3Options{Users: map[string]string{
		assets.DemoGlobal: assets.DemoPassword, assets.DemoAnne: assets.DemoPassword, assets.DemoBob: assets.DemoPassword,
	}})
	if err != nil {
		t.Fatal(err)
	}
	office, err := mailtest.NewSMTP(mailtest.SMTPOptions{Discard: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = provider.Close(); _ = office.Close() })
	for i := range n + 1 {
		to := "anne@office.test"
		if i == n {
			to = "bob@office.test"
		}
		provider.AddMessage(assets.DemoGlobal, fmt.Sprint("u", i), fmt.Appendf(nil,
			"Envelope-To: %s\r\nFrom: c@shop.test\r\nTo: %s\r\nSubject: Order %d\r\nMessage-ID: <%d@shop.test>\r\n\r\nx\r\n", to, to, i, i))
	}
	dir := t.TempDir()
	o := facts.Options{Config: filepath.Join(dir, "postbag.toml"), Data: filepath.Join(dir, "data"), Lang: "en"}
	for file, text := range map[string]string{"secret": assets.DemoPassword + "\n", "postbag.toml": assets.DemoConfig(provider.Port(), office.Port())} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d, err := New(facts.Build{}).NewDesktop(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	if _, err := d.Collect(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return d, o
}

// pager is the part of the desktop that the log needs.
type pager interface {
	Page(ctx context.Context, f facts.LogFilter) ([]mail.Entry, error)
}

// Page after page shows every message once, in the same process and over the
// socket, although many of them changed in the same millisecond.
func TestDesktopPagesTheJournal(t *testing.T) {
	const n = 23
	d, o := newDesktop(t, n)
	other, err := New(facts.Build{}).NewDesktop(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	if !other.Attached() {
		t.Fatal("the second desktop did not attach to the first")
	}
	for name, p := range map[string]pager{"in-process": d, "attached": other} {
		seen := map[string]bool{}
		f := facts.LogFilter{Limit: 5}
		for {
			rows, err := p.Page(t.Context(), f)
			if err != nil {
				t.Fatal(name, err)
			}
			for _, e := range rows {
				if seen[e.ID] {
					t.Fatalf("%s: %s comes twice", name, e.Subject)
				}
				seen[e.ID] = true
			}
			if len(rows) < f.Limit {
				break
			}
			f.Before = rows[len(rows)-1].Cursor()
		}
		if len(seen) != n+1 {
			t.Errorf("%s: %d messages, want %d", name, len(seen), n+1)
		}
		rows, err := p.Page(t.Context(), facts.LogFilter{Person: "bob@office.test"})
		if err != nil || len(rows) != 1 || rows[0].Subject != fmt.Sprint("Order ", n) {
			t.Errorf("%s, for Bob: %v %v", name, rows, err)
		}
		story, err := p.(interface {
			Story(context.Context, string) (facts.Story, error)
		}).Story(t.Context(), rows[0].ID)
		if err != nil || len(story.Steps) < 3 || story.Entry.State != mail.Delivered {
			t.Errorf("%s: %+v %v", name, story, err)
		}
	}
}

// Settings that cannot be used are told as such, not as if there were none.
func TestDesktopTellsWhyThereIsNoEngine(t *testing.T) {
	dir := t.TempDir()
	o := facts.Options{Config: filepath.Join(dir, "postbag.toml"), Data: filepath.Join(dir, "data"), Lang: "en"}
	if err := os.WriteFile(o.Config, []byte("version = 1\nport = \"many\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := New(facts.Build{}).NewDesktop(t.Context(), o)
	t.Cleanup(func() { _ = d.Close() })
	if _, bad := errors.AsType[*facts.ConfigError](err); !bad {
		t.Fatalf("%v", err)
	}
	if _, err := d.Status(t.Context()); err == nil || mail.AsFailure(err).Code == facts.CodeConfigMissing {
		t.Errorf("the state says %v", err)
	}
}
