package gui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/gui/present"
)

// wizardPortWidth is the room for five digits.
const wizardPortWidth = 88

// wizardTarget is step 5: the office server.
type wizardTarget struct {
	w     *Wizard
	form  *wizardForm
	host  *wizardEntry
	port  *wizardEntry
	probe *wizardProbe
}

func newWizardTarget(w *Wizard) *wizardTarget {
	g := &wizardTarget{w: w}
	g.probe = &wizardProbe{w: w, begin: g.test, pin: func(f string) { w.answers.Target.Pin = f; w.rebuild(nil) }}
	return g
}

func (g *wizardTarget) build() fyne.CanvasObject {
	p, s, k := g.w.p(), &g.w.answers.Target, g.w.keys()
	edited := func() { g.probe.stale(); g.w.changed() }
	g.host = newWizardEntry(k, s.Host, func(t string) { s.Host = t; edited() })
	g.host.SetPlaceHolder("mail.office.test")
	g.port = newWizardEntry(k, s.Port, func(t string) { s.Port = t; edited() })
	f := newWizardForm()
	g.form = f
	f.row(p.T("wizard.server"), container.NewBorder(nil, nil, nil, wizardWidth(wizardPortWidth, g.port), g.host), "",
		g.host, present.AsksHost, present.AsksPort, present.AsksOther)
	var security, auth *wizardSelect
	security = newWizardSelect(k, wizardSecurities(), securityLabels(p), s.Security, func(v string) {
		s.SetSecurity(v)
		g.probe.stale()
		g.w.rebuild(security)
	})
	f.row(p.T("wizard.security.label"), security, "", security, present.AsksSecurity)
	auths := []string{config.AuthNone, config.AuthPlain, config.AuthLogin, config.AuthCRAMMD5}
	labels := []string{p.T("wizard.auth.none"), p.T("wizard.auth.plain"), p.T("wizard.auth.login"), p.T("wizard.auth.cram-md5")}
	auth = newWizardSelect(k, auths, labels, s.Auth, func(v string) {
		s.Auth = v
		g.probe.stale()
		g.w.rebuild(auth)
	})
	f.row(p.T("wizard.auth.label"), auth, "", auth, present.AsksAuth)
	if s.NeedsAccount() {
		g.account(f, edited)
	}
	wizardPin(f, g.w, s.Pin, func() { s.Pin = ""; g.probe.stale(); g.w.rebuild(g.host); g.w.win.Canvas().Focus(g.host) })
	f.wide(wizardGap(8))
	f.wide(g.probe.build())
	return f.rows
}

func (g *wizardTarget) account(f *wizardForm, edited func()) {
	p, s, k := g.w.p(), &g.w.answers.Target, g.w.keys()
	user := newWizardEntry(k, s.Username, func(t string) { s.Username = t; edited() })
	password := newWizardPassword(k, s.Password, func(t string) { s.Password = t; edited() })
	if g.w.answers.HasPassword() {
		password.SetPlaceHolder(p.T("wizard.password_kept"))
	}
	f.row(p.T("wizard.user"), user, "", user, present.AsksUsername)
	f.row(p.T("wizard.password"), password, "", password, present.AsksPassword)
	if s.AsksPlaintext() {
		plain := newWizardCheck(k, p.T("wizard.plaintext"), s.AllowPlaintext, func(on bool) { s.AllowPlaintext = on; edited() })
		f.row("", plain, "", plain, present.AsksPlaintext)
	}
}

// test is the test of the answers as they are.
func (g *wizardTarget) test() wizardTest {
	if faults := g.w.answers.Try(); len(faults) > 0 {
		g.w.point(faults)
		return nil
	}
	d := g.w.answers.Draft()
	b, name := g.w.desk.Backend, d.TargetName()
	return func(ctx context.Context, each func(facts.CheckStep) error) error {
		return b.CheckTarget(ctx, d.Config, name, d.Secrets, each)
	}
}

func (g *wizardTarget) first() fyne.Focusable { return g.host }
func (g *wizardTarget) check(faults []present.WizardFault) *wizardField {
	return g.form.check(faults, nil)
}
func (g *wizardTarget) leave() { g.probe.stop() }

// trouble tells that the test went wrong.
func (g *wizardTarget) trouble() bool { return g.probe.probe.Finished() && !g.probe.probe.OK() }

func wizardSecurities() []string {
	return []string{config.SecurityTLS, config.SecurityStartTLS, config.SecurityNone}
}

func securityLabels(p *i18n.Printer) []string {
	return []string{p.T("wizard.security.tls"), p.T("wizard.security.starttls"), p.T("wizard.security.none")}
}

// wizardPin shows an accepted certificate, with a way to take that back.
func wizardPin(f *wizardForm, w *Wizard, pin string, forget func()) {
	if pin == "" {
		return
	}
	p := w.p()
	text := wizardHint(p.T("wizard.certificate.accepted", i18n.Args{"Fingerprint": present.GroupFingerprint(pin)}))
	f.row(p.T("wizard.certificate.label"), container.NewBorder(nil, nil, nil, container.NewVBox(newButton(p.T("wizard.certificate.forget"), forget)), text), "", nil, present.AsksPin)
}
