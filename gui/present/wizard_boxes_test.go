package present

import (
	"slices"
	"strings"
	"testing"

	"postbag/app/config"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

func TestAMailboxForEachPerson(t *testing.T) {
	w := answered()
	w.Incoming.Boxes = nil
	w.SetKind(config.Individual)
	if got := w.Without(); !slices.Equal(got, []string{"anne@office.test", "bob@office.test"}) {
		t.Fatalf("without a mailbox: %v", got)
	}
	w.AddEach()
	boxes := w.Incoming.Shown()
	if len(boxes) != 2 || len(w.Without()) != 0 || w.AddEach() != nil {
		t.Fatalf("%d boxes, still without: %v", len(boxes), w.Without())
	}
	if f := w.AllFaults(); len(f) == 0 {
		t.Error("mailboxes without server and password pass")
	}
	boxes[0].Host, boxes[0].Password, boxes[0].Again = "pop.isp.test", "x", "x"
	boxes[1].Password, boxes[1].Again = "y", "y"
	w.current = WizardIncoming
	if f := w.Try(); len(f) > 0 || boxes[1].Host != "pop.isp.test" {
		t.Errorf("the second mailbox asks for the server again: %v", f)
	}
	if f := w.AllFaults(); len(f) > 0 {
		t.Fatal(f)
	}
	w.Incoming.Accept(boxes[0], "sha256:"+strings.Repeat("ab", 32))
	if boxes[1].Pin != boxes[0].Pin {
		t.Error("the certificate of one server is accepted for one of its mailboxes only")
	}
	d := w.Draft()
	for i, who := range []string{"anne@office.test", "bob@office.test"} {
		m := d.Config.Mailboxes[i]
		if m.Username != who || !slices.Equal(m.DeliverTo, []string{who}) || m.Kind != config.Individual || d.Secrets[m.Secret] != boxes[i].Password {
			t.Errorf("%+v", m)
		}
	}
}

func TestTheNextMailboxIsWithTheSameProvider(t *testing.T) {
	w := answered()
	w.Incoming.Boxes = nil
	w.SetKind(config.Individual)
	one := w.Incoming.Shown()[0]
	one.SetAccount("anne@free.fr")
	one.Pin = "sha256:aa"
	two := w.Incoming.Add()
	two.SetAccount("bob@free.fr")
	if two.Host != "pop.free.fr" || two.Username() != "bob" || two.Pin != one.Pin {
		t.Errorf("%+v", two)
	}
	three := w.Incoming.Add()
	if !three.Empty() {
		t.Error("the server of its neighbour makes a mailbox be missed")
	}
	three.SetAccount("claire@gmx.de")
	if three.Host != "pop.gmx.net" || three.Pin != "" {
		t.Errorf("of another provider: %+v", three)
	}
	own := &WizardMailbox{Kind: config.Individual, Account: "d", Host: "pop.isp.test", Port: "1995", Security: config.SecurityStartTLS}
	w.Incoming.Boxes = append(w.Incoming.Boxes, own)
	if four := w.Incoming.Add(); four.Host != own.Host || four.Port != own.Port || four.Security != own.Security || !four.Empty() {
		t.Errorf("of a server outside the table: %+v", four)
	}
}

func TestMailboxesOfTheOtherKindAreCounted(t *testing.T) {
	w := NewWizard(existing(t), i18n.New("en"))
	if w.Incoming.Kind != config.Global || w.Incoming.Others() != 1 {
		t.Errorf("%s, %d others", w.Incoming.Kind, w.Incoming.Others())
	}
}

// What was typed is asked about before it is lost, also what is no answer yet.
func TestChangedSeesEverythingThatWasTyped(t *testing.T) {
	for name, change := range map[string]func(*Wizard){
		"start":     func(w *Wizard) { w.Autostart = !w.Autostart },
		"line":      func(w *Wizard) { w.Line.Kind = config.Router },
		"people":    func(w *Wizard) { w.Office.People += "\nnobody" },
		"server":    func(w *Wizard) { w.Target.Host = "" },
		"port":      func(w *Wizard) { w.Target.Port = "x" },
		"account":   func(w *Wizard) { w.Incoming.Boxes[0].Account = "x" },
		"again":     func(w *Wizard) { w.Incoming.Boxes[1].Again = "x" },
		"a new box": func(w *Wizard) { w.Incoming.Add().Account = "x" },
		"clock":     func(w *Wizard) { w.Schedule.From = "8" },
		"since":     func(w *Wizard) { w.Schedule.First, w.Schedule.Since = WizardFirstSince, "2026-11-30" },
	} {
		w := NewWizard(existing(t), i18n.New("en"))
		w.Begin(false)
		w.SetKind(config.Individual)
		w.SetKind(config.Global)
		w.SetPrinter(i18n.New("fr"))
		if w.Changed() {
			t.Fatal("counts as changed before anything was")
		}
		change(w)
		if !w.Changed() {
			t.Errorf("%s: would be lost without a question", name)
		}
	}
	w := NewWizard(nil, i18n.New("en"))
	for range 8 {
		w.show(w.Current() + 1)
	}
	if w.Changed() {
		t.Error("looking at the pages counts as an answer")
	}
}

func TestProvidersSayWhatTheyWantFirst(t *testing.T) {
	for _, lang := range i18n.Languages() {
		p := i18n.New(lang)
		noted := 0
		for _, x := range Providers() {
			text := x.NoteText(p)
			if strings.Contains(text, "wizard.") {
				t.Errorf("%s: %q", x.Name, text)
			}
			if text != "" {
				noted++
			}
		}
		if noted < 10 {
			t.Errorf("%d notes", noted)
		}
	}
	if x, _ := ProviderOf("anne@gmail.com"); x.Note != NoteBoth {
		t.Errorf("%+v", x)
	}
}

func TestALookAtARefusedCertificateLeadsToTheTest(t *testing.T) {
	x := XRay{Done: true, Err: &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeTLSName}}
	for _, lang := range i18n.Languages() {
		if text, good := x.Sentence(i18n.New(lang)); good || strings.Contains(text, "server_name") || !strings.Contains(text, i18n.New(lang).T("wizard.certificate.see")) {
			t.Error(text)
		}
	}
}

func TestWhatComesAfterFinish(t *testing.T) {
	w := answered()
	if got := w.DoneText(); got != "From now on Postbag collects by itself: every hour, Monday to Friday." {
		t.Error(got)
	}
	w.Autostart = false
	if got := w.DoneText(); !strings.HasPrefix(got, "As long as Postbag is open") {
		t.Error(got)
	}
	w.Incoming.Boxes = nil
	w.SetKind(config.Individual)
	if got := w.DoneText(); !strings.Contains(got, "no mailbox yet") {
		t.Error(got)
	}
}
