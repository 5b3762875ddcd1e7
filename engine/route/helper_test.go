package route

import (
	"slices"
	"strings"
	"testing"

	"postbag/engine/mail"
	"postbag/engine/mail/header"
)

// office is the office of most tests: three people and a list.
func office() Office {
	return Office{
		Domains:          []string{"office.test"},
		UnknownRecipient: "postmaster@office.test",
		PlusAddresses:    true,
		OutsideAllowed:   []string{"accountant@partner.test"},
		Recipients: []Person{
			{Address: "anne@office.test", Aliases: []string{"info@office.test"}},
			{Address: "bob@office.test"},
			{Address: "carol+lab@office.test"},
		},
		Lists: []List{
			{Address: "sales@office.test", Members: []string{"anne@office.test", "bob@office.test"}},
			{Address: "nobody@office.test"},
		},
		Targets:        []TargetDomain{{Name: "office"}},
		InstallationID: "installation-1",
	}
}

// everybody is an office without a list of the people.
func everybody() Office {
	return Office{Domains: []string{"office.test"}, UnknownRecipient: "postmaster@office.test", PlusAddresses: true}
}

func global() Mailbox {
	return Mailbox{
		ID: "m", Name: "m", Kind: "global", Username: "office-42", EnvelopeOccurrence: 1,
		EnvelopeHeaders: []string{"X-Original-To", "Envelope-To", "X-Envelope-To", "X-RCPT-TO", "X-Real-To", "Delivered-To"},
	}
}

func parseHeader(lines ...string) header.Header {
	return header.Parse([]byte(strings.Join(lines, "\r\n") + "\r\n\r\n"))
}

func decide(t *testing.T, o Office, m Mailbox, lines ...string) mail.Decision {
	t.Helper()
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.Compile(m)
	if err != nil {
		t.Fatal(err)
	}
	return c.Decide(parseHeader(lines...))
}

// summary writes recipients in one line: an address with "?" is the unknown
// recipient's copy, one with "!" lies outside.
func summary(list []mail.Recipient) string {
	var out []string
	for _, r := range list {
		s := r.Address
		if r.Unknown {
			s += "?"
		}
		if r.Outside {
			s += "!"
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// kase is a header and what is to become of it.
type kase struct {
	name   string
	office func(o *Office)
	box    func(m *Mailbox)
	header []string
	route  string
	to     string // as summary
}

func run(t *testing.T, cases []kase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o, m := office(), global()
			if c.office != nil {
				c.office(&o)
			}
			if c.box != nil {
				c.box(&m)
			}
			d := decide(t, o, m, c.header...)
			if got := summary(d.Recipients); got != c.to || d.Route != c.route {
				t.Errorf("%s: %s\nwant %s: %s\ndecision %+v", d.Route, got, c.route, c.to, d)
			}
		})
	}
}

const (
	toCc    = mail.RouteToCc
	unknown = mail.RouteUnknown
	xot     = mail.RouteEnvelope + "X-Original-To"
	dt      = mail.RouteEnvelope + "Delivered-To"

	nobodyKnown = "postmaster@office.test?"
)
