package deliver

import (
	"context"
	"errors"
	"io"
	"strconv"
	"sync/atomic"

	"github.com/emersion/go-smtp"

	"postbag/engine/mail"
)

// pipelines tells whether MAIL, RCPT and DATA may go out together (RFC 2920):
// two round trips for a message instead of four. go-smtp counts the recipients
// of LMTP by the replies it sees, so there it is left alone.
func (s *sending) pipelines() bool {
	ok, _ := s.c.c.Extension("PIPELINING")
	return ok && !s.c.t.lmtp() && s.c.o.grouping.Load() != groupingBreaks
}

// grouping is what the connections of a pool have learnt about commands that go
// out together. QUIRK: a filter in between passes the server's PIPELINING on,
// and then drops all but the first command, or the connection. The same is learnt
// by itself of commands behind a final dot.
type grouping struct{ atomic.Int32 }

const (
	groupingUntried int32 = iota
	groupingWorks         // every command of a group was answered once
	groupingBreaks        // the first group broke the connection: one by one
)

func (g *grouping) untried() bool { return g.Load() == groupingUntried }
func (g *grouping) breaks() bool  { return g.Load() == groupingBreaks }

// learn takes in how a group ended; err is what came instead of an answer. One
// that worked is believed from then on: the next break is one of the line.
func (s *sending) learn(err error) {
	g, what := s.c.o.grouping, "commands that go out together break the connection; from now on one by one"
	if s.ahead != nil {
		g, what = s.c.o.behind, "commands behind the end of a message break the connection; from now on they wait for its answer"
	}
	_, isReply := replyOf(err)
	switch {
	case err == nil || isReply:
		g.CompareAndSwap(groupingUntried, groupingWorks)
	case errors.Is(err, errClosing), connFault(OpDATA, err).Code == mail.CodeCancelled:
	case g.Load() != groupingWorks: // perhaps another connection was first
		g.Store(groupingBreaks)
		s.c.ungrouped = true
		s.c.o.Log.Warn(what, "target", s.c.t.Name, "error", err)
	}
}

// together is oneByOne with everything up to DATA said at once. Each reply is
// judged in the same way.
func (s *sending) together(ctx context.Context, body io.Reader, rcpts []int) (left []int, fatal *mail.Failure) {
	for {
		data, err := s.sayTogether(rcpts)
		accepted, left, again, fatal := s.answered(rcpts, err)
		s.ahead = nil // what is said from now on is said now
		switch {
		case fatal != nil:
			return nil, fatal
		case len(accepted) > 0 && err != nil:
			return left, s.noData(err, accepted)
		case len(accepted) > 0:
			s.more = s.more || len(left) > 0
			return left, s.content(ctx, data, body, accepted)
		}
		if fatal := s.forNobody(data, err); fatal != nil || !again {
			return nil, fatal
		}
	}
}

// sayTogether says MAIL, RCPT and DATA in one packet; DATA must be the last of
// a group (RFC 2920 section 3.1). The error is the answer to DATA, the others
// are in answers. What went out behind the final dot before is not said again.
func (s *sending) sayTogether(rcpts []int) (*smtp.DataCommand, error) {
	w, t := s.c.w, s.c.o.Timeouts
	w.begin()
	w.sent = s.ahead != nil
	for _, command := range s.commands(rcpts) {
		if err := w.sayAhead(command); err != nil {
			return nil, err // it could not be said
		}
	}
	wait := max(t.Mail, t.Rcpt, t.Data)
	if w.sent && s.c.o.behind.untried() {
		wait = min(wait, t.Behind)
	}
	w.expect(wait)
	data, err := s.c.c.Data()
	w.sent = false
	s.learn(err)
	return data, err
}

// commands are group, or those of it that went out before.
func (s *sending) commands(rcpts []int) []string {
	if s.ahead != nil {
		return s.ahead.said
	}
	return s.group(rcpts)
}

// group is what a transaction says before DATA.
func (s *sending) group(rcpts []int) []string {
	commands := append(make([]string, 0, 4), s.mailCommand(rcpts))
	for _, same := range s.byAddress(rcpts) {
		if address := s.address(same[0]); safePath(address) {
			commands = append(commands, "RCPT TO:<"+address+">")
		}
	}
	return commands
}

// mailCommand is what go-smtp would say for mailOptions.
func (s *sending) mailCommand(rcpts []int) string {
	o := s.mailOptions(rcpts)
	command := append(append(append(make([]byte, 0, 128), "MAIL FROM:<"...), s.from...), '>')
	if ok, _ := s.c.c.Extension("8BITMIME"); ok {
		command = append(command, " BODY=8BITMIME"...)
	}
	if ok, _ := s.c.c.Extension("SIZE"); ok && o.Size != 0 {
		command = strconv.AppendInt(append(command, " SIZE="...), o.Size, 10)
	}
	if o.UTF8 {
		command = append(command, " SMTPUTF8"...)
	}
	return string(command)
}

// answered judges the replies to MAIL and RCPT; err is the answer to DATA. again
// tells that it is worth saying all once more, with the other sender.
func (s *sending) answered(rcpts []int, err error) (accepted, left []int, again bool, fatal *mail.Failure) {
	answers := s.c.w.answers
	if len(answers) == 0 {
		return nil, nil, false, s.nothingSaid(rcpts, err)
	}
	if r := answers[0]; r.Code != 250 {
		if s.ahead != nil && s.ahead.doubted {
			s.c.ungrouped = true
			return nil, nil, false, s.nothingSaid(rcpts, errUnasked)
		}
		again, fatal = s.senderAnswer(rcpts, r)
		return nil, nil, again, fatal
	}
	answers = answers[1:]
	next := func(string) (Reply, error) {
		if len(answers) == 0 {
			return Reply{}, err
		}
		r := answers[0]
		answers = answers[1:]
		return r, nil
	}
	accepted, left, again, fatal = s.rcptTo(rcpts, next, true)
	if fatal == nil && len(accepted) == 0 {
		again = again && s.otherSender()
	}
	return accepted, left, again, fatal
}

// forNobody ends a transaction without recipients; err is the answer to DATA.
func (s *sending) forNobody(data *smtp.DataCommand, err error) *mail.Failure {
	if err == nil {
		// QUIRK: a server that takes data for nobody. RFC 2920 section 3.1: they
		// are to be ended at once.
		s.c.w.expect(s.c.o.Timeouts.FinalDot)
		_, err := data.CloseWithResponse()
		if _, isReply := replyOf(err); err != nil && !isReply {
			return connFault(OpDATA, err)
		}
		return nil
	}
	if _, isReply := replyOf(err); !isReply {
		return connFault(OpDATA, err)
	}
	return s.reset()
}
