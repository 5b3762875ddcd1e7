package attend

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"postbag/app/digest"
	"postbag/app/notify"
	"postbag/engine/mail"
	"postbag/engine/mail/header"
)

// maxHeader bounds what is read of a message to find out who sent it.
const maxHeader = 1 << 20

// asides finds the messages that are set aside. It may be used by several
// goroutines.
type asides struct {
	d Deps

	mu        sync.Mutex
	automatic map[int64]bool // what was found out, by row: a header never changes
}

// found is what is set aside.
type found struct {
	tell map[notify.Kind][]digest.Message // by kind, newest first
	ids  map[string][]string              // by cause: all that its alert counts
}

// kinds lists the kinds that count messages.
func kinds() []notify.Kind {
	return slices.DeleteFunc(notify.Kinds(), func(k notify.Kind) bool { return !k.Counted() })
}

// look goes through the queue.
func (a *asides) look(ctx context.Context) (found, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := found{tell: make(map[notify.Kind][]digest.Message), ids: make(map[string][]string)}
	seen := make(map[int64]bool)
	err := a.d.Queue(ctx, func(e mail.Entry) error {
		kind, m, ok := setAside(e)
		if !ok {
			return nil
		}
		is, sure := a.automatic[e.Row]
		if !sure {
			is, sure = a.isAutomatic(ctx, e)
		}
		if sure {
			seen[e.Row] = is
		}
		m.Automatic = is
		cause := string(kind)
		if m.Automatic || m.Code == mail.CodeUnknownUser { // rule 47; the contract: never about unknown recipients
			cause += automatic
		} else {
			out.tell[kind] = append(out.tell[kind], m)
		}
		out.ids[cause] = append(out.ids[cause], e.ID)
		return nil
	})
	if err != nil {
		return found{}, err
	}
	a.automatic = seen
	for _, list := range out.tell {
		slices.SortStableFunc(list, func(x, y digest.Message) int { return y.Time.Compare(x.Time) })
	}
	return out, nil
}

// setAside describes a message that is set aside, whole or for one of its
// recipients; false for what merely waits.
func setAside(e mail.Entry) (notify.Kind, digest.Message, bool) {
	m := digest.Message{ID: e.ID, Time: e.Time, From: e.From, Subject: e.Subject, Size: e.Size, Code: e.Code}
	if e.Reason != string(e.Code) {
		m.Reply = e.Reason
	}
	switch e.State {
	case mail.Failed:
		return notify.Failed, m, true
	case mail.TooBig:
		m.Reply = ""
		return notify.TooBig, m, true
	}
	aside := e.State == mail.Quarantined
	if aside && e.Code == mail.CodeUnknownUser || !aside {
		for _, r := range e.Recipients {
			// The recipient that says most: unknown ones are not told of.
			if r.State == mail.Quarantined && (!aside || m.Code == mail.CodeUnknownUser) {
				m.Code, m.Reply, aside = r.Code, r.Reply, true
			}
		}
	}
	if e.Route == mail.RouteLoop || m.Code == mail.CodeLoop {
		return notify.Loop, m, aside
	}
	return notify.Quarantine, m, aside
}

// isAutomatic tells whether the message is a bounce or was sent by a machine.
// Of one that is not here only its author is known. When the octets cannot be
// read now it counts as automatic, for the digest must never tell of one that
// is (rule 47); sure is false then.
func (a *asides) isAutomatic(ctx context.Context, e mail.Entry) (is, sure bool) {
	h := header.Header{Fields: []header.Field{{Name: "From", Value: e.From}}}
	if e.State != mail.Failed && e.State != mail.TooBig {
		body, _, err := a.d.Open(ctx, e.Row)
		if err != nil {
			if mail.AsFailure(err).Code == mail.CodeNotFound {
				return !digest.Reportable(h), false
			}
			return true, false
		}
		block, err := headerBlock(body)
		_ = body.Close() // it was only read
		if err != nil {
			return true, false
		}
		h = header.Parse(block)
	}
	return !digest.Reportable(h), true
}

// headerBlock reads up to the first empty line.
func headerBlock(r io.Reader) ([]byte, error) {
	in := bufio.NewReader(io.LimitReader(r, maxHeader))
	var block bytes.Buffer
	for {
		line, err := in.ReadSlice('\n')
		whole := !errors.Is(err, bufio.ErrBufferFull)
		block.Write(line)
		switch {
		case errors.Is(err, io.EOF):
			return block.Bytes(), nil
		case err != nil && whole:
			return nil, err
		case whole && len(bytes.TrimRight(line, "\r\n")) == 0 && endsLine(block.Bytes(), len(line)):
			return block.Bytes(), nil
		}
	}
}

// endsLine tells whether what stands before the last n octets ended a line, so
// that these are an empty line and not the rest of a long one.
func endsLine(b []byte, n int) bool {
	return len(b) == n || b[len(b)-n-1] == '\n'
}
