package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/app/tell"
	"postbag/engine/mail"
)

// report shows an error that ended a command as one block: what happened, what
// it means for the mail, what to do, the technical line.
func (s *session) report(err error) {
	if err == nil {
		return
	}
	if p, ok := errors.AsType[*partial](err); ok {
		err = p.error
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			s.report(e)
		}
		return
	}
	if _, ok := errors.AsType[outcome](err); ok {
		return
	}
	// The reader of our output went away, as head does: nobody to tell.
	if errors.Is(err, syscall.EPIPE) {
		return
	}
	if u, ok := errors.AsType[*usageError](err); ok {
		s.reportUsage(u)
		return
	}
	if c, ok := errors.AsType[*facts.ConfigError](err); ok {
		s.reportConfig(c)
		return
	}
	if errors.Is(err, context.Canceled) {
		s.say(Name + s.p.T("cli.colon") + s.p.T("fault.cancelled"))
		return
	}
	s.reportFailure(mail.AsFailure(err), i18n.Context{})
}

func (s *session) reportUsage(u *usageError) {
	s.say(Name + s.p.T("cli.colon") + u.text)
	if u.hint != "" {
		s.say("  " + s.p.T("cli.see_help", i18n.Args{"Command": u.hint + " --help"}))
	}
}

func (s *session) reportConfig(c *facts.ConfigError) {
	s.say(Name + s.p.T("cli.colon") + s.p.T("cli.config_unusable", i18n.Args{"Path": c.Path}))
	for _, p := range c.Problems {
		s.say("  " + s.problemLine(c.Path, p))
	}
	s.say("  " + s.p.T("meaning.store"))
}

// problemLine is one fault of the configuration as compilers write it.
func (s *session) problemLine(path string, p facts.Problem) string {
	var b strings.Builder
	b.WriteString(path)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	b.WriteString(": ")
	if p.Warning {
		b.WriteString(s.p.T("cli.warning") + s.p.T("cli.colon"))
	}
	if p.Field != "" {
		b.WriteString(p.Field + ": ")
	}
	b.WriteString(p.Message)
	return tell.Sentence(b.String())
}

func (s *session) reportFailure(f *mail.Failure, c i18n.Context) {
	for i, line := range s.explain(f, c) {
		if i == 0 {
			line = Name + s.p.T("cli.colon") + line
		} else {
			line = "  " + line
		}
		s.say(line)
	}
}

// explain is a failure in lines: what happened first, then the meaning, the
// advice, the command that helps, the technical detail.
func (s *session) explain(f *mail.Failure, c i18n.Context) []string {
	lines := s.advise(f, c)
	// Where the caller's own words are at fault no mail was ever in question.
	if !usageCodes[f.Code] && f.Code != facts.CodeBusy {
		lines = slices.Insert(lines, 1, tell.Sentence(s.p.Fault(f, c).Meaning))
	}
	return lines
}

// advise is explain without the meaning for the mail, where none was touched.
func (s *session) advise(f *mail.Failure, c i18n.Context) []string {
	e := s.p.Fault(f, c)
	lines := []string{tell.Sentence(e.What), tell.Sentence(e.Advice)}
	if key := "hint." + string(f.Code); s.p.Has(key) {
		lines = append(lines, s.p.T(key, i18n.Args{"Program": Name}))
	}
	// For the codes of the application Op is the thing, which the sentence
	// names already.
	if e.Detail != "" && e.Detail != f.Op {
		lines = append(lines, s.p.T("cli.detail", i18n.Args{"Detail": cell(e.Detail)}))
	}
	return lines
}

// sentence is a fault in one line for JSON and tables: what happened and the
// server's own words.
func (s *session) sentence(f *facts.Fault, c i18n.Context) string {
	if f == nil {
		return ""
	}
	text := tell.Sentence(s.p.Fault(f.Failure(), c).What)
	if f.Reply != "" {
		text = strings.TrimSuffix(text, ".") + " (" + cell(f.Reply) + ")."
	}
	return text
}
