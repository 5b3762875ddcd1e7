package deliver

import (
	"bytes"
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"postbag/engine/mail"
	"postbag/engine/mail/tlspolicy"
	"postbag/engine/mailtest"
)

// rule 5: STARTTLS or TLS, the name verified, no password in clear.
// rule 6: a bad certificate stops, a pin cures, a changed pin stops again.
func TestRule5_Security(t *testing.T) {
	cfg, ca, cert := certificate(t, mailtest.CertificateOptions{})
	old, oldCA, _ := certificate(t, mailtest.CertificateOptions{NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-time.Hour)})
	pin := tlspolicy.Fingerprint(cert.Leaf)
	tests := []struct {
		name   string
		o      mailtest.SMTPOptions
		change func(*Target)
		want   mail.Code
	}{
		{"none", mailtest.SMTPOptions{}, func(*Target) {}, ""},
		{"tls", mailtest.SMTPOptions{TLS: cfg, ImplicitTLS: true}, func(t *Target) { t.Security, t.CAFile = SecurityTLS, ca }, ""},
		{"starttls", mailtest.SMTPOptions{TLS: cfg}, func(t *Target) { t.Security, t.CAFile = SecuritySTARTTLS, ca }, ""},
		{"starttls lower case", mailtest.SMTPOptions{TLS: cfg, LowerCase: true}, func(t *Target) { t.Security, t.CAFile = SecuritySTARTTLS, ca }, ""},
		{"starttls not offered", mailtest.SMTPOptions{}, func(t *Target) { t.Security = SecuritySTARTTLS }, mail.CodeTLSMissing},
		{"starttls refused", mailtest.SMTPOptions{TLS: cfg, Script: mailtest.OnStep(mailtest.StepSTARTTLS, mailtest.SMTPAction{Reply: "502 no"})},
			func(t *Target) { t.Security, t.CAFile = SecuritySTARTTLS, ca }, mail.CodeTLSMissing},
		{"starttls injection", mailtest.SMTPOptions{TLS: cfg, Script: mailtest.OnStep(mailtest.StepSTARTTLS, mailtest.SMTPAction{Reply: "220 go\n250 injected"})},
			func(t *Target) { t.Security, t.CAFile = SecuritySTARTTLS, ca }, mail.CodeProtocol},
		{"untrusted", mailtest.SMTPOptions{TLS: cfg}, func(t *Target) { t.Security = SecuritySTARTTLS }, mail.CodeTLSUntrusted},
		{"name", mailtest.SMTPOptions{TLS: cfg, ImplicitTLS: true}, func(t *Target) { t.Security, t.CAFile, t.ServerName = SecurityTLS, ca, "other.test" }, mail.CodeTLSName},
		{"expired", mailtest.SMTPOptions{TLS: old, ImplicitTLS: true}, func(t *Target) { t.Security, t.CAFile = SecurityTLS, oldCA }, mail.CodeTLSExpired},
		{"pin", mailtest.SMTPOptions{TLS: cfg}, func(t *Target) { t.Security, t.TLSPin, t.ServerName = SecuritySTARTTLS, pin, "other.test" }, ""},
		{"changed pin", mailtest.SMTPOptions{TLS: old}, func(t *Target) { t.Security, t.TLSPin = SecuritySTARTTLS, pin }, mail.CodeTLSPin},
		{"tls to a plain port", mailtest.SMTPOptions{}, func(t *Target) { t.Security = SecurityTLS }, mail.CodeTLS},
		{"greeting 554", mailtest.SMTPOptions{Script: mailtest.OnStep(mailtest.StepGreeting, mailtest.SMTPAction{Reply: "554 no"})}, func(*Target) {}, mail.CodeGreeting},
		{"greeting 421", mailtest.SMTPOptions{Script: mailtest.OnStep(mailtest.StepGreeting, mailtest.SMTPAction{Reply: "421 busy"})}, func(*Target) {}, mail.CodeTargetBusy},
		{"greeting dropped", mailtest.SMTPOptions{Script: mailtest.OnStep(mailtest.StepGreeting, mailtest.SMTPAction{Drop: true})}, func(*Target) {}, mail.CodeClosed},
		{"greeting of another protocol", mailtest.SMTPOptions{Script: mailtest.OnStep(mailtest.StepGreeting, mailtest.SMTPAction{Reply: "+OK POP3"})}, func(*Target) {}, mail.CodeProtocol},
		{"greeting silent", mailtest.SMTPOptions{Script: mailtest.OnStep(mailtest.StepGreeting, mailtest.SMTPAction{Silent: true})}, func(*Target) {}, mail.CodeTimeout},
		{"EHLO dropped", mailtest.SMTPOptions{Script: mailtest.OnStep(mailtest.StepEHLO, mailtest.SMTPAction{Drop: true})}, func(*Target) {}, mail.CodeClosed},
		{"EHLO 550", mailtest.SMTPOptions{Script: mailtest.OnStep(mailtest.StepEHLO, mailtest.SMTPAction{Reply: "550 go away"})}, func(*Target) {}, mail.CodeRefused},
		{"no such host", mailtest.SMTPOptions{}, func(t *Target) { t.Host = "no-such-host.invalid" }, mail.CodeDNS},
		{"missing CA file", mailtest.SMTPOptions{}, func(t *Target) { t.CAFile = "none.pem" }, mail.CodeTLSUntrusted},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, target := startSMTP(t, tt.o)
			tt.change(&target)
			quick := 200 * time.Millisecond
			o := Options{Timeouts: Timeouts{Greeting: quick}}
			if tt.want == mail.CodeDNS {
				o.Dial = func(context.Context, string, string) (net.Conn, error) {
					return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Name: target.Host, IsNotFound: true}}
				}
			}
			c, err := Dial(t.Context(), target, o)
			if codeOf(err) != tt.want {
				t.Fatalf("%v, want %s", err, tt.want)
			}
			if err != nil {
				if shown, ok := tlspolicy.CertificateOf(err); strings.HasPrefix(string(tt.want), "tls_") && tt.want != mail.CodeTLSMissing &&
					tt.name != "missing CA file" && (!ok || shown.Fingerprint == "") {
					t.Error("no fingerprint to offer")
				}
				return
			}
			defer c.Close()
			if outcomes, err := c.Send(t.Context(), letter(sample, "anne@office.test")); err != nil || verdicts(outcomes) != "accepted" {
				t.Errorf("%v %s", err, verdicts(outcomes))
			}
		})
	}
}

func TestRefusedConnection(t *testing.T) {
	s, target := startSMTP(t, mailtest.SMTPOptions{})
	_ = s.Close()
	if _, err := Dial(t.Context(), target, Options{}); codeOf(err) != mail.CodeConnect {
		t.Error(err)
	}
}

func TestDialCancel(t *testing.T) {
	_, target := startSMTP(t, mailtest.SMTPOptions{Script: mailtest.OnStep(mailtest.StepGreeting, mailtest.SMTPAction{Silent: true})})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	began := time.Now()
	_, err := Dial(ctx, target, Options{})
	if codeOf(err) != mail.CodeCancelled || time.Since(began) > time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

// rules 5, 7 and 8: every mechanism, over TLS and never in clear.
func TestRule5_Auth(t *testing.T) {
	cfg, ca, _ := certificate(t, mailtest.CertificateOptions{})
	users := map[string]string{"anne": "s3cret ünd lang"}
	for _, auth := range []string{AuthPlain, AuthLogin, AuthCRAMMD5, AuthXOAUTH2} {
		t.Run(auth, func(t *testing.T) {
			s, target := startSMTP(t, mailtest.SMTPOptions{TLS: cfg, Passwords: users, LowerCase: true})
			target.Security, target.CAFile, target.Auth = SecuritySTARTTLS, ca, auth
			target.Username, target.Secret = "anne", users["anne"]
			var log bytes.Buffer
			c := dial(t, target, Options{Transcript: &log})
			if outcomes, err := c.Send(t.Context(), letter(sample, "anne@office.test")); err != nil || verdicts(outcomes) != "accepted" {
				t.Fatalf("%v %s", err, verdicts(outcomes))
			}
			if s.Mails()[0].Login != "anne" {
				t.Error("not signed in")
			}
			for _, line := range s.Commands() {
				if f := strings.Fields(line); len(f) > 0 && len(f[len(f)-1]) > 8 && strings.HasPrefix(line, "AUTH") && strings.Contains(log.String(), f[len(f)-1]) && len(f) > 2 {
					t.Errorf("the transcript betrays %q:\n%s", line, log.String())
				}
			}
			if strings.Contains(log.String(), "body") || !strings.Contains(log.String(), "C: AUTH "+strings.ToUpper(auth)) {
				t.Errorf("transcript:\n%s", log.String())
			}
			_, wrong := startSMTP(t, mailtest.SMTPOptions{Passwords: map[string]string{"anne": "other"}, PlainAuth: true})
			wrong.Auth, wrong.Username, wrong.Secret, wrong.AllowPlaintextPassword = auth, "anne", users["anne"], true
			_, err := Dial(t.Context(), wrong, Options{})
			if codeOf(err) != mail.CodeTargetAuth || mail.AsFailure(err).Class != mail.NeedsUser {
				t.Errorf("wrong password: %v", err)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error betrays the password: %v", err)
			}
		})
	}
}

func TestRule5_NoPasswordInClear(t *testing.T) {
	users := map[string]string{"anne": "s3cret"}
	tests := []struct {
		auth  string
		allow bool
		want  mail.Code
	}{
		{AuthPlain, false, mail.CodePlaintext}, {AuthLogin, false, mail.CodePlaintext}, {AuthXOAUTH2, false, mail.CodePlaintext},
		{AuthPlain, true, ""}, {AuthLogin, true, ""}, {AuthCRAMMD5, false, ""},
	}
	for _, tt := range tests {
		s, target := startSMTP(t, mailtest.SMTPOptions{Passwords: users, PlainAuth: true})
		target.Auth, target.Username, target.Secret, target.AllowPlaintextPassword = tt.auth, "anne", "s3cret", tt.allow
		c, err := Dial(t.Context(), target, Options{})
		if codeOf(err) != tt.want {
			t.Errorf("%s: %v, want %s", tt.auth, err, tt.want)
		}
		if tt.want != "" && s.Count("AUTH") != 0 {
			t.Errorf("%s: AUTH was sent", tt.auth)
		}
		if c != nil {
			_ = c.Close()
		}
	}
}

func TestAuthFaults(t *testing.T) {
	users := map[string]string{"anne": "s3cret"}
	tests := []struct {
		name  string
		o     mailtest.SMTPOptions
		user  string
		want  mail.Code
		class mail.Class
	}{
		{"not offered", mailtest.SMTPOptions{}, "anne", mail.CodeNoMechanism, mail.NeedsUser},
		{"another one offered", mailtest.SMTPOptions{Passwords: users, PlainAuth: true, Mechanisms: []string{"NTLM"}}, "anne", mail.CodeNoMechanism, mail.NeedsUser},
		{"QUIRK AUTH=", mailtest.SMTPOptions{Passwords: users, Extensions: []string{"AUTH=LOGIN PLAIN"}}, "anne", "", 0},
		{"454", mailtest.SMTPOptions{Passwords: users, PlainAuth: true, Script: mailtest.OnStep(mailtest.StepAUTH, mailtest.SMTPAction{Reply: "454 4.7.0 later"})}, "anne", mail.CodeTargetBusy, mail.Transient},
		{"550", mailtest.SMTPOptions{Passwords: users, PlainAuth: true, Script: mailtest.OnStep(mailtest.StepAUTH, mailtest.SMTPAction{Reply: "550 no"})}, "anne", mail.CodeTargetAuth, mail.NeedsUser},
		{"drop", mailtest.SMTPOptions{Passwords: users, PlainAuth: true, Script: mailtest.OnStep(mailtest.StepAUTH, mailtest.SMTPAction{Drop: true})}, "anne", mail.CodeClosed, mail.Transient},
		{"injection", mailtest.SMTPOptions{Passwords: users, PlainAuth: true}, "anne\r\nMAIL", mail.CodeTargetAuth, mail.NeedsUser},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, target := startSMTP(t, tt.o)
			target.Auth, target.Username, target.Secret, target.AllowPlaintextPassword = AuthPlain, tt.user, "s3cret", true
			_, err := Dial(t.Context(), target, Options{})
			if codeOf(err) != tt.want || err != nil && mail.AsFailure(err).Class != tt.class {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

// check shows each step once, and the one that failed last.
func TestSteps(t *testing.T) {
	cfg, ca, _ := certificate(t, mailtest.CertificateOptions{})
	_, target := startSMTP(t, mailtest.SMTPOptions{TLS: cfg, Passwords: map[string]string{"anne": "x"}})
	target.Security, target.CAFile, target.Auth, target.Username, target.Secret = SecuritySTARTTLS, ca, AuthPlain, "anne", "wrong"
	var steps []string
	_, err := Dial(t.Context(), target, Options{Step: func(step, _ string, err error) {
		if err != nil {
			step += "!"
		}
		steps = append(steps, step)
	}})
	if err == nil || !slices.Equal(steps, []string{"dns", "connect", "ehlo", "starttls", "auth!"}) {
		t.Errorf("%v %v", steps, err)
	}
}
