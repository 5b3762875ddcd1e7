package deliver

import (
	"errors"
	"slices"

	"postbag/engine/mail"
)

// errUnasked: what the server says is no answer to what was said last.
var errUnasked = errors.New("a reply that nothing asked for")

// ahead is the letter whose MAIL, RCPT and DATA went out behind the final dot of
// the one before (RFC 2920 section 3.1 lets commands follow the data at once):
// one packet and one round trip for a message instead of two. Its own data wait
// for the answers, and its final dot for the barrier, like any other's.
type ahead struct {
	letter *sending
	said   []string // before DATA
	// doubted: the message before was not taken. QUIRK: a server that objects in
	// the middle of the data and again after them is a reply ahead of us from then
	// on; what looks like a refusal of this one is not believed.
	doubted bool
}

// beginNext has the commands for the next letter go out with the final dot, if
// there is one and they may.
func (s *sending) beginNext() {
	c := s.c
	if s.more || s.l.Next == nil || !s.pipelines() || c.o.behind.breaks() || c.o.grouping.untried() {
		return
	}
	l, ok := s.l.Next()
	if !ok || len(l.Job.Copies) > maxRcpt {
		return
	}
	next := newSending(c, l)
	group := next.group(next.all)
	if !slices.ContainsFunc(group, isLines) && len(group) > 1 {
		for _, command := range group {
			c.w.behind = append(append(c.w.behind, command...), crlf...)
		}
		c.w.behind = append(append(c.w.behind, "DATA"...), crlf...)
		c.ahead = &ahead{letter: next, said: group}
	}
}

// resume tells whether the letter was begun behind the final dot before. It must
// be that one then.
func (s *sending) resume() error {
	a := s.c.ahead
	if a != nil && a.letter != s {
		return errors.New("another message was begun")
	}
	s.ahead, s.c.ahead = a, nil
	return nil
}

// answeredLast takes in what the server said to the final dot behind which a
// letter was begun, or behind which nothing was said.
func (c *Conn) answeredLast(outcomes []mail.Outcome) {
	taken := has(outcomes, accepted)
	if c.ahead != nil {
		c.ahead.doubted = !taken
	}
	c.doubted = c.ahead == nil && !taken && has(outcomes, atDot)
}

func atDot(o mail.Outcome) bool {
	return o.Failure != nil && (o.Failure.Op == OpDot || o.Failure.Op == OpLMTP)
}

// inStep makes sure that the next reply is to the next command. QUIRK: a server
// that objects in the middle of the data and again after them is a reply ahead of
// us for ever, and its second no may be on its way still: RSET finds it out.
func (s *sending) inStep() *mail.Failure {
	c := s.c
	if s.ahead != nil {
		return nil // doubted tells
	}
	astray := &mail.Failure{Code: mail.CodeProtocol, Op: OpMAIL, Err: errUnasked}
	if c.w.buffered() {
		return astray
	}
	if !c.doubted {
		return nil
	}
	c.doubted = false
	r, err := c.w.command("RSET", c.o.Timeouts.Command)
	switch {
	case err != nil:
		return connFault(OpMAIL, err)
	case r.Code == 421:
		_, f := judged(OpMAIL, r)
		return f
	case !r.positive() || c.w.buffered():
		return astray
	}
	return nil
}
