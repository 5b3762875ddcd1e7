package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// checker looks for what is wrong with a decoded configuration. Its helpers
// return true when the value is good.
type checker struct {
	cfg      *Config
	doc      *document       // nil when there is no file
	bad      map[string]bool // paths whose value could not be decoded
	problems []Problem

	domains map[string]bool   // accepted domains in A-form
	outside map[string]bool   // outside_allowed, canonical
	people  map[string]string // canonical address -> field: recipients, aliases, lists
}

// check returns the problems of a complete configuration.
func check(cfg *Config, doc *document, bad map[string]bool) []Problem {
	c := &checker{cfg: cfg, doc: doc, bad: bad, domains: map[string]bool{}, outside: map[string]bool{}, people: map[string]string{}}
	c.office()
	c.recipients()
	c.lists()
	c.officeAddresses()
	c.schedule(cfg.Schedule, "schedule")
	c.connection()
	c.targets()
	c.targetDomains()
	c.rest()
	c.mailboxes()
	c.accounts()
	c.loops()
	return c.problems
}

func (c *checker) report(warning bool, field string, code Code, args []any) {
	for f := field; f != ""; f = f[:max(0, strings.LastIndexAny(f, ".["))] {
		if c.bad[f] {
			return // the fault of its type is reported already
		}
	}
	c.problems = append(c.problems, Problem{Field: field, Line: c.doc.line(field), Code: code, Args: pairs(args), Warning: warning})
}

func (c *checker) fault(field string, code Code, args ...any) { c.report(false, field, code, args) }
func (c *checker) warn(field string, code Code, args ...any)  { c.report(true, field, code, args) }

// at names an element of a list.
func at(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func lastKey(field string) string { return field[strings.LastIndexByte(field, '.')+1:] }

func (c *checker) required(field, value string) bool {
	if strings.TrimSpace(value) == "" {
		c.fault(field, CodeRequired, "Key", lastKey(field))
		return false
	}
	return true
}

// choice wants one of the built values; unbuilt ones are told apart from slips.
func (c *checker) choice(field, value string, built []string, unbuilt ...string) bool {
	switch {
	case slices.Contains(built, value):
		return true
	case slices.Contains(unbuilt, value):
		c.fault(field, CodeNotAvailable, "Value", value)
	default:
		c.fault(field, CodeChoice, "Value", value, "Choices", strings.Join(built, ", "))
	}
	return false
}

// least wants value >= lowest; both are ordered numbers.
func least[T cmp.Ordered](c *checker, field string, value, lowest T, shown any) {
	if value < lowest {
		c.fault(field, CodeMinimum, "Min", shown)
	}
}

func (c *checker) address(field, value string) bool {
	if !validAddress(value) {
		c.fault(field, CodeAddress, "Value", value)
		return false
	}
	return true
}

// inside tells whether an address is in the accepted domains (rule 28).
func (c *checker) inside(address string) bool {
	_, domain := cutAddress(Canonical(address))
	return c.domains[domain]
}

// destination checks an address that mail may be given to (rule 33): inside
// the domains or allowed by name.
func (c *checker) destination(field, value string) bool {
	if !c.address(field, value) {
		return false
	}
	if !c.inside(value) && !c.outside[Canonical(value)] {
		c.fault(field, CodeOutside, "Value", value) // rule 33
		return false
	}
	return true
}

// destinations checks a list of them and that each one is somebody.
func (c *checker) destinations(field string, values []string) {
	seen := map[string]bool{}
	for i, v := range values {
		f := at(field, i)
		if !c.destination(f, v) {
			continue
		}
		key := Canonical(v)
		if seen[key] {
			c.warn(f, CodeDuplicateEntry, "Value", v)
		}
		seen[key] = true
		if c.inside(v) && !c.known(key) {
			c.warn(f, CodeNobody, "Value", v)
		}
	}
}

// known tells whether a canonical address is somebody. Without a list of the
// people everybody in the domains is (rule 25).
func (c *checker) known(key string) bool {
	if len(c.cfg.Recipients) == 0 || key == Canonical(c.cfg.Office.UnknownRecipient) {
		return true
	}
	if _, is := c.people[key]; is {
		return true
	}
	local, domain := cutAddress(key)
	if i := strings.LastIndexByte(local, '+'); i > 0 && c.cfg.Office.PlusAddresses {
		return c.known(local[:i] + "@" + domain)
	}
	return false
}

// office fills the sets that the other checks ask.
func (c *checker) office() {
	o := c.cfg.Office
	if len(o.Domains) == 0 {
		c.fault("office.domains", CodeRequired, "Key", "domains")
	}
	for i, d := range o.Domains {
		f := at("office.domains", i)
		ascii, ok := ASCIIDomain(d)
		switch {
		case !ok:
			c.fault(f, CodeDomain, "Value", d)
		case c.domains[ascii]:
			c.warn(f, CodeDuplicateEntry, "Value", d)
		}
		if ok {
			c.domains[ascii] = true
		}
	}
	for i, a := range o.OutsideAllowed {
		if c.address(at("office.outside_allowed", i), a) {
			c.outside[Canonical(a)] = true
		}
	}
}

// officeAddresses checks rule 32 and the administrator.
func (c *checker) officeAddresses() {
	o := c.cfg.Office
	const unknown, administrator = "office.unknown_recipient", "office.administrator"
	switch {
	case o.UnknownRecipient == "":
		if c.cfg.HasGlobal() {
			c.fault(unknown, CodeUnknownRecipientMissing) // rule 32
		}
	case c.address(unknown, o.UnknownRecipient) && !c.inside(o.UnknownRecipient):
		c.fault(unknown, CodeUnknownRecipientOutside, "Value", o.UnknownRecipient) // rule 32
	}
	if o.Administrator != "" && o.Administrator != o.UnknownRecipient {
		c.destination(administrator, o.Administrator) // rule 47: reported inside
	}
}

// takeAddress notes whose an address is; each may belong to one only.
func (c *checker) takeAddress(field, address string) {
	key := Canonical(address)
	if other, taken := c.people[key]; taken {
		c.fault(field, CodeDuplicateAddress, "Value", address, "Other", other)
		return
	}
	c.people[key] = field
}

func (c *checker) recipients() {
	for i, r := range c.cfg.Recipients {
		base := at("recipient", i)
		if c.required(base+".address", r.Address) && c.destination(base+".address", r.Address) {
			c.takeAddress(base+".address", r.Address)
		}
		for j, a := range r.Aliases {
			f := at(base+".aliases", j)
			if c.destination(f, a) {
				c.takeAddress(f, a)
			}
		}
		if r.DeliverAs != "" {
			c.address(base+".deliver_as", r.DeliverAs)
		}
		if r.Target != "" && !slices.ContainsFunc(c.cfg.Targets, func(t Target) bool { return t.Name == r.Target }) {
			c.fault(base+".target", CodeTargetUnknown, "Value", r.Target)
		}
	}
}

func (c *checker) lists() {
	for i, l := range c.cfg.Lists {
		f := at("list", i) + ".address"
		if c.required(f, l.Address) && c.destination(f, l.Address) {
			c.takeAddress(f, l.Address)
		}
	}
	for i, l := range c.cfg.Lists {
		f := at("list", i) + ".members"
		c.destinations(f, l.Members)
		if len(l.Members) == 0 {
			c.warn(f, CodeListEmpty, "Value", l.Address) // rule 31
		}
	}
	c.expansion()
	for i, r := range c.cfg.ListRules {
		base := at("list_rule", i)
		conditions := 0
		for _, s := range []string{r.ListID, r.ListPost, r.ToContains} {
			if strings.TrimSpace(s) != "" {
				conditions++
			}
		}
		if conditions != 1 {
			c.fault(base, CodeListRuleOne)
		}
		if len(r.DeliverTo) == 0 {
			c.fault(base+".deliver_to", CodeRequired, "Key", "deliver_to")
		}
		c.destinations(base+".deliver_to", r.DeliverTo)
	}
}
