package header

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
)

// maxBlock is how much of a header is kept: far more than servers accept, little
// enough for memory.
const maxBlock = 1 << 20

// Collector reads a message as it streams by, in pieces of any size: it keeps
// the header and fingerprints header and body without holding the body.
type Collector struct {
	block  []byte // the header with its line ends, up to maxBlock
	inBody bool
	line   int  // octets of the current header line so far, CR not counted
	held   bool // a CR waits for what follows it
	size   int64
	body   hash.Hash
	fields *Header // of block; nil: not parsed since it grew
	out    []byte  // body octets on their way to the hash
	ended  bool    // the last body octets were a line end
}

// NewCollector returns a Collector for one message.
func NewCollector() *Collector { return &Collector{body: sha256.New()} }

// Write takes the next octets. It never fails.
func (c *Collector) Write(p []byte) (int, error) {
	n := len(p)
	c.size += int64(n)
	if !c.inBody {
		p = c.header(p)
	}
	if len(p) > 0 {
		c.text(p)
	}
	return n, nil
}

// header takes octets up to and with the empty line and returns the rest.
func (c *Collector) header(p []byte) []byte {
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			c.keep(p)
			c.line += len(bytes.TrimRight(p, "\r"))
			return nil
		}
		c.keep(p[:i+1])
		empty := c.line == 0 && len(bytes.TrimRight(p[:i], "\r")) == 0
		c.line = 0
		p = p[i+1:]
		if empty {
			c.inBody = true
			return p
		}
	}
	return nil
}

func (c *Collector) keep(p []byte) {
	if room := maxBlock - len(c.block); room > 0 {
		c.block, c.fields = append(c.block, p[:min(room, len(p))]...), nil
	}
}

// text hashes body octets with every line end as CRLF, however it came.
func (c *Collector) text(p []byte) {
	if !c.held && normal(p) {
		c.body.Write(p)
		c.ended = p[len(p)-1] == '\n'
		return
	}
	out := c.out[:0]
	for _, b := range p {
		if c.held {
			c.held = false
			out = append(out, '\r', '\n')
			c.ended = true
			if b == '\n' {
				continue
			}
		}
		switch b {
		case '\r':
			c.held = true
		case '\n':
			out = append(out, '\r', '\n')
			c.ended = true
		default:
			out = append(out, b)
			c.ended = false
		}
	}
	c.body.Write(out)
	c.out = out[:0]
}

// normal tells whether every CR stands before an LF and every LF behind a CR,
// and none is cut off at an edge.
func normal(p []byte) bool {
	if p[0] == '\n' || p[len(p)-1] == '\r' {
		return false
	}
	for rest := p; ; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			return bytes.IndexByte(rest, '\r') < 0
		}
		if i == 0 || rest[i-1] != '\r' || bytes.IndexByte(rest[:i-1], '\r') >= 0 {
			return false
		}
		rest = rest[i+1:]
	}
}

// Size is how many octets came.
func (c *Collector) Size() int64 { return c.size }

// Header is what was kept of the header; its fields are not to be changed.
func (c *Collector) Header() Header {
	if c.fields == nil {
		h := Parse(c.block)
		c.fields = &h
	}
	return *c.fields
}

// fingerprinted are the fields that make up a fingerprint, besides the body.
var fingerprinted = [...]string{"Message-ID", "Date", "From", "Subject"}

// Fingerprint is rule 34: SHA-256, in hex, over the unfolded values of
// Message-ID, Date, From and Subject, each with its length before it, and the
// body with CRLF line ends. Trace headers do not count. A line end missing at
// the very end of the body is added, since servers add it too.
func (c *Collector) Fingerprint() string {
	c.finish()
	sum := sha256.New()
	h := c.Header()
	line := make([]byte, 0, 256)
	for _, name := range fingerprinted {
		for _, f := range h.Fields {
			if f.Is(name) {
				line = append(append(line[:0], name...), ' ')
				line = append(append(strconv.AppendInt(line, int64(len(f.Value)), 10), ':'), f.Value...)
				sum.Write(append(line, '\n'))
			}
		}
	}
	c.hashJunk(sum)
	sum.Write(c.body.Sum(nil))
	return hex.EncodeToString(sum.Sum(nil))
}

// hashJunk adds the lines above the body that belong to no field: in a message
// without a header they are its text, and two such messages must not pass for
// one another.
func (c *Collector) hashJunk(sum hash.Hash) {
	open := false
	for rest, first := c.block, true; len(rest) > 0; first = false {
		var line []byte
		line, rest = cutLine(rest)
		if len(line) == 0 {
			return
		}
		folded := line[0] == ' ' || line[0] == '\t'
		if !folded {
			_, _, open = cutName(line)
			if first && bytes.HasPrefix(line, []byte("From ")) {
				continue // an mbox line is written by those who carry the message
			}
		}
		if !open {
			sum.Write([]byte("text " + strconv.Itoa(len(line)) + ":" + string(line) + "\n"))
		}
	}
}

func (c *Collector) finish() {
	if c.held {
		c.held = false
		c.body.Write([]byte("\r\n"))
		c.ended = true
	}
	if !c.ended {
		c.body.Write([]byte("\r\n"))
		c.ended = true
	}
}
