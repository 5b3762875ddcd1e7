package pop3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"postbag/engine/mail"
	"postbag/engine/source"
)

// listingBudget bounds the octets of one listing, well over MaxItems lines.
const listingBudget = 256 << 20

// List implements source.Session: STAT, LIST, UIDL, in one packet where the
// server has PIPELINING.
func (s *Session) List(ctx context.Context) (source.Listing, error) {
	var l source.Listing
	err := s.call(ctx, "LIST", func() error {
		var err error
		l, err = s.list()
		return err
	})
	if err != nil {
		return source.Listing{}, err
	}
	return l, nil
}

func (s *Session) list() (source.Listing, error) {
	var c collector
	c.max = s.opt.MaxItems
	steps := []struct {
		name string
		read func(*collector) error
	}{{"STAT", s.readStat}, {"LIST", s.readScan}, {"UIDL", s.readUIDL}}
	together := s.pipelines() // whatever the server says to CAPA
	if together {
		if err := s.askTogether("STAT", "LIST", "UIDL"); err != nil {
			return source.Listing{}, err
		}
	}
	for _, step := range steps {
		s.gate.op = step.name
		if !together {
			if err := s.ask(step.name); err != nil {
				return source.Listing{}, err
			}
		}
		if err := step.read(&c); err != nil {
			// Answers to the other two may be on their way: the session is over.
			return source.Listing{}, s.gate.fail(mail.AsFailure(err))
		}
	}
	l := c.listing()
	s.listing, s.listed = slices.Clone(l.Items), true // the caller may sort its own
	return l, nil
}

// ask sends commands in one packet.
func (s *Session) ask(names ...string) error {
	if err := s.gate.idle(); err != nil {
		return err
	}
	s.gate.cork = true
	for _, name := range names {
		if err := s.send(name, name); err != nil {
			return err
		}
	}
	s.gate.cork = false
	return s.gate.flush()
}

// askTogether is ask, with CAPA before them when that is still to be asked and
// its answer read.
func (s *Session) askTogether(names ...string) error {
	if !s.askAgain {
		return s.ask(names...)
	}
	if err := s.ask(append([]string{opCapa}, names...)...); err != nil {
		return err
	}
	after, err := s.readCapabilities()
	s.learn(after)
	return err
}

func (s *Session) readStat(c *collector) error {
	if err := s.status("STAT", s.opt.Timeouts.List); err != nil {
		return err
	}
	n, size, ok := parsePair(s.gate.last.text)
	if !ok {
		// LIST tells the same: a malformed STAT stops nobody's mail.
		c.fault("STAT", s.gate.last.text, "malformed")
		n, size = -1, -1
	}
	c.count, c.size = n, size
	return nil
}

func (s *Session) readScan(c *collector) error {
	if err := s.status("LIST", s.opt.Timeouts.List); err != nil {
		if s.gate.fault == nil && c.count == 0 {
			return nil // QUIRK -ERR to LIST of an empty mailbox
		}
		return err
	}
	return s.readLines(c, "LIST", c.addScan)
}

func (s *Session) readUIDL(c *collector) error {
	err := s.status("UIDL", s.opt.Timeouts.List)
	if err == nil {
		c.hasUIDL = true
		return s.readLines(c, "UIDL", c.addUID)
	}
	if s.gate.fault != nil {
		return err
	}
	c.hasUIDL = s.caps.uidl
	if s.caps.uidl && c.count != 0 || mail.AsFailure(err).Code != mail.CodeRefused {
		// It has UIDL and does not answer now. Going on without would take
		// every known message for a new one.
		return err
	}
	return nil
}

// readLines gives each line of a listing to add, up to its end.
func (s *Session) readLines(c *collector, name string, add func(line []byte, tooLong bool)) error {
	budget := int64(listingBudget)
	for n := 0; ; n++ {
		line, tooLong, err := s.listingLine(&budget, s.opt.Timeouts.Reply)
		if err != nil {
			return err
		}
		if n > 4*s.opt.MaxItems {
			return s.gate.protocol("a listing without end", line)
		}
		if line == nil {
			s.gate.log.note(fmt.Sprintf("%d lines of %s", n, name))
			return nil
		}
		add(line, tooLong)
	}
}

// listingLine returns the next line of a multi-line answer, un-stuffed, nil at
// its end. An over-long line comes cut, with tooLong set.
func (s *Session) listingLine(budget *int64, timeout time.Duration) (line []byte, tooLong bool, err error) {
	line, tooLong, err = s.gate.line(timeout, budget)
	if err != nil {
		return nil, false, err
	}
	if *budget < 0 {
		return nil, false, s.gate.protocol("a listing without end", line)
	}
	if len(line) > 0 && line[0] == '.' {
		if len(line) == 1 {
			return nil, false, nil
		}
		line = line[1:]
	}
	return line, tooLong, nil
}

// known tells whether item is one of this session's own listing (rule 12).
func (s *Session) known(item source.Item) error {
	if !s.listed {
		return errors.New("this session has listed nothing")
	}
	i, ok := slices.BinarySearchFunc(s.listing, item.Number, func(it source.Item, n int) int { return cmp.Compare(it.Number, n) })
	if !ok {
		return errors.New("the number is not in this session's listing")
	}
	if s.listing[i].UID != item.UID {
		return errors.New("the number carries another unique-id in this session")
	}
	return nil
}
