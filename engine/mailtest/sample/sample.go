// Package sample makes up mail as it comes: a thousand mixed messages in a
// global mailbox, from all kinds of senders, marked with the envelope headers
// of various providers, and with everything in it that real mail has and
// standards forbid. Each message knows who must get it, so that a test can
// compare every Maildir with what ought to be there. The same seed gives the
// same mail.
package sample

import (
	"bytes"
	"slices"
	"strings"
)

// Office is who works there. The expected answers hold for a configuration that
// names exactly these people, aliases, lists and list rules, with plus
// addresses, and one global mailbox with the default settings.
type Office struct {
	Domain  string
	People  []string            // local parts
	Aliases map[string]string   // local part -> local part of a person
	Lists   map[string][]string // distribution lists: local part -> local parts
	ListIDs map[string]string   // mailing lists: List-Id -> local part of a person
	Unknown string              // local part of the unknown recipient
	Login   string              // user name of the global mailbox at the provider
}

// Default is the office of most tests.
func Default() Office {
	return Office{
		Domain:  "office.test",
		People:  []string{"anne", "bob", "claire", "dieter", "erika"},
		Aliases: map[string]string{"info": "anne", "contact": "bob"},
		Lists:   map[string][]string{"sales": {"anne", "bob"}, "all": {"anne", "bob", "claire", "dieter", "erika"}},
		ListIDs: map[string]string{"golang-nuts.googlegroups.test": "claire"},
		Unknown: "postmaster",
		Login:   "office-42",
	}
}

// Address completes a local part.
func (o Office) Address(local string) string { return local + "@" + o.Domain }

// Addresses lists everybody who can get mail, the unknown recipient last.
func (o Office) Addresses() []string {
	var all []string
	for _, p := range o.People {
		all = append(all, o.Address(p))
	}
	return append(all, o.Address(o.Unknown))
}

// Message is one message of the global mailbox.
type Message struct {
	Kind  string   // what is special about it
	Bytes []byte   // as the provider keeps it
	For   []string // addresses that get one copy each because of this message, sorted; none: a duplicate
	Route string   // the step of rule 18 that decides
	First int      // index of the first message with this content; its own, except for copies
}

// Normalized is the message as it must arrive below the trace headers: line
// ends as LF, Return-Path removed (rule 38), lone CR and LF mended (rule 39).
func (m Message) Normalized() []byte { return Normalize(m.Bytes) }

// Normalize does what Normalized describes to any message.
func Normalize(message []byte) []byte {
	b := bytes.ReplaceAll(message, []byte("\r\n"), []byte("\n"))
	b = bytes.ReplaceAll(b, []byte("\r"), []byte("\n"))
	if len(b) > 0 && b[len(b)-1] != '\n' {
		b = append(slices.Clone(b), '\n')
	}
	var out []byte
	drop := false
	for len(b) > 0 {
		end := bytes.IndexByte(b, '\n') + 1
		line := b[:end]
		if len(line) == 1 {
			break // the body begins
		}
		if line[0] != ' ' && line[0] != '\t' {
			drop = len(line) > 12 && strings.EqualFold(string(line[:12]), "Return-Path:")
		}
		if !drop {
			out = append(out, line...)
		}
		b = b[end:]
	}
	return append(out, b...)
}

// Below returns what stands below Postbag's trace headers in a delivered
// message with LF line ends, as Normalize writes it; ok is false when there is
// no trace.
//
// QUIRK Postfix begins the body with an empty line of its own when the line
// below the headers is none; that line is taken off.
func Below(delivered []byte) (message []byte, ok bool) {
	const loop = "X-Postbag-Loop:"
	head := delivered
	if i := bytes.Index(head, []byte("\n\n")); i >= 0 {
		head = head[:i+1]
	}
	at := 0
	if !bytes.HasPrefix(head, []byte(loop)) {
		at = bytes.Index(head, []byte("\n"+loop)) + 1
		if at == 0 {
			return nil, false
		}
	}
	rest := delivered[at:]
	for bytes.HasPrefix(rest, []byte("X-Postbag-")) || bytes.HasPrefix(rest, []byte(" ")) || bytes.HasPrefix(rest, []byte("\t")) {
		rest = rest[bytes.IndexByte(rest, '\n')+1:]
	}
	return rest, true
}
