package present

import (
	"errors"
	"strconv"
	"strings"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

// Obstacle is why the program cannot start, or not show what it should.
type Obstacle string

// The obstacles, by the keys of their sentences.
const (
	NoDisplay Obstacle = "gui.start.no_display" // no screen to draw on
	NoOpenGL  Obstacle = "gui.start.no_opengl"  // the screen cannot draw what Fyne draws
	NoTray    Obstacle = "gui.start.no_tray"    // the desktop shows no icons near the clock
	Raised    Obstacle = "gui.start.raised"     // the first one has come to the front
	Deaf      Obstacle = "gui.start.deaf"       // the first one does not answer
	Usage     Obstacle = "gui.start.usage"      // a wrong argument
)

// Sentence says what is wrong, what it means, and what to do.
func (o Obstacle) Sentence(p *i18n.Printer) string { return p.T(string(o)) }

// Banner is a message over the pages of the main window.
type Banner struct {
	What   string // what happened, what it means for the mail, what to do
	Detail string // for the person who helps; may be empty
	Wizard bool   // the wizard mends it
	File   string // the file to look at; may be empty
}

// StartBanner explains why the engine could not be opened. Without a
// configuration there is nothing to explain: ok is false, the wizard begins.
func StartBanner(p *i18n.Printer, err error, configFile string) (b Banner, ok bool) {
	if err == nil || needsSetup(err) {
		return Banner{}, false
	}
	if ce, is := errors.AsType[*facts.ConfigError](err); is {
		return Banner{
			What:   p.T("gui.start.config", i18n.Args{"File": configFile}),
			Detail: configDetail(p, ce), Wizard: true, File: configFile,
		}, true
	}
	e := p.Fault(mail.AsFailure(err), i18n.Context{})
	return Banner{What: strings.Join([]string{e.What, e.Meaning, e.Advice}, " "), Detail: e.Detail}, true
}

// mostProblems is how many faults of the configuration the banner names.
const mostProblems = 3

func configDetail(p *i18n.Printer, ce *facts.ConfigError) string {
	var lines []string
	for _, pr := range ce.Problems {
		if pr.Warning {
			continue
		}
		where := pr.Field
		if pr.Line > 0 {
			where = p.T("gui.start.line", i18n.Args{"Line": strconv.Itoa(pr.Line)})
		}
		lines = append(lines, where+p.T("gui.colon")+pr.Message)
	}
	return strings.Join(lines[:min(len(lines), mostProblems)], "\n")
}
