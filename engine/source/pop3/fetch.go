package pop3

import (
	"bytes"
	"context"
	"io"
	"strconv"

	"postbag/engine/mail"
	"postbag/engine/source"
)

// Fetch implements source.Session with RETR (rule 10). Where the server has
// PIPELINING up to Window commands are under way, written in one packet. That
// cannot dead-lock: a command is about a dozen octets, so that all of them fit
// into the socket's buffer even while the server waits for us to read.
func (s *Session) Fetch(ctx context.Context, items []source.Item, limit int64,
	each func(item source.Item, body io.Reader, err error) error) error {
	return s.call(ctx, "RETR", func() error { return s.fetch(items, limit, each) })
}

// window is the number of commands that may be under way.
func (s *Session) window() int {
	if s.caps.pipelining {
		return s.opt.Window
	}
	return 1
}

// shortAnswers is how many times more commands may be under way when each is
// answered by a line: far from the provider 500 DELE are one round trip.
const shortAnswers = 8

// pipeline keeps up to window commands under way: it sends those for the items
// from sent on once half of the window was answered, and returns how many
// items have been asked for.
func (s *Session) pipeline(verb string, items []source.Item, sent, answered, window int) (int, error) {
	if sent == len(items) || sent-answered > window/2 {
		return sent, nil
	}
	if sent == answered { // nothing is under way, so nothing may have come
		if err := s.gate.idle(); err != nil {
			return sent, err
		}
	}
	s.gate.cork = true
	for ; sent < len(items) && sent-answered < window; sent++ {
		line := verb + strconv.Itoa(items[sent].Number)
		if err := s.send(line, line); err != nil {
			return sent, err
		}
	}
	s.gate.cork = false
	return sent, s.gate.flush()
}

func (s *Session) fetch(items []source.Item, limit int64, each func(source.Item, io.Reader, error) error) error {
	sent := 0
	for i, item := range items {
		var err error
		if sent, err = s.pipeline("RETR ", items, sent, i, s.window()); err != nil {
			return err
		}
		if err := s.status("RETR", s.opt.Timeouts.Reply); s.gate.fault != nil {
			return err
		} else if err != nil { // refused: this message only
			if err := each(item, nil, err); err != nil {
				return s.stopped(err)
			}
			continue
		}
		s.body.reset(limit)
		if err := each(item, &s.body, nil); err != nil {
			return s.stopped(err)
		}
		if err := s.body.drain(); err != nil {
			return err
		}
		s.gate.log.note("message " + strconv.Itoa(item.Number) + " read")
	}
	return nil
}

// stopped ends the session because the receiver of a message wants no more:
// answers are under way, and nothing may be deleted in a session so left.
func (s *Session) stopped(err error) error {
	f := mail.AsFailure(err)
	s.gate.fail(f)
	return f
}

// topRest is how much more than asked for is passed over to stay in step.
const topRest = 8 << 20

// Top implements source.Session (RFC 1939 section 7). What goes beyond limit is
// passed over; a server that sends far more than it was asked for loses the
// session.
func (s *Session) Top(ctx context.Context, number, lines int, limit int64) ([]byte, error) {
	var head bytes.Buffer
	err := s.call(ctx, "TOP", func() error {
		if _, err := s.command("TOP", "TOP "+strconv.Itoa(number)+" "+strconv.Itoa(max(lines, 0)), s.opt.Timeouts.Reply); err != nil {
			return err
		}
		if limit <= 0 {
			limit = topRest
		}
		s.body.reset(limit + topRest)
		if _, err := io.CopyN(&head, &s.body, limit); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		return s.body.drain()
	})
	if err != nil {
		return nil, err
	}
	return head.Bytes(), nil
}

// Delete implements source.Session with DELE (rule 12).
func (s *Session) Delete(ctx context.Context, items []source.Item) ([]source.Item, error) {
	var done []source.Item
	err := s.call(ctx, "DELE", func() error {
		var err error
		sure, before := s.deletable(items)
		done, err = s.delete(sure)
		done = append(before, done...)
		return err
	})
	return done, err
}

// deletable leaves out what this session's listing does not confirm: a number
// is valid in its own session only (rule 1). before are those that the server
// has acknowledged already.
func (s *Session) deletable(items []source.Item) (sure, before []source.Item) {
	sure = make([]source.Item, 0, len(items))
	asked := make(map[int]bool, len(items))
	for _, item := range items {
		if err := s.known(item); err != nil {
			s.opt.Log.Error("message not deleted at the provider", "number", item.Number, "uid", item.UID, "error", err)
			continue
		}
		if asked[item.Number] {
			continue
		}
		asked[item.Number] = true
		if s.deleted[item.Number] {
			before = append(before, item)
			continue
		}
		sure = append(sure, item)
	}
	return sure, before
}

func (s *Session) delete(items []source.Item) ([]source.Item, error) {
	done := make([]source.Item, 0, len(items))
	sent, window := 0, s.window()
	if window > 1 {
		window *= shortAnswers
	}
	for i, item := range items {
		var err error
		if sent, err = s.pipeline("DELE ", items, sent, i, window); err != nil {
			return done, err
		}
		if err := s.status("DELE", s.opt.Timeouts.Reply); s.gate.fault != nil {
			return done, err
		} else if err != nil {
			s.opt.Log.Warn("the provider refused to delete a message", "number", item.Number, "uid", item.UID, "error", err)
			continue
		}
		s.deleted[item.Number] = true
		done = append(done, item)
	}
	return done, nil
}
