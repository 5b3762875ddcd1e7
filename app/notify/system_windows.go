package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/windows/svc/eventlog"
)

// firstEvent is the number of the first kind's event; EventCreate.exe, whose
// messages we borrow, knows 1 to 1000.
const firstEvent = 100

// System writes into the Windows Event Log, "Application".
type System struct{ o SystemOptions }

// NewSystem registers the source, which only an administrator may and which is
// needed once only, and returns the sink.
func NewSystem(o SystemOptions) (*System, error) {
	// Without the registration the entries come all the same, with a remark of
	// Windows above the text; so the fault does not matter.
	_ = eventlog.InstallAsEventCreate(SystemSource, eventlog.Error|eventlog.Warning|eventlog.Info)
	log, err := eventlog.Open(SystemSource)
	if err != nil {
		return nil, fmt.Errorf("event log: %w", err)
	}
	return &System{o: o}, log.Close()
}

// Name is the word under which told alerts are remembered.
func (s *System) Name() string { return "system" }

// Tell writes one entry.
func (s *System) Tell(_ context.Context, a Alert) error {
	log, err := eventlog.Open(SystemSource)
	if err != nil {
		return fmt.Errorf("event log: %w", err)
	}
	id := firstEvent + uint32(max(slices.Index(Kinds(), a.Kind.known()), 0))
	text := fmt.Sprintf("%s (%s, %s, %s)", a.Text(s.o.Texts), a.Kind.known(), a.state(), a.code())
	switch {
	case a.Over:
		err = log.Info(id, text)
	case a.Kind.serious():
		err = log.Error(id, text)
	default:
		err = log.Warning(id, text)
	}
	if err = errors.Join(err, log.Close()); err != nil {
		return fmt.Errorf("event log: %w", err)
	}
	return nil
}
