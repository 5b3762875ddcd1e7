// Package digest writes the mail to the administrator: what happened, what it
// means for the mail, what to do. A failure is reported inside the office only,
// never to the sender (rule 47).
package digest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"postbag/app/i18n"
	"postbag/app/notify"
	"postbag/engine/mail"
	"postbag/engine/mail/header"
)

// mostMessages bounds the list of one cause; the command line shows the rest.
const mostMessages = 50

// Message is one line of a list. Its texts come from outside and are cleaned
// here.
type Message struct {
	ID      string    // as the queue shows it
	Time    time.Time // of its last change of state
	From    string    // decoded
	Subject string    // decoded
	Size    int64     // octets; -1 unknown
	Code    mail.Code // why; "" when the cause says it
	Reply   string    // the server's words; may be empty

	// Automatic is a bounce or a message sent by a machine: not Reportable. No
	// digest tells of it.
	Automatic bool
}

// Cause is one thing to tell.
type Cause struct {
	Key      string        // the alert's cause, for the Message-ID; never shown
	Kind     notify.Kind   //
	Failure  *mail.Failure // what exactly; nil: the kind says it all
	Context  i18n.Context  // about which mailbox or target
	Count    int           // of messages, for the kinds that count
	Since    time.Time     //
	Ended    time.Time     // zero: it is not over
	Messages []Message     // newest first; obligatory for the kinds that count
}

// FromRecord begins a Cause with what the alert knows; Context, the server's
// words and Messages are the caller's to add.
func FromRecord(r notify.Record) Cause {
	c := Cause{Key: r.Cause, Kind: r.Kind, Count: r.Count, Since: r.Since, Ended: r.Ended}
	if r.Code != "" {
		c.Failure = &mail.Failure{Code: r.Code}
		if r.Kind == notify.NeedsUser || r.Kind == notify.TargetSettings {
			c.Failure.Class = mail.NeedsUser
		}
	}
	return c
}

// Input is all that a digest is made of.
type Input struct {
	Causes        []Cause       // each at most once in 24 hours, see notify.DigestDue
	Domain        string        // the first accepted domain: the sender is postbag@ it
	Administrator string        // who gets it
	Installation  string        // id of this installation, for the Message-ID
	Now           time.Time     // for Date, with its zone
	Texts         *i18n.Printer // language and habits of the reader
}

// Letter is a message to be delivered as any other, to the target of the
// recipient's domain.
type Letter struct {
	Sender    string // always "", the null sender: nobody answers it with a bounce
	Recipient string
	MessageID string // with angle brackets
	Subject   string // decoded
	Data      []byte // RFC 5322, lines end in CRLF, 7 bit except in a foreign address
}

// Compose writes the digest. ok is false when nothing remains to be told: rule
// 47 leaves out bounces and what machines sent, the contract leaves out unknown
// recipients. It is a pure function: the same input makes the same letter.
func Compose(in Input) (letter Letter, ok bool) { // rule 47
	causes := tellable(in.Causes)
	if len(causes) == 0 {
		return Letter{}, false
	}
	w := writer{t: in.Texts}
	domain := header.DomainKey(in.Domain)
	letter = Letter{
		Recipient: in.Administrator,
		MessageID: messageID(in, domain, causes),
		Subject:   w.subject(causes),
	}
	letter.Data = in.compose(letter, domain, w.body(causes, in.Now))
	return letter, true
}

// tellable leaves out what a digest must not tell. A cause that counts messages
// counts only those that remain.
func tellable(causes []Cause) []Cause {
	var out []Cause
	for _, c := range causes {
		if c.Failure != nil && c.Failure.Code == mail.CodeUnknownUser {
			continue
		}
		if !c.Kind.Counted() {
			c.Messages = slices.DeleteFunc(slices.Clone(c.Messages), untellable)
			out = append(out, c)
			continue
		}
		left := slices.DeleteFunc(slices.Clone(c.Messages), untellable)
		if len(left) == 0 {
			continue
		}
		c.Count = max(c.Count-(len(c.Messages)-len(left)), len(left))
		c.Messages = left
		out = append(out, c)
	}
	return out
}

func untellable(m Message) bool { return m.Automatic || m.Code == mail.CodeUnknownUser }

// messageID is unique for installation, time and causes.
func messageID(in Input, domain string, causes []Cause) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%d", in.Installation, in.Now.UnixNano())
	for _, c := range causes {
		fmt.Fprintf(h, "\x00%s", c.Key)
	}
	return fmt.Sprintf("<digest.%s.%s@%s>", in.Now.UTC().Format("20060102150405"), hex.EncodeToString(h.Sum(nil)[:8]), domain)
}

// Keys lists the keys of the texts, for a test of the translations.
func Keys() []string {
	keys := []string{
		"digest.subject", "digest.subject_more", "digest.intro", "digest.meaning", "digest.advice_label",
		"digest.since", "digest.lasted", "digest.mailbox", "digest.target", "digest.message", "digest.why",
		"digest.words", "digest.more", "digest.footer", "digest.no_sender", "digest.no_subject",
	}
	for _, k := range notify.Kinds() {
		keys = append(keys, "digest.title."+string(k), "digest.advice."+string(k))
	}
	return keys
}
