//go:build linux

package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// deliver hands one message to the sink, as a program would.
func deliver(t *testing.T, s *sink, text string, rcpts ...string) {
	t.Helper()
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(c)
	say := func(line, want string) {
		t.Helper()
		if line != "" {
			if _, err := c.Write([]byte(line + "\r\n")); err != nil {
				t.Fatal(err)
			}
		}
		for {
			got, err := r.ReadString('\n')
			if err != nil || !strings.HasPrefix(got, want) {
				t.Fatalf("%.40q: %q %v", line, got, err)
			}
			if got[3] == ' ' {
				return
			}
		}
	}
	say("", "220")
	say("EHLO test", "250")
	say("MAIL FROM:<a@sender.test>", "250")
	for _, to := range rcpts {
		say("RCPT TO:<"+to+">", "250")
	}
	say("DATA", "354")
	say(strings.TrimSuffix(text, "\r\n"), "250")
	say("QUIT", "221")
}

// The sink must see everything that can go wrong, or the figures prove nothing.
func TestSinkVerifies(t *testing.T) {
	s, err := newSink()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	l := newLedger("test", 2, 2, 3000)
	whole := func(i int) string { return "X-Trace: 1\r\n" + l.letters[i].head + string(l.letters[i].wire) }
	cut := func(text string, at int) string { return text[:at] + text[at+1:] }
	cases := []struct {
		name string
		send func()
		want verdict
	}{
		{"all is well", func() {}, verdict{}},
		{"lost", nil, verdict{lost: 1}},
		{"twice", func() { deliver(t, s, whole(3), l.letters[3].rcpt) }, verdict{twice: 1}},
		{"to somebody else too", func() { deliver(t, s, whole(3), l.letters[3].rcpt, "eve@office.test") }, verdict{twice: 1, misdirected: 1}},
		{"to somebody else", func() { deliver(t, s, whole(3), l.letters[0].rcpt) }, verdict{twice: 1, misdirected: 1}},
		{"an octet less", func() { deliver(t, s, cut(whole(3), 2000), l.letters[3].rcpt) }, verdict{twice: 1, altered: 1}},
		{"cut off", func() { deliver(t, s, whole(3)[:2000]+"\r\n.\r\n", l.letters[3].rcpt) }, verdict{twice: 1, altered: 1}},
		{"more at the end", func() {
			deliver(t, s, strings.TrimSuffix(whole(3), ".\r\n")+"more\r\n.\r\n", l.letters[3].rcpt)
		}, verdict{twice: 1, altered: 1}},
		{"a bounce", func() { deliver(t, s, "Subject: hello\r\n\r\nno letter\r\n.\r\n", "anne@office.test") }, verdict{unknown: 1}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l.forget()
			s.ledger.Store(l)
			for i, x := range l.letters {
				if c.send != nil || i > 0 {
					deliver(t, s, whole(i), x.rcpt)
				}
			}
			if c.send != nil {
				c.send()
			}
			if got := l.verdict(); got != c.want || got.ok() != (c.want == verdict{}) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// What was sent together arrives together, a round trip later.
func TestProxyKeepsPipelining(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = bufio.NewReader(c).WriteTo(c) // echo
	}()
	const roundTrip = 100 * time.Millisecond
	p, err := newProxy(l.Addr().(*net.TCPAddr).Port, roundTrip)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := bufio.NewReader(c)
	hello := func(lines int) time.Duration {
		start := time.Now()
		if _, err := c.Write([]byte(strings.Repeat("hello\n", lines))); err != nil {
			t.Fatal(err)
		}
		for range lines {
			if line, err := r.ReadString('\n'); err != nil || line != "hello\n" {
				t.Fatalf("%q %v", line, err)
			}
		}
		return time.Since(start)
	}
	hello(1) // with the handshake
	for _, lines := range []int{1, 50} {
		if took := hello(lines); took < roundTrip || took > 20*roundTrip {
			t.Errorf("%d lines took %v", lines, took)
		}
	}
}

func TestLettersAreAsSaid(t *testing.T) {
	l := newLedger("test", 3, 4, 5000)
	if len(l.letters) != 12 || l.letters[11].rcpt != address(2) {
		t.Fatalf("%d letters", len(l.letters))
	}
	for i, x := range l.letters {
		stored := string(x.stored())
		if strings.Contains(stored, "\r") || !strings.Contains(stored, "\n.") || strings.Count(stored, mark) != 1 {
			t.Errorf("letter %d: %.300q", i, stored)
		}
		if x.size < 4900 || x.size > 5200 || len(stored)+strings.Count(stored, "\n") != x.size {
			t.Errorf("letter %d: %d octets, says %d", i, len(stored), x.size)
		}
	}
}
