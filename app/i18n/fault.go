package i18n

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"postbag/engine/mail"
)

// The sides of Context.
const (
	SideSource = "source" // the provider
	SideTarget = "target" // the office server
)

// Context says what a fault is about; what is not known stays empty.
type Context struct {
	Side string // SideSource, SideTarget or ""
	Name string // of the mailbox or target, as configured
	Host string // of the server
}

// Explanation is a fault in the reader's words.
type Explanation struct {
	What    string // what happened
	Meaning string // what it means for the mail
	Advice  string // what to do
	Detail  string // the technical line, not translated; may be empty
}

// Fault explains a failure. A code without a text of its own is explained as
// an unexpected fault, with the technical detail below it. nil gives nothing.
func (p *Printer) Fault(f *mail.Failure, c Context) Explanation {
	if f == nil {
		return Explanation{}
	}
	code := string(f.Code)
	if code == "" || !p.Has("fault."+code) {
		code = string(mail.CodeInternal)
	}
	args := p.faultArgs(f, c)
	return Explanation{
		What:    p.T("fault."+code, args),
		Meaning: p.T(meaningKey(f, c.Side), args),
		Advice:  p.T("advice."+code, args),
		Detail:  technical(f),
	}
}

func (p *Printer) faultArgs(f *mail.Failure, c Context) Args {
	key := "server.any"
	switch c.Side {
	case SideSource:
		key = "server.provider"
	case SideTarget:
		key = "server.office"
	}
	server := p.T(key)
	if c.Host != "" {
		server += " " + c.Host
	}
	thing := f.Op
	if c.Name != "" {
		thing = c.Name
	}
	return Args{"Server": server, "TheServer": capital(server), "Name": thing}
}

// meaningKey chooses what a fault means for the mail. Most of it follows from
// where the mail is: what is not collected is still with the provider, what is
// not delivered waits here.
func meaningKey(f *mail.Failure, side string) string {
	if key, ok := ownMeaning[f.Code]; ok {
		return "meaning." + key
	}
	switch side {
	case SideSource:
		return "meaning.with_provider"
	case SideTarget:
		if f.Class == mail.NeedsUser {
			return "meaning.waits_for_you"
		}
		return "meaning.waits"
	}
	return "meaning.no_loss"
}

// ownMeaning is for the codes that mean the same wherever they come from.
var ownMeaning = map[mail.Code]string{
	mail.CodeTargetBusy:    "waits",
	mail.CodeDeferred:      "waits",
	mail.CodeTargetAuth:    "waits_for_you",
	mail.CodeSender:        "waits_for_you",
	mail.CodeRelay:         "waits_for_you",
	mail.CodeTargetMissing: "waits_for_you",
	mail.CodeUnknownUser:   "unknown_recipient",
	mail.CodeMailboxFull:   "set_aside",
	mail.CodeTooLarge:      "set_aside",
	mail.CodeContent:       "set_aside",
	mail.CodePolicy:        "set_aside",
	mail.CodeRejected:      "set_aside",
	mail.CodeLifetime:      "set_aside",
	mail.CodeLoop:          "set_aside",
	mail.CodeNoReply:       "perhaps_twice",
	mail.CodeSuspended:     "with_provider",
	mail.CodePaused:        "with_provider",
	mail.CodeDiskFull:      "with_provider",
	mail.CodeSpoolFull:     "with_provider",
	mail.CodeTooBig:        "with_provider",
	mail.CodeNoUIDL:        "with_provider",
	mail.CodeStoreDamaged:  "store",
	mail.CodeStoreNewer:    "store",
}

// technical is the line for the person who helps: step, code, the server's
// words and the cause.
func technical(f *mail.Failure) string {
	var parts []string
	if f.Op != "" {
		parts = append(parts, f.Op)
	}
	if f.Reply != "" {
		parts = append(parts, f.Reply)
	}
	if f.Err != nil {
		parts = append(parts, f.Err.Error())
	}
	return strings.Join(parts, ": ")
}

func capital(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}
