package pop3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"postbag/engine/mail"
	"postbag/engine/mailtest"
	"postbag/engine/source"
)

var oddMessages = []string{
	"Subject: plain\r\n\r\nbody\r\n",
	"Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n...\r\n",
	".\r\nbegins with a dot\r\n",
	"Subject: bare\n\nlone LF\n.\nstill the same message\n.\r\n\r\nend\r\n",
	"Subject: cr\r\n\r\na\rb\r\r\n.\r.\r\n",
	"",
	"\r\n",
	"no header at all\r\n",
	"Subject: nul\r\n\r\na\x00b\xff\xfe\r\n",
	"Subject: long\r\n\r\n" + strings.Repeat("x", 300_000) + "\r\n",
	"Subject: many dots\r\n\r\n" + strings.Repeat(".\r\n", 40_000),
}

// rule 10: whole messages with RETR. rule 11: dots un-stuffed, the end only at CRLF.CRLF.
func TestRule11_ByteExact(t *testing.T) {
	for _, noPipelining := range []bool{false, true} {
		p := serve(t, mailtest.POP3Options{NoPipelining: noPipelining}, oddMessages...)
		s := dial(t, options(p))
		got, err := fetchAll(t.Context(), s, list(t, s).Items)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(oddMessages) {
			t.Fatalf("%d messages", len(got))
		}
		for i := range got {
			if got[i] != oddMessages[i] {
				t.Errorf("message %d: %.100q, want %.100q", i+1, got[i], oddMessages[i])
			}
		}
		if err := s.Quit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if said(p, "TOP") != 0 {
			t.Error("TOP instead of RETR (rule 10)")
		}
	}
}

// rule 11: a drop before the terminator is never a complete message.
func TestRule11_DropBeforeTheEnd(t *testing.T) {
	full := "+OK\r\nSubject: x\r\n\r\nbody\r\n.\r\n"
	for n := int64(0); n < int64(len(full)); n++ {
		p := serve(t, mailtest.POP3Options{Fault: mailtest.OnPOP3("RETR", 2, mailtest.POP3Cut(n))},
			"Subject: x\r\n\r\nbody\r\n", "Subject: x\r\n\r\nbody\r\n", "Subject: x\r\n\r\nbody\r\n")
		s := dial(t, options(p))
		complete := 0
		err := s.Fetch(t.Context(), list(t, s).Items, 0, func(_ source.Item, body io.Reader, err error) error {
			if err != nil {
				return err
			}
			if _, err = io.Copy(io.Discard, body); err == nil {
				complete++
			}
			return nil // even when the receiver swallows the error
		})
		if complete != 1 {
			t.Fatalf("cut after %d octets: %d complete messages", n, complete)
		}
		want(t, err, mail.CodeClosed, mail.Transient)
		wantDead(t, s)
		if len(p.Messages(testUser)) != 3 {
			t.Fatal("something was deleted")
		}
	}
}

func TestFetchRefusedMessageLeavesTheOthers(t *testing.T) {
	p := serve(t, mailtest.POP3Options{Fault: mailtest.OnPOP3("RETR", 2, mailtest.POP3Reply("-ERR [SYS/TEMP] disk trouble"))},
		"one\r\n", "two\r\n", "three\r\n")
	s := dial(t, options(p))
	got, err := fetchAll(t.Context(), s, list(t, s).Items)
	if err != nil || !slices.Equal(got, []string{"one\r\n", "refused: [SYS/TEMP] disk trouble", "three\r\n"}) {
		t.Fatalf("%q %v", got, err)
	}
	if err := s.Noop(t.Context()); err != nil {
		t.Fatal("the session must live:", err)
	}
}

func TestFetchGarbageEndsTheSession(t *testing.T) {
	for _, answer := range []string{"\r\n", "hello\r\n", "+ more\r\n", "*\r\n", "OK\r\n", strings.Repeat("+OK", 10_000) + "\r\n"} {
		p := serve(t, mailtest.POP3Options{Fault: mailtest.OnPOP3("RETR", 1, mailtest.POP3Raw(answer))}, "one\r\n", "two\r\n")
		s := dial(t, options(p))
		_, err := fetchAll(t.Context(), s, list(t, s).Items)
		want(t, err, mail.CodeProtocol, mail.Transient)
		wantDead(t, s)
	}
}

// rule 10: the size of LIST is a hint, the limit counts what is read.
func TestRule10_LimitOnOctetsRead(t *testing.T) {
	body := strings.Repeat("0123456789\r\n", 1000)
	p := serve(t, mailtest.POP3Options{Line: func(verb string, n int, line string) string {
		if verb == "LIST" {
			return fmt.Sprint(n, " 10")
		}
		return line
	}}, body, "small\r\n")
	for _, tt := range []struct {
		limit    int64
		complete bool
	}{{int64(len(body)), true}, {int64(len(body)) - 1, false}, {1, false}, {0, true}} {
		s := dial(t, options(p))
		l := list(t, s)
		if l.Items[0].Size != 10 {
			t.Fatal(l)
		}
		var got []byte
		var bodyErr error
		err := s.Fetch(t.Context(), l.Items[:1], tt.limit, func(_ source.Item, body io.Reader, err error) error {
			got, bodyErr = io.ReadAll(body)
			return nil
		})
		if tt.complete {
			if err != nil || bodyErr != nil || string(got) != body {
				t.Fatalf("limit %d: %v %v", tt.limit, err, bodyErr)
			}
			if err := s.Quit(t.Context()); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want(t, err, mail.CodeTooBig, mail.Permanent)
		want(t, bodyErr, mail.CodeTooBig, mail.Permanent)
		if int64(len(got)) != tt.limit || string(got) != body[:tt.limit] {
			t.Fatalf("limit %d: %d octets", tt.limit, len(got))
		}
		wantDead(t, s)
		waitUnlocked(t, p)
	}
}

// waitUnlocked ends when the server has noticed that a session is gone.
func waitUnlocked(t *testing.T, p *mailtest.POP3) {
	t.Helper()
	for range 1000 {
		s, err := Dial(t.Context(), options(p))
		if err == nil {
			_ = s.Quit(t.Context())
			return
		}
		if mail.AsFailure(err).Code != mail.CodeInUse {
			t.Fatal(err)
		}
	}
	t.Fatal("the mailbox stays locked")
}

func TestFetchReceiverStops(t *testing.T) {
	p := serve(t, mailtest.POP3Options{}, "one\r\n", "two\r\n")
	s := dial(t, options(p))
	stop := errors.New("disk full")
	err := s.Fetch(t.Context(), list(t, s).Items, 0, func(source.Item, io.Reader, error) error { return stop })
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	wantDead(t, s)
}

func TestFetchUnreadBodyIsPassedOver(t *testing.T) {
	p := serve(t, mailtest.POP3Options{}, strings.Repeat("x", 500_000)+"\r\n", "two\r\n")
	s := dial(t, options(p))
	var second string
	err := s.Fetch(t.Context(), list(t, s).Items, 0, func(it source.Item, body io.Reader, err error) error {
		if it.Number == 2 {
			data, err := io.ReadAll(body)
			second = string(data)
			return err
		}
		return nil
	})
	if err != nil || second != "two\r\n" {
		t.Fatalf("%q %v", second, err)
	}
}

func TestEndlessGreeting(t *testing.T) {
	var sent int64
	p := serve(t, mailtest.POP3Options{Fault: mailtest.OnPOP3("GREETING", 1, mailtest.POP3Stream(func(w io.Writer) error {
		chunk := []byte(strings.Repeat("x", 64<<10))
		if _, err := w.Write([]byte("+OK ")); err != nil {
			return err
		}
		for sent < 300<<20 {
			n, err := w.Write(chunk)
			sent += int64(n)
			if err != nil {
				return err
			}
		}
		return nil
	}))})
	_, err := Dial(t.Context(), options(p))
	want(t, err, mail.CodeProtocol, mail.Transient)
	_ = p.Close()
	if sent > 64<<20 {
		t.Fatalf("%d octets of greeting were taken", sent)
	}
}

// An answer to no command would shift all that follow: a refused DELE would
// look like an accepted one.
func TestUnaskedAnswerEndsTheSession(t *testing.T) {
	p := serve(t, mailtest.POP3Options{Fault: mailtest.OnPOP3("TOP", 1, mailtest.POP3Then("+OK\r\n"))}, "one\r\n")
	s := dial(t, options(p))
	l := list(t, s)
	if _, err := s.Top(t.Context(), 1, 0, 100); err != nil {
		t.Fatal(err)
	}
	done, err := s.Delete(t.Context(), l.Items)
	want(t, err, mail.CodeProtocol, mail.Transient)
	if len(done) != 0 {
		t.Fatal(done)
	}
}

func TestFetchPipelinesInOnePacket(t *testing.T) {
	messages := make([]string, 200)
	for i := range messages {
		messages[i] = fmt.Sprintf("Subject: %d\r\n\r\nx\r\n", i)
	}
	p := serve(t, mailtest.POP3Options{}, messages...)
	o := options(p)
	var conn *countingConn
	o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		conn = &countingConn{Conn: c}
		return conn, err
	}
	s := dial(t, o)
	l := list(t, s)
	before := conn.writes
	got, err := fetchAll(t.Context(), s, l.Items)
	if err != nil || !slices.Equal(got, messages) {
		t.Fatal(len(got), err)
	}
	if n := conn.writes - before; n > 10 {
		t.Errorf("%d writes for 200 messages", n)
	}
	before = conn.writes
	done, err := s.Delete(t.Context(), l.Items)
	if err != nil || len(done) != 200 {
		t.Fatal(len(done), err)
	}
	if n := conn.writes - before; n != 1 {
		t.Errorf("%d writes for 200 deletions, which are answered by a line each", n)
	}
	if err := s.Quit(t.Context()); err != nil || len(p.Messages(testUser)) != 0 {
		t.Fatal(err)
	}
}

type countingConn struct {
	net.Conn
	writes int
}

func (c *countingConn) Write(p []byte) (int, error) {
	c.writes++
	return c.Conn.Write(p)
}

func TestTop(t *testing.T) {
	message := "Subject: x\r\nTo: a\r\n\r\n.one\r\ntwo\r\nthree\r\n"
	p := serve(t, mailtest.POP3Options{}, message)
	s := dial(t, options(p))
	for _, tt := range []struct {
		lines int
		limit int64
		want  string
	}{{0, 1000, message[:21]}, {1, 1000, message[:27]}, {9, 1000, message}, {9, 5, message[:5]}, {9, 0, message}} {
		got, err := s.Top(t.Context(), 1, tt.lines, tt.limit)
		if err != nil || string(got) != tt.want {
			t.Errorf("%+v: %q %v", tt, got, err)
		}
	}
	_, err := s.Top(t.Context(), 2, 0, 100)
	want(t, err, mail.CodeRefused, mail.Transient)
	if err := s.Quit(t.Context()); err != nil {
		t.Fatal(err)
	}
}
