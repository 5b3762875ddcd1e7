package pop3

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"postbag/engine/mail"
)

// script is a net.Conn that reads from a string and swallows what is written.
type script struct {
	net.Conn
	in io.Reader
}

func (s script) Read(p []byte) (int, error)       { return s.in.Read(p) }
func (s script) Write(p []byte) (int, error)      { return len(p), nil }
func (s script) Close() error                     { return nil }
func (s script) SetReadDeadline(time.Time) error  { return nil }
func (s script) SetWriteDeadline(time.Time) error { return nil }

func scripted(in io.Reader) *gate {
	return newGate(context.Background(), script{in: in}, Options{}.withDefaults())
}

func bodyOf(in io.Reader, limit int64) (*gate, *dotReader) {
	g := scripted(in)
	d := &dotReader{gate: g}
	d.reset(limit)
	return g, d
}

// naive is the same as dotReader, slow and plain.
func naive(wire []byte) (message []byte, rest []byte, ok bool) {
	start := true
	for i := 0; i < len(wire); i++ {
		if start && wire[i] == '.' {
			if bytes.HasPrefix(wire[i:], []byte(".\r\n")) {
				return message, wire[i+3:], true
			}
			i++
			if i == len(wire) {
				break
			}
		}
		message = append(message, wire[i])
		// A stuffed dot begins a line, so that CR before it cannot end this one.
		start = wire[i] == '\n' && i > 0 && wire[i-1] == '\r'
	}
	return nil, nil, false
}

// rule 11
func FuzzDotReader(f *testing.F) {
	for _, m := range oddMessages {
		if len(m) > 1000 {
			continue // TestRule11_ByteExact has them
		}
		f.Add([]byte(strings.ReplaceAll(m, "\r\n.", "\r\n..")+".\r\n+OK next\r\n"), 7)
	}
	for _, s := range []string{".\r\n", "..\r\n.\r\n", ".\r.\r\n.\r\n", "\r\n.\r\n", "a\r\n.\r", "a\n.\n.\r\n\r\n.\r\n", ".\n\r\n.\r\n", "\r\r\n.\r\n", ".", "..", ".\r\r\n.\r\n"} {
		f.Add([]byte(s), 1)
	}
	f.Fuzz(func(t *testing.T, wire []byte, chunk int) {
		wire = wire[:min(len(wire), 4096)]
		want, rest, ok := naive(wire)
		readers := map[string]io.Reader{
			"whole": bytes.NewReader(wire), "octets": iotest.OneByteReader(bytes.NewReader(wire)),
			"halves": iotest.HalfReader(bytes.NewReader(wire)), "with EOF": iotest.DataErrReader(bytes.NewReader(wire)),
		}
		for name, in := range readers {
			g, d := bodyOf(in, 0)
			got, err := io.ReadAll(iotest.OneByteReader(d))
			if ok != (err == nil) {
				t.Fatalf("%s: %q: complete %v, want %v", name, wire, err, ok)
			}
			if !ok {
				if f := mail.AsFailure(err); f.Code != mail.CodeClosed {
					t.Fatalf("%s: %v", name, err)
				}
				continue
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("%s: %q: %q, want %q", name, wire, got, want)
			}
			after, _ := io.ReadAll(io.MultiReader(bytes.NewReader(g.buf[g.r:g.w]), in))
			if !bytes.Equal(after, rest) {
				t.Fatalf("%s: %q: out of step: %q, want %q", name, wire, after, rest)
			}
			// The limit cuts exactly, and WriteTo gives the same as Read.
			limit := int64(chunk%(len(want)+2)) + 1
			if limit < 1 {
				limit = 1
			}
			_, d = bodyOf(iotest.HalfReader(bytes.NewReader(wire)), limit)
			var b bytes.Buffer
			_, err = d.WriteTo(&b)
			if !bytes.Equal(b.Bytes(), want[:min(int64(len(want)), limit)]) || (err == nil) != (int64(len(want)) <= limit) {
				t.Fatalf("%s: %q, limit %d: %q %v", name, wire, limit, b.Bytes(), err)
			}
		}
	})
}

// rule 2
func FuzzListing(f *testing.F) {
	for _, s := range []string{"1 120", "2 a", "3", "", " 1  5 x", "1 99999999999999999999", "0 1", "4294967296 1", "1 \x7f", "1 " + strings.Repeat("x", 71)} {
		f.Add([]byte(s + "\n" + s + "\n1 77\n"))
	}
	f.Fuzz(func(t *testing.T, lines []byte) {
		c := collector{max: 100, hasUIDL: true}
		for _, line := range bytes.Split(lines, []byte("\n")) {
			c.addScan(line, false)
			c.addUID(line, len(line) > 90)
		}
		last := 0
		for _, it := range c.listing().Items {
			if it.Number <= last || c.bad[it.Number] {
				t.Fatalf("%q: number %d", lines, it.Number)
			}
			last = it.Number
			if it.Size < -1 || len(it.UID) < 1 || len(it.UID) > 70 || strings.ContainsFunc(it.UID, func(r rune) bool { return r < 0x21 || r > 0x7e }) {
				t.Fatalf("%q: %+v", lines, it)
			}
		}
	})
}

func FuzzStatus(f *testing.F) {
	for _, s := range []string{"+OK", "-ERR [AUTH] x", "+ abc", "+", "", "hello", "[", "-ERR []", "-err [SYS/TEMP x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		s := parseStatus(line)
		for _, failure := range []*mail.Failure{refusal("X", string(s.text)), signInRefusal("X", string(s.text), false), greetingRefusal(string(s.text))} {
			if failure.Code == "" || failure.Class == mail.Internal {
				t.Fatalf("%q: %v", line, failure)
			}
		}
		if strings.ContainsAny(printable(string(line)), "\r\n\x00\x1b") {
			t.Fatalf("%q", printable(string(line)))
		}
	})
}

func FuzzCapabilities(f *testing.F) {
	f.Add("SASL PLAIN LOGIN")
	f.Add("LOGIN-DELAY 900 USER")
	f.Add("LOGIN-DELAY -1")
	f.Fuzz(func(t *testing.T, line string) {
		var c capabilities
		c.parse(line)
		if c.loginDelay < 0 {
			t.Fatal(c)
		}
	})
}
