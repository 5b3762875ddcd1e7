package pop3

import (
	"strconv"
	"strings"
	"time"
)

// capabilities is an answer to CAPA (RFC 2449); known is false when the server
// has no CAPA.
type capabilities struct {
	known      bool
	stls       bool
	user       bool
	top        bool
	uidl       bool
	pipelining bool
	sasl       map[string]bool // mechanisms in upper case
	loginDelay time.Duration
	expire     string
}

// parse adds one line of the answer. What is unknown or odd is passed over.
func (c *capabilities) parse(line string) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return
	}
	switch strings.ToUpper(words[0]) {
	case "STLS":
		c.stls = true
	case "USER":
		c.user = true
	case "TOP":
		c.top = true
	case "UIDL":
		c.uidl = true
	case "PIPELINING":
		c.pipelining = true
	case "SASL":
		if c.sasl == nil {
			c.sasl = make(map[string]bool)
		}
		for _, m := range words[1:] {
			c.sasl[strings.ToUpper(m)] = true
		}
	case "LOGIN-DELAY": // RFC 2449 section 6.5: seconds, then perhaps USER
		if len(words) > 1 {
			if n, err := strconv.ParseUint(words[1], 10, 31); err == nil {
				c.loginDelay = time.Duration(n) * time.Second
			}
		}
	case "EXPIRE":
		c.expire = strings.Join(words[1:], " ")
	}
}

// capaBudget bounds an answer to CAPA: no honest one comes near.
const capaBudget = 64 << 10

// askCapabilities sends CAPA. A server that refuses it has none; that is no error.
func (s *Session) askCapabilities() (capabilities, error) {
	s.gate.op = opCapa
	if err := s.gate.idle(); err != nil {
		return capabilities{}, err
	}
	if err := s.send(opCapa, opCapa); err != nil {
		return capabilities{}, err
	}
	return s.readCapabilities()
}

const opCapa = "CAPA"

// learn takes over what the server says after the sign-in, if it says anything.
func (s *Session) learn(after capabilities) {
	s.askAgain = false
	if after.known {
		s.caps = after
	}
}

// readCapabilities reads the answer to CAPA.
func (s *Session) readCapabilities() (c capabilities, err error) {
	if err := s.status(opCapa, s.opt.Timeouts.Reply); err != nil {
		if s.gate.fault != nil {
			return c, err
		}
		return c, nil
	}
	c.known = true
	budget := int64(capaBudget)
	for {
		line, tooLong, err := s.listingLine(&budget, s.opt.Timeouts.Reply)
		if err != nil {
			return c, err
		}
		if line == nil {
			return c, nil
		}
		s.gate.log.server(line)
		if !tooLong {
			c.parse(string(line))
		}
	}
}
