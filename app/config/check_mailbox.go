package config

import (
	"errors"
	"io/fs"
	"net/netip"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"time"
	"unicode"
)

func errorsAsPath(err error) (*fs.PathError, bool) { return errors.AsType[*fs.PathError](err) }

// sameHost compares host names, and the names and addresses of this computer.
func sameHost(a, b string) bool {
	return a == b || loopback(a) && loopback(b)
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}

func (c *checker) mailboxes() {
	if len(c.cfg.Mailboxes) == 0 {
		c.warn("mailbox", CodeNoMailbox)
	}
	names, ids := map[string]string{}, map[string]string{}
	for i := range c.cfg.Mailboxes {
		m := &c.cfg.Mailboxes[i]
		base := at("mailbox", i)
		c.line(line{base, m.Host, m.Security, m.ServerName, m.CAFile, m.TLSPin})
		if c.required(base+".name", m.Name) {
			key := strings.ToLower(strings.TrimSpace(m.Name))
			if other, taken := names[key]; taken {
				c.fault(base+".name", CodeDuplicateName, "Value", m.Name, "Other", other)
			}
			names[key] = base
		}
		c.mailboxID(base+".id", m, ids)
		c.choice(base+".protocol", m.Protocol, []string{POP3}, IMAP)
		c.signIn(base, m)
		c.forWhom(base, m)
		c.limits(base, m)
		c.envelope(base, m)
		if m.OwnSchedule {
			c.schedule(m.Schedule, base+".schedule")
		}
	}
}

// validID tells whether id is up to a hundred letters, digits and "._-", and
// begins with one of the former: it names files and rows. A regular expression
// of that length would cost every start of the program milliseconds.
func validID(id string) bool {
	n := 0
	for _, r := range id {
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) && (n == 0 || !strings.ContainsRune("._-", r)) {
			return false
		}
		n++
	}
	return 0 < n && n <= 100
}

func (c *checker) mailboxID(field string, m *Mailbox, ids map[string]string) {
	if !m.IDGiven {
		return
	}
	if !validID(m.ID) {
		c.fault(field, CodeID, "Value", m.ID)
		return
	}
	key := strings.ToLower(m.ID)
	if other, taken := ids[key]; taken {
		c.fault(field, CodeDuplicateID, "Value", m.ID, "Other", other)
	}
	ids[key] = field
}

func (c *checker) signIn(base string, m *Mailbox) {
	c.required(base+".username", m.Username)
	if c.required(base+".secret", m.Secret) {
		c.secretRef(base+".secret", m.Secret)
	}
	if c.choice(base+".auth", m.Auth, []string{AuthAuto, AuthUser, AuthAPOP, AuthPlain, AuthLogin, AuthCRAMMD5, AuthXOAUTH2}) {
		c.plaintext(base, m.Auth, m.Security, m.AllowPlaintext)
	}
}

func (c *checker) forWhom(base string, m *Mailbox) {
	if !c.choice(base+".kind", m.Kind, []string{Global, Individual}) {
		return
	}
	f := base + ".deliver_to"
	switch {
	case m.Kind == Global && len(m.DeliverTo) > 0:
		c.fault(f, CodeDeliverToGlobal)
	case m.Kind == Individual && len(m.DeliverTo) == 0:
		c.fault(f, CodeRequired, "Key", "deliver_to")
	}
	c.destinations(f, m.DeliverTo)
}

func (c *checker) limits(base string, m *Mailbox) {
	least(c, base+".max_message_size", m.MaxMessageSize, 0, 0)
	least(c, base+".max_bytes_per_session", m.MaxBytes, 0, 0)
	least(c, base+".max_messages_per_session", m.MaxMessages, 0, 0)
	least(c, base+".envelope_occurrence", m.EnvelopeOccurrence, 1, 1)
	least(c, base+".received_skip", m.ReceivedSkip, 0, 0)
}

func (c *checker) envelope(base string, m *Mailbox) {
	seen := map[string]bool{}
	for i, h := range m.EnvelopeHeaders {
		f := at(base+".envelope_headers", i)
		key := strings.ToLower(h)
		switch {
		case !validHeaderName(h):
			c.fault(f, CodeHeaderName, "Value", h)
		case seen[key]:
			c.warn(f, CodeDuplicateEntry, "Value", h)
		}
		seen[key] = true
	}
	for i, h := range m.ISPHosts {
		f := at(base+".isp_hosts", i)
		switch {
		case h == "*" && len(m.ISPHosts) > 1:
			c.warn(f, CodeAnyHostMixed)
		case h != "*" && !validHost(h):
			c.fault(f, CodeHost, "Value", h)
		}
	}
	c.pattern(base+".envelope_pattern", m)
}

// pattern wants RE2 with a group 1.
func (c *checker) pattern(field string, m *Mailbox) {
	if m.EnvelopePattern == "" {
		return
	}
	re, err := regexp.Compile(m.EnvelopePattern)
	switch {
	case err != nil:
		detail := err.Error()
		if se, ok := errors.AsType[*syntax.Error](err); ok {
			detail = se.Code.String() + ": " + se.Expr
		}
		c.fault(field, CodePattern, "Detail", detail)
	case re.NumSubexp() < 1:
		c.fault(field, CodePatternGroup)
	case len(m.EnvelopeHeaders) == 0:
		c.warn(field, CodeEnvelopeUnused)
	}
}

// accounts warns when two mailboxes collect from the same account: they would
// take each other's mail.
func (c *checker) accounts() {
	for i, m := range c.cfg.Mailboxes {
		for _, other := range c.cfg.Mailboxes[:i] {
			if m.Host != "" && m.Host == other.Host && m.Port == other.Port && m.Username == other.Username && m.Username != "" {
				c.warn(at("mailbox", i)+".username", CodeDuplicateAccount, "Name", other.Name)
				break
			}
		}
	}
}

func (c *checker) schedule(s Schedule, base string) {
	least(c, base+".every", s.Every, Duration(time.Minute), "1m")
	if len(s.Days) == 0 {
		c.warn(base+".days", CodeScheduleDays)
	}
	for i, d := range s.Days {
		if slices.Contains(s.Days[:i], d) {
			c.warn(at(base+".days", i), CodeDuplicateEntry, "Value", d.String())
		}
	}
	switch {
	case s.From == 24*60:
		c.fault(base+".from", CodeClock, "Value", s.From.String())
	case s.From == s.To:
		c.fault(base+".to", CodeScheduleWindow)
	}
}

func (c *checker) connection() {
	n := c.cfg.Connection
	c.choice("connection.kind", n.Kind, []string{Permanent, Router}, Dialup, Commands)
	if n.Dialup != nil && n.Dialup.Secret != "" {
		c.secretRef("connection.dialup.secret", n.Dialup.Secret)
	}
}

// rest checks the small tables.
func (c *checker) rest() {
	d := c.cfg.Delivery
	least(c, "delivery.queue_lifetime", d.QueueLifetime, Duration(time.Second), "1s")
	least(c, "delivery.spool_quota", d.SpoolQuota, 1000, "1KB")
	least(c, "delivery.duplicate_window", d.DuplicateWindow, 0, "0")
	c.choice("log.level", c.cfg.Log.Level, []string{"error", "warn", "info", "debug"})
	least(c, "log.max_size", c.cfg.Log.MaxSize, 1000, "1KB")
	least(c, "journal.keep", c.cfg.Journal.Keep, Duration(time.Second), "1s")
	if cmd := c.cfg.Alerts.Command; len(cmd) > 0 {
		c.required("alerts.command[0]", cmd[0])
	}
}
