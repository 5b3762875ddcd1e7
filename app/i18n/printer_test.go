package i18n

import (
	"errors"
	"testing"
	"time"

	"postbag/engine/mail"
)

func TestFromEnv(t *testing.T) {
	cases := []struct {
		name string
		env  map[string]string
		want string
		ok   bool
	}{
		{"nothing", nil, English, false},
		{"LANG", map[string]string{"LANG": "fr_FR.UTF-8"}, French, true},
		{"LC_ALL over LANG", map[string]string{"LC_ALL": "en_GB.UTF-8", "LANG": "fr_FR.UTF-8"}, English, true},
		{"LC_MESSAGES over LANG", map[string]string{"LC_MESSAGES": "fr_CA", "LANG": "C"}, French, true},
		{"LC_ALL over LC_MESSAGES", map[string]string{"LC_ALL": "C", "LC_MESSAGES": "fr_CA"}, English, true},
		{"a variant", map[string]string{"LANG": "fr@euro"}, French, true},
		{"BCP 47", map[string]string{"LANG": "FR-ch"}, French, true},
		{"another language", map[string]string{"LANG": "de_DE.UTF-8"}, English, true},
		{"a longer word", map[string]string{"LANG": "frr_DE"}, English, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, ok := FromEnv(func(k string) string { return c.env[k] })
			if got != c.want || ok != c.ok {
				t.Errorf("got %q %v, want %q %v", got, ok, c.want, c.ok)
			}
		})
	}
}

func TestNewTakesTheEnvironmentWithoutALanguage(t *testing.T) {
	t.Setenv("LC_ALL", "fr_FR.UTF-8")
	if got := New("").Lang(); got != French {
		t.Errorf("got %q", got)
	}
	if got := New("xx").Lang(); got != English {
		t.Errorf("an unknown language gives %q", got)
	}
}

func TestNumberAndSize(t *testing.T) {
	en, fr := New(English), New(French)
	cases := []struct{ got, want string }{
		{en.Number(0), "0"}, {en.Number(999), "999"}, {en.Number(4711), "4,711"}, {en.Number(1234567), "1,234,567"}, {en.Number(-1000), "-1,000"},
		{fr.Number(4711), "4\u202f711"}, {fr.Number(100), "100"},
		{en.Size(-1), "?"}, {en.Size(0), "0\u00a0B"}, {en.Size(999), "999\u00a0B"}, {en.Size(1000), "1\u00a0KB"}, {en.Size(12345), "12\u00a0KB"},
		{en.Size(999_499), "999\u00a0KB"}, {en.Size(999_500), "1.0\u00a0MB"}, {en.Size(3_400_000), "3.4\u00a0MB"}, {en.Size(50_000_000), "50\u00a0MB"},
		{en.Seconds(2340 * time.Millisecond), "2.3"}, {fr.Seconds(2340 * time.Millisecond), "2,3"},
		{fr.Size(3_400_000), "3,4\u00a0Mo"}, {fr.Size(500), "500\u00a0o"},
	}
	for i, c := range cases {
		if c.got != c.want {
			t.Errorf("case %d: got %q, want %q", i, c.got, c.want)
		}
	}
}

func TestTimes(t *testing.T) {
	zone := time.FixedZone("here", 2*3600)
	at := time.Date(2026, 3, 1, 22, 5, 9, 0, time.UTC) // 00:05:09 of the next day here
	en, fr := New(English).In(zone), New(French).In(zone)
	cases := []struct{ got, want string }{
		{en.Stamp(at), "2026-03-02 00:05"}, {fr.Stamp(at), "02/03/2026 00:05"},
		{en.StampSecond(at), "2026-03-02 00:05:09"}, {fr.StampSecond(at), "02/03/2026 00:05:09"},
		{en.Clock(at), "00:05:09"}, {en.Stamp(time.Time{}), ""}, {en.When(time.Time{}, at), ""},
		{en.When(at, at.Add(time.Hour)), "00:05"}, {en.When(at, at.Add(-time.Hour)), "2026-03-02 00:05"},
	}
	for i, c := range cases {
		if c.got != c.want {
			t.Errorf("case %d: got %q, want %q", i, c.got, c.want)
		}
	}
}

func TestPlurals(t *testing.T) {
	en, fr := New(English), New(French)
	cases := []struct{ got, want string }{
		{en.N("collect.delivered", 0), "0 messages delivered."},
		{en.N("collect.delivered", 1), "1 message delivered."},
		{en.N("collect.delivered", 4711), "4,711 messages delivered."},
		{fr.N("collect.delivered", 0), "0 message remis."}, // French counts nothing as one
		{fr.N("collect.delivered", 2), "2 messages remis."},
		{fr.N("collect.delivered", 1_000_000), "1\u202f000\u202f000 messages remis."},
		{en.N("collect.delivered", 5_000_000_000), "5,000,000,000 messages delivered."},
	}
	for i, c := range cases {
		if c.got != c.want {
			t.Errorf("case %d: got %q, want %q", i, c.got, c.want)
		}
	}
}

func TestAGapShowsAndBreaksNothing(t *testing.T) {
	p := New(French)
	if got := p.T("no.such.key"); got != "no.such.key" {
		t.Errorf("got %q", got)
	}
	if p.Has("no.such.key") || !p.Has("collect.delivered") || !p.Has("fault.auth") {
		t.Error("Has is wrong")
	}
}

func TestFault(t *testing.T) {
	f := &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeAuth, Op: "PASS", Reply: "-ERR [AUTH] no", Err: errors.New("cause")}
	got := New(English).Fault(f, Context{Side: SideSource, Name: "Anne", Host: "pop.isp.test"})
	want := Explanation{
		What:    "The provider's server pop.isp.test refuses the user name or the password.",
		Meaning: "No mail is lost: it stays with your provider until it can be collected.",
		Advice:  "Check user name and password in the provider's web mail, then enter them again.",
		Detail:  "PASS: -ERR [AUTH] no: cause",
	}
	if got != want {
		t.Errorf("got %+v", got)
	}
	if got := New(French).Fault(&mail.Failure{Code: mail.CodeConnect}, Context{Side: SideTarget, Host: "mail.office.test"}).What; got != "Le serveur du bureau mail.office.test est injoignable." {
		t.Errorf("got %q", got)
	}
	if got := New(English).Fault(&mail.Failure{Code: "never_heard", Op: "X"}, Context{}); got.What != New(English).T("fault.internal") || got.Detail != "X" {
		t.Errorf("an unknown code: %+v", got)
	}
	if got := New(English).Fault(nil, Context{}); got != (Explanation{}) {
		t.Errorf("no failure: %+v", got)
	}
}

func TestMeaningSaysWhereTheMailIs(t *testing.T) {
	p := New(English)
	cases := []struct {
		code  mail.Code
		class mail.Class
		side  string
		want  string
	}{
		{mail.CodeConnect, mail.Transient, SideSource, "meaning.with_provider"},
		{mail.CodeConnect, mail.Transient, SideTarget, "meaning.waits"},
		{mail.CodeTLSName, mail.NeedsUser, SideTarget, "meaning.waits_for_you"},
		{mail.CodeMailboxFull, mail.Permanent, SideTarget, "meaning.set_aside"},
		{mail.CodeNoReply, mail.Transient, SideTarget, "meaning.perhaps_twice"},
		{mail.CodeStoreDamaged, mail.NeedsUser, "", "meaning.store"},
		{mail.CodeInternal, mail.Transient, "", "meaning.no_loss"},
	}
	for _, c := range cases {
		got := p.Fault(&mail.Failure{Code: c.code, Class: c.class}, Context{Side: c.side}).Meaning
		if got != p.T(c.want) {
			t.Errorf("%s at %q: %q", c.code, c.side, got)
		}
	}
}

func TestList(t *testing.T) {
	if got := New(French).List([]string{"a", "b", "c"}); got != "a, b et c" {
		t.Errorf("got %q", got)
	}
	if got := New(English).List(nil) + New(English).List([]string{"a"}); got != "a" {
		t.Errorf("got %q", got)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		New(French)
	}
}
