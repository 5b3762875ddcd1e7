package pop3

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"postbag/engine/mail"
	"postbag/engine/mailtest"
)

// rules 5, 7: the best way that the server offers, and the password itself
// only over TLS or where the user allowed it.
func TestRule5_ChoiceOfSignIn(t *testing.T) {
	cert, _ := certificate(t, mailtest.CertificateOptions{})
	all := []string{"PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"}
	tests := []struct {
		name   string
		server mailtest.POP3Options
		auth   string
		tls    bool
		allow  bool
		verb   string // first word(s) that signed in, "" = refused
		code   mail.Code
	}{
		{"tls all", mailtest.POP3Options{SASL: all, APOP: true}, "auto", true, false, "AUTH PLAIN", ""},
		{"tls no sasl", mailtest.POP3Options{}, "auto", true, false, "PASS", ""},
		{"tls no capa", mailtest.POP3Options{NoCAPA: true}, "auto", true, false, "PASS", ""},
		{"tls login only", mailtest.POP3Options{NoUser: true, SASL: []string{"LOGIN"}}, "auto", true, false, "AUTH LOGIN", ""},
		{"tls cram only", mailtest.POP3Options{NoUser: true, SASL: []string{"CRAM-MD5"}}, "auto", true, false, "AUTH CRAM-MD5", ""},
		{"tls nothing known", mailtest.POP3Options{NoUser: true, SASL: []string{"XOAUTH2"}}, "auto", true, false, "", mail.CodeNoMechanism},
		{"plain line", mailtest.POP3Options{SASL: []string{"PLAIN", "LOGIN"}}, "auto", false, false, "", mail.CodePlaintext},
		{"plain line no capa", mailtest.POP3Options{NoCAPA: true}, "auto", false, false, "", mail.CodePlaintext},
		{"plain line cram", mailtest.POP3Options{SASL: all}, "auto", false, false, "AUTH CRAM-MD5", ""},
		{"plain line apop", mailtest.POP3Options{APOP: true}, "auto", false, false, "APOP", ""},
		{"plain line allowed", mailtest.POP3Options{SASL: []string{"PLAIN"}}, "auto", false, true, "AUTH PLAIN", ""},
		{"allowed, but better offered", mailtest.POP3Options{SASL: all}, "auto", false, true, "AUTH CRAM-MD5", ""},
		{"user refused", mailtest.POP3Options{}, "user", false, false, "", mail.CodePlaintext},
		{"plain refused", mailtest.POP3Options{SASL: all}, "plain", false, false, "", mail.CodePlaintext},
		{"login refused", mailtest.POP3Options{SASL: all}, "login", false, false, "", mail.CodePlaintext},
		{"xoauth2 refused", mailtest.POP3Options{SASL: all}, "xoauth2", false, false, "", mail.CodePlaintext},
		{"user", mailtest.POP3Options{SASL: all}, "user", false, true, "PASS", ""},
		{"plain", mailtest.POP3Options{SASL: all}, "plain", false, true, "AUTH PLAIN", ""},
		{"login", mailtest.POP3Options{SASL: all}, "login", false, true, "AUTH LOGIN", ""},
		{"cram-md5", mailtest.POP3Options{SASL: all}, "cram-md5", false, false, "AUTH CRAM-MD5", ""},
		{"xoauth2", mailtest.POP3Options{SASL: all}, "xoauth2", true, false, "AUTH XOAUTH2", ""},
		{"apop", mailtest.POP3Options{APOP: true}, "apop", false, false, "APOP", ""},
		{"apop without timestamp", mailtest.POP3Options{}, "apop", false, false, "", mail.CodeNoMechanism},
		{"unknown word", mailtest.POP3Options{}, "kerberos", true, false, "", mail.CodeNoMechanism},
		{"PLAIN without initial response", mailtest.POP3Options{SASL: all, NoInitialResponse: true}, "plain", true, false, "AUTH PLAIN", ""},
		{"XOAUTH2 without initial response", mailtest.POP3Options{SASL: all, NoInitialResponse: true}, "xoauth2", true, false, "AUTH XOAUTH2", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.server.Certificate, tt.server.ImplicitTLS = cert, tt.tls
			p := serve(t, tt.server)
			o := options(p)
			o.Auth, o.AllowPlaintextPassword = tt.auth, tt.allow
			if tt.tls {
				o.Security, o.TLSPin = SecurityTLS, pinOf(cert)
			}
			s, err := Dial(t.Context(), o)
			if tt.code != "" {
				want(t, err, tt.code, mail.NeedsUser)
				if tt.code == mail.CodePlaintext && (said(p, "USER")+said(p, "PASS")+said(p, "AUTH") > 0 || leaked(p)) {
					t.Fatal("told something over an unencrypted line:", p.Transcript())
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if !slices.ContainsFunc(p.Transcript(), func(l string) bool { return strings.HasPrefix(l, tt.verb) }) {
				t.Errorf("said %q, want %s", p.Transcript(), tt.verb)
			}
			if !tt.tls && !tt.allow && leaked(p) {
				t.Error("password in clear")
			}
		})
	}
}

// rule 7: AUTH with an initial response of over 255 octets is sent in two steps.
func TestRule7_LongInitialResponse(t *testing.T) {
	cert, _ := certificate(t, mailtest.CertificateOptions{})
	for n := 100; n < 400; n++ {
		token := strings.Repeat("t", n)
		p := serve(t, mailtest.POP3Options{SASL: []string{"XOAUTH2"}, Certificate: cert, ImplicitTLS: true,
			Users: map[string]string{testUser: token}})
		o := options(p)
		o.Security, o.TLSPin, o.Auth, o.Password = SecurityTLS, pinOf(cert), "xoauth2", token
		dial(t, o)
		encoded := base64.StdEncoding.EncodeToString(xoauth2(testUser, token))
		line := "AUTH XOAUTH2 " + encoded
		two := !slices.Contains(p.Transcript(), line)
		if fits := len(line)+2 <= 255; fits == two {
			t.Fatalf("token of %d octets, line of %d with CRLF, in two steps: %v", n, len(line)+2, two)
		}
		if two && !slices.Contains(p.Transcript(), "AUTH-LINE "+encoded) {
			t.Fatal(p.Transcript())
		}
		if n > 150 {
			n += 60
		}
	}
}

func TestXOAUTH2Refused(t *testing.T) {
	cert, _ := certificate(t, mailtest.CertificateOptions{})
	p := serve(t, mailtest.POP3Options{SASL: []string{"XOAUTH2"}, Certificate: cert, ImplicitTLS: true})
	o := options(p)
	o.Security, o.TLSPin, o.Auth, o.Password = SecurityTLS, pinOf(cert), "xoauth2", "stale"
	_, err := Dial(t.Context(), o)
	want(t, err, mail.CodeAuth, mail.NeedsUser)
}

// rule 8: what counts as a wrong password and what means later.
func TestRule8_Refusals(t *testing.T) {
	tests := []struct {
		text  string
		code  mail.Code
		class mail.Class
	}{
		{"[AUTH] Authentication failed.", mail.CodeAuth, mail.NeedsUser},
		{"[auth] lower case", mail.CodeAuth, mail.NeedsUser},
		{"[AUTH] mailbox locked, try again later", mail.CodeAuth, mail.NeedsUser},
		{"[IN-USE] Do you have another POP session running?", mail.CodeInUse, mail.Transient},
		{"[LOGIN-DELAY] minimum time between mail checks violation", mail.CodeLoginDelay, mail.Transient},
		{"[SYS/TEMP] Temporary authentication failure", mail.CodeSysTemp, mail.Transient},
		{"[SYS/PERM] Your account is not enabled for POP access", mail.CodeSysPerm, mail.NeedsUser},
		{"[SYS/NEW] unknown branch", mail.CodeSysTemp, mail.Transient},
		{"[XYZ] no such code", mail.CodeAuth, mail.NeedsUser},
		{"", mail.CodeAuth, mail.NeedsUser},
		{"authorization failed", mail.CodeAuth, mail.NeedsUser},
		{"invalid password", mail.CodeAuth, mail.NeedsUser},
		{"Authentication failed, please try again", mail.CodeAuth, mail.NeedsUser},
		{"sender blocked", mail.CodeAuth, mail.NeedsUser},
		{"account is locked", mail.CodeAuth, mail.NeedsUser},
		{"maildrop already locked", mail.CodeInUse, mail.Transient},
		{"unable to lock maildrop", mail.CodeInUse, mail.Transient},
		{"user mailbox locked by another POP session", mail.CodeInUse, mail.Transient},
		{"mailbox is in use", mail.CodeInUse, mail.Transient},
		{"mailbox busy", mail.CodeInUse, mail.Transient},
		{"Server temporarily unavailable", mail.CodeSysTemp, mail.Transient},
		{"try again later", mail.CodeSysTemp, mail.Transient},
		{"too many connections", mail.CodeSysTemp, mail.Transient},
	}
	for _, tt := range tests {
		p := serve(t, mailtest.POP3Options{Fault: mailtest.OnPOP3("PASS", 1, mailtest.POP3Reply("-ERR "+tt.text))})
		_, err := Dial(t.Context(), options(p))
		f := want(t, err, tt.code, tt.class)
		if f.Reply != tt.text || f.Op != "PASS" {
			t.Errorf("%+v", f)
		}
	}
}

func TestRule8_PasswordOfferedOnce(t *testing.T) {
	cert, _ := certificate(t, mailtest.CertificateOptions{})
	for _, noCodes := range []bool{false, true} {
		p := serve(t, mailtest.POP3Options{SASL: []string{"PLAIN", "LOGIN", "CRAM-MD5"}, NoCodes: noCodes, APOP: true, Certificate: cert, ImplicitTLS: true})
		o := options(p)
		o.Security, o.TLSPin, o.Password = SecurityTLS, pinOf(cert), "wrong"
		_, err := Dial(t.Context(), o)
		want(t, err, mail.CodeAuth, mail.NeedsUser)
		if n := said(p, "AUTH") + said(p, "PASS") + said(p, "APOP"); n != 1 {
			t.Errorf("%d attempts: %q", n, p.Transcript())
		}
	}
}

func TestSignInFallsBack(t *testing.T) {
	t.Run("mechanism offered but not there", func(t *testing.T) {
		p := serve(t, mailtest.POP3Options{SASL: []string{"PLAIN"},
			Fault: mailtest.OnPOP3("AUTH", 0, mailtest.POP3Reply("-ERR unsupported authentication mechanism"))})
		dial(t, options(p))
		if said(p, "PASS") != 1 {
			t.Error(p.Transcript())
		}
	})
	t.Run("APOP offered to an account that has none", func(t *testing.T) {
		p := serve(t, mailtest.POP3Options{APOP: true, Fault: mailtest.OnPOP3("APOP", 0, mailtest.POP3Reply("-ERR not authorized"))})
		dial(t, options(p))
		o := options(p)
		o.AllowPlaintextPassword = false
		_, err := Dial(t.Context(), o)
		want(t, err, mail.CodeAuth, mail.NeedsUser)
		if said(p, "PASS") != 1 {
			t.Error("password told although that was not allowed")
		}
	})
	t.Run("server wants TLS first", func(t *testing.T) {
		p := serve(t, mailtest.POP3Options{PlainTLS: true})
		o := options(p)
		o.Auth = AuthUser
		_, err := Dial(t.Context(), o)
		want(t, err, mail.CodePlaintext, mail.NeedsUser)
	})
}

func TestNoCommandInjection(t *testing.T) {
	for _, bad := range []string{"a\r\nDELE 1", "a\nb", "a\rb", "a\x00b"} {
		p := serve(t, mailtest.POP3Options{SASL: []string{"PLAIN", "CRAM-MD5"}, APOP: true})
		for _, auth := range []string{"auto", "user", "plain", "apop", "cram-md5"} {
			o := options(p)
			o.Auth, o.Username = auth, bad
			_, err := Dial(t.Context(), o)
			want(t, err, mail.CodeAuth, mail.NeedsUser)
			o.Username, o.Password = testUser, bad
			_, err = Dial(t.Context(), o)
			want(t, err, mail.CodeAuth, mail.NeedsUser)
		}
		if said(p, "USER")+said(p, "AUTH")+said(p, "DELE")+said(p, "APOP") > 0 {
			t.Fatal(p.Transcript())
		}
	}
}

// CVE-2007-1558: a forged timestamp is none.
func TestTimestamp(t *testing.T) {
	for greeting, want := range map[string]string{
		"POP3 ready <1.2@isp.test>": "<1.2@isp.test>", "<a@b>": "<a@b>", "<no-at>": "",
		"<\x01x@isp.test>": "", "<a@b\xff>": "", "<a b@c>": "", "": "", "< <x@y> >": "<x@y>",
	} {
		if got := timestamp().FindString(greeting); got != want {
			t.Errorf("%q: %q, want %q", greeting, got, want)
		}
	}
}

func TestTranscriptHidesSecrets(t *testing.T) {
	cert, _ := certificate(t, mailtest.CertificateOptions{})
	for _, auth := range []string{"user", "plain", "login", "cram-md5", "apop", "xoauth2"} {
		echo := func(c mailtest.POP3Command) *mailtest.POP3Fault {
			if c.Verb == "NOOP" {
				return mailtest.POP3Reply(fmt.Sprintf("-ERR you are %s with %s, %s", testUser, testPassword,
					base64.StdEncoding.EncodeToString([]byte("\x00"+testUser+"\x00"+testPassword))))
			}
			return nil
		}
		p := serve(t, mailtest.POP3Options{SASL: []string{"PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"}, APOP: true, Fault: echo,
			Certificate: cert, ImplicitTLS: true}, "Subject: secret matter\r\n\r\nprivate words\r\n")
		var b strings.Builder
		o := options(p)
		o.Security, o.TLSPin, o.Auth, o.Transcript = SecurityTLS, pinOf(cert), auth, &b
		s := dial(t, o)
		if _, err := fetchAll(t.Context(), s, list(t, s).Items); err != nil {
			t.Fatal(err)
		}
		refused := s.Noop(t.Context())
		if err := s.Quit(t.Context()); err != nil {
			t.Fatal(err)
		}
		text := b.String() + refused.Error()
		for _, secret := range []string{testPassword, "private words", "secret matter",
			base64.StdEncoding.EncodeToString([]byte(testPassword)),
			base64.StdEncoding.EncodeToString([]byte("\x00" + testUser + "\x00" + testPassword))} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: %q in\n%s", auth, secret, text)
			}
		}
		for _, line := range []string{"S: +OK", "C: STAT", "C: RETR 1", "C: QUIT", "-- 1 lines of UIDL"} {
			if !strings.Contains(b.String(), line) {
				t.Errorf("%s: no %q in\n%s", auth, line, b.String())
			}
		}
	}
}

// A password that is a word of the server's answer hides no response code.
func TestRule8_JudgedBeforeMasked(t *testing.T) {
	p := serve(t, mailtest.POP3Options{Users: map[string]string{testUser: "other"}, Fault: mailtest.OnPOP3("PASS", 1, mailtest.POP3Reply("-ERR [IN-USE] mailbox locked"))})
	o := options(p)
	o.Password = "IN-USE"
	_, err := Dial(t.Context(), o)
	if f := want(t, err, mail.CodeInUse, mail.Transient); f.Reply != "[****] mailbox locked" {
		t.Error(f.Reply)
	}
}
