package attend

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"postbag/app/config"
	"postbag/app/digest"
	"postbag/app/i18n"
	"postbag/app/notify"
	"postbag/engine/deliver"
	"postbag/engine/mail"
	"postbag/engine/mailtest"
)

func server(t *testing.T, o mailtest.SMTPOptions) *mailtest.SMTP {
	t.Helper()
	s, err := mailtest.NewSMTP(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// desks is an office with two servers: info@ is Anne on one and Bob on the other.
func desks(t *testing.T, a, b *mailtest.SMTP) *Deliverer {
	t.Helper()
	target := func(name string, s *mailtest.SMTP) deliver.Target {
		return deliver.Target{Name: name, Host: s.Host(), Port: s.Port()}
	}
	return NewDeliverer(DelivererDeps{
		Lookup: func(address string) []mail.Recipient {
			switch address {
			case "info@office.test":
				return []mail.Recipient{{Address: "anne@office.test", Target: "a"}, {Address: "bob@office.test", Target: "b"}}
			case "nowhere@office.test":
				return []mail.Recipient{{Address: address, Target: "removed"}}
			case "stranger@far.test":
				return nil
			}
			return []mail.Recipient{{Address: address, Target: "a"}}
		},
		Unknown: func() string { return "postmaster@office.test" },
		Targets: func() []deliver.Target { return []deliver.Target{target("a", a), target("b", b)} },
		Secret:  func(context.Context, string) (string, error) { return "", nil },
		Now:     time.Now,
	})
}

func letter(t *testing.T, to string) digest.Letter {
	t.Helper()
	l, ok := digest.Compose(digest.Input{
		Causes: []digest.Cause{{Key: "k", Kind: notify.TargetSettings}}, Domain: "office.test", Administrator: to,
		Installation: "test", Now: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC), Texts: i18n.New("fr"),
	})
	if !ok {
		t.Fatal("no digest")
	}
	return l
}

func rcpts(s *mailtest.SMTP) []string {
	var out []string
	for _, m := range s.Mails() {
		out = append(out, m.Rcpts...)
	}
	return out
}

func TestRule47_DelivererSendsInsideWithTheNullSender(t *testing.T) {
	for _, lmtp := range []bool{false, true} {
		a, b := server(t, mailtest.SMTPOptions{LMTP: lmtp}), server(t, mailtest.SMTPOptions{})
		d := desks(t, a, b)
		if lmtp {
			d.d.Targets = func() []deliver.Target {
				return []deliver.Target{{Name: "a", Host: a.Host(), Port: a.Port(), Protocol: deliver.ProtocolLMTP}}
			}
		}
		l := letter(t, "admin@office.test")
		if err := d.Deliver(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		mails := a.Mails()
		if len(mails) != 1 || mails[0].Sender != "" || !slices.Equal(mails[0].Rcpts, []string{"admin@office.test"}) {
			t.Fatalf("lmtp %v: %+v", lmtp, mails)
		}
		if string(mails[0].Data) != string(l.Data) {
			t.Errorf("the letter was changed:\n%s", mails[0].Data)
		}
		if len(b.Mails()) != 0 {
			t.Error("the other server got it too")
		}
	}
}

func TestDelivererFindsTheRightServer(t *testing.T) {
	users := mailtest.SMTPOptions{Users: []string{"anne@office.test", "bob@office.test", "postmaster@office.test", "admin@office.test"}}
	for name, c := range map[string]struct {
		to     string
		a, b   []string // who got it
		code   mail.Code
		script func(mailtest.SMTPEvent) mailtest.SMTPAction // of a
	}{
		"both servers": {to: "info@office.test", a: []string{"anne@office.test"}, b: []string{"bob@office.test"}},
		"one of two is down": {to: "info@office.test", b: []string{"bob@office.test"},
			script: func(mailtest.SMTPEvent) mailtest.SMTPAction {
				return mailtest.SMTPAction{Reply: "421 later", Drop: true}
			}},
		// rule 45
		"an address that the server does not know": {to: "boss@office.test", a: []string{"postmaster@office.test"}},
		"no target":           {to: "nowhere@office.test", code: mail.CodeTargetMissing},
		"not in the office":   {to: "stranger@far.test", code: mail.CodeTargetMissing},
		"refused for now":     {to: "admin@office.test", code: mail.CodeDeferred, script: at(mailtest.StepRCPT, mailtest.SMTPAction{Reply: "451 4.7.1 greylisted"})},
		"no reply to the dot": {to: "admin@office.test", code: mail.CodeNoReply, script: at(mailtest.StepDot, mailtest.SMTPAction{Drop: true})},
		"the sender <> is refused": {to: "admin@office.test", code: mail.CodeSender,
			script: at(mailtest.StepMAIL, mailtest.SMTPAction{Reply: "550 5.7.1 no"})},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := server(t, users), server(t, users)
			a.Script(c.script)
			err := desks(t, a, b).Deliver(t.Context(), letter(t, c.to))
			if c.code == "" && err != nil || c.code != "" && (err == nil || mail.AsFailure(err).Code != c.code) {
				t.Errorf("error %v, want %q", err, c.code)
			}
			if !slices.Equal(rcpts(a), c.a) || !slices.Equal(rcpts(b), c.b) {
				t.Errorf("a %q, b %q, want %q, %q", rcpts(a), rcpts(b), c.a, c.b)
			}
		})
	}
}

func at(step mailtest.SMTPStep, action mailtest.SMTPAction) func(mailtest.SMTPEvent) mailtest.SMTPAction {
	return func(ev mailtest.SMTPEvent) mailtest.SMTPAction {
		if ev.Step == step {
			return action
		}
		return mailtest.SMTPAction{}
	}
}

func TestReachTellsWhetherTheServerAnswers(t *testing.T) {
	a, b := server(t, mailtest.SMTPOptions{}), server(t, mailtest.SMTPOptions{})
	d := desks(t, a, b)
	name, err := d.Reach(t.Context(), "admin@office.test")
	if name != "a" || err != nil {
		t.Errorf("%q, %v", name, err)
	}
	for _, c := range a.Commands() {
		if strings.HasPrefix(c, "MAIL") {
			t.Errorf("it said %q", c)
		}
	}
	_ = a.Close()
	if name, err = d.Reach(t.Context(), "admin@office.test"); name != "a" || err == nil {
		t.Errorf("closed: %q, %v", name, err)
	}
	if _, err = d.Reach(t.Context(), "stranger@far.test"); err == nil {
		t.Error("a stranger was reached")
	}
}

func TestDelivererReadsTheSecretAnew(t *testing.T) {
	a := server(t, mailtest.SMTPOptions{Passwords: map[string]string{"postbag": "right"}, PlainAuth: true})
	d := desks(t, a, a)
	d.d.Targets = func() []deliver.Target {
		return []deliver.Target{{Name: "a", Host: a.Host(), Port: a.Port(), Auth: deliver.AuthCRAMMD5, Username: "postbag"}}
	}
	word := "wrong"
	d.d.Secret = func(context.Context, string) (string, error) { return word, nil }
	if err := d.Deliver(t.Context(), letter(t, "admin@office.test")); err == nil || mail.AsFailure(err).Code != mail.CodeTargetAuth {
		t.Errorf("wrong password: %v", err)
	}
	word = "right"
	if err := d.Deliver(t.Context(), letter(t, "admin@office.test")); err != nil || len(a.Mails()) != 1 {
		t.Errorf("right password: %v, %d messages", err, len(a.Mails()))
	}
}

func TestSinks(t *testing.T) {
	cfg := config.Defaults()
	o := SinkOptions{Config: cfg, Texts: i18n.New("en"), Now: time.Now, Log: noLog()}
	if n := len(Sinks(o)); n != 0 {
		t.Errorf("%d sinks without any configured", n)
	}
	cfg.Alerts.Command = []string{"notify-send"}
	cfg.Targets = []config.Target{{Secret: "env:OFFICE_PASSWORD"}, {Secret: "keyring:office"}}
	sinks := Sinks(o)
	if len(sinks) != 1 || sinks[0].Name() != "command" {
		t.Errorf("%v", sinks)
	}
	if got := secretNames(cfg); !slices.Equal(got, []string{"OFFICE_PASSWORD"}) {
		t.Errorf("secrets %q", got)
	}
}
