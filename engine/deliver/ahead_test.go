package deliver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postbag/engine/mail"
	"postbag/engine/mailtest"
)

// chain links letters so that each names the next one.
func chain(letters []Letter) []Letter {
	for i := range letters {
		letters[i].Job.ID = fmt.Sprintf("M%d", i+1)
		if i+1 < len(letters) {
			letters[i].Next = func() (Letter, bool) { return letters[i+1], true }
		}
	}
	return letters
}

// Where the next message is known, a message is one packet.
func TestBehindIsOnePacket(t *testing.T) {
	s, target := startSMTP(t, mailtest.SMTPOptions{Extensions: pipelining})
	writes := 0
	c := dial(t, target, Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		raw, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return countingConn{raw, &writes}, err
	}})
	writes = 0
	var letters []Letter
	for i := range 10 {
		letters = append(letters, letter(sample, fmt.Sprintf("p%d@office.test", i), "anne@office.test"))
	}
	for _, l := range chain(letters) {
		if outcomes, err := c.Send(t.Context(), l); err != nil || verdicts(outcomes) != "accepted accepted" {
			t.Fatalf("%v %s", err, verdicts(outcomes))
		}
	}
	if writes != 11 {
		t.Errorf("%d packets for 10 messages, want 11", writes)
	}
	for i, m := range s.Mails() {
		if want := fmt.Sprintf("p%d@office.test anne@office.test", i); strings.Join(m.Rcpts, " ") != want || !strings.HasSuffix(string(m.Data), sampleSent) {
			t.Errorf("message %d for %v: %q", i, m.Rcpts, m.Data)
		}
	}
}

// Whatever a server answers to the second of four messages, the fate of each is
// the same whether it was begun behind the final dot before or after its answer.
// rules 41 to 46
func TestBehindAsAfter(t *testing.T) {
	answers := map[string]mailtest.SMTPAction{
		"later": {Reply: "451 4.3.0 Try later"}, "never": {Reply: "554 5.6.0 Not this"}, "unknown": {Reply: "550 5.1.1 Unknown user"},
		"closes": {Reply: "421 4.3.2 Closing"}, "closes at once": {Reply: "421 4.3.2 Closing", Drop: true}, "breaks": {Drop: true},
		"too many": {Reply: "452 4.5.3 Too many recipients"}, "sign-in": {Reply: "530 5.7.0 Authentication required"},
		"odd": {Reply: "299 what"}, "half": {DropAfter: 10},
	}
	for _, step := range []mailtest.SMTPStep{mailtest.StepMAIL, mailtest.StepRCPT, mailtest.StepDATA, mailtest.StepDot} {
		for name, a := range answers {
			if a.DropAfter > 0 && step != mailtest.StepDATA {
				continue
			}
			t.Run(string(step)+" "+name, func(t *testing.T) {
				script := func(e mailtest.SMTPEvent) mailtest.SMTPAction {
					if e.Step == step && e.Conn == 1 && e.Message == 2 {
						return a
					}
					return mailtest.SMTPAction{}
				}
				if after, behind := fates(t, script, false), fates(t, script, true); after != behind {
					t.Errorf("after the answer\n%s\nbehind the dot\n%s", after, behind)
				}
			})
		}
	}
}

// fates sends four messages and tells what became of each; a connection that
// ended is replaced.
func fates(t *testing.T, script func(mailtest.SMTPEvent) mailtest.SMTPAction, behind bool) string {
	t.Helper()
	s, target := startSMTP(t, mailtest.SMTPOptions{Extensions: pipelining, Script: script})
	target.Sender = "connector@office.test"
	o := Options{grouping: new(grouping), behind: new(grouping)}
	o.grouping.Store(groupingWorks)
	o.behind.Store(groupingWorks)
	var letters []Letter
	for i := range 4 {
		letters = append(letters, letter(sample, fmt.Sprintf("p%d@office.test", i), "anne@office.test"))
	}
	if letters = chain(letters); !behind {
		for i := range letters {
			letters[i].Next = nil
		}
	}
	var b strings.Builder
	var c *Conn
	for i, l := range letters {
		if c == nil || c.dead {
			c = dial(t, target, o)
		}
		outcomes, err := c.Send(t.Context(), l)
		fmt.Fprintf(&b, "%d %s (%s)\n", i+1, verdicts(outcomes), codeOf(err))
		for _, o := range outcomes {
			if o.Failure != nil {
				fmt.Fprintf(&b, "  %v %s %s\n", o.Failure.Class, o.Failure.Op, o.Reply)
			}
			if o.Transcript != "" {
				fmt.Fprintf(&b, "  %q\n", o.Transcript)
			}
		}
	}
	for _, m := range s.Mails() {
		fmt.Fprintf(&b, "%s -> %s: %q\n", m.Sender, m.Rcpts, m.Data)
	}
	return b.String()
}

// objectsTwice is a server that objects to a message that is "too big" in the
// middle of its data, and again after them: it is a reply ahead from then on.
func objectsTwice(t *testing.T, taken *atomic.Int32) Target {
	t.Helper()
	return rawSMTP(t, func(c net.Conn) {
		r, big := bufio.NewReader(c), false
		dialogueOf(c, r, func() bool {
			told := false
			for line := ""; line != ".\r\n"; {
				var err error
				if line, err = r.ReadString('\n'); err != nil {
					return false
				}
				if told = told || strings.Contains(line, "too big"); told && !big {
					big = true
					say(c, "552 5.3.4 too big")
				}
			}
			if told {
				say(c, "552 5.3.4 too big, as I said")
				return true
			}
			taken.Add(1)
			say(c, "250 taken")
			return true
		})
	})
}

var tooBig = "Subject: too big\r\n\r\n" + strings.Repeat("too big too big\r\n", 20000)

// Its second no is not one to the next message, which was begun behind the dot.
func TestBehindTwoAnswers(t *testing.T) {
	var taken atomic.Int32
	target := objectsTwice(t, &taken)
	q := newFakeQueue()
	q.add(6, "anne@office.test")
	target.Connections = 1
	r := startPool(t, target, q, func(d *Deps) {
		d.Open = func(_ context.Context, row int64) (io.ReadCloser, int64, error) {
			text := sample
			if row == 3 {
				text = tooBig
			}
			return io.NopCloser(strings.NewReader(text)), int64(len(text)), nil
		}
	})
	r.quiet()
	for i := range 6 {
		want := "accepted"
		if i == 2 {
			want = "refused:too_large"
		}
		if got := q.verdict(fmt.Sprintf("M%d", i+1)); got != want {
			t.Errorf("M%d: %s, want %s", i+1, got, want)
		}
	}
	if taken.Load() != 5 || r.p.State().Paused {
		t.Errorf("%d taken, %+v", taken.Load(), r.p.State())
	}
}

// Nor where nothing was begun: the second no may be on its way still.
func TestTwoAnswers(t *testing.T) {
	var taken atomic.Int32
	c := dial(t, objectsTwice(t, &taken), Options{})
	for i, text := range []string{sample, tooBig, sample} {
		want := []string{"accepted", "refused:too_large", "notattempted:protocol"}[i]
		if outcomes, err := c.Send(t.Context(), letter(text, "anne@office.test")); verdicts(outcomes) != want {
			t.Errorf("message %d: %s, want %s (%v)", i+1, verdicts(outcomes), want, err)
		}
	}
	if !c.dead || taken.Load() != 1 {
		t.Errorf("dead %v, %d taken", c.dead, taken.Load())
	}
}

// QUIRK: a filter that takes whatever comes with the end of a message for part of
// it, or hangs up. It is found out once; no attempt is counted, nothing paused,
// and commands still go out together.
func TestBehindBreaks(t *testing.T) {
	for _, deaf := range []bool{true, false} {
		t.Run(fmt.Sprintf("deaf %v", deaf), func(t *testing.T) {
			var taken, groups atomic.Int32
			target := rawSMTP(t, func(c net.Conn) {
				r := bufio.NewReader(c)
				dialogueOf(c, r, func() bool {
					for line := ""; line != ".\r\n"; {
						var err error
						if line, err = r.ReadString('\n'); err != nil {
							return false
						}
					}
					taken.Add(1)
					say(c, "250 taken")
					if n := r.Buffered(); n > 0 {
						groups.Add(1)
						_, _ = r.Discard(n)
						return deaf
					}
					return true
				})
			})
			target.Connections = 1
			q := newFakeQueue()
			q.add(8, "anne@office.test")
			startPool(t, target, q, func(d *Deps) { d.Options.Timeouts.Behind = 50 * time.Millisecond }).quiet()
			for i := range 8 {
				if got := q.verdict(fmt.Sprintf("M%d", i+1)); got != "accepted" {
					t.Errorf("M%d: %s", i+1, got)
				}
			}
			if taken.Load() != 8 || groups.Load() != 1 {
				t.Errorf("%d taken, %d groups lost", taken.Load(), groups.Load())
			}
			if slices.ContainsFunc(q.log(), func(s string) bool { return strings.HasPrefix(s, "pause") }) {
				t.Errorf("%v", q.log())
			}
		})
	}
}

func say(c net.Conn, line string) { _, _ = c.Write([]byte(line + "\r\n")) }

// rawSMTP is a server that serves each connection with serve.
func rawSMTP(t *testing.T, serve func(net.Conn)) Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { defer c.Close(); serve(c) })
		}
	})
	return Target{Name: "office", Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, HeloName: "postbag.office.test"}
}

// dialogueOf answers commands as a server with PIPELINING does; data takes a
// message, and is false when the server hangs up.
func dialogueOf(c net.Conn, r *bufio.Reader, data func() bool) {
	say(c, "220 odd")
	for {
		line, err := r.ReadString('\n')
		switch {
		case err != nil:
			return
		case strings.HasPrefix(line, "EHLO"):
			say(c, "250-odd\r\n250 PIPELINING")
		case strings.HasPrefix(line, "DATA"):
			if say(c, "354 go on"); !data() {
				return
			}
		default:
			say(c, "250 ok")
		}
	}
}

// A message that waits behind a slow one goes to a connection that has nothing
// to do, and the connection that is slow does not keep it.
func TestNextIsShared(t *testing.T) {
	slow, first := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s, target := startSMTP(t, mailtest.SMTPOptions{Extensions: pipelining, Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepDATA && e.Conn == 1 {
			once.Do(func() { close(first) })
			return mailtest.SMTPAction{Wait: slow}
		}
		return mailtest.SMTPAction{}
	}})
	target.Connections = 2
	q := newFakeQueue()
	q.add(9, "anne@office.test")
	r := startPool(t, target, q)
	<-first
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := s.WaitTaken(ctx, 8); err != nil {
		t.Fatalf("one message waits for another: %d taken", s.Taken())
	}
	close(slow)
	r.quiet()
	if s.Taken() != 9 {
		t.Errorf("%d taken", s.Taken())
	}
}

// rule 46: asked to stop while the next message is begun behind the final dot,
// the answer to the dot still counts, and nothing was attempted of the next.
func TestRule46_StopWithTheNextBegun(t *testing.T) {
	s, q := stopAtDot(t, pipelining, 2, 5)
	due, settled, _ := q.counts()
	if q.verdict("M2") != "accepted" || due != 3 || settled != 2 || s.Taken() != 2 {
		t.Errorf("%s, %d due, %d settled, %d taken", q.verdict("M2"), due, settled, s.Taken())
	}
	for _, j := range q.due {
		if j.Copies[0].Attempts != 0 {
			t.Errorf("an attempt was counted: %+v", j)
		}
	}
}

// A message that cannot be opened after it was begun ends the connection: the
// server waits for data, and is told nothing that it could take for them.
func TestBehindCannotBeOpened(t *testing.T) {
	s, target := startSMTP(t, mailtest.SMTPOptions{Extensions: pipelining})
	c := dial(t, target, Options{})
	letters := chain([]Letter{letter(sample, "anne@office.test"), letter(sample, "anne@office.test"), letter(sample, "anne@office.test")})
	letters[2].Open = func(context.Context) (io.ReadCloser, error) { return nil, errors.New("bad sector") }
	for i, want := range []string{"accepted", "accepted", "deferred:internal"} {
		outcomes, _ := c.Send(t.Context(), letters[i])
		if verdicts(outcomes) != want {
			t.Errorf("%d: %s, want %s", i+1, verdicts(outcomes), want)
		}
	}
	if !c.dead || s.Taken() != 2 || s.Count("QUIT") != 0 {
		t.Errorf("dead %v, %d taken, %d QUIT", c.dead, s.Taken(), s.Count("QUIT"))
	}
}

// A connection that is closed, or asked for another message, with one begun says
// nothing: QUIT would be a line of its data.
func TestCloseWithTheNextBegun(t *testing.T) {
	for _, other := range []bool{false, true} {
		s, target := startSMTP(t, mailtest.SMTPOptions{Extensions: pipelining})
		writes := 0
		c := dial(t, target, Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			raw, err := (&net.Dialer{}).DialContext(ctx, network, address)
			return countingConn{raw, &writes}, err
		}})
		letters := chain([]Letter{letter(sample, "anne@office.test"), letter(sample, "anne@office.test"), letter(sample, "bob@office.test")})
		for _, l := range letters[:2] {
			if _, err := c.Send(t.Context(), l); err != nil {
				t.Fatal(err)
			}
		}
		if c.ahead == nil {
			t.Fatal("nothing was begun")
		}
		writes = 0
		if other {
			outcomes, err := c.Send(t.Context(), letter(sample, "claire@office.test"))
			if codeOf(err) != mail.CodeInternal || verdicts(outcomes) != "notattempted:internal" {
				t.Errorf("another message than the one begun: %v %s", err, verdicts(outcomes))
			}
		}
		_ = c.Close()
		if s.Taken() != 2 || writes != 0 {
			t.Errorf("%d taken, %d packets at the end", s.Taken(), writes)
		}
	}
}
