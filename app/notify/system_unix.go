//go:build !windows

package notify

import (
	"context"
	"errors"
	"fmt"
	"log/syslog"
	"net"
	"os"
	"strconv"
	"strings"
)

// journalSocket is where journald takes native messages.
const journalSocket = "/run/systemd/journal/socket"

// Priorities of syslog (RFC 5424 section 6.2.1).
const (
	priorityError   = 3
	priorityWarning = 4
	priorityNotice  = 5
)

// System writes into journald, or into syslog where there is none.
type System struct{ o SystemOptions }

// NewSystem returns the sink when one of the two answers, else an error.
func NewSystem(o SystemOptions) (*System, error) {
	if o.Journal == "" {
		o.Journal = journalSocket
	}
	s := &System{o: o}
	if _, err := os.Stat(o.Journal); err == nil {
		return s, nil
	}
	w, err := s.dial(syslog.LOG_NOTICE)
	if err != nil {
		return nil, fmt.Errorf("neither journald nor syslog is there: %w", err)
	}
	return s, w.Close()
}

// Name is the word under which told alerts are remembered.
func (s *System) Name() string { return "system" }

// Tell writes one entry.
func (s *System) Tell(ctx context.Context, a Alert) error {
	err := s.journal(ctx, a)
	if err == nil {
		return nil
	}
	if err2 := s.syslog(a); err2 != nil {
		return errors.Join(err, err2)
	}
	return nil
}

func (a Alert) priority() int {
	switch {
	case a.Over:
		return priorityNotice
	case a.Kind.serious():
		return priorityError
	}
	return priorityWarning
}

// journal sends a datagram of the native protocol: a line a field. The values
// are fixed words, so that none has a line break.
func (s *System) journal(ctx context.Context, a Alert) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unixgram", s.o.Journal)
	if err != nil {
		return fmt.Errorf("journald: %w", err)
	}
	var b strings.Builder
	for _, field := range [][2]string{
		{"MESSAGE", a.Text(s.o.Texts)},
		{"PRIORITY", strconv.Itoa(a.priority())},
		{"SYSLOG_IDENTIFIER", SystemSource},
		{"POSTBAG_KIND", string(a.Kind.known())},
		{"POSTBAG_STATE", a.state()},
		{"POSTBAG_CODE", a.code()},
		{"POSTBAG_COUNT", strconv.Itoa(max(a.Count, 0))},
	} {
		b.WriteString(field[0] + "=" + field[1] + "\n")
	}
	_, err = conn.Write([]byte(b.String()))
	if err = errors.Join(err, conn.Close()); err != nil {
		return fmt.Errorf("journald: %w", err)
	}
	return nil
}

func (s *System) syslog(a Alert) error {
	w, err := s.dial(syslog.Priority(a.priority()))
	if err != nil {
		return fmt.Errorf("syslog: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s (%s, %s)", a.Text(s.o.Texts), a.Kind.known(), a.code())
	if err = errors.Join(err, w.Close()); err != nil {
		return fmt.Errorf("syslog: %w", err)
	}
	return nil
}

func (s *System) dial(priority syslog.Priority) (*syslog.Writer, error) {
	if s.o.Syslog != "" {
		return syslog.Dial("unixgram", s.o.Syslog, priority|syslog.LOG_MAIL, SystemSource)
	}
	return syslog.New(priority|syslog.LOG_MAIL, SystemSource)
}
