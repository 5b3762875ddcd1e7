package present

import (
	"context"
	"errors"
	"slices"
	"testing"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/engine/mail"
)

// officeKeeper is a backend with settings and a keyring in memory.
type officeKeeper struct {
	cfg     *config.Config
	readErr error
	setErr  error
	secrets map[string]string
	calls   []string
}

func (k *officeKeeper) Config(context.Context) (*config.Config, error) {
	cfg, _ := config.Parse(config.Marshal(k.cfg), "")
	return cfg, k.readErr
}

func (k *officeKeeper) Validate(_ context.Context, draft *config.Config) []facts.Problem {
	_, problems := config.Parse(config.Marshal(draft), "")
	var out []facts.Problem
	for _, p := range problems {
		out = append(out, facts.Problem{Field: p.Field, Code: string(p.Code), Message: string(p.Code), Warning: p.Warning})
	}
	return out
}

func (k *officeKeeper) Apply(ctx context.Context, draft *config.Config) ([]facts.Problem, error) {
	k.calls = append(k.calls, "apply")
	problems := k.Validate(ctx, draft)
	if slices.ContainsFunc(problems, func(p facts.Problem) bool { return !p.Warning }) {
		return problems, &facts.ConfigError{Problems: problems}
	}
	k.cfg, _ = config.Parse(config.Marshal(draft), "")
	return problems, nil
}

func (k *officeKeeper) SetSecret(_ context.Context, ref, value string) error {
	k.calls = append(k.calls, "secret")
	if k.setErr == nil {
		k.secrets[ref] = value
	}
	return k.setErr
}

func (k *officeKeeper) DeleteSecret(context.Context, string) error { return nil }

func newOfficeKeeper(t *testing.T) *officeKeeper {
	t.Helper()
	return &officeKeeper{cfg: testConfig(t), secrets: map[string]string{}}
}

func TestKeepNewMailbox(t *testing.T) {
	k := newOfficeKeeper(t)
	item := MailboxItems().Open(testConfig(t), -1)
	m := item.Edited()
	m.Name, m.Host, m.Username, m.DeliverTo = "Bob", "pop.isp.test", "bob", []string{"bob@office.test"}
	found, err := Keep(t.Context(), k, item, "hunter2")
	if err != nil || faulty(found) {
		t.Fatal(found, err)
	}
	got := k.cfg.Mailbox("Bob")
	if got == nil || got.Secret != "keyring:bob" || k.secrets["keyring:bob"] != "hunter2" {
		t.Errorf("%+v, keyring %v", got, k.secrets)
	}
	if !slices.Equal(k.calls, []string{"secret", "apply"}) {
		t.Errorf("calls %v: settings must not name a password that is not there", k.calls)
	}
}

// With a fault nothing changes, not even the password.
func TestKeepWithFaultsChangesNothing(t *testing.T) {
	k := newOfficeKeeper(t)
	item := MailboxItems().Open(testConfig(t), 0)
	item.Edited().Host = "pop isp"
	item.Edited().Port = 99999
	found, err := Keep(t.Context(), k, item, "new")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, f := range found {
		keys = append(keys, f.Key)
	}
	if !slices.Contains(keys, "host") || !slices.Contains(keys, "port") || len(k.calls) > 0 {
		t.Errorf("faults at %v, calls %v", keys, k.calls)
	}
}

func TestKeepWhenTheKeyringRefuses(t *testing.T) {
	k := newOfficeKeeper(t)
	k.setErr = &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeSecretLocked}
	_, err := Keep(t.Context(), k, MailboxItems().Open(testConfig(t), 0), "new")
	if !errors.Is(err, k.setErr) || slices.Contains(k.calls, "apply") {
		t.Errorf("%v, calls %v", err, k.calls)
	}
}

// A file that is damaged is not written over with defaults.
func TestKeepLeavesADamagedFileAlone(t *testing.T) {
	k := newOfficeKeeper(t)
	k.readErr = &facts.ConfigError{Problems: []facts.Problem{{Message: "x"}}}
	if _, err := Keep(t.Context(), k, ScheduleSheet(testConfig(t)), ""); err == nil || len(k.calls) > 0 {
		t.Errorf("%v, calls %v", err, k.calls)
	}
}

func TestKeepWithoutAFileBeginsOne(t *testing.T) {
	k := newOfficeKeeper(t)
	k.readErr = &mail.Failure{Code: facts.CodeConfigMissing}
	if _, err := Keep(t.Context(), k, ScheduleSheet(testConfig(t)), ""); err != nil {
		t.Error(err)
	}
}

func TestKeepMovesThePasswordToTheKeyring(t *testing.T) {
	k := newOfficeKeeper(t)
	k.cfg.Mailboxes[1].Secret = "env:ANNE"
	cfg, _ := k.Config(t.Context())
	found, err := Keep(t.Context(), k, MailboxItems().Open(cfg, 1), "typed")
	if err != nil || faulty(found) {
		t.Fatal(found, err)
	}
	if ref := k.cfg.Mailboxes[1].Secret; ref != "keyring:anne" || k.secrets[ref] != "typed" {
		t.Errorf("%s, %v", ref, k.secrets)
	}
}

func TestRemove(t *testing.T) {
	k := newOfficeKeeper(t)
	if problems, err := Remove(t.Context(), k, MailboxItems().Open(testConfig(t), 1)); err != nil || problems != nil || len(k.cfg.Mailboxes) != 1 {
		t.Errorf("%v %v, %d mailboxes", problems, err, len(k.cfg.Mailboxes))
	}
	// The last office server cannot go.
	problems, err := Remove(t.Context(), k, TargetItems().Open(testConfig(t), 0))
	if err != nil || Reasons(problems) == "" || len(k.cfg.Targets) != 1 {
		t.Errorf("%v %v, %d targets", problems, err, len(k.cfg.Targets))
	}
}

func TestAddPeople(t *testing.T) {
	k := newOfficeKeeper(t)
	problems, err := AddPeople(k, []WizardPerson{
		{Address: "ANNE@office.test", Aliases: []string{"info@office.test", "shop@office.test"}}, {Address: "carl@office.test"},
	})(t.Context())
	if err != nil || problems != nil {
		t.Fatal(problems, err)
	}
	if len(k.cfg.Recipients) != 3 || !slices.Equal(k.cfg.Recipients[0].Aliases, []string{"info@office.test", "a@office.test", "shop@office.test"}) {
		t.Errorf("%+v", k.cfg.Recipients)
	}
}
