package present

import (
	"errors"
	"strings"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/app/tell"
	"postbag/engine/mail"
)

// QueueActions says what may be done with a message in its present state.
type QueueActions struct {
	Retry, SendTo, Save, Delete bool
}

// ActionsFor looks at the state of a message: what lies only at the provider
// can be fetched or deleted there, but neither sent on nor saved.
func ActionsFor(e mail.Entry) QueueActions {
	switch e.State {
	case mail.Queued, mail.Quarantined:
		return QueueActions{Retry: true, SendTo: true, Save: true, Delete: true}
	case mail.TooBig, mail.Failed:
		return QueueActions{Retry: true, Delete: true}
	case mail.Collected:
		return QueueActions{Save: true}
	}
	return QueueActions{}
}

// QueueCount says how much of what is in the queue.
func QueueCount(p *i18n.Printer, entries []mail.Entry) string {
	counts := map[mail.State]int64{}
	for _, e := range entries {
		counts[e.State]++
	}
	var parts []string
	for _, s := range mail.States() {
		if n := counts[s]; n > 0 {
			parts = append(parts, p.T("state."+string(s))+"\u00a0"+p.Number(n))
		}
	}
	if len(parts) == 0 {
		return p.T("queue.empty")
	}
	return p.N("main.queue.count", int64(len(entries))) + p.T("main.colon") + strings.Join(parts, ", ")
}

// RetryAll lists the messages that are tried again when all are meant. One that
// is too big is fetched only when it is asked for by itself.
func RetryAll(entries []mail.Entry) []string {
	var ids []string
	for _, e := range entries {
		if e.State != mail.TooBig && ActionsFor(e).Retry {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// Overtaken tells whether a message left the queue between listing and
// changing it, which is no fault when all were meant.
func Overtaken(err error) bool {
	f, ok := errors.AsType[*mail.Failure](err)
	return ok && (f.Code == facts.CodeWrongState || f.Code == facts.CodeUnknownMessage || f.Code == facts.CodeNotFound)
}

// DeleteQuestion asks before a message is deleted for good.
func DeleteQuestion(p *i18n.Printer, e mail.Entry) string {
	key := "main.queue.delete_question"
	if e.State == mail.TooBig || e.State == mail.Failed {
		key = "main.queue.delete_at_provider_question"
	}
	return p.T(key, i18n.Args{"Subject": tell.Line(e.Subject), "From": tell.Line(e.From)})
}

// FileName proposes a name for a saved message.
func FileName(e mail.Entry) string {
	var b strings.Builder
	for _, r := range tell.Line(e.Subject) {
		switch {
		case strings.ContainsRune(`/\:*?"<>|`, r), r == '\uFFFD':
			b.WriteByte('_')
		default:
			b.WriteRune(r)
		}
		if b.Len() > 60 {
			break
		}
	}
	name := strings.Trim(b.String(), " ._")
	if name == "" {
		name = e.ID
	}
	return name + ".eml"
}

// SendToChoices are the addresses that a person may want to send a message to.
func SendToChoices(cfg *config.Config) []string {
	var out []string
	add := func(a string) {
		if a != "" && !containsFold(out, a) {
			out = append(out, a)
		}
	}
	for _, r := range cfg.Recipients {
		add(r.Address)
	}
	for _, l := range cfg.Lists {
		add(l.Address)
	}
	add(cfg.Office.UnknownRecipient)
	add(cfg.Office.Administrator)
	return out
}

// Trim takes the blanks off both ends of what was typed.
func Trim(text string) string { return strings.TrimSpace(text) }

// LooksLikeAddress tells whether a text can be an address at all; the engine
// has the last word.
func LooksLikeAddress(text string) bool {
	text = strings.TrimSpace(text)
	local, domain, found := strings.Cut(text, "@")
	_, ok := config.ASCIIDomain(domain)
	return found && local != "" && ok && !strings.ContainsAny(text, " \t\n,;<>")
}

// FileFault is the failure of a file that the person named.
func FileFault(path string, err error) error {
	return &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeFile, Op: path, Err: err}
}
