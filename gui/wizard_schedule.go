package gui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"

	"postbag/app/config"
	"postbag/gui/present"
)

// wizardSchedule is step 8: when to collect, and what happens at the provider.
type wizardSchedule struct {
	w    *Wizard
	form *wizardForm
	days []*wizardCheck
}

// wizardIntervals are the usual ones.
func wizardIntervals() []string {
	return []string{"5m", "10m", "15m", "30m", "60m", "120m", "240m", "720m", "1d"}
}

func (g *wizardSchedule) build() fyne.CanvasObject {
	p, t, k := g.w.p(), &g.w.answers.Schedule, g.w.keys()
	f := newWizardForm()
	g.form = f
	g.days = nil
	row := container.New(layout.NewCustomPaddedHBoxLayout(0))
	for i := range 7 {
		day := (i + 1) % 7 // the week begins on Monday
		c := newWizardCheck(k, p.T("wizard.day_short."+config.Day(day).String()), t.Days[day], func(on bool) {
			t.Days[day] = on
			g.w.changed()
		})
		g.days = append(g.days, c)
		row.Add(c)
	}
	f.row(p.T("wizard.schedule.days"), container.New(layout.NewCustomPaddedLayout(4, 0, 0, 0), inDense(row)), "", g.days[0], present.AsksDays, present.AsksOther)
	every := g.interval()
	f.row(p.T("wizard.schedule.every"), wizardWidth(200, every), "", every, present.AsksEvery)
	from := newWizardEntry(k, t.From, func(s string) { t.From = s; g.w.changed() })
	to := newWizardEntry(k, t.To, func(s string) { t.To = s; g.w.changed() })
	f.row(p.T("wizard.schedule.between"), container.NewHBox(wizardWidth(wizardPortWidth, from), widget.NewLabel(p.T("wizard.schedule.and")),
		wizardWidth(wizardPortWidth, to)), "", from, present.AsksFrom, present.AsksTo)
	g.firstCollection()
	g.afterDelivery()
	return f.rows
}

func (g *wizardSchedule) interval() *wizardSelect {
	t := &g.w.answers.Schedule
	values := wizardIntervals()
	if !slices.Contains(values, t.Every) {
		values = append([]string{t.Every}, values...)
	}
	labels := make([]string, len(values))
	for i, v := range values {
		d, err := config.ParseDuration(v)
		if err != nil {
			labels[i] = v
			continue
		}
		labels[i] = present.IntervalText(g.w.p(), d)
	}
	return newWizardSelect(g.w.keys(), values, labels, t.Every, func(v string) { t.Every = v; g.w.changed() })
}

// firstCollection asks what to do with what lies at the provider now.
func (g *wizardSchedule) firstCollection() {
	p, t, k := g.w.p(), &g.w.answers.Schedule, g.w.keys()
	values := []string{present.WizardFirstAll, present.WizardFirstNew, present.WizardFirstSince}
	labels := []string{p.T("wizard.schedule.first.all"), p.T("wizard.schedule.first.new"), p.T("wizard.schedule.first.since")}
	r := newWizardRadios(k, values, labels, t.First, func(v string) { t.First = v; g.w.changed() })
	since := newWizardEntry(k, t.Since, func(s string) {
		t.Since = s
		if s != "" {
			r.choose(2)
		}
		g.w.changed()
	})
	since.SetPlaceHolder(p.T("wizard.schedule.day_layout"))
	o := r.objects()
	g.form.row(p.T("wizard.schedule.now"), container.NewVBox(o[0], o[1], container.NewHBox(o[2], wizardWidth(128, since))), "", since, present.AsksSince)
}

// afterDelivery asks what happens at the provider to mail that was delivered.
func (g *wizardSchedule) afterDelivery() {
	p, t, k := g.w.p(), &g.w.answers.Schedule, g.w.keys()
	values := []string{present.WizardAfterDelete, present.WizardAfterDays, present.WizardAfterKeep}
	labels := []string{p.T("wizard.schedule.after.delete"), p.T("wizard.schedule.after.days"), p.T("wizard.schedule.after.keep")}
	r := newWizardRadios(k, values, labels, t.After, func(v string) { t.After = v; g.w.changed() })
	keep := newWizardEntry(k, t.Keep, func(s string) {
		t.Keep = s
		r.choose(1)
		g.w.changed()
	})
	o := r.objects()
	days := container.NewHBox(o[1], wizardWidth(64, keep), widget.NewLabel(p.T("wizard.schedule.after.days_unit")))
	g.form.row(p.T("wizard.schedule.later"), container.NewVBox(o[0], days, o[2]), p.T("wizard.schedule.after_hint"), keep, present.AsksKeep)
}

func (g *wizardSchedule) first() fyne.Focusable { return g.days[0] }
func (g *wizardSchedule) check(faults []present.WizardFault) *wizardField {
	return g.form.check(faults, nil)
}
func (g *wizardSchedule) leave() {}
