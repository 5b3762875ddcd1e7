package present

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"postbag/app/config"
	"postbag/app/i18n"
)

// The fields of the wizard, as WizardFault names them.
const (
	AsksEntry         = "entry"
	AsksUsername      = "username"
	AsksPassword      = "password"
	AsksAgain         = "again"
	AsksDomains       = "domains"
	AsksPeople        = "people"
	AsksUnknown       = "unknown_recipient"
	AsksAdministrator = "administrator"
	AsksHost          = "host"
	AsksPort          = "port"
	AsksSecurity      = "security"
	AsksAuth          = "auth"
	AsksPlaintext     = "allow_plaintext_password"
	AsksPin           = "tls_pin"
	AsksDeliverTo     = "deliver_to"
	AsksDays          = "days"
	AsksEvery         = "every"
	AsksFrom          = "from"
	AsksTo            = "to"
	AsksSince         = "since"
	AsksKeep          = "keep"
	AsksOther         = "" // of the page as a whole
)

// WizardFault is what is wrong with an answer, in the user's words.
type WizardFault struct {
	Step  WizardStep
	Field string         // one of the Field words
	Box   *WizardMailbox // of WizardIncoming, nil elsewhere
	Text  string
}

// WizardFaultOf returns the fault of a field, "" when it has none.
func WizardFaultOf(faults []WizardFault, field string, box *WizardMailbox) string {
	for _, f := range faults {
		if f.Field == field && (f.Box == nil || box == nil || f.Box == box) {
			return f.Text
		}
	}
	return ""
}

// Faults returns what is wrong with the answers of one step.
func (w *Wizard) Faults(s WizardStep) []WizardFault { return faultsOf(w.AllFaults(), s) }

func faultsOf(all []WizardFault, s WizardStep) []WizardFault {
	var out []WizardFault
	for _, f := range all {
		if f.Step == s {
			out = append(out, f)
		}
	}
	return out
}

// AllFaults returns what is wrong, in the order of the steps, at most one fault a field.
func (w *Wizard) AllFaults() []WizardFault {
	c := &wizardCheck{w: w, d: w.Draft()}
	c.line()
	c.office()
	c.target()
	c.boxes()
	c.times()
	// What the configuration itself says: the same rules as for the file.
	_, problems := config.Parse(config.Marshal(c.d.Config), c.d.Config.Dir)
	for _, p := range config.Faults(problems) {
		if strings.HasPrefix(p.Field, "office.domains") {
			c.problem(p)
		}
	}
	for _, p := range config.Faults(problems) {
		if !c.follows(p) {
			c.problem(p)
		}
	}
	slices.SortStableFunc(c.faults, func(a, b WizardFault) int { return int(a.Step - b.Step) })
	return c.faults
}

// follows tells that a fault is there only because of another one: without good
// domains every address is outside.
func (c *wizardCheck) follows(p config.Problem) bool {
	outside := p.Code == config.CodeOutside || p.Code == config.CodeUnknownRecipientOutside
	return outside && WizardFaultOf(c.faults, AsksDomains, nil) != ""
}

type wizardCheck struct {
	w      *Wizard
	d      *WizardDraft
	faults []WizardFault
}

// add keeps the first fault of a field: the wizard's own word comes before the
// configuration's on the same thing.
func (c *wizardCheck) add(f WizardFault) {
	for _, o := range c.faults {
		if o.Step == f.Step && o.Field == f.Field && o.Box == f.Box {
			return
		}
	}
	c.faults = append(c.faults, f)
}

func (c *wizardCheck) say(s WizardStep, field string, box *WizardMailbox, key string, args ...i18n.Args) {
	c.add(WizardFault{Step: s, Field: field, Box: box, Text: c.w.p.T(key, args...)})
}

func (c *wizardCheck) need(s WizardStep, field string, box *WizardMailbox, value string) {
	if strings.TrimSpace(value) == "" {
		c.say(s, field, box, "wizard.problem.required")
	}
}

func (c *wizardCheck) line() {
	if l := c.w.Line; l.Kind == config.Dialup {
		c.need(WizardLine, AsksEntry, nil, l.Entry)
		c.need(WizardLine, AsksUsername, nil, l.Username)
		if l.Password == "" && !c.w.HasLinePassword() {
			c.say(WizardLine, AsksPassword, nil, "wizard.problem.password")
		}
	}
}

func (c *wizardCheck) office() {
	o := c.w.Office
	c.need(WizardOffice, AsksDomains, nil, o.Domains)
	if _, bad := ParsePeople(o.People); len(bad) > 0 {
		c.say(WizardOffice, AsksPeople, nil, "wizard.problem.people_line", i18n.Args{"Line": bad[0]})
	}
	// A global mailbox needs one (rule 32), and others are better off with one.
	c.need(WizardOffice, AsksUnknown, nil, o.Unknown)
}

func (c *wizardCheck) target() {
	s := c.w.Target
	c.need(WizardTarget, AsksHost, nil, s.Host)
	c.port(WizardTarget, nil, s.Port)
	if !s.NeedsAccount() {
		return
	}
	c.need(WizardTarget, AsksUsername, nil, s.Username)
	if s.Password == "" && !c.w.HasPassword() {
		c.say(WizardTarget, AsksPassword, nil, "wizard.problem.password")
	}
	if s.AsksPlaintext() && !s.AllowPlaintext {
		c.say(WizardTarget, AsksPlaintext, nil, "wizard.problem.plaintext")
	}
}

func (c *wizardCheck) port(s WizardStep, box *WizardMailbox, text string) {
	if n := portNumber(text, 1); n < 0 || n > 65535 {
		c.say(s, AsksPort, box, "wizard.problem.port")
	}
}

func (c *wizardCheck) boxes() {
	shown := c.w.Incoming.Shown()
	for _, b := range c.w.Incoming.Boxes {
		mine := slices.Contains(shown, b)
		if b.base == nil && !mine || b.Empty() && (c.w.Incoming.Kind == config.Individual || len(shown) > 1) {
			continue
		}
		c.box(b)
	}
}

func (c *wizardCheck) box(b *WizardMailbox) {
	c.need(WizardIncoming, AsksUsername, b, b.Account)
	c.need(WizardIncoming, AsksHost, b, b.Host)
	c.port(WizardIncoming, b, b.Port)
	switch {
	case b.Password == "" && b.Again == "" && b.HasPassword():
	case b.Password == "":
		c.say(WizardIncoming, AsksPassword, b, "wizard.problem.password")
	case b.Again != b.Password:
		c.say(WizardIncoming, AsksAgain, b, "wizard.problem.again")
	}
	if b.AsksPlaintext() && !b.AllowPlaintext {
		c.say(WizardIncoming, AsksPlaintext, b, "wizard.problem.plaintext")
	}
	if b.Kind == config.Individual {
		c.need(WizardIncoming, AsksDeliverTo, b, b.DeliverTo)
	}
}

func (c *wizardCheck) times() {
	t := c.w.Schedule
	if v, err := config.ParseDuration(t.Every); err != nil || v.D() <= 0 {
		c.say(WizardSchedule, AsksEvery, nil, "wizard.problem.every")
	}
	if !slices.Contains(t.Days[:], true) {
		c.say(WizardSchedule, AsksDays, nil, "wizard.problem.days")
	}
	if _, err := config.ParseClock(t.From); err != nil {
		c.say(WizardSchedule, AsksFrom, nil, "wizard.problem.clock")
	}
	if _, err := config.ParseClock(t.To); err != nil {
		c.say(WizardSchedule, AsksTo, nil, "wizard.problem.clock")
	}
	if _, ok := c.w.since(); t.First == WizardFirstSince && !ok {
		c.say(WizardSchedule, AsksSince, nil, "wizard.problem.date", i18n.Args{"Layout": c.w.p.T("wizard.schedule.day_layout")})
	}
	if n, err := strconv.Atoi(strings.TrimSpace(t.Keep)); t.After == WizardAfterDays && (err != nil || n < 1 || n > 3650) {
		c.say(WizardSchedule, AsksKeep, nil, "wizard.problem.keep")
	}
}

// indexed takes "mailbox[2].host" apart.
var indexed = regexp.MustCompile(`^([a-z_]+)\[(\d+)\](?:\.([a-z_]+))?`)

// problem puts a fault of the configuration to the field that it comes from.
func (c *wizardCheck) problem(p config.Problem) {
	f := WizardFault{Step: WizardSummary, Text: WizardProblem(c.w.p, p)}
	name, n, key := p.Field, -1, ""
	if m := indexed.FindStringSubmatch(p.Field); m != nil {
		name, key = m[1], m[3]
		n, _ = strconv.Atoi(m[2])
	}
	switch {
	case name == "recipient":
		f.Step, f.Field = WizardOffice, AsksPeople
		f.Text = c.w.p.T("wizard.problem.at_line", i18n.Args{"Line": c.lineOf(n), "Text": f.Text})
	case name == "target" && (n == c.d.target || n < 0):
		f.Step, f.Field = WizardTarget, knownField(key, targetFields)
	case name == "mailbox" && n >= 0 && n < len(c.d.owners) && c.d.owners[n] != nil:
		f.Step, f.Field, f.Box = WizardIncoming, knownField(key, mailboxFields), c.d.owners[n]
	default:
		f.Step, f.Field = placeOf(name)
	}
	if n >= 0 && f.Step == WizardSummary || f.Field == AsksOther {
		f.Text = p.Field + c.w.p.T("cli.colon") + f.Text // not asked here: the field tells where
	}
	c.add(f)
}

// placeOf finds the page and the field of a table that is there once.
func placeOf(name string) (WizardStep, string) {
	section, rest, _ := strings.Cut(name, ".")
	rest, _, _ = strings.Cut(rest, "[")
	switch section {
	case "office":
		return WizardOffice, knownField(rest, officeFields)
	case "schedule":
		return WizardSchedule, knownField(rest, scheduleFields)
	case "connection":
		return WizardLine, ""
	case "target":
		return WizardTarget, AsksHost
	}
	return WizardSummary, ""
}

func (c *wizardCheck) lineOf(recipient int) int {
	people, _ := ParsePeople(c.w.Office.People)
	if recipient < len(people) {
		return people[recipient].Line
	}
	return 0
}

var (
	officeFields   = []string{AsksDomains, AsksUnknown, AsksAdministrator}
	targetFields   = []string{AsksHost, AsksPort, AsksSecurity, AsksAuth, AsksUsername, AsksPin}
	mailboxFields  = []string{AsksHost, AsksPort, AsksSecurity, AsksUsername, AsksDeliverTo, AsksPin}
	scheduleFields = []string{AsksDays, AsksEvery, AsksFrom, AsksTo}
)

// knownField is the field of the page, or AsksPassword for "secret"; what the
// page does not show is a fault of the page as a whole.
func knownField(key string, fields []string) string {
	switch {
	case key == "secret":
		return AsksPassword
	case slices.Contains(fields, key):
		return key
	}
	return AsksOther
}

// WizardProblem says what is wrong at a field of a window: in words of its own
// where those for the file would speak of the file.
func WizardProblem(p *i18n.Printer, problem config.Problem) string {
	for _, prefix := range []string{"wizard.problem.", "config."} {
		if key := prefix + string(problem.Code); p.Has(key) {
			return p.T(key, problem.Args)
		}
	}
	return p.T("wizard.problem.not_usable", i18n.Args{"Code": string(problem.Code)})
}
