package present

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

func TestParsePeople(t *testing.T) {
	for text, want := range map[string]string{
		"":                 "",
		"anne@office.test": "1 anne@office.test",
		"anne@office.test, info@office.test\r\n\nbob@office.test":  "1 anne@office.test info@office.test|3 bob@office.test",
		"Anne Martin;anne@office.test":                             "1 anne@office.test",
		"Martin\tAnne\tanne@office.test a@office.test":             "1 anne@office.test a@office.test",
		`"Martin, Anne" <anne@office.test>; Bob <bob@office.test>`: "1 anne@office.test|1 bob@office.test",
		"<mailto:anne@office.test>":                                "1 anne@office.test",
		"anne@office.test ANNE@office.test":                        "1 anne@office.test",
		"Anne <anne@office.test>, info@office.test":                "1 anne@office.test info@office.test",
		"info@office.test, Anne <anne@office.test>":                "1 info@office.test anne@office.test",
		"anne@home.test <anne@office.test>":                        "1 anne@office.test",
		"Anne <anne@office.test>; bob@office.test":                 "1 anne@office.test|1 bob@office.test",
		"SMTP:anne@office.test;smtp:info@office.test;sip:a@b.test": "1 anne@office.test info@office.test",
		"Name": "bad 1",
		"anne@office.test\n  \nwho\nbob@office.test\n<>": "1 anne@office.test|4 bob@office.test|bad 3|bad 5",
	} {
		people, bad := ParsePeople(text)
		var got []string
		for _, p := range people {
			got = append(got, strings.Join(append([]string{i18n.New("en").Number(int64(p.Line)), p.Address}, p.Aliases...), " "))
		}
		for _, b := range bad {
			got = append(got, "bad "+i18n.New("en").Number(int64(b)))
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%q: got %q, want %q", text, strings.Join(got, "|"), want)
		}
	}
}

// What the page shows and what it reads must be the same people.
func FuzzParsePeople(f *testing.F) {
	for _, s := range []string{"anne@office.test, b@office.test", "A <a@office.test>; B <b@office.test>", "x\n@\n\"@\"", "a@b <", "\u00a0@\u00a0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		people, bad := ParsePeople(text)
		lines := strings.Count(text, "\n") + 1
		var list []config.Recipient
		for _, p := range people {
			if p.Line < 1 || p.Line > lines || !strings.Contains(p.Address, "@") {
				t.Fatalf("%q: %+v", text, p)
			}
			list = append(list, config.Recipient{Address: p.Address, Aliases: p.Aliases})
		}
		for _, b := range bad {
			if b < 1 || b > lines {
				t.Fatalf("%q: line %d of %d", text, b, lines)
			}
		}
		if strings.ContainsAny(text, "<>\"'()[]") || strings.Contains(strings.ToLower(text), "mailto:") {
			return // marks are taken off
		}
		again, _ := ParsePeople(FormatPeople(list))
		if len(again) != len(people) {
			t.Fatalf("%q: %v became %v", text, people, again)
		}
	})
}

func TestImportTakesWhatAddressBooksExport(t *testing.T) {
	utf16le := func(s string) []byte {
		out := []byte("\xff\xfe")
		for _, u := range utf16.Encode([]rune(s)) {
			out = append(out, byte(u), byte(u>>8))
		}
		return out
	}
	for name, c := range map[string]struct {
		data []byte
		want WizardImport
		text string
	}{
		"commas":     {[]byte("Name,E-mail 1,E-mail 2\nAnne,anne@office.test,info@office.test\n\"Roe, Bob\",bob@office.test,\n"), WizardImport{People: 2}, "anne@office.test, info@office.test\nbob@office.test"},
		"semicolons": {[]byte("Nom;Adresse\r\nAnne;anne@office.test\r\n"), WizardImport{People: 1}, "anne@office.test"},
		"tabs":       {utf16le("Name\tMail\nÉmile\temile@office.test\n"), WizardImport{People: 1}, "emile@office.test"},
		"excel":      {[]byte("sep=;\r\nNom;Adresses\r\nAnne;\"anne@office.test;info@office.test\"\r\n"), WizardImport{People: 1}, "anne@office.test, info@office.test"},
		"mark":       {[]byte("\xef\xbb\xbfanne@office.test;info@office.test\n"), WizardImport{People: 1}, "anne@office.test, info@office.test"},
		"no header":  {[]byte("Anne;anne@office.test\nBob;bob@office.test\n"), WizardImport{People: 2}, "anne@office.test\nbob@office.test"},
		"managers": {[]byte("mail,proxyAddresses,manager mail\nanne@office.test,SMTP:anne@office.test;smtp:info@office.test,boss@office.test\n"),
			WizardImport{People: 1}, "anne@office.test, info@office.test"},
		"latin 1":   {[]byte("Nom,Mail\n\xc9mile,emile@office.test\n"), WizardImport{People: 1}, "emile@office.test"},
		"outside":   {[]byte("a@elsewhere.test\nanne@office.test,private@notoffice.test\n"), WizardImport{People: 1, Outside: 2}, "anne@office.test"},
		"no quotes": {[]byte("Anne \"the boss\" Roe,anne@office.test\n\"open,x\nbob@office.test"), WizardImport{People: 2}, "anne@office.test\nbob@office.test"},
	} {
		t.Run(name, func(t *testing.T) {
			w := NewWizard(nil, i18n.New("en"))
			w.SetDomains("office.test")
			got, err := w.Import(c.data)
			if err != nil || got != c.want || w.Office.People != c.text {
				t.Errorf("got %+v, %q, %v", got, w.Office.People, err)
			}
			again, err := w.Import(c.data)
			if err != nil || again.People != 0 || again.Known == 0 || w.Office.People != c.text {
				t.Errorf("again: %+v, %q, %v", again, w.Office.People, err)
			}
		})
	}
	w := NewWizard(nil, i18n.New("en"))
	w.Office.People = "anne@office.test\nBob <bob@office.test>; Claire <claire@office.test>"
	got, err := w.Import([]byte("info@office.test,anne@office.test\nbob@office.test,robert@office.test\n"))
	if want := (WizardImport{People: 1, Further: 1, Known: 2}); err != nil || got != want || w.Office.People != "anne@office.test, info@office.test\nBob <bob@office.test>; Claire <claire@office.test>\nrobert@office.test" {
		t.Errorf("further addresses: %+v, %q, %v", got, w.Office.People, err)
	}
	if decodeText([]byte("\x80 \x93\xe9\x94")) != "€ “é”" {
		t.Error("Windows-1252 is not read")
	}
	w = NewWizard(nil, i18n.New("en"))
	if _, err := w.Import([]byte("Name,Telephone\nAnne,1234\n")); !errors.Is(err, ErrNoPeople) {
		t.Errorf("no address: %v", err)
	}
}

func TestProvidersAreUsable(t *testing.T) {
	if len(Providers()) < 40 {
		t.Errorf("only %d providers", len(Providers()))
	}
	names, domains := map[string]bool{}, map[string]string{}
	for _, p := range Providers() {
		if names[p.Name] {
			t.Errorf("%q is there twice", p.Name)
		}
		names[p.Name] = true
		for _, d := range p.Domains {
			if other := domains[d]; other != "" {
				t.Errorf("%q is of %q and %q", d, other, p.Name)
			}
			domains[d] = p.Name
		}
		cfg := config.Defaults()
		cfg.Office.Domains, cfg.Office.UnknownRecipient = []string{"office.test"}, "p@office.test"
		cfg.Targets = []config.Target{config.NewTarget()}
		cfg.Targets[0].Host, cfg.Targets[0].Port = "mail.office.test", 25
		m := config.NewMailbox(cfg.Schedule)
		m.Name, m.Host, m.Port, m.Security, m.Username, m.Secret = "x", p.Host, p.Port, p.Security, "x", "keyring:x"
		cfg.Mailboxes = []config.Mailbox{m}
		if _, problems := config.Parse(config.Marshal(cfg), ""); len(config.Faults(problems)) > 0 {
			t.Errorf("%q: %v", p.Name, problems)
		}
		if q, ok := ProviderNamed(p.Name); !ok || q.Host != p.Host {
			t.Errorf("%q is not found by its name", p.Name)
		}
	}
}

func TestServerIsFilledInFromTheAddress(t *testing.T) {
	b := WizardMailbox{Kind: config.Global, Security: config.SecurityTLS}
	for _, step := range []struct{ account, host, user string }{
		{"anne", "", "anne"},
		{"anne@free.fr", "pop.free.fr", "anne"}, // signs in without the domain
		{"anne@GMX.de", "pop.gmx.net", "anne@GMX.de"},
		{"anne@office.test", "pop.gmx.net", "anne@office.test"}, // unknown: what stands there stays
	} {
		b.SetAccount(step.account)
		if b.Host != step.host || b.Username() != step.user {
			t.Errorf("%q: %q, %q", step.account, b.Host, b.Username())
		}
	}
	b.Host = "pop.own.test"
	b.SetAccount("anne@orange.fr")
	if b.Host != "pop.own.test" {
		t.Error("a server typed by hand was written over")
	}
	p, _ := ProviderNamed("OVHcloud")
	b.ChooseProvider(p)
	if b.Host != "ssl0.ovh.net" || b.Port != "995" || b.Provider().Name != "OVHcloud" {
		t.Errorf("%+v", b)
	}
}

func TestPortFollowsSecurity(t *testing.T) {
	b := WizardMailbox{Port: "995", Security: config.SecurityTLS}
	b.SetSecurity(config.SecurityStartTLS)
	if b.Port != "110" {
		t.Errorf("port %s", b.Port)
	}
	b.Port = "1110"
	b.SetSecurity(config.SecurityTLS)
	if b.Port != "1110" {
		t.Errorf("a port chosen by hand became %s", b.Port)
	}
	s := WizardServer{Security: config.SecurityNone}
	s.SetSecurity(config.SecurityStartTLS)
	if s.Port != "587" {
		t.Errorf("port %s", s.Port)
	}
}

func TestProbeLines(t *testing.T) {
	fault := func(code mail.Code) *facts.Fault { return &facts.Fault{Class: mail.NeedsUser, Code: code, Op: "X"} }
	cert := &facts.Certificate{Fingerprint: "sha256:00ff", Names: []string{"mail.office.test"}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1e9, 0)}
	p := Probe{Steps: []facts.CheckStep{{Step: "dns", OK: true}, {Step: "connect", OK: true}, {Step: "tls", Fault: fault(mail.CodeTLSUntrusted), Certificate: cert}}}
	en := i18n.New("en")
	lines := p.Lines(en)
	if len(lines) != 3 || !lines[0].OK || lines[2].OK || p.OK() || !p.Finished() || p.Certificate() != cert {
		t.Fatalf("%+v", lines)
	}
	if strings.Contains(lines[2].Advice, "tls_pin") || !strings.Contains(lines[2].Advice, "fingerprint") {
		t.Errorf("the advice speaks of the file: %q", lines[2].Advice)
	}
	for _, f := range CertificateLines(en, cert)[4:] {
		if f.Text != "00FF" {
			t.Errorf("%+v", f)
		}
	}

	many := Probe{Steps: []facts.CheckStep{{Step: "auth", OK: true}}}
	for range 3 {
		many.Steps = append(many.Steps, facts.CheckStep{Step: "rcpt", OK: true, Detail: "x@office.test"})
	}
	for range 8 {
		many.Steps = append(many.Steps, facts.CheckStep{Step: "rcpt", Detail: "y@office.test", Fault: fault(mail.CodeUnknownUser)})
	}
	lines = many.Lines(en)
	if len(lines) != 8 || lines[1].Text != "3 addresses accepted: x@office.test, x@office.test, x@office.test" || !lines[1].Wide || !strings.HasPrefix(lines[2].Text, "y@office.test: ") || !strings.Contains(lines[7].Text, "3 more") {
		t.Errorf("%d lines: %+v", len(lines), lines)
	}
	if q := (Probe{Steps: many.Steps[:4]}); !q.OK() {
		t.Error("all is well and is not said to be")
	}
	for range 30 {
		many.Steps = append(many.Steps, facts.CheckStep{Step: "rcpt", OK: true, Detail: "z@office.test"})
	}
	if text := many.Lines(en)[1].Text; !strings.HasPrefix(text, "33 addresses accepted") || !strings.HasSuffix(text, "z@office.test …") || strings.Count(text, "@") != maxAccepted {
		t.Errorf("names too many: %q", text)
	}
	if q := (Probe{Err: errors.New("x")}); q.OK() || !q.Finished() || len(q.Lines(en)) != 1 {
		t.Error("a test that could not be done passes")
	}
}

func TestEveryStepOfACheckHasItsWord(t *testing.T) {
	for _, step := range []string{"dns", "connect", "tls", "starttls", "login", "stat", "uidl", "ehlo", "auth"} {
		if !i18n.New("en").Has("wizard.probe.step." + step) {
			t.Errorf("no word for %q", step)
		}
	}
}

func TestXRaySaysWhy(t *testing.T) {
	for _, lang := range i18n.Languages() {
		p := i18n.New(lang)
		for _, route := range []string{mail.RouteIndividual, mail.RouteEnv, mail.RouteEnvelope + "X-Original-To", mail.RouteReceived, mail.RouteList, mail.RouteResent, mail.RouteToCc, mail.RouteUnknown, mail.RouteLoop} {
			x := XRay{Lines: []facts.PreviewLine{{Route: route, Evidence: "Evidence: here"}}}
			l := x.Line(p, 0)
			if l.Why == "" || strings.Contains(l.Why, "wizard.") || l.Subject == "" || l.For == "" {
				t.Errorf("%s, %s: %+v", lang, route, l)
			}
			if strings.HasPrefix(route, mail.RouteEnvelope) && !strings.Contains(l.Why, "Evidence: here") {
				t.Errorf("%s: the header is not shown: %q", lang, l.Why)
			}
		}
	}
	en := i18n.New("en")
	one := []facts.PreviewLine{{}}
	works := facts.Verdict{Verdict: facts.VerdictBccWorks, EnvelopeHeader: "Envelope-To"}
	lost := facts.Verdict{Verdict: facts.VerdictBccUnknown}
	for want, x := range map[string]XRay{
		"Envelope-To":       {Done: true, Kind: config.Global, Lines: one, Verdict: works},
		"unknown recipient": {Done: true, Kind: config.Global, Lines: one, Verdict: lost},
		"empty":             {Done: true, Kind: config.Global, Verdict: lost},
		"fixed recipients":  {Done: true, Kind: config.Individual, Lines: one, Verdict: works},
		"Nothing was read":  {},
		"1 message":         {Running: true, Lines: one},
	} {
		text, good := x.Sentence(en)
		if !strings.Contains(text, want) || good != (want != "unknown recipient") || (x.Advice(en) != "") != (want == "unknown recipient") {
			t.Errorf("%q, %v, %q for %+v", text, good, x.Advice(en), x)
		}
	}
}

func TestProgressOfTheFirstCollection(t *testing.T) {
	var p WizardProgress
	if _, known := p.Value(); known {
		t.Error("knows how far it is before it begins")
	}
	last := 0.0
	for _, e := range []facts.Event{
		{Kind: facts.EventFetched, Mailbox: "a", Done: 5, Total: 10},
		{Kind: facts.EventFetched, Mailbox: "a", Done: 10, Total: 10, Bytes: 1200000},
		{Kind: facts.EventDelivered, Done: 4, Total: 12},
		{Kind: facts.EventDelivered, Done: 12, Total: 12},
	} {
		if !p.Take(e) {
			t.Errorf("%+v says nothing", e)
		}
		share, known := p.Value()
		if !known || share <= last || share > 1 {
			t.Errorf("%v after %v", share, last)
		}
		last = share
	}
	if last != 1 || p.Take(facts.Event{Kind: facts.EventTargetUp}) {
		t.Errorf("ends at %v", last)
	}
	if got := p.Text(i18n.New("en")); got != "10 of 10 messages fetched (1.2 MB), 12 handed over." {
		t.Error(got)
	}
}

func TestCollectText(t *testing.T) {
	en := i18n.New("en")
	for want, c := range map[string]struct {
		r   facts.CollectReport
		err error
	}{
		"no new mail":       {},
		"1 message fetched": {r: facts.CollectReport{Mailboxes: []facts.MailboxResult{{New: 1}}, Delivered: 1}},
		"waits":             {r: facts.CollectReport{Mailboxes: []facts.MailboxResult{{New: 2}}, Delivered: 1, Queued: 1}},
		"set aside":         {r: facts.CollectReport{Mailboxes: []facts.MailboxResult{{New: 2}}, Quarantined: 2}},
		"Anne: ":            {r: facts.CollectReport{Mailboxes: []facts.MailboxResult{{Mailbox: "Anne", Fault: &facts.Fault{Code: mail.CodeAuth}}}}},
		"2 messages fetched. 2 messages are at the office server. Anne: ": {r: facts.CollectReport{
			Mailboxes: []facts.MailboxResult{{New: 2}, {Mailbox: "Anne", Fault: &facts.Fault{Code: mail.CodeAuth}}}, Delivered: 2}},
		"shows the certif": {r: facts.CollectReport{Mailboxes: []facts.MailboxResult{{Mailbox: "Anne", Fault: &facts.Fault{Code: mail.CodeTLSName}}}}},
		"No mail is lost":  {err: &mail.Failure{Code: mail.CodeDiskFull}},
	} {
		text, good := CollectText(en, c.r, c.err)
		if !strings.Contains(text, want) || good != slices.Contains([]string{"no new mail", "1 message fetched"}, want) {
			t.Errorf("%q, %v; want %q", text, good, want)
		}
	}
}

func TestScheduleText(t *testing.T) {
	s := config.Defaults().Schedule
	if got := ScheduleText(i18n.New("fr"), s); got != "une fois par heure, du lundi au vendredi" {
		t.Error(got)
	}
	s.Every, s.From, s.To, s.Days = config.Duration(15*time.Minute), 480, 1080, []config.Day{1, 3}
	if got := ScheduleText(i18n.New("en"), s); got != "every 15 minutes, Monday and Wednesday, between 08:00 and 18:00" {
		t.Error(got)
	}
}
