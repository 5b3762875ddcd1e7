package deliver

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/emersion/go-smtp"

	"postbag/engine/mail"
)

// Steps of a transaction, as they stand in Failure.Op.
const (
	OpGreeting = "greeting"
	OpEHLO     = "EHLO"
	OpSTARTTLS = "STARTTLS"
	OpAUTH     = "AUTH"
	OpMAIL     = "MAIL FROM"
	OpRCPT     = "RCPT TO"
	OpDATA     = "DATA"
	OpBody     = "message data"
	OpDot      = "end of data"
	OpLMTP     = "end of data (LMTP)" // LMTP's own reply for one recipient
)

const maxWords = 500 // of a server, in the journal

// Reply is one reply of a server (RFC 5321 section 4.2).
type Reply struct {
	Code     int
	Enhanced [3]int // RFC 3463; all zero without one
	Text     string // lines separated by LF, with the enhanced code
}

// String returns the server's words on one line.
func (r Reply) String() string {
	words := r.Text
	if !simple(words) {
		words = strings.Join(strings.FieldsFunc(words, func(c rune) bool { return c <= ' ' || c == 0x7f }), " ")
		if len(words) > maxWords {
			words = words[:maxWords]
		}
		words = strings.ToValidUTF8(words, "?")
	}
	if r.Code == 0 {
		return words
	}
	if r.Code >= 100 && words != "" {
		return strings.TrimSpace(strconv.Itoa(r.Code) + " " + words)
	}
	return strings.TrimSpace(fmt.Sprintf("%03d %s", r.Code, words))
}

// simple tells whether words are on one line as they are, as most are.
func simple(words string) bool {
	for i := 0; i < len(words); i++ {
		if c := words[i]; c < ' ' || c >= 0x7f || c == ' ' && (i == 0 || i == len(words)-1 || words[i+1] == ' ') {
			return false
		}
	}
	return len(words) <= maxWords
}

// An enhanced code stands first (RFC 2034 section 4); QUIRK: qmail and its kin
// write it last, as (#5.1.1).
var enhancedCode = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?:^|\(?#)([245])\.(\d{1,3})\.(\d{1,3})(?:$|[^\d.])`)
})

func makeReply(code int, text string) Reply {
	r := Reply{Code: code, Text: text}
	if code < 400 {
		return r // nobody asks a yes for its reasons
	}
	if m := enhancedCode().FindStringSubmatch(text); m != nil {
		for i := range r.Enhanced {
			r.Enhanced[i], _ = strconv.Atoi(m[i+1]) // at most three digits
		}
	}
	return r
}

func replyCode(line []byte) (int, bool) {
	if len(line) < 3 || len(line) > 3 && line[3] != ' ' && line[3] != '-' {
		return 0, false
	}
	code := 0
	for _, c := range line[:3] {
		if c < '0' || c > '9' {
			return 0, false
		}
		code = code*10 + int(c-'0')
	}
	return code, code >= 200 && code < 600
}

// replyOf finds the server's reply in an error of go-smtp; go-smtp cuts the
// enhanced code off the text, here it is put back.
func replyOf(err error) (Reply, bool) {
	e, ok := errors.AsType[*smtp.SMTPError](err)
	if !ok {
		return Reply{}, false
	}
	text := e.Message
	if e.EnhancedCode != (smtp.EnhancedCode{}) {
		text = fmt.Sprintf("%d.%d.%d %s", e.EnhancedCode[0], e.EnhancedCode[1], e.EnhancedCode[2], text)
	}
	return makeReply(e.Code, text), true
}

// is tells whether the enhanced code is x.subject.detail.
func (r Reply) is(subject, detail int) bool {
	return r.Enhanced[0] != 0 && r.Enhanced[1] == subject && r.Enhanced[2] == detail
}

func (r Reply) subject(s int) bool { return r.Enhanced[0] != 0 && r.Enhanced[1] == s }
func (r Reply) bare() bool         { return r.Enhanced[0] == 0 }
func (r Reply) positive() bool     { return r.Code/100 == 2 }

func (r Reply) mentions(word string) bool {
	return strings.Contains(strings.ToLower(r.Text), word)
}

// tooMany tells that the server takes no more recipients in this transaction;
// those left over belong into the next one (RFC 5321 section 4.5.3.1.10).
func (r Reply) tooMany() bool {
	return r.is(5, 3) || (r.Code == 452 || r.Code == 552) && r.bare() && r.mentions("too many")
}

// Classify judges a reply at a step (rules 44 and 45): what becomes of the
// recipient, and the Failure that tells it. A positive reply gives Accepted and
// nil. A pure function of its arguments; what several messages in a row mean
// (5.7.x, 5xx to MAIL FROM) is judged by the Pool.
func Classify(op string, r Reply) (mail.Verdict, *mail.Failure) {
	fail := func(v mail.Verdict, class mail.Class, code mail.Code) (mail.Verdict, *mail.Failure) {
		return v, &mail.Failure{Class: class, Code: code, Op: op, Reply: r.String()}
	}
	switch {
	case r.positive():
		return mail.Accepted, nil
	case r.Code == 421:
		// RFC 5321 section 3.8: the server closes; what was begun is deferred.
		if op == OpMAIL {
			return fail(mail.NotAttempted, mail.Transient, mail.CodeTargetBusy)
		}
		return fail(mail.Deferred, mail.Transient, mail.CodeTargetBusy)
	case needsAuth(r):
		return fail(mail.NotAttempted, mail.NeedsUser, mail.CodeTargetAuth)
	case r.Code/100 == 4:
		return fail(mail.Deferred, mail.Transient, mail.CodeDeferred)
	case r.Code/100 != 5 || r.Code == 503:
		// 3xx where none belongs, or "bad sequence": nobody's mail is at fault.
		return fail(mail.Deferred, mail.Transient, mail.CodeProtocol)
	case op == OpMAIL:
		return classifyMail(r, fail)
	case op == OpRCPT:
		return classifyRcpt(r, fail)
	}
	return classifyData(op, r, fail)
}

// needsAuth: RFC 4954 section 6; 538 is its predecessor's "encryption required".
func needsAuth(r Reply) bool {
	switch r.Code {
	case 530, 534, 535, 538:
		return true
	}
	return false
}

type verdict func(mail.Verdict, mail.Class, mail.Code) (mail.Verdict, *mail.Failure)

// classifyMail: with SIZE the answer to MAIL FROM is about this message
// (RFC 1870 section 6.1); every other 5xx is about the sender (rule 45).
func classifyMail(r Reply, fail verdict) (mail.Verdict, *mail.Failure) {
	if r.Code == 552 || r.is(3, 4) || r.is(2, 3) {
		return fail(mail.Refused, mail.Permanent, mail.CodeTooLarge)
	}
	return fail(mail.Deferred, mail.NeedsUser, mail.CodeSender)
}

func classifyRcpt(r Reply, fail verdict) (mail.Verdict, *mail.Failure) {
	switch {
	case r.is(1, 7) || r.is(1, 8):
		// QUIRK: Postfix tells its objections to the sender only at RCPT.
		return fail(mail.Deferred, mail.NeedsUser, mail.CodeSender)
	case r.subject(7) || r.bare() && r.mentions("relay"):
		// A bare "550 relaying denied" is no unknown user, whatever its code.
		return fail(mail.Refused, mail.Permanent, mail.CodePolicy)
	case r.tooMany():
		return fail(mail.Deferred, mail.Transient, mail.CodeDeferred)
	case unknownUser(r):
		return fail(mail.NoSuchUser, mail.Permanent, mail.CodeUnknownUser)
	case r.is(2, 2) || r.Code == 552 && r.bare():
		return fail(mail.Refused, mail.Permanent, mail.CodeMailboxFull)
	}
	return classifyAny(r, fail)
}

// unknownUser is the definition of the contract.
func unknownUser(r Reply) bool {
	switch r.Code {
	case 550, 551, 553:
		return r.bare() || r.subject(1)
	}
	return false
}

func classifyData(op string, r Reply, fail verdict) (mail.Verdict, *mail.Failure) {
	switch {
	case r.subject(7) || r.bare() && r.mentions("relaying denied"):
		return fail(mail.Refused, mail.Permanent, mail.CodePolicy)
	case op == OpLMTP && !r.bare() && unknownUser(r):
		return fail(mail.NoSuchUser, mail.Permanent, mail.CodeUnknownUser)
	case r.is(2, 2):
		return fail(mail.Refused, mail.Permanent, mail.CodeMailboxFull)
	case r.Code == 552:
		return fail(mail.Refused, mail.Permanent, mail.CodeTooLarge)
	case r.Code == 554 && r.bare():
		return fail(mail.Refused, mail.Permanent, mail.CodeContent)
	}
	return classifyAny(r, fail)
}

func classifyAny(r Reply, fail verdict) (mail.Verdict, *mail.Failure) {
	switch {
	case r.is(3, 4) || r.is(2, 3):
		return fail(mail.Refused, mail.Permanent, mail.CodeTooLarge)
	case r.is(2, 2):
		return fail(mail.Refused, mail.Permanent, mail.CodeMailboxFull)
	case r.subject(6):
		return fail(mail.Refused, mail.Permanent, mail.CodeContent)
	}
	return fail(mail.Refused, mail.Permanent, mail.CodeRejected)
}
