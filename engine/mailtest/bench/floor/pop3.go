//go:build linux

package floor

import (
	"bytes"
	"fmt"
	"strconv"
)

// box is a mailbox of the job.
type box struct {
	f           *floor
	number      uint16
	login       []byte // commands
	rcptAndData []byte // commands
	items       map[string]*item
	open        int // messages that were fetched and are not settled
	now, next   *session
}

// item is one message of a mailbox, by its UIDL.
type item struct {
	box          *box
	number       uint32 // in the file
	fetched, yes bool
	uidl         string
}

// settle notes that the office server has it, for good.
func (it *item) settle() error {
	it.yes = true
	it.box.open--
	return it.box.mayLeave()
}

// step is what a session waits for.
type step int

const (
	stepGreeting step = iota
	stepHeld          // greeted, the session before has not ended
	stepUser
	stepPass
	stepList
	stepUIDL
	stepRETR
	stepWait // for what is under way
	stepDELE
	stepQUIT
)

// session is one POP3 session.
type session struct {
	b    *box
	fd   int
	step step

	buf      []byte
	from, to int // what has come and was not looked at
	seen     int // up to here no end was found

	listed []*item // by message number, from 0 on
	fetch  []int   // message numbers
	got    int
	more   bool // than fit into this session
	delete []*item
	heard  int // answers to DELE
}

const bufferSize = 256 << 10

func newBox(f *floor, number int, b Box) *box {
	return &box{
		f: f, number: uint16(number), items: make(map[string]*item),
		login:       fmt.Appendf(nil, "USER %s\r\nPASS %s\r\nLIST\r\nUIDL\r\n", b.User, b.Password),
		rcptAndData: fmt.Appendf(nil, "RCPT TO:<%s>\r\nDATA\r\n", b.Recipient),
	}
}

// dial begins a session. While another one lives it gets no further than to the
// greeting.
func (b *box) dial() (err error) {
	s := &session{b: b}
	if n := len(b.f.buffers); n > 0 {
		s.buf, b.f.buffers = b.f.buffers[n-1], b.f.buffers[:n-1]
	} else {
		s.buf = make([]byte, bufferSize)
	}
	if b.now == nil {
		b.now = s
	} else {
		b.next = s
	}
	s.fd, err = b.f.dial(b.f.job.POP3, s)
	return err
}

func (s *session) readable() error {
	n, err := read(s.fd, s.buf[s.to:])
	if err != nil {
		return err
	}
	s.to += n
	for s.to > s.from {
		if on, err := s.take(); err != nil {
			return err
		} else if !on {
			break
		}
	}
	s.room()
	return nil
}

// room makes room for what comes.
func (s *session) room() {
	switch {
	case s.from == s.to:
		s.from, s.to, s.seen = 0, 0, 0
	case len(s.buf)-s.to >= len(s.buf)/2:
	default:
		buf := s.buf
		if s.from == 0 {
			buf = make([]byte, 2*len(s.buf))
		}
		s.to = copy(buf, s.buf[s.from:s.to])
		s.seen -= s.from
		s.buf, s.from = buf, 0
	}
}

// take takes one answer; false: it is not there whole.
func (s *session) take() (bool, error) {
	switch s.step {
	case stepList, stepUIDL, stepRETR:
		text, err := s.block()
		if text == nil || err != nil {
			return false, err
		}
		return true, s.answered(text)
	}
	end := bytes.IndexByte(s.buf[s.from:s.to], '\n')
	if end < 0 {
		return false, nil
	}
	line := s.buf[s.from : s.from+end]
	if line[0] != '+' {
		return false, fmt.Errorf("the provider says %q", line)
	}
	s.from += end + 1
	return true, s.said()
}

// block is an answer of several lines, with the line with the dot.
func (s *session) block() ([]byte, error) {
	in := s.buf[s.from:s.to]
	end := bytes.IndexByte(in, '\n')
	if end < 0 {
		return nil, nil
	}
	if in[0] != '+' {
		return nil, fmt.Errorf("the provider says %q", in[:end])
	}
	at := max(end-1, s.seen-s.from) // with the line end before: it may have no lines
	n := bytes.Index(in[at:], []byte("\r\n.\r\n"))
	if n < 0 {
		s.seen = s.from + max(end-1, len(in)-4)
		return nil, nil
	}
	stop := at + n + 5
	s.from += stop
	return in[end+1 : stop], nil
}

// said goes on after an answer of one line.
func (s *session) said() error {
	switch s.step {
	case stepGreeting:
		if s.b.now == s {
			return s.signIn()
		}
		s.step = stepHeld
	case stepUser, stepPass:
		s.step++
	case stepDELE:
		if s.heard++; s.heard == len(s.delete) {
			s.step = stepQUIT
		}
	case stepQUIT:
		return s.ended()
	}
	return nil
}

func (s *session) signIn() error {
	s.step = stepUser
	return write(s.fd, s.b.login)
}

// answered goes on after an answer of several lines.
func (s *session) answered(text []byte) error {
	switch s.step {
	case stepList:
		s.step = stepUIDL
		return nil
	case stepUIDL:
		return s.plan(text)
	}
	it := s.listed[s.fetch[s.got]-1]
	it.fetched = true
	l := s.b.f.newLetter()
	l.item, l.text = it, append(l.text[:0], text...)
	s.got++
	if s.got == len(s.fetch) {
		s.step = stepWait
	}
	if err := s.b.f.arrived(l); err != nil || s.step != stepWait {
		return err
	}
	return s.b.mayLeave()
}

// plan asks for what was not fetched yet.
func (s *session) plan(text []byte) error {
	var fresh []*item
	var out []byte
	for number := 1; len(text) > 3; number++ {
		line, rest, _ := bytes.Cut(text, []byte("\r\n"))
		text = rest
		_, uidl, _ := bytes.Cut(line, []byte(" "))
		it := s.b.items[string(uidl)]
		if it == nil {
			it = &item{box: s.b, number: uint32(len(s.b.items)), uidl: string(uidl)}
			s.b.items[it.uidl] = it
			fresh = append(fresh, it)
		}
		s.listed = append(s.listed, it)
		switch {
		case it.fetched:
		case len(s.fetch) == checkpoint:
			s.more = true
		default:
			s.fetch = append(s.fetch, number)
			out = strconv.AppendInt(append(out, "RETR "...), int64(number), 10)
			out = append(out, "\r\n"...)
		}
	}
	if s.b.f.disk != nil {
		s.b.f.disk.listing(s.b, fresh)
	}
	if len(s.fetch) == 0 {
		s.step = stepWait
		return s.b.mayLeave()
	}
	s.step = stepRETR
	if err := write(s.fd, out); err != nil {
		return err
	}
	return s.b.f.moreHands(len(s.fetch))
}

// mayLeave ends the session when nothing is to be waited for: what is settled by
// then is deleted.
func (b *box) mayLeave() error {
	s := b.now
	if s == nil || s.step != stepWait || !s.more && b.open > 0 {
		return nil
	}
	var out []byte
	for i, it := range s.listed {
		if it.yes {
			s.delete = append(s.delete, it)
			out = strconv.AppendInt(append(out, "DELE "...), int64(i+1), 10)
			out = append(out, "\r\n"...)
		}
	}
	s.step = stepDELE
	if len(s.delete) == 0 {
		s.step = stepQUIT
	}
	if err := write(s.fd, append(out, "QUIT\r\n"...)); err != nil {
		return err
	}
	if s.more {
		return b.dial()
	}
	return b.f.allSettled()
}

// ended goes on after QUIT was answered.
func (s *session) ended() error {
	b := s.b
	if err := b.f.close(s.fd); err != nil {
		return err
	}
	b.f.buffers = append(b.f.buffers, s.buf)
	if b.f.disk != nil {
		b.f.disk.gone(b, s.delete)
	}
	b.now, b.next = b.next, nil
	if b.now == nil {
		b.f.ended++
		return b.f.startBox()
	}
	if b.now.step == stepHeld {
		return b.now.signIn()
	}
	return nil
}
