package deliver

import (
	"bufio"
	"context"
	"errors"
	"io"

	"github.com/emersion/go-smtp"

	"postbag/engine/mail"
)

// data says DATA and sends trace, message and final dot.
func (s *sending) data(ctx context.Context, body io.Reader, accepted []int) *mail.Failure {
	s.c.w.expect(s.c.o.Timeouts.Data)
	data, err := s.c.c.Data()
	if err != nil {
		return s.noData(err, accepted)
	}
	return s.content(ctx, data, body, accepted)
}

// noData judges what came instead of 354.
func (s *sending) noData(err error, accepted []int) *mail.Failure {
	r, isReply := replyOf(err)
	if !isReply {
		return s.lost(accepted, OpDATA, err)
	}
	v, f := judged(OpDATA, r)
	s.set(accepted, v, f)
	if fatal := ends(r, f); fatal != nil {
		return fatal
	}
	if r.Code/100 < 4 {
		return f // neither yes nor no: perhaps it waits for data now
	}
	return s.reset()
}

// content sends trace, message and final dot.
func (s *sending) content(ctx context.Context, data *smtp.DataCommand, body io.Reader, accepted []int) *mail.Failure {
	s.c.log.data = true
	defer func() { s.c.log.data = false }()
	if fatal := s.body(body, accepted); fatal != nil {
		return fatal
	}
	return s.dot(ctx, data, accepted)
}

// body sends everything but the last line end. From here on the connection
// must not be used for commands unless the dot was sent: go-smtp would end the
// data first, and the server would take half a message for a whole one.
func (s *sending) body(body io.Reader, accepted []int) *mail.Failure {
	c := s.c
	if c.body == nil {
		c.body = bufio.NewReaderSize(nil, 32<<10)
	}
	e := newEncoder(plainWriter{c.w})
	err := e.trace(s.l.Trace, c.body)
	if err == nil {
		err = e.message(body, c.body)
	}
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[*readError](err); ok {
		f := ownFault("read message", own)
		s.set(accepted, mail.Deferred, f)
		return f
	}
	if r, ok := c.w.lastWords(); ok && r.Code/100 >= 4 {
		v, f := judged(OpBody, r)
		s.set(accepted, v, f)
		return f
	}
	return s.lost(accepted, OpBody, err)
}

// plainWriter keeps message data out of the transcript.
type plainWriter struct{ w *wire }

func (p plainWriter) Write(b []byte) (int, error) { return p.w.write(b) }

// dot ends the data once the barrier is down. From then on no answer means
// that the message may have arrived (rule 46).
func (s *sending) dot(ctx context.Context, data *smtp.DataCommand, accepted []int) *mail.Failure {
	w := s.c.w
	if s.l.Barrier != nil {
		if err := s.l.Barrier(ctx); err != nil {
			f := ownFault("settle the message before", err)
			s.set(accepted, mail.NotAttempted, f)
			return f
		}
	}
	if !w.sendDot() {
		return s.lost(accepted, OpBody, context.Canceled)
	}
	defer w.dotAnswered()
	s.beginNext()
	w.expect(s.c.o.Timeouts.FinalDot)
	if _, err := data.Write(crlf); err != nil {
		return s.unknown(accepted, err)
	}
	if s.c.t.lmtp() {
		return s.dotLMTP(data, accepted)
	}
	resp, err := data.CloseWithResponse()
	if err == nil {
		s.accept(accepted, Reply{Code: 250, Text: resp.StatusText}.String())
		return nil
	}
	r, isReply := replyOf(err)
	if !isReply {
		// The write of the dot may have failed because the server had refused
		// and hung up before.
		silent := connFault(OpDot, err).Code == mail.CodeTimeout
		if silent {
			return s.unknown(accepted, err)
		}
		if r, isReply = w.lastWords(); !isReply || r.Code/100 < 4 {
			return s.unknown(accepted, err)
		}
	}
	v, f := Classify(OpDot, r)
	if f == nil { // 2xx, but not 250: RFC 5321 section 4.2.1
		s.accept(accepted, r.String())
		return nil
	}
	s.set(accepted, v, f)
	return ends(r, f)
}

func (s *sending) unknown(rcpts []int, err error) *mail.Failure {
	f := &mail.Failure{Class: mail.Transient, Code: mail.CodeNoReply, Op: OpDot, Err: err}
	s.set(rcpts, mail.Deferred, f)
	return f
}

// dotLMTP reads one reply per recipient (RFC 2033 section 4.2, rule 43).
func (s *sending) dotLMTP(data *smtp.DataCommand, accepted []int) (fatal *mail.Failure) {
	resp, err := data.CloseWithLMTPResponse()
	refused, _ := errors.AsType[smtp.LMTPDataError](err)
	if _, all := err.(smtp.LMTPDataError); err != nil && !all { //nolint:errorlint // joined with another one the connection is dead
		fatal = connFault(OpLMTP, err)
	}
	for _, i := range accepted {
		one := []int{i}
		address := s.address(i)
		if yes, ok := resp[address]; ok {
			s.accept(one, Reply{Code: 250, Text: yes.StatusText}.String())
			continue
		}
		no, ok := refused[address]
		if !ok {
			s.unknown(one, err)
			continue
		}
		r, _ := replyOf(no)
		v, f := Classify(OpLMTP, r)
		if f == nil {
			s.accept(one, r.String())
			continue
		}
		s.set(one, v, f)
		if fatal == nil {
			fatal = ends(r, f)
		}
	}
	return fatal
}
