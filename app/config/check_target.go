package config

import (
	"crypto/x509"
	"os"
	"slices"
	"strings"

	"postbag/app/secret"
)

// line is what targets and mailboxes have in common: how to reach a server.
type line struct {
	base           string
	host, security string
	serverName     string
	caFile, pin    string
}

func (c *checker) line(l line) {
	f := l.base + ".host"
	switch {
	case !c.required(f, l.host):
	case hostWithPort(l.host):
		c.fault(f, CodeHostPort, "Value", l.host)
	case !validHost(l.host):
		c.fault(f, CodeHost, "Value", l.host)
	}
	c.choice(l.base+".security", l.security, []string{SecurityTLS, SecurityStartTLS, SecurityNone})
	if l.serverName != "" && !validHost(l.serverName) {
		c.fault(l.base+".server_name", CodeHost, "Value", l.serverName)
	}
	c.caFile(l.base+".ca_file", l.caFile)
	switch {
	case l.pin == "":
	case !validPin(l.pin):
		c.fault(l.base+".tls_pin", CodePin)
	case l.security == SecurityNone:
		c.warn(l.base+".tls_pin", CodePinUnused)
	}
}

// caFile wants a readable file with at least one certificate in PEM.
func (c *checker) caFile(field, path string) {
	if path == "" {
		return
	}
	pem, err := os.ReadFile(c.cfg.Path(path))
	if err != nil {
		c.fault(field, CodeCAFile, "Path", path, "Detail", reason(err))
		return
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		c.fault(field, CodeCAFileEmpty, "Path", path)
	}
}

// reason is the innermost text of an error of the operating system, without the path.
func reason(err error) string {
	if pe, ok := errorsAsPath(err); ok {
		return pe.Err.Error()
	}
	return err.Error()
}

// secretRef never shows the value: a password may stand there by mistake.
func (c *checker) secretRef(field, ref string) {
	if _, err := secret.Parse(ref); err != nil {
		c.fault(field, CodeSecretRef)
	}
}

// port is checked before the default takes the place of 0.
func checkPorts(c *checker) {
	one := func(field string, port int) {
		if (port != 0 || c.doc.has(field)) && (port < 1 || port > 65535) {
			c.fault(field, CodeRange, "Min", 1, "Max", 65535)
		}
	}
	for i, t := range c.cfg.Targets {
		one(at("target", i)+".port", t.Port)
	}
	for i, m := range c.cfg.Mailboxes {
		one(at("mailbox", i)+".port", m.Port)
	}
}

func (c *checker) targets() {
	if len(c.cfg.Targets) == 0 {
		c.fault("target", CodeNoTarget)
	}
	names := map[string]string{}
	for i, t := range c.cfg.Targets {
		base := at("target", i)
		c.line(line{base, t.Host, t.Security, t.ServerName, t.CAFile, t.TLSPin})
		if other, taken := names[t.Name]; taken && t.Name != "" {
			c.fault(base+".name", CodeDuplicateName, "Value", t.Name, "Other", other)
		}
		names[t.Name] = base
		c.choice(base+".protocol", t.Protocol, []string{SMTP, LMTP})
		c.targetAuth(base, t)
		if t.Connections < 0 || t.Connections > 64 {
			c.fault(base+".connections", CodeRange, "Min", 0, "Max", 64)
		}
		if t.Sender != "" {
			c.address(base+".sender", t.Sender)
		}
	}
}

func (c *checker) targetAuth(base string, t Target) {
	if !c.choice(base+".auth", t.Auth, []string{AuthNone, AuthPlain, AuthLogin, AuthCRAMMD5, AuthXOAUTH2}) {
		return
	}
	if t.Secret != "" {
		c.secretRef(base+".secret", t.Secret)
	}
	if t.Auth == AuthNone {
		if t.Username != "" || t.Secret != "" {
			c.warn(base+".auth", CodeAuthUnused)
		}
		return
	}
	if t.Username == "" {
		c.fault(base+".username", CodeAuthIncomplete, "Key", "username")
	}
	if t.Secret == "" {
		c.fault(base+".secret", CodeAuthIncomplete, "Key", "secret")
	}
	c.plaintext(base, t.Auth, t.Security, t.AllowPlaintext)
}

// plaintext warns of a sign-in that will be refused at run time (rule 5). It
// is no fault of the file: the mailbox fails and says why.
func (c *checker) plaintext(base, auth, security string, allowed bool) {
	bare := []string{AuthUser, AuthPlain, AuthLogin, AuthXOAUTH2}
	if security == SecurityNone && !allowed && slices.Contains(bare, auth) {
		c.warn(base+".auth", CodePlaintext)
	}
}

// targetDomains checks that every domain has a target, and only one.
func (c *checker) targetDomains() {
	takes := map[string]string{} // domain -> name of the target
	hasDefault, defaultTarget := len(c.cfg.Targets) == 0, ""
	for i, t := range c.cfg.Targets {
		base := at("target", i)
		byName := slices.ContainsFunc(c.cfg.Recipients, func(r Recipient) bool { return r.Target == t.Name })
		switch {
		case len(t.Domains) > 0:
		case !hasDefault:
			hasDefault, defaultTarget = true, t.Name
		case !byName:
			c.fault(base+".domains", CodeTargetDefaultTwice, "Name", t.Name, "Other", defaultTarget)
		}
		for j, d := range t.Domains {
			f := at(base+".domains", j)
			ascii, ok := ASCIIDomain(d)
			other, taken := takes[ascii]
			switch {
			case !ok:
				c.fault(f, CodeDomain, "Value", d)
				continue
			case taken && !byName:
				c.warn(f, CodeTargetDomainTwice, "Value", d, "Other", other)
			case !taken && !c.wanted(ascii):
				c.warn(f, CodeTargetDomainForeign, "Value", d)
			}
			if !taken {
				takes[ascii] = t.Name
			}
		}
	}
	if !hasDefault {
		c.homeless(takes)
	}
}

// homeless reports domains that no target takes when there is no default.
func (c *checker) homeless(takes map[string]string) {
	report := func(field, domain, value string) {
		if _, taken := takes[domain]; !taken {
			c.fault(field, CodeTargetNoDomain, "Value", value)
		}
	}
	for i, d := range c.cfg.Office.Domains {
		if ascii, ok := ASCIIDomain(d); ok {
			report(at("office.domains", i), ascii, d)
		}
	}
	for i, a := range c.cfg.Office.OutsideAllowed {
		if _, domain := cutAddress(Canonical(a)); domain != "" {
			report(at("office.outside_allowed", i), domain, domain)
		}
	}
}

// wanted tells whether mail for the domain can exist.
func (c *checker) wanted(domain string) bool {
	if c.domains[domain] {
		return true
	}
	for a := range c.outside {
		if strings.HasSuffix(a, "@"+domain) {
			return true
		}
	}
	return false
}

// loops finds targets that are sources (rule 37).
func (c *checker) loops() {
	for i, t := range c.cfg.Targets {
		for _, m := range c.cfg.Mailboxes {
			if t.Host == "" || !sameHost(t.Host, m.Host) {
				continue
			}
			if t.Port == m.Port {
				c.fault(at("target", i)+".host", CodeTargetIsSource, "Name", m.Name) // rule 37
			} else {
				c.warn(at("target", i)+".host", CodeTargetSameHost, "Name", m.Name) // rule 37
			}
			break
		}
	}
}
