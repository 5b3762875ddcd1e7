package gui

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/gui/present"
)

// wizardIncoming is step 6: the mailboxes at the provider.
type wizardIncoming struct {
	w       *Wizard
	box     *present.WizardMailbox // the one that is shown
	probes  map[*present.WizardMailbox]*wizardProbe
	form    *wizardForm
	account *wizardEntry
	host    *wizardEntry
	chosen  *wizardSelect // the provider
	note    *widget.Label // what it wants first
	port    *wizardEntry
	kind    *wizardRadios
}

func newWizardIncoming(w *Wizard) *wizardIncoming {
	return &wizardIncoming{w: w, probes: map[*present.WizardMailbox]*wizardProbe{}}
}

// probe is the test of the box that is shown.
func (g *wizardIncoming) probe() *wizardProbe {
	b := g.box
	if g.probes[b] == nil {
		g.probes[b] = &wizardProbe{w: g.w, begin: g.test, pin: func(f string) { g.w.answers.Incoming.Accept(b, f); g.w.rebuild(nil) }}
	}
	return g.probes[b]
}

func (g *wizardIncoming) build() fyne.CanvasObject {
	p, in := g.w.p(), &g.w.answers.Incoming
	g.kind = newWizardRadios(g.w.keys(), []string{config.Global, config.Individual},
		[]string{p.T("wizard.incoming.global"), p.T("wizard.incoming.individual")}, in.Kind, func(v string) {
			g.probe().stop()
			g.w.answers.SetKind(v)
			g.w.rebuild(nil)
			g.w.win.Canvas().Focus(g.kind.first())
		})
	shown := in.Shown()
	if !slices.Contains(shown, g.box) {
		g.box = shown[0]
	}
	f := newWizardForm()
	g.form = f
	f.wide(container.NewVBox(g.kind.objects()...))
	if in.Kind == config.Individual {
		f.wide(wizardOption(p.T("wizard.incoming.later")))
	}
	if n := in.Others(); n > 0 {
		f.wide(wizardOption(p.N("wizard.incoming.others", int64(n))))
	}
	if in.Kind == config.Individual || len(shown) > 1 {
		g.chooser(shown)
	}
	g.fields()
	f.wide(wizardGap(4))
	f.wide(g.probe().build())
	return f.rows
}

// chooser leads from one mailbox to another.
func (g *wizardIncoming) chooser(shown []*present.WizardMailbox) {
	p, in := g.w.p(), &g.w.answers.Incoming
	values, labels := make([]string, len(shown)), make([]string, len(shown))
	for i, b := range shown {
		values[i] = strconv.Itoa(i)
		labels[i] = g.label(i, len(shown), b)
	}
	which := newWizardSelect(g.w.keys(), values, labels, strconv.Itoa(slices.Index(shown, g.box)), func(v string) {
		i, _ := strconv.Atoi(v)
		g.turnTo(shown[i])
	})
	buttons := container.NewHBox(newButton(p.T("wizard.incoming.add"), func() { g.turnTo(in.Add()) }))
	if in.CanRemove(g.box) {
		buttons.Add(newButton(p.T("wizard.incoming.remove"), func() {
			g.probe().stop()
			in.Remove(g.box)
			g.w.rebuild(nil)
			g.w.win.Canvas().Focus(g.account)
		}))
	}
	if n := len(g.w.answers.Without()); in.Kind == config.Individual && n > 0 {
		buttons.Add(newButton(p.N("wizard.incoming.each", int64(n)), func() { g.turnTo(g.w.answers.AddEach()) }))
	}
	g.form.row(p.T("wizard.incoming.mailbox"), container.NewVBox(which, buttons), "", nil)
}

func (g *wizardIncoming) label(i, n int, b *present.WizardMailbox) string {
	name := strings.TrimSpace(b.Account)
	if name == "" {
		name = g.w.p().T("wizard.incoming.unnamed")
	}
	return g.w.p().T("wizard.incoming.which", i18n.Args{"Number": i + 1, "Of": n, "Name": name})
}

func (g *wizardIncoming) turnTo(b *present.WizardMailbox) {
	g.probe().stop()
	g.w.answers.Incoming.Share()
	g.box = b
	g.w.rebuild(nil)
	g.w.win.Canvas().Focus(g.account)
}

func (g *wizardIncoming) edited() {
	g.probe().stale()
	g.w.changed()
}

// fields are those of the box that is shown.
func (g *wizardIncoming) fields() {
	p, b, k, f := g.w.p(), g.box, g.w.keys(), g.form
	g.account = newWizardEntry(k, b.Account, g.setAccount)
	g.account.SetPlaceHolder(p.T("wizard.incoming.account_sample"))
	f.row(p.T("wizard.incoming.account"), g.account, "", g.account, present.AsksUsername, present.AsksOther)
	g.note = wizardHint("")
	note := container.NewStack(wizardDense(g.note))
	f.row(p.T("wizard.incoming.provider"), container.NewVBox(g.providers(), note), "", nil)
	g.showProvider(note)
	g.host = newWizardEntry(k, b.Host, func(t string) { b.Host = t; g.showProvider(note); g.edited() })
	g.host.SetPlaceHolder("pop.isp.test")
	g.port = newWizardEntry(k, b.Port, func(t string) { b.Port = t; g.edited() })
	f.row(p.T("wizard.server"), container.NewBorder(nil, nil, nil, wizardWidth(wizardPortWidth, g.port), g.host), "",
		g.host, present.AsksHost, present.AsksPort)
	var security *wizardSelect
	security = newWizardSelect(k, wizardSecurities(), securityLabels(p), b.Security, func(v string) {
		b.SetSecurity(v)
		g.probe().stale()
		g.w.rebuild(security)
	})
	f.row(p.T("wizard.security.label"), security, "", security, present.AsksSecurity)
	if b.AsksPlaintext() {
		plain := newWizardCheck(k, p.T("wizard.plaintext"), b.AllowPlaintext, func(on bool) { b.AllowPlaintext = on; g.edited() })
		f.row("", plain, "", plain, present.AsksPlaintext)
	}
	g.passwords()
	if b.Kind == config.Individual {
		to := newWizardSelectEntry(k, b.DeliverTo, g.w.answers.Office.Addresses(), func(t string) { b.DeliverTo = t; g.w.changed() })
		f.row(p.T("wizard.incoming.for"), to, p.T("wizard.incoming.for_hint"), to, present.AsksDeliverTo)
	}
	wizardPin(f, g.w, b.Pin, func() { b.Pin = ""; g.probe().stale(); g.w.rebuild(g.host) })
}

func (g *wizardIncoming) passwords() {
	p, b, k := g.w.p(), g.box, g.w.keys()
	password := newWizardPassword(k, b.Password, func(t string) { b.Password = t; g.edited() })
	again := newWizardPassword(k, b.Again, func(t string) { b.Again = t; g.w.changed() })
	again.SetPlaceHolder(p.T("wizard.incoming.again"))
	if b.HasPassword() {
		password.SetPlaceHolder(p.T("wizard.password_kept"))
		again.SetPlaceHolder(p.T("wizard.password_kept"))
	}
	g.form.row(p.T("wizard.password_twice"), container.NewGridWithColumns(2, password, again), "", password, present.AsksPassword, present.AsksAgain)
}

// setAccount fills in the server while the address is typed.
func (g *wizardIncoming) setAccount(text string) {
	b := g.box
	host, security := b.Host, b.Security
	b.SetAccount(text)
	g.probe().stale()
	if b.Host == host && b.Security == security {
		g.w.changed()
		return
	}
	g.refill()
}

// refill shows the server of another provider, with the cursor where it is.
func (g *wizardIncoming) refill() {
	column := g.account.CursorColumn
	g.w.rebuild(nil)
	g.w.win.Canvas().Focus(g.account)
	g.account.CursorColumn = column
	g.account.Refresh()
}

// providers chooses the server by the provider's name, for domains of one's own.
func (g *wizardIncoming) providers() *wizardSelect {
	p, b := g.w.p(), g.box
	values, labels := []string{""}, []string{p.T("wizard.incoming.provider_other")}
	for _, x := range present.Providers() {
		values, labels = append(values, x.Name), append(labels, x.Name)
	}
	g.chosen = newWizardSelect(g.w.keys(), values, labels, b.Provider().Name, func(name string) {
		x, known := present.ProviderNamed(name)
		if !known {
			g.w.win.Canvas().Focus(g.host)
			return
		}
		b.ChooseProvider(x)
		g.probe().stale()
		g.w.rebuild(g.chosen)
	})
	return g.chosen
}

// showProvider names the provider whose server stands in the field, and what it
// wants first.
func (g *wizardIncoming) showProvider(note *fyne.Container) {
	p, x := g.w.p(), g.box.Provider()
	label := x.Name
	if label == "" {
		label = p.T("wizard.incoming.provider_other")
	}
	if g.chosen.Selected != label {
		g.chosen.Selected = label // nobody has chosen: no call of OnChanged
		g.chosen.Refresh()
	}
	g.note.SetText(x.NoteText(p))
	if g.note.Text == "" {
		note.Hide()
	} else {
		note.Show()
	}
	g.w.relayout()
}

// test is the test of the box as it is.
func (g *wizardIncoming) test() wizardTest {
	b := g.box
	g.w.answers.Try()
	var mine []present.WizardFault
	for _, x := range g.w.answers.Faults(present.WizardIncoming) {
		if x.Box == b {
			mine = append(mine, x)
		}
	}
	if b.Empty() {
		// A page that may be left empty has nothing to test either.
		mine = append(mine, present.WizardFault{Field: present.AsksUsername, Box: b, Text: g.w.p().T("wizard.problem.required")})
	}
	d := g.w.answers.Draft()
	name := d.MailboxName(b)
	if len(mine) > 0 {
		g.w.point(mine)
		return nil
	}
	backend := g.w.desk.Backend
	return func(ctx context.Context, each func(facts.CheckStep) error) error {
		return backend.CheckMailbox(ctx, d.Config, name, d.Secrets, each)
	}
}

func (g *wizardIncoming) first() fyne.Focusable { return g.kind.first() }

// aim turns to the first box that has a fault.
func (g *wizardIncoming) aim(faults []present.WizardFault) {
	i := slices.IndexFunc(faults, func(f present.WizardFault) bool { return f.Box != nil })
	if i < 0 || slices.ContainsFunc(faults, func(f present.WizardFault) bool { return f.Box == g.box }) {
		return
	}
	g.probe().stop()
	g.box = faults[i].Box
	g.w.answers.SetKind(g.box.Kind)
	g.w.rebuild(nil)
}

// check shows the faults of the box that is shown.
func (g *wizardIncoming) check(faults []present.WizardFault) *wizardField {
	return g.form.check(faults, g.box)
}

func (g *wizardIncoming) leave() { g.probe().stop() }

// trouble tells that the test of a mailbox went wrong.
func (g *wizardIncoming) trouble() bool {
	for _, b := range g.w.answers.Incoming.Shown() {
		if t := g.probes[b]; t != nil && t.probe.Finished() && !t.probe.OK() {
			return true
		}
	}
	return false
}
