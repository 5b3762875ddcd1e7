package config

import "time"

// Defaults is the configuration of an empty file.
func Defaults() *Config {
	return &Config{
		Version: 1,
		Office:  Office{PlusAddresses: true},
		Schedule: Schedule{
			Every: Duration(time.Hour),
			Days:  []Day{Day(time.Monday), Day(time.Tuesday), Day(time.Wednesday), Day(time.Thursday), Day(time.Friday)},
			To:    24 * 60,
		},
		Connection: Connection{Kind: Permanent},
		Delivery: Delivery{
			QueueLifetime:   Duration(5 * day),
			SpoolQuota:      2e9,
			DuplicateWindow: Duration(30 * day),
		},
		Log:     Log{Level: "info", MaxSize: 10e6},
		Journal: Journal{Keep: Duration(365 * day)},
	}
}

// NewTarget is a [[target]] without keys; its port is still 0.
func NewTarget() Target {
	return Target{Protocol: SMTP, Security: SecurityNone, Auth: AuthNone}
}

// NewMailbox is a [[mailbox]] without keys; its port is still 0.
func NewMailbox(inherited Schedule) Mailbox {
	return Mailbox{
		Enabled:            true,
		Kind:               Global,
		Protocol:           POP3,
		Security:           SecurityTLS,
		Auth:               AuthAuto,
		EnvelopeHeaders:    DefaultEnvelopeHeaders(),
		EnvelopeOccurrence: 1,
		Schedule:           inherited,
	}
}

// DefaultEnvelopeHeaders are those of rule 20, in its order.
func DefaultEnvelopeHeaders() []string {
	return []string{"X-Original-To", "Envelope-To", "X-Envelope-To", "X-RCPT-TO", "X-Real-To", "Delivered-To"}
}

// TargetPort is the port of a target that names none.
func TargetPort(protocol, security string) int {
	switch {
	case protocol == LMTP:
		return 24
	case security == SecurityTLS:
		return 465 // RFC 8314 section 7.3
	case security == SecurityStartTLS:
		return 587 // RFC 6409 section 3.1
	}
	return 25
}

// MailboxPort is the port of a mailbox that names none.
func MailboxPort(protocol, security string) int {
	switch {
	case protocol == IMAP && security == SecurityTLS:
		return 993
	case protocol == IMAP:
		return 143
	case security == SecurityTLS:
		return 995
	}
	return 110
}

// complete fills in the defaults that depend on other keys, in their normal form.
func (c *Config) complete() {
	for i, d := range c.Office.Domains {
		c.Office.Domains[i] = cleanDomain(d)
	}
	if c.Office.Administrator == "" {
		c.Office.Administrator = c.Office.UnknownRecipient
	}
	for i := range c.Targets {
		t := &c.Targets[i]
		for j, d := range t.Domains {
			t.Domains[j] = cleanDomain(d)
		}
		t.Host, t.TLSPin = cleanHost(t.Host), cleanPin(t.TLSPin)
		if t.Port == 0 {
			t.Port = TargetPort(t.Protocol, t.Security)
		}
		if t.Name == "" {
			t.Name = t.Host
		}
	}
	for i := range c.Mailboxes {
		m := &c.Mailboxes[i]
		m.Host, m.TLSPin = cleanHost(m.Host), cleanPin(m.TLSPin)
		if m.Port == 0 {
			m.Port = MailboxPort(m.Protocol, m.Security)
		}
		for j, h := range m.ISPHosts {
			m.ISPHosts[j] = cleanHost(h)
		}
	}
	c.ResolveIDs(nil)
}
