package present

import (
	"slices"
	"strconv"

	"postbag/app/config"
)

// Shown lists the boxes of the kind that the page shows.
func (i *WizardMailboxes) Shown() []*WizardMailbox {
	var out []*WizardMailbox
	for _, b := range i.Boxes {
		if b.Kind == i.Kind {
			out = append(out, b)
		}
	}
	return out
}

// Others counts the mailboxes of the configuration that the page does not show;
// they stay as they are.
func (i *WizardMailboxes) Others() int {
	n := 0
	for _, b := range i.Boxes {
		if b.Kind != i.Kind && b.base != nil {
			n++
		}
	}
	return n
}

// Add appends an empty box of the kind that the page shows. Its server is that
// of the last one: the mailboxes of an office are mostly with one provider.
func (i *WizardMailboxes) Add() *WizardMailbox {
	b := &WizardMailbox{Kind: i.Kind, Security: config.SecurityTLS, Port: strconv.Itoa(config.MailboxPort(config.POP3, config.SecurityTLS))}
	for _, m := range slices.Backward(i.Shown()) {
		if b.follow(m) {
			break
		}
	}
	i.Boxes = append(i.Boxes, b)
	return b
}

// Share gives the server of its neighbour to every new box that has none.
func (i *WizardMailboxes) Share() {
	var last *WizardMailbox
	for _, b := range i.Shown() {
		if b.Host == "" && last != nil {
			b.follow(last)
		}
		if b.Host != "" {
			last = b
		}
	}
}

// Accept takes the certificate that the person accepted for the server of a
// box. The other new ones at the same server would be refused for the same.
func (i *WizardMailboxes) Accept(box *WizardMailbox, pin string) {
	box.Pin = pin
	for _, b := range i.Boxes {
		if b.base == nil && b.Pin == "" && b.Host == box.Host && b.Port == box.Port {
			b.Pin = pin
		}
	}
}

// follow takes the server of another box; false: that has none either.
func (m *WizardMailbox) follow(other *WizardMailbox) bool {
	if other.Host == "" || m.base != nil {
		return false
	}
	m.Host, m.Port, m.Security, m.AllowPlaintext, m.Pin = other.Host, other.Port, other.Security, other.AllowPlaintext, other.Pin
	p := other.Provider()
	m.filled = Provider{Name: p.Name, Host: m.Host, LocalPart: p.LocalPart, Note: p.Note, Domains: p.Domains}
	return true
}

// CanRemove tells whether the box may be taken out here: mailboxes of the
// configuration are removed in the main window only, where it says what that means.
func (i *WizardMailboxes) CanRemove(b *WizardMailbox) bool {
	return b.base == nil && len(i.Shown()) > 1
}

// Remove takes a box out.
func (i *WizardMailboxes) Remove(b *WizardMailbox) {
	i.Boxes = slices.DeleteFunc(i.Boxes, func(o *WizardMailbox) bool { return o == b })
}

// Without lists the people for whom there is no mailbox of their own yet.
func (w *Wizard) Without() []string {
	has := map[string]bool{}
	for _, b := range w.Incoming.Boxes {
		if b.Kind == config.Individual {
			for _, a := range splitWords(b.DeliverTo) {
				has[config.Canonical(a)] = true
			}
		}
	}
	return slices.DeleteFunc(w.Office.Addresses(), func(a string) bool { return has[config.Canonical(a)] })
}

// AddEach adds a mailbox for each of the people without one and returns the
// first of them. The account is the address as long as nobody says otherwise.
func (w *Wizard) AddEach() *WizardMailbox {
	var first *WizardMailbox
	for _, address := range w.Without() {
		b := w.Incoming.Add()
		b.SetAccount(address)
		b.DeliverTo = address
		if first == nil {
			first = b
		}
	}
	if first != nil { // the one that waits to be filled in has been
		w.Incoming.Boxes = slices.DeleteFunc(w.Incoming.Boxes, (*WizardMailbox).Empty)
	}
	return first
}
