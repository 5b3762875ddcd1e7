package digest

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"postbag/app/i18n"
	"postbag/app/notify"
	"postbag/engine/mail"
)

// How much of a text from outside is shown, in characters.
const (
	mostSender  = 80
	mostSubject = 120
	mostWords   = 300
	mostName    = 60
)

// writer writes the text of a digest; lines end in LF.
type writer struct {
	t *i18n.Printer
	b strings.Builder
}

func (w *writer) line(indent, text string) {
	if text != "" {
		w.b.WriteString(indent + text + "\n")
	}
}

func (w *writer) gap() { w.b.WriteString("\n") }

func (w *writer) subject(causes []Cause) string {
	title := w.title(causes[0])
	if len(causes) == 1 {
		return w.t.T("digest.subject", i18n.Args{"Title": title})
	}
	return w.t.N("digest.subject_more", int64(len(causes)-1), i18n.Args{"Title": title})
}

func (w *writer) title(c Cause) string {
	key := "digest.title." + string(known(c.Kind))
	if c.Kind.Counted() {
		return w.t.N(key, int64(c.Count))
	}
	return w.t.T(key)
}

func (w *writer) body(causes []Cause, now time.Time) string {
	w.line("", w.t.T("digest.intro"))
	for i, c := range causes {
		w.gap()
		w.gap()
		title := fmt.Sprintf("%d. %s", i+1, w.title(c))
		w.line("", title)
		w.line("", strings.Repeat("-", utf8.RuneCountInString(title)))
		w.cause(c, now)
	}
	w.gap()
	w.b.WriteString("-- \n") // the sign of a signature: programs fold it away
	w.line("", w.t.T("digest.footer"))
	return w.b.String()
}

// cause writes what happened, what it means for the mail and what to do.
func (w *writer) cause(c Cause, now time.Time) {
	kind := known(c.Kind)
	alert := notify.Alert{Kind: kind, Count: c.Count, Over: !c.Ended.IsZero()}
	var e i18n.Explanation
	if c.Failure != nil && !kind.Counted() && !alert.Over {
		e = w.t.Fault(c.Failure, c.Context)
	} else {
		e = i18n.Explanation{What: alert.Text(w.t)}
		if !alert.Over {
			e.Advice = w.t.T("digest.advice." + string(kind))
		}
	}
	w.about(c)
	w.line("", clean(e.What, mostWords))
	if e.Meaning != "" {
		w.line("", w.t.T("digest.meaning", i18n.Args{"Text": clean(e.Meaning, mostWords)}))
	}
	if e.Advice != "" {
		w.line("", w.t.T("digest.advice_label", i18n.Args{"Text": clean(e.Advice, mostWords)}))
	}
	switch {
	case alert.Over:
		w.line("", w.t.T("digest.lasted", i18n.Args{"Since": w.t.Stamp(c.Since), "Until": w.t.Stamp(c.Ended)}))
	case !c.Since.IsZero() && !c.Since.After(now):
		w.line("", w.t.T("digest.since", i18n.Args{"Since": w.t.Stamp(c.Since)}))
	}
	if c.Failure != nil && c.Failure.Reply != "" && !kind.Counted() {
		w.line("", w.t.T("digest.words", i18n.Args{"Words": clean(c.Failure.Reply, mostWords)}))
	}
	w.messages(c)
}

// about names the mailbox or the target.
func (w *writer) about(c Cause) {
	name := clean(c.Context.Name, mostName)
	if host := clean(c.Context.Host, mostName); host != "" && host != name {
		name = strings.TrimSpace(name + " (" + host + ")")
	}
	switch {
	case name == "":
	case c.Context.Side == i18n.SideTarget:
		w.line("", w.t.T("digest.target", i18n.Args{"Name": name}))
	case c.Context.Side == i18n.SideSource:
		w.line("", w.t.T("digest.mailbox", i18n.Args{"Name": name}))
	}
}

// messages lists the affected messages, never anything of their bodies.
func (w *writer) messages(c Cause) {
	about := c.Context
	if about.Side == "" && c.Kind == notify.Quarantine {
		about.Side = i18n.SideTarget
	}
	for i, m := range c.Messages {
		if i == mostMessages {
			break
		}
		w.gap()
		from, subject := clean(m.From, mostSender), clean(m.Subject, mostSubject)
		if from == "" {
			from = w.t.T("digest.no_sender")
		}
		if subject == "" {
			subject = w.t.T("digest.no_subject")
		}
		w.line("  ", w.t.T("digest.message", i18n.Args{"Time": w.t.Stamp(m.Time), "From": from, "Size": w.t.Size(m.Size), "ID": clean(m.ID, mostName)}))
		w.line("    ", subject)
		if m.Code != "" {
			why := w.t.Fault(&mail.Failure{Class: mail.Permanent, Code: m.Code}, about)
			w.line("    ", w.t.T("digest.why", i18n.Args{"Text": clean(why.What, mostWords)}))
		}
		if m.Reply != "" {
			w.line("    ", w.t.T("digest.words", i18n.Args{"Words": clean(m.Reply, mostWords)}))
		}
	}
	if more := max(c.Count, len(c.Messages)) - min(len(c.Messages), mostMessages); more > 0 && len(c.Messages) > 0 {
		w.gap()
		w.line("  ", w.t.N("digest.more", int64(more)))
	}
}

// known makes a kind that has no text an unexpected fault.
func known(k notify.Kind) notify.Kind {
	if slices.Contains(notify.Kinds(), k) {
		return k
	}
	return notify.Internal
}

// clean makes one short line of a text that may come from outside: no control
// characters, none that turn the direction of text or are not seen.
func clean(text string, most int) string {
	var b strings.Builder
	n, blank := 0, false
	for _, r := range strings.ToValidUTF8(text, "?") {
		switch {
		case r == '\u00a0' || r == '\u202f': // the spaces of our own French sentences
		case unicode.IsSpace(r):
			blank = b.Len() > 0
			continue
		case !unicode.IsPrint(r) && r != '\u200d': // the joiner holds emoji together
			continue
		}
		if n >= most-1 {
			b.WriteRune('…')
			break
		}
		if blank {
			b.WriteByte(' ')
			n, blank = n+1, false
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}
