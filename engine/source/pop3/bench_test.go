package pop3

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"postbag/engine/mailtest"
	"postbag/engine/source"
)

// endless repeats one message for ever.
type endless struct {
	data []byte
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		c := copy(p[n:], e.data[e.at:])
		n += c
		e.at = (e.at + c) % len(e.data)
	}
	return n, nil
}

func BenchmarkDotReader(b *testing.B) {
	for _, lines := range []int{65, 65_000} {
		b.Run(fmt.Sprintf("%dKB", lines*78/1000), func(b *testing.B) {
			wire := []byte(strings.Repeat(strings.Repeat("x", 76)+"\r\n", lines) + ".\r\n")
			_, d := bodyOf(&endless{data: wire}, 0)
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				d.reset(0)
				if _, err := d.WriteTo(io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFetch collects 5 KB messages over loopback, server included.
func BenchmarkFetch(b *testing.B) {
	body := strings.Repeat(strings.Repeat("x", 76)+"\r\n", 65)
	p, err := mailtest.NewPOP3(mailtest.POP3Options{Users: map[string]string{testUser: testPassword}})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	for range 1000 {
		p.AddMessage(testUser, "", []byte("Subject: x\r\n\r\n"+body))
	}
	s := dial(b, options(p))
	items := list(b, s).Items
	buf := make([]byte, 32<<10)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		// One message per iteration, in runs of a whole mailbox.
		if n++; n%len(items) != 1 {
			continue
		}
		err := s.Fetch(b.Context(), items, 0, func(_ source.Item, body io.Reader, err error) error {
			if err != nil {
				return err
			}
			_, err = io.CopyBuffer(io.Discard, onlyReader{body}, buf)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

type onlyReader struct{ io.Reader }

func BenchmarkList(b *testing.B) {
	var scan, uids bytes.Buffer
	for i := 1; i <= 10_000; i++ {
		fmt.Fprintf(&scan, "%d %d\r\n", i, 5000+i)
		fmt.Fprintf(&uids, "%d %016x\r\n", i, i)
	}
	b.ReportAllocs()
	for b.Loop() {
		c := collector{max: 1 << 20, hasUIDL: true}
		for line := range bytes.SplitSeq(scan.Bytes(), []byte("\r\n")) {
			c.addScan(line, false)
		}
		for line := range bytes.SplitSeq(uids.Bytes(), []byte("\r\n")) {
			c.addUID(line, false)
		}
		if n := len(c.listing().Items); n != 10_000 {
			b.Fatal(n)
		}
	}
}
