package deliver

import (
	"context"
	"errors"
	"io"

	"github.com/emersion/go-smtp"

	"postbag/engine/mail"
)

// maxRcpt is the number of recipients that every server must take in one
// transaction (RFC 5321 section 4.5.3.1.8, rule 42).
const maxRcpt = 100

// Send makes the transactions for one letter: one, or several when the
// recipients are many (rule 42). It returns one outcome per copy of the job,
// in their order. The error is nil as long as the connection can go on; else
// it is the *mail.Failure that ended it, and the outcomes are valid nevertheless.
//
// Cancelling ctx ends it at once, unless the final dot was sent: then the
// reply is awaited for Timeouts.StopDot and recorded as unknown (rule 46).
func (c *Conn) Send(ctx context.Context, l Letter) ([]mail.Outcome, error) {
	s, pending := c.begun(l)
	if c.dead {
		return s.end(&mail.Failure{Code: mail.CodeClosed, Op: OpMAIL})
	}
	if err := s.resume(); err != nil {
		c.drop()
		return s.end(&mail.Failure{Code: mail.CodeInternal, Op: OpMAIL, Err: err})
	}
	defer c.watch(ctx)()
	if f := s.inStep(); f != nil {
		c.drop()
		return s.end(f)
	}
	for len(pending) > 0 {
		n := min(len(pending), maxRcpt)
		s.more = n < len(pending)
		left, fatal := s.transact(ctx, pending[:n])
		if fatal != nil {
			c.drop()
			return s.end(fatal)
		}
		pending = append(left, pending[n:]...)
	}
	c.answeredLast(s.out)
	return s.out, nil
}

// sender chooses the envelope sender. A job that leaves the office carries our
// own (rule 33), <> stays <> (rule 41).
func (c *Conn) sender(j mail.Job) string {
	switch {
	case j.Sender == "" || !safePath(j.Sender):
		return ""
	case j.Outside && c.t.Sender != "":
		return asciiDomain(c.t.Sender)
	}
	return asciiDomain(j.Sender)
}

// sending is one letter on its way through one connection.
type sending struct {
	c    *Conn
	l    Letter
	out  []mail.Outcome
	from string
	more bool // a further transaction is to come

	all   []int    // the numbers of all copies
	alone [1][]int // room for byAddress
	ahead *ahead   // its first commands went out before
}

func newSending(c *Conn, l Letter) *sending {
	n := len(l.Job.Copies)
	s := &sending{c: c, l: l, out: make([]mail.Outcome, n), from: c.sender(l.Job), all: make([]int, n)}
	for i, copy := range l.Job.Copies {
		s.out[i] = mail.Outcome{Copy: copy, Verdict: mail.NotAttempted}
		s.all[i] = i
	}
	return s
}

// begun is the letter as it was begun behind the final dot before, or anew, and
// the numbers of its copies.
func (c *Conn) begun(l Letter) (*sending, []int) {
	if a := c.ahead; a != nil && a.letter.l.Job.ID == l.Job.ID {
		return a.letter, a.letter.all
	}
	s := newSending(c, l)
	return s, s.all
}

// end gives the reason of the end to every copy of which nothing was said.
func (s *sending) end(f *mail.Failure) ([]mail.Outcome, error) {
	for i := range s.out {
		if s.out[i].Verdict == mail.NotAttempted && s.out[i].Failure == nil {
			s.out[i].Failure, s.out[i].Reply = f, f.Reply
		}
	}
	return s.out, f
}

// address is what RCPT says for a copy.
func (s *sending) address(i int) string { return asciiDomain(s.out[i].Copy.Address) }

func (s *sending) set(rcpts []int, v mail.Verdict, f *mail.Failure) {
	for _, i := range rcpts {
		s.out[i].Verdict, s.out[i].Failure, s.out[i].Reply = v, f, f.Reply
	}
}

func (s *sending) accept(rcpts []int, words string) {
	for _, i := range rcpts {
		s.out[i].Verdict, s.out[i].Failure, s.out[i].Reply = mail.Accepted, nil, words
	}
}

// lost judges recipients whose connection broke before the final dot: that was
// an attempt (rule 44), save when we stopped it ourselves.
func (s *sending) lost(rcpts []int, op string, err error) *mail.Failure {
	f := connFault(op, err)
	v := mail.Deferred
	if f.Code == mail.CodeCancelled {
		v = mail.NotAttempted
	}
	s.set(rcpts, v, f)
	return f
}

// ends returns the failure when the reply also ends the connection: the server
// closes (RFC 5321 section 3.8), or it wants a sign-in that works.
func ends(r Reply, f *mail.Failure) *mail.Failure {
	if r.Code == 421 || needsAuth(r) {
		return f
	}
	return nil
}

// transact makes one transaction with the given recipients. left are those that
// belong into a further one; fatal is what ended the connection.
func (s *sending) transact(ctx context.Context, rcpts []int) (left []int, fatal *mail.Failure) {
	body, err := s.l.Open(ctx)
	if err != nil {
		f := ownFault("open message", err)
		s.set(rcpts, mail.Deferred, f)
		if s.ahead != nil {
			fatal = f // the server waits for it
		}
		return nil, fatal
	}
	defer body.Close()
	s.c.log.begin()
	if s.pipelines() {
		left, fatal = s.together(ctx, body, rcpts)
	} else {
		left, fatal = s.oneByOne(ctx, body, rcpts)
	}
	for _, i := range rcpts {
		if s.out[i].Verdict == mail.Refused {
			s.out[i].Transcript = string(s.c.log.dialogue) // rule 48
		}
	}
	return left, fatal
}

// oneByOne waits for each reply before it says the next command.
func (s *sending) oneByOne(ctx context.Context, body io.Reader, rcpts []int) (left []int, fatal *mail.Failure) {
	accepted, left, fatal := s.envelope(rcpts)
	if fatal == nil && len(accepted) > 0 {
		fatal = s.data(ctx, body, accepted)
	}
	return left, fatal
}

// envelope says MAIL and RCPT, with the other sender when the first one is
// refused (rule 41). Without an accepted recipient no transaction is left open.
func (s *sending) envelope(rcpts []int) (accepted, left []int, fatal *mail.Failure) {
	for {
		ok, fatal := s.mailFrom(rcpts)
		if !ok {
			return nil, nil, fatal
		}
		accepted, left, again, fatal := s.rcptTo(rcpts, s.ask, false)
		if fatal != nil || len(accepted) > 0 {
			return accepted, left, fatal
		}
		if fatal := s.reset(); fatal != nil {
			return nil, nil, fatal
		}
		if !again || !s.otherSender() {
			return nil, nil, nil
		}
	}
}

func (s *sending) otherSender() bool {
	other := asciiDomain(s.c.t.Sender)
	if other == "" || s.from == other {
		return false
	}
	s.from = other
	return true
}

func (s *sending) mailFrom(rcpts []int) (ok bool, fatal *mail.Failure) {
	for {
		s.c.w.expect(s.c.o.Timeouts.Mail)
		err := s.c.c.Mail(s.from, s.mailOptions(rcpts))
		if err == nil {
			return true, nil
		}
		r, isReply := replyOf(err)
		if !isReply {
			return false, s.nothingSaid(rcpts, err)
		}
		if again, fatal := s.senderAnswer(rcpts, r); !again {
			return false, fatal
		}
	}
}

func (s *sending) mailOptions(rcpts []int) *smtp.MailOptions {
	return &smtp.MailOptions{Size: s.l.Job.Size + int64(len(s.l.Trace)), UTF8: s.needsUTF8(rcpts)}
}

// nothingSaid is for a connection that broke before anything was said about
// the message: perhaps the server closed the idle connection just now. No
// attempt.
func (s *sending) nothingSaid(rcpts []int, err error) *mail.Failure {
	f := connFault(OpMAIL, err)
	s.set(rcpts, mail.NotAttempted, f)
	return f
}

// senderAnswer judges a refusal of MAIL FROM; again tells that it is worth
// saying once more, now with the other sender (rule 41).
func (s *sending) senderAnswer(rcpts []int, r Reply) (again bool, fatal *mail.Failure) {
	v, f := judged(OpMAIL, r)
	if f.Code == mail.CodeSender && s.otherSender() {
		s.c.o.Log.Info("sender refused, trying the configured one", "reply", f.Reply)
		return true, nil
	}
	s.set(rcpts, v, f)
	return false, ends(r, f)
}

// judged is Classify for a reply where no positive one was expected.
func judged(op string, r Reply) (mail.Verdict, *mail.Failure) {
	v, f := Classify(op, r)
	if f == nil {
		v, f = mail.Deferred, &mail.Failure{Code: mail.CodeProtocol, Op: op, Reply: r.String()}
	}
	return v, f
}

// needsUTF8: RFC 6531 section 3.4 for addresses. A header in UTF-8 is sent as
// it is (rule 40): with SMTPUTF8 a server may not pass it on to an older one.
func (s *sending) needsUTF8(rcpts []int) bool {
	need := !isASCII(s.from)
	for _, i := range rcpts {
		need = need || !isASCII(s.address(i))
	}
	if need {
		need, _ = s.c.c.Extension("SMTPUTF8")
	}
	return need
}

// ask says RCPT and reads the reply; the error is that of the connection.
func (s *sending) ask(address string) (Reply, error) {
	s.c.w.expect(s.c.o.Timeouts.Rcpt)
	err := s.c.c.Rcpt(address, nil)
	if err == nil {
		return Reply{Code: 250}, nil
	}
	if r, isReply := replyOf(err); isReply {
		return r, nil
	}
	return Reply{}, err
}

// rcptTo asks for each address once; the recipients that share an address
// share its reply (rule 43). again tells that a refusal was about the sender.
// With all set every address has been said already: an answer may still be a
// yes after one that was "too many".
func (s *sending) rcptTo(rcpts []int, ask func(string) (Reply, error), all bool) (accepted, left []int, again bool, fatal *mail.Failure) {
	groups := s.byAddress(rcpts)
	for k, same := range groups {
		address := s.address(same[0])
		if !safePath(address) {
			s.set(same, mail.Refused, &mail.Failure{Class: mail.Permanent, Code: mail.CodeRejected, Op: OpRCPT,
				Err: errors.New("not an address that can be sent")})
			continue
		}
		undecided := func() []int { return append(accepted, flatten(groups[k:])...) }
		r, err := ask(address)
		if err != nil {
			return nil, nil, false, s.lost(undecided(), OpRCPT, err)
		}
		if r.Code/10 == 25 {
			accepted = append(accepted, same...)
			continue
		}
		v, f := judged(OpRCPT, r)
		if fatal := ends(r, f); fatal != nil {
			s.set(undecided(), v, f)
			return nil, nil, false, fatal
		}
		if r.tooMany() && len(accepted) > 0 { // rule 42: into a further transaction
			if !all {
				return accepted, flatten(groups[k:]), again, nil
			}
			left = append(left, same...)
			continue
		}
		again = again || senderRefused(r)
		s.set(same, v, f)
	}
	return accepted, left, again, nil
}

// senderRefused: QUIRK: Postfix tells its objections to the sender at RCPT
// (smtpd_delay_reject), with 5.1.7, 5.1.8, or 5.7.1 and the word.
func senderRefused(r Reply) bool {
	return r.Code/100 == 5 && (r.is(1, 7) || r.is(1, 8) || r.subject(7) && r.mentions("sender"))
}

func (s *sending) byAddress(rcpts []int) [][]int {
	if len(rcpts) == 1 {
		s.alone[0] = rcpts
		return s.alone[:]
	}
	groups := make([][]int, 0, len(rcpts))
	at := make(map[string]int, len(rcpts))
	for _, i := range rcpts {
		address := s.address(i)
		g, ok := at[address]
		if !ok {
			g = len(groups)
			at[address] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}

func flatten(groups [][]int) []int {
	var all []int
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}

// reset ends an open transaction. go-smtp's own Reset would say EHLO again.
func (s *sending) reset() *mail.Failure {
	r, err := s.c.w.command("RSET", s.c.o.Timeouts.Command)
	if err != nil {
		return connFault("RSET", err)
	}
	if !r.positive() {
		return &mail.Failure{Code: mail.CodeProtocol, Op: "RSET", Reply: r.String()}
	}
	return nil
}
