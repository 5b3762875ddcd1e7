package deliver

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"postbag/engine/mail"
	"postbag/engine/mailtest"
)

var (
	plainExtensions = []string{"SIZE", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"}
	pipelining      = append([]string{"PIPELINING"}, plainExtensions...)
)

// at answers one step of the first transaction.
func at(step mailtest.SMTPStep, a mailtest.SMTPAction) func(mailtest.SMTPEvent) mailtest.SMTPAction {
	return func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == step && e.Conn == 1 && e.Message <= 1 {
			return a
		}
		return mailtest.SMTPAction{}
	}
}

func recipient(prefix, reply string) func(mailtest.SMTPEvent) mailtest.SMTPAction {
	return func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepRCPT && strings.HasPrefix(e.Address, prefix) {
			return mailtest.SMTPAction{Reply: reply}
		}
		return mailtest.SMTPAction{}
	}
}

// Whatever a server answers, the fate of each recipient is the same whether
// the commands go out together (RFC 2920) or one by one. rules 41 to 46
func TestTogetherAsOneByOne(t *testing.T) {
	reply := func(text string) mailtest.SMTPAction { return mailtest.SMTPAction{Reply: text} }
	drop := mailtest.SMTPAction{Drop: true}
	scripts := map[string]func(mailtest.SMTPEvent) mailtest.SMTPAction{
		"nothing special":  nil,
		"one unknown":      recipient("bob", "550 5.1.1 Unknown user"),
		"all unknown":      recipient("", "550 5.1.1 Unknown user"),
		"one later":        recipient("bob", "450 4.2.0 Greylisted"),
		"too many":         recipient("bob", "452 4.5.3 Too many recipients"),
		"too many at once": recipient("", "452 4.5.3 Too many recipients"),
		"closes at a name": recipient("bob", "421 4.3.2 Closing"),
		"needs a sign-in":  recipient("bob", "530 5.7.0 Authentication required"),
		"sender at RCPT":   recipient("", "550 5.7.1 Sender refused"),
		"MAIL later":       at(mailtest.StepMAIL, reply("451 4.3.0 Try later")),
		"MAIL never":       at(mailtest.StepMAIL, reply("550 5.7.1 Relay denied")),
		"sender at MAIL":   at(mailtest.StepMAIL, reply("550 5.1.8 Sender domain")),
		"MAIL closes":      at(mailtest.StepMAIL, reply("421 4.3.2 Closing")),
		"MAIL too big":     at(mailtest.StepMAIL, reply("552 5.3.4 Too big")),
		"MAIL breaks":      at(mailtest.StepMAIL, drop),
		"RCPT breaks":      at(mailtest.StepRCPT, drop),
		"DATA later":       at(mailtest.StepDATA, reply("451 4.3.0 Try later")),
		"DATA never":       at(mailtest.StepDATA, reply("554 5.6.0 Not this")),
		"DATA closes":      at(mailtest.StepDATA, reply("421 4.3.2 Closing")),
		"DATA breaks":      at(mailtest.StepDATA, drop),
		"dot later":        at(mailtest.StepDot, reply("451 4.3.0 Try later")),
		"dot never":        at(mailtest.StepDot, reply("554 5.7.1 Spam")),
		"dot breaks":       at(mailtest.StepDot, drop),
	}
	for name, script := range scripts {
		t.Run(name, func(t *testing.T) {
			if one, all := fate(t, plainExtensions, script), fate(t, pipelining, script); one != all {
				t.Errorf("one by one\n%s\ntogether\n%s", one, all)
			}
		})
	}
}

// fate sends a message to three people and another one after it, and tells
// what became of both.
func fate(t *testing.T, extensions []string, script func(mailtest.SMTPEvent) mailtest.SMTPAction) string {
	t.Helper()
	s, target := startSMTP(t, mailtest.SMTPOptions{Extensions: extensions, Script: script})
	target.Sender = "connector@office.test"
	c := dial(t, target, Options{})
	var b strings.Builder
	for _, to := range [][]string{{"anne@office.test", "bob@office.test", "claire@office.test", "no address"}, {"anne@office.test"}} {
		outcomes, err := c.Send(t.Context(), letter(sample, to...))
		fmt.Fprintf(&b, "%s (%s)\n", verdicts(outcomes), codeOf(err))
		for _, o := range outcomes {
			if o.Failure != nil {
				fmt.Fprintf(&b, "  %v %s %s\n", o.Failure.Class, o.Failure.Op, o.Reply)
			}
		}
	}
	var got []string
	for _, m := range s.Mails() {
		for _, r := range m.Rcpts {
			got = append(got, fmt.Sprintf("%s (%s) -> %s: %q", m.Sender, m.Params, r, m.Data))
		}
	}
	slices.Sort(got)
	return b.String() + strings.Join(got, "\n")
}

// Whatever an address holds, it stays one command.
func TestSayAheadIsOneLine(t *testing.T) {
	w := newWire(nil, time.Second, newTranscript(nil, 0))
	for _, command := range []string{"MAIL FROM:<a@b>\r\nDATA", "RCPT TO:<a\n@b>", "\r"} {
		if err := w.sayAhead(command); err == nil || len(w.out) > 0 || w.owed > 0 {
			t.Errorf("%q: %v, gathered %q", command, err, w.out)
		}
	}
}

// countingConn counts the packets that a client sends.
type countingConn struct {
	net.Conn
	writes *int
}

func (c countingConn) Write(p []byte) (int, error) {
	*c.writes++
	return c.Conn.Write(p)
}

// A message is two packets and two round trips where the server allows it.
func TestTogetherInTwoPackets(t *testing.T) {
	for _, extensions := range [][]string{plainExtensions, pipelining} {
		s, target := startSMTP(t, mailtest.SMTPOptions{Extensions: extensions})
		writes := 0
		c := dial(t, target, Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			raw, err := (&net.Dialer{}).DialContext(ctx, network, address)
			return countingConn{raw, &writes}, err
		}})
		writes = 0
		if _, err := c.Send(t.Context(), letter(sample, "anne@office.test", "bob@office.test")); err != nil {
			t.Fatal(err)
		}
		want := 5
		if slices.Contains(extensions, "PIPELINING") {
			want = 2
		}
		if writes != want || s.Taken() != 1 {
			t.Errorf("%v: %d packets, want %d", extensions, writes, want)
		}
	}
}

// A server may say yes after it said "too many": that recipient got the
// message and must not get it again. rule 42
func TestRule42_YesAfterTooMany(t *testing.T) {
	n := 0
	s, target := startSMTP(t, mailtest.SMTPOptions{Extensions: pipelining, Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepRCPT {
			if n++; n == 2 {
				return mailtest.SMTPAction{Reply: "452 4.5.3 Too many recipients"}
			}
		}
		return mailtest.SMTPAction{}
	}})
	rcpts := []string{"anne@office.test", "bob@office.test", "claire@office.test"}
	outcomes, err := dial(t, target, Options{}).Send(t.Context(), letter(sample, rcpts...))
	if err != nil || verdicts(outcomes) != "accepted accepted accepted" {
		t.Fatalf("%v %s", err, verdicts(outcomes))
	}
	checkOnce(t, s, rcpts, 2)
}

// rule 48: the transcript reads like a dialogue although it was none.
func TestRule48_TranscriptInOrder(t *testing.T) {
	_, target := startSMTP(t, mailtest.SMTPOptions{Extensions: pipelining, Script: recipient("full", "552 5.2.2 Mailbox full")})
	outcomes, err := dial(t, target, Options{}).Send(t.Context(), letter(sample, "full@office.test"))
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for line := range strings.Lines(outcomes[0].Transcript) {
		who, text, _ := strings.Cut(line, ": ")
		words = append(words, who+" "+text[:4])
	}
	if got := strings.Join(words, "|"); got != "C MAIL|S 250 |C RCPT|S 552 |C DATA|S 503 |C RSET|S 250 " && got != "C MAIL|S 250 |C RCPT|S 552 |C DATA|S 554 |C RSET|S 250 " {
		t.Errorf("%s\n%s", got, outcomes[0].Transcript)
	}
}

// QUIRK: a server that takes data for nobody gets none, and the connection
// goes on in step.
func TestTogetherForNobody(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var data []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		data = oddServer(c)
	}()
	port := l.Addr().(*net.TCPAddr).Port
	c := dial(t, Target{Host: "127.0.0.1", Port: port}, Options{})
	for _, want := range []string{"nosuchuser:unknown_user", "accepted"} {
		outcomes, err := c.Send(t.Context(), letter(sample, map[bool]string{true: "anne", false: "ghost"}[want == "accepted"]+"@office.test"))
		if err != nil || verdicts(outcomes) != want {
			t.Errorf("%v %s, want %s", err, verdicts(outcomes), want)
		}
	}
	_ = c.Close()
	<-done
	if len(data) != 2 || strings.TrimSpace(data[0]) != "" || !strings.Contains(data[1], "body") {
		t.Errorf("data %q", data)
	}
}

// oddServer says 354 whoever is there.
func oddServer(c net.Conn) (data []string) {
	say := func(line string) { _, _ = c.Write([]byte(line + "\r\n")) }
	r := bufio.NewReader(c)
	say("220 odd")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return data
		}
		switch {
		case strings.HasPrefix(line, "EHLO"):
			say("250-odd\r\n250 PIPELINING")
		case strings.Contains(line, "ghost"):
			say("550 5.1.1 unknown")
		case strings.HasPrefix(line, "DATA"):
			say("354 go on")
			text := ""
			for line = ""; line != ".\r\n"; line, _ = r.ReadString('\n') {
				text += line
			}
			data = append(data, text)
			say("250 taken")
		default:
			say("250 ok")
		}
	}
}

// rule 46: cut off at any moment, nothing counts as delivered that was not, and
// nothing as attempted of which nothing was said.
func TestRule46_TogetherCutOff(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, target := startSMTP(t, mailtest.SMTPOptions{Extensions: pipelining, Script: func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		if e.Step == mailtest.StepRCPT {
			cancel()
			return mailtest.SMTPAction{Silent: true}
		}
		return mailtest.SMTPAction{}
	}})
	outcomes, err := dial(t, target, Options{}).Send(ctx, letter(sample, "anne@office.test"))
	if codeOf(err) != mail.CodeCancelled || outcomes[0].Verdict != mail.NotAttempted || s.Taken() != 0 {
		t.Errorf("%v %s", err, verdicts(outcomes))
	}
}

// QUIRK: a server, or a filter before it, that offers PIPELINING and breaks at
// a group of commands: one drops the connection, one hears the first command
// only. The mail goes out one command at a time, and no attempt is counted.
func TestTogetherBreaks(t *testing.T) {
	for name, deaf := range map[string]bool{"drops": false, "deaf": true} {
		t.Run(name, func(t *testing.T) {
			target, taken := groupBreaker(t, deaf)
			q := newFakeQueue()
			q.add(5, "anne@office.test")
			startPool(t, target, q, func(d *Deps) { d.Options.Timeouts.Mail = 50 * time.Millisecond }, func(d *Deps) {
				d.Options.Timeouts.Rcpt, d.Options.Timeouts.Data = 50*time.Millisecond, 50*time.Millisecond
			}).quiet()
			for i := range 5 {
				if got := q.verdict(fmt.Sprintf("M%d", i+1)); got != "accepted" {
					t.Errorf("M%d: %s", i+1, got)
				}
			}
			if n := taken.Load(); n != 5 {
				t.Errorf("%d taken", n)
			}
			if slices.ContainsFunc(q.log(), func(s string) bool { return strings.HasPrefix(s, "pause") }) {
				t.Errorf("%v", q.log())
			}
		})
	}
}

// groupBreaker is a server that hears one command per packet: what comes with
// it is lost when it is deaf, else it hangs up.
func groupBreaker(t *testing.T, deaf bool) (Target, *atomic.Int32) {
	t.Helper()
	taken := new(atomic.Int32)
	return rawSMTP(t, func(c net.Conn) { breakGroups(c, deaf, taken) }), taken
}

func breakGroups(c net.Conn, deaf bool, taken *atomic.Int32) {
	say := func(line string) { say(c, line) }
	say("220 odd")
	buf, data := make([]byte, 64<<10), ""
	for inData := false; ; {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		text := string(buf[:n])
		switch {
		case inData:
			if data += text; strings.HasSuffix(data, "\r\n.\r\n") {
				inData, data = false, ""
				taken.Add(1)
				say("250 taken")
			}
		case strings.Count(text, "\n") > 1 && !deaf:
			return
		case strings.HasPrefix(text, "EHLO"):
			say("250-odd\r\n250 PIPELINING")
		case strings.HasPrefix(text, "DATA"):
			inData = true
			say("354 go on")
		default:
			say("250 ok")
		}
	}
}
