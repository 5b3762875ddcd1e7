package present

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

// answered is a wizard with the answers of a newcomer, at its first page.
func answered() *Wizard {
	w := NewWizard(nil, i18n.New("en"))
	w.SetDomains("@Office.test")
	w.Office.People = "anne@office.test, info@office.test\nbob@office.test"
	w.Target.Host = "mail.office.test"
	b := w.Incoming.Add()
	b.SetAccount("office-42@orange.fr")
	b.Password, b.Again = "geheim", "geheim"
	return w
}

func TestWizardMakesTheConfiguration(t *testing.T) {
	w := answered()
	if f := w.AllFaults(); len(f) > 0 {
		t.Fatalf("faults: %v", f)
	}
	d := w.Draft()
	cfg, problems := config.Parse(config.Marshal(d.Config), "")
	if bad := config.Faults(problems); len(bad) > 0 {
		t.Fatalf("the file would be refused: %v", bad)
	}
	if got := cfg.Office.UnknownRecipient; got != "postmaster@Office.test" {
		t.Errorf("unknown recipient %q was not suggested", got)
	}
	if len(cfg.Recipients) != 2 || !slices.Equal(cfg.Recipients[0].Aliases, []string{"info@office.test"}) {
		t.Errorf("people %v", cfg.Recipients)
	}
	m := cfg.Mailboxes[0]
	if m.Host != "pop.orange.fr" || m.Port != 995 || m.Security != config.SecurityTLS || m.Username != "office-42@orange.fr" || m.Kind != config.Global {
		t.Errorf("mailbox %+v", m)
	}
	if d.Config.Mailboxes[0].ID != "" {
		t.Error("the id of a new mailbox is fixed before the store could recognise it")
	}
	if d.Secrets[m.Secret] != "geheim" || len(d.Secrets) != 1 {
		t.Errorf("secrets %v for %q", d.Secrets, m.Secret)
	}
	if strings.Contains(string(config.Marshal(d.Config)), "geheim") {
		t.Error("the password stands in the file")
	}
	if cfg.Schedule.Every.D() != time.Hour || len(cfg.Schedule.Days) != 5 {
		t.Errorf("schedule %+v", cfg.Schedule)
	}
}

func TestWizardFaultsStandAtTheirFields(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Wizard)
		step   WizardStep
		field  string
	}{
		"no domain":               {func(w *Wizard) { w.Office.Domains = "" }, WizardOffice, AsksDomains},
		"bad domain":              {func(w *Wizard) { w.Office.Domains = "office..test" }, WizardOffice, AsksDomains},
		"line without @":          {func(w *Wizard) { w.Office.People += "\nClaire" }, WizardOffice, AsksPeople},
		"outside":                 {func(w *Wizard) { w.Office.People += "\nx@elsewhere.test" }, WizardOffice, AsksPeople},
		"twice":                   {func(w *Wizard) { w.Office.People += "\nbob@office.test" }, WizardOffice, AsksPeople},
		"no unknown":              {func(w *Wizard) { w.Office.Unknown = "" }, WizardOffice, AsksUnknown},
		"unknown outside":         {func(w *Wizard) { w.Office.Unknown = "p@elsewhere.test" }, WizardOffice, AsksUnknown},
		"bad administrator":       {func(w *Wizard) { w.Office.Administrator = "me" }, WizardOffice, AsksAdministrator},
		"no entry":                {func(w *Wizard) { w.Line = WizardDialup{Kind: config.Dialup, Username: "me", Password: "x"} }, WizardLine, AsksEntry},
		"no user of the line":     {func(w *Wizard) { w.Line = WizardDialup{Kind: config.Dialup, Entry: "ISP", Password: "x"} }, WizardLine, AsksUsername},
		"no password of the line": {func(w *Wizard) { w.Line = WizardDialup{Kind: config.Dialup, Entry: "ISP", Username: "me"} }, WizardLine, AsksPassword},
		"no target":               {func(w *Wizard) { w.Target.Host = " " }, WizardTarget, AsksHost},
		"target with port":        {func(w *Wizard) { w.Target.Host = "mail.office.test:25" }, WizardTarget, AsksHost},
		"target port":             {func(w *Wizard) { w.Target.Port = "smtp" }, WizardTarget, AsksPort},
		"target port big":         {func(w *Wizard) { w.Target.Port = "70000" }, WizardTarget, AsksPort},
		"target user":             {func(w *Wizard) { w.Target.Auth = config.AuthCRAMMD5; w.Target.Password = "x" }, WizardTarget, AsksUsername},
		"target password":         {func(w *Wizard) { w.Target.Auth = config.AuthCRAMMD5; w.Target.Username = "x" }, WizardTarget, AsksPassword},
		"target in clear": {func(w *Wizard) {
			w.Target.Auth, w.Target.Username, w.Target.Password = config.AuthPlain, "x", "y"
		}, WizardTarget, AsksPlaintext},
		"target is source": {func(w *Wizard) { w.Target.Host, w.Target.Port = "pop.orange.fr", "995" }, WizardTarget, AsksHost}, // rule 37
		"no account":       {func(w *Wizard) { w.Incoming.Boxes[0].Account = "" }, WizardIncoming, AsksUsername},
		"no host":          {func(w *Wizard) { w.Incoming.Boxes[0].Host = "" }, WizardIncoming, AsksHost},
		"no password":      {func(w *Wizard) { w.Incoming.Boxes[0].Password, w.Incoming.Boxes[0].Again = "", "" }, WizardIncoming, AsksPassword},
		"other password":   {func(w *Wizard) { w.Incoming.Boxes[0].Again = "geheimm" }, WizardIncoming, AsksAgain},
		"in clear":         {func(w *Wizard) { w.Incoming.Boxes[0].SetSecurity(config.SecurityNone) }, WizardIncoming, AsksPlaintext}, // rule 5
		"for nobody":       {func(w *Wizard) { w.Incoming.Boxes[0].Kind = config.Individual; w.Incoming.Kind = config.Individual }, WizardIncoming, AsksDeliverTo},
		"for outside": {func(w *Wizard) {
			w.Incoming.Boxes[0].Kind, w.Incoming.Kind, w.Incoming.Boxes[0].DeliverTo = config.Individual, config.Individual, "x@elsewhere.test"
		}, WizardIncoming, AsksDeliverTo}, // rule 33
		"no day":      {func(w *Wizard) { w.Schedule.Days = [7]bool{} }, WizardSchedule, AsksDays},
		"no interval": {func(w *Wizard) { w.Schedule.Every = "often" }, WizardSchedule, AsksEvery},
		"bad time":    {func(w *Wizard) { w.Schedule.From = "25:00" }, WizardSchedule, AsksFrom},
		"same times":  {func(w *Wizard) { w.Schedule.From, w.Schedule.To = "08:00", "08:00" }, WizardSchedule, AsksTo},
		"no since":    {func(w *Wizard) { w.Schedule.First = WizardFirstSince }, WizardSchedule, AsksSince},
		"no days":     {func(w *Wizard) { w.Schedule.After, w.Schedule.Keep = WizardAfterDays, "0" }, WizardSchedule, AsksKeep},
	} {
		t.Run(name, func(t *testing.T) {
			w := answered()
			c.change(w)
			faults := w.AllFaults()
			if len(faults) != 1 || faults[0].Step != c.step || faults[0].Field != c.field {
				t.Fatalf("got %+v, want %s at %q", faults, c.step.Key(), c.field)
			}
			if text := WizardFaultOf(faults, c.field, faults[0].Box); text == "" || strings.Contains(text, "<no value>") || strings.Contains(text, "wizard.") {
				t.Errorf("says %q", text)
			}
		})
	}
}

func TestWizardEmptyPortIsTheUsualOne(t *testing.T) {
	w := answered()
	w.Target.Port, w.Incoming.Boxes[0].Port = "", ""
	d := w.Draft()
	if f := w.AllFaults(); len(f) > 0 || d.Config.Targets[0].Port != 25 || d.Config.Mailboxes[0].Port != 995 {
		t.Errorf("%v, ports %d and %d", f, d.Config.Targets[0].Port, d.Config.Mailboxes[0].Port)
	}
}

func TestWizardIndividualPageMayStayEmpty(t *testing.T) {
	w := answered()
	w.Incoming.Boxes = nil
	w.SetKind(config.Individual)
	if f := w.AllFaults(); len(f) > 0 {
		t.Fatalf("faults: %v", f)
	}
	if n := len(w.Draft().Config.Mailboxes); n != 0 {
		t.Errorf("%d mailboxes", n)
	}
	w.SetKind(config.Global)
	if f := w.Faults(WizardIncoming); len(f) == 0 {
		t.Error("a mailbox for the whole office without anything passes")
	}
}

func TestWizardStepsForwardOnlyWithoutFaults(t *testing.T) {
	w := answered()
	w.Office.Domains = ""
	for range 8 {
		w.Next()
	}
	if w.Current() != WizardOffice || !w.Tried(WizardOffice) {
		t.Fatalf("at %s", w.Current().Key())
	}
	if w.GoTo(WizardSummary) {
		t.Error("went to a step that was never shown")
	}
	if !w.GoTo(WizardStart) || w.Current() != WizardStart || w.Done(WizardOffice) {
		t.Error("cannot go back by the list, or a page with faults counts as done")
	}
	w.SetDomains("office.test")
	w.GoTo(WizardOffice)
	for range 8 {
		w.Next()
	}
	if w.Current() != WizardSummary || !w.Done(WizardOffice) {
		t.Errorf("at %s with %v", w.Current().Key(), w.AllFaults())
	}
}

// existing is the configuration of an office at work.
func existing(t *testing.T) *config.Config {
	t.Helper()
	cfg, problems := config.Parse([]byte(`version = 1
[office]
domains = ["office.test"]
unknown_recipient = "postmaster@office.test"
outside_allowed = ["boss@elsewhere.test"]
[[target]]
name = "main"
host = "mail.office.test"
domains = ["office.test", "elsewhere.test"]
sender = "connector@office.test"
[[target]]
name = "second"
host = "mail2.office.test"
[[recipient]]
address = "anne@office.test"
target = "second"
deliver_as = "a.n@office.test"
[[list]]
address = "sales@office.test"
members = ["anne@office.test", "boss@elsewhere.test"]
[[mailbox]]
name = "Whole office"
id = "whole"
host = "pop.isp.test"
username = "office-42"
secret = "keyring:old"
after_delivery = "keep"
envelope_headers = ["X-For"]
[[mailbox]]
name = "Anne"
id = "anne"
kind = "individual"
host = "pop.isp.test"
username = "anne"
secret = "file:anne"
deliver_to = ["anne@office.test"]
`), "/etc/postbag")
	if bad := config.Faults(problems); len(bad) > 0 {
		t.Fatal(bad)
	}
	return cfg
}

func TestWizardKeepsWhatItDoesNotAskFor(t *testing.T) {
	base := existing(t)
	before := string(config.Marshal(base))
	w := NewWizard(base, i18n.New("fr"))
	if f := w.AllFaults(); len(f) > 0 {
		t.Fatalf("faults: %v", f)
	}
	if got := string(config.Marshal(w.Draft().Config)); got != before {
		t.Errorf("untouched answers change the file from\n%s\nto\n%s", before, got)
	}
	if w.Changed() {
		t.Error("counts as changed")
	}
	w.Target.Host = "new.office.test"
	w.Incoming.Boxes[0].Password, w.Incoming.Boxes[0].Again = "neu", "neu"
	d := w.Draft()
	if !w.Changed() || d.Config.Targets[0].Name != "main" || d.Config.Targets[0].Sender != "connector@office.test" || len(d.Config.Targets) != 2 {
		t.Errorf("targets %+v", d.Config.Targets)
	}
	if d.Secrets["keyring:old"] != "neu" || d.Config.Mailboxes[1].Secret != "file:anne" || d.Config.Mailboxes[0].ID != "whole" {
		t.Errorf("secrets %v, mailboxes %+v", d.Secrets, d.Config.Mailboxes)
	}
	if string(config.Marshal(base)) != before {
		t.Error("the configuration so far was changed")
	}
}

func TestWizardAsksAgainForThePasswordOfAnotherAccount(t *testing.T) {
	w := NewWizard(existing(t), i18n.New("en"))
	w.Incoming.Boxes[0].Account = "office-43"
	if f := w.AllFaults(); len(f) != 1 || f[0].Field != AsksPassword {
		t.Fatalf("faults %v", f)
	}
	w.Incoming.Boxes[0].Password, w.Incoming.Boxes[0].Again = "x", "x"
	d := w.Draft()
	if d.Config.Mailboxes[0].Secret == "keyring:old" || !slices.Equal(d.Unused, []string{"keyring:old"}) {
		t.Errorf("secret %q, unused %v", d.Config.Mailboxes[0].Secret, d.Unused)
	}
}

// keeper notes what is written, and fails where the test wants it.
type keeper struct {
	calls    []string
	problems []facts.Problem
	apply    error
	secret   error
}

func (k *keeper) Validate(context.Context, *config.Config) []facts.Problem { return k.problems }
func (k *keeper) Apply(context.Context, *config.Config) ([]facts.Problem, error) {
	k.calls = append(k.calls, "apply")
	return nil, k.apply
}
func (k *keeper) SetSecret(_ context.Context, ref, _ string) error {
	k.calls = append(k.calls, "set "+ref)
	return k.secret
}
func (k *keeper) DeleteSecret(_ context.Context, ref string) error {
	k.calls = append(k.calls, "delete "+ref)
	return nil
}

func TestWizardWrite(t *testing.T) {
	const ref = "keyring:office-42@orange.fr@pop.orange.fr"
	locked := &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeSecretLocked}
	for name, c := range map[string]struct {
		keeper keeper
		calls  []string
		says   string
	}{
		"all well":     {keeper{problems: []facts.Problem{{Warning: true}}}, []string{"set " + ref, "apply"}, ""},
		"refused":      {keeper{problems: []facts.Problem{{Field: "office", Message: "No."}}}, nil, "office: No."},
		"keyring":      {keeper{secret: locked}, []string{"set " + ref}, "not saved"},
		"vetoed later": {keeper{apply: &facts.ConfigError{Problems: []facts.Problem{{Message: "Not now."}}}}, []string{"set " + ref, "apply", "delete " + ref}, "Not now."},
		"disk":         {keeper{apply: errors.New("disk")}, []string{"set " + ref, "apply", "delete " + ref}, "not saved"},
	} {
		t.Run(name, func(t *testing.T) {
			err := answered().Draft().Write(t.Context(), &c.keeper)
			if !slices.Equal(c.keeper.calls, c.calls) {
				t.Errorf("did %q, want %q", c.keeper.calls, c.calls)
			}
			if (err == nil) != (c.says == "") {
				t.Fatalf("error %v", err)
			}
			if err != nil && !strings.Contains(WriteFault(i18n.New("en"), err), c.says) {
				t.Errorf("says %q", WriteFault(i18n.New("en"), err))
			}
		})
	}
}

func TestWizardScheduleAnswers(t *testing.T) {
	for _, lang := range i18n.Languages() {
		w := answered()
		w.SetPrinter(i18n.New(lang))
		w.Schedule.First, w.Schedule.Since = WizardFirstSince, w.p.T("wizard.schedule.day_layout")
		w.Schedule.After, w.Schedule.Keep = WizardAfterDays, "7"
		m := w.Draft().Config.Mailboxes[0]
		if m.FirstCollection.String() != "2026-11-30" || m.AfterDelivery.Days != 7 {
			t.Errorf("%s: %v, %v", lang, m.FirstCollection, m.AfterDelivery)
		}
	}
	w := answered()
	w.Schedule.First, w.Schedule.Since = WizardFirstSince, "2026-11-30"
	w.SetPrinter(i18n.New("fr"))
	if w.Schedule.Since != "30/11/2026" || len(w.AllFaults()) > 0 {
		t.Errorf("after the change of language: %q, %v", w.Schedule.Since, w.AllFaults())
	}
	w.Schedule.First, w.Schedule.After = WizardFirstNew, WizardAfterKeep
	if m := w.Draft().Config.Mailboxes[0]; !m.FirstCollection.New || !m.AfterDelivery.Keep {
		t.Errorf("%v, %v", m.FirstCollection, m.AfterDelivery)
	}
}

func TestWizardDialupIsKeptForLater(t *testing.T) {
	w := answered()
	w.Line = WizardDialup{Kind: config.Dialup, Entry: "ISP", Username: "me", Password: "pw"}
	if f := w.AllFaults(); len(f) > 0 {
		t.Fatal(f)
	}
	d := w.Draft()
	c := d.Config.Connection
	if c.Kind != config.Permanent || c.Dialup == nil || c.Dialup.Entry != "ISP" || d.Secrets[c.Dialup.Secret] != "pw" {
		t.Errorf("%+v with %v", c, d.Secrets)
	}
	again := NewWizard(d.Config, i18n.New("en"))
	if again.Line.Kind != config.Dialup || again.Line.Entry != "ISP" || !again.HasLinePassword() {
		t.Errorf("read again: %+v", again.Line)
	}
}

func TestWizardSecondMailboxHasANameOfItsOwn(t *testing.T) {
	w := NewWizard(existing(t), i18n.New("en"))
	w.SetKind(config.Individual)
	b := w.Incoming.Add()
	b.SetAccount("Anne")
	b.Host, b.Password, b.Again, b.DeliverTo = "pop.other.test", "x", "x", "anne@office.test"
	d := w.Draft()
	if got := d.MailboxName(b); got != "Anne 2" {
		t.Errorf("name %q", got)
	}
	if f := w.AllFaults(); len(f) > 0 {
		t.Error(f)
	}
	if w.Incoming.CanRemove(w.Incoming.Boxes[1]) || !w.Incoming.CanRemove(b) {
		t.Error("the wizard takes out a mailbox at work, or cannot take out its own")
	}
}

func TestWizardSummaryAndSheet(t *testing.T) {
	for _, lang := range i18n.Languages() {
		w := answered()
		w.SetPrinter(i18n.New(lang))
		for _, f := range w.Summary() {
			if f.Label == "" || f.Text == "" || strings.Contains(f.Label+f.Text, "wizard.") || strings.Contains(f.Text, "<no value>") {
				t.Errorf("%s: %+v", lang, f)
			}
		}
		page := string(w.Sheet())
		for _, want := range []string{"pop.orange.fr", "office-42@orange.fr", "mail.office.test", `lang="` + lang + `"`} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the sheet lacks %q", lang, want)
			}
		}
		for _, not := range []string{"geheim", "wizard.", "no value"} {
			if strings.Contains(page, not) {
				t.Errorf("%s: the sheet holds %q", lang, not)
			}
		}
	}
}
