package present

import (
	"strings"

	"postbag/app/i18n"
)

// Provider is a well-known provider and how its mail is collected by POP3.
type Provider struct {
	Name      string // as people call it
	Host      string
	Port      int
	Security  string   // one of config.SecurityTLS, SecurityStartTLS
	LocalPart bool     // signs in with the part before the "@" only
	Note      string   // what its customers must know first, one of the Note words
	Domains   []string // of the addresses that it gives out; none for those that serve their customers' own domains
}

// What some providers want before their mail can be collected by POP3.
const (
	NoteAppPassword = "app_password" // a password of its own for programs
	NoteSwitchOn    = "switch_on"    // POP3 is off until it is switched on
	NoteBoth        = "both"
	NoteOAuth       = "oauth" // no passwords at all any more
)

// NoteText says what the provider wants first, "" for nothing.
func (p Provider) NoteText(t *i18n.Printer) string {
	if p.Note == "" {
		return ""
	}
	return t.T("wizard.provider." + p.Note)
}

// Providers lists the known providers by name.
func Providers() []Provider { return append([]Provider(nil), providers...) }

// ProviderOf finds the provider of an e-mail address.
func ProviderOf(address string) (Provider, bool) {
	_, domain, is := strings.Cut(strings.TrimSpace(address), "@")
	if !is || domain == "" {
		return Provider{}, false
	}
	for _, p := range providers {
		if p.serves(domain) {
			return p, true
		}
	}
	return Provider{}, false
}

// ProviderNamed finds a provider by its name.
func ProviderNamed(name string) (Provider, bool) {
	for _, p := range providers {
		if p.Name == name {
			return p, true
		}
	}
	return Provider{}, false
}

func (p Provider) serves(domain string) bool {
	for _, d := range p.Domains {
		if strings.EqualFold(d, strings.TrimSuffix(domain, ".")) {
			return true
		}
	}
	return false
}
