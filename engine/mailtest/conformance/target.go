package conformance

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"postbag/engine/mail"
)

// TargetServer is an office server under test, with the connector that talks
// to it.
type TargetServer struct {
	// Send makes the transactions for one message on one connection that is
	// kept from call to call.
	Send func(ctx context.Context, job mail.Job, trace, message []byte) ([]mail.Outcome, error)
	// Known are at least two addresses with mailboxes, Unknown is one without.
	Known   []string
	Unknown string
	// Received returns what a mailbox has got, once the server is at rest.
	Received func(address string) [][]byte
}

const targetTrace = "X-Conformance: trace\r\n"

// Target runs the suite of delivery. start returns a server with empty
// mailboxes for each part.
func Target(t *testing.T, start func(t *testing.T) TargetServer) {
	parts := []struct {
		name string
		run  func(*testing.T, TargetServer)
	}{
		{"one message for all", sendToAll},
		{"rule 43: a status for each recipient", sendToSome},
		{"nobody known", sendToNobody},
		{"rules 38 and 39: unaltered", sendStrange},
		{"rule 41: the null sender", sendNullSender},
		{"many on one connection", sendMany},
	}
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) { p.run(t, start(t)) })
	}
}

func (v TargetServer) send(t *testing.T, sender string, message []byte, to ...string) []mail.Verdict {
	t.Helper()
	j := mail.Job{Message: 1, ID: "X", Target: "office", Sender: sender, Size: int64(len(message))}
	for i, a := range to {
		j.Copies = append(j.Copies, mail.Copy{ID: int64(i), Address: a, Attempts: 1})
	}
	out, err := v.Send(t.Context(), j, []byte(targetTrace), message)
	if err != nil {
		t.Fatalf("send: %v", err)
	}
	got := make([]mail.Verdict, 0, len(out))
	for i, o := range out {
		if o.Copy.Address != to[i] {
			t.Errorf("outcome %d is for %s, not for %s", i, o.Copy.Address, to[i])
		}
		if o.Reply == "" {
			t.Errorf("%s: the server's words are missing", o.Copy.Address)
		}
		got = append(got, o.Verdict)
	}
	return got
}

// holds tells that exactly the messages given are in a mailbox, below the
// lines that the server put above our trace. Mailboxes may end lines by LF.
func (v TargetServer) holds(t *testing.T, address string, messages ...string) {
	t.Helper()
	got := v.Received(address)
	if len(got) != len(messages) {
		t.Errorf("%s has %d messages, want %d", address, len(got), len(messages))
		return
	}
	for _, m := range messages {
		want := []byte(strings.ReplaceAll(targetTrace+m, "\r\n", "\n"))
		i := slices.IndexFunc(got, func(g []byte) bool {
			return bytes.HasSuffix(bytes.ReplaceAll(g, []byte("\r\n"), []byte("\n")), want)
		})
		if i < 0 {
			t.Errorf("%s: %.200q did not arrive as it was; there is %.600q", address, m, got)
			continue
		}
		got = slices.Delete(got, i, i+1)
	}
}

func expect(t *testing.T, got []mail.Verdict, want ...mail.Verdict) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("verdicts %v, want %v", got, want)
	}
}

const plainMessage = "From: a@sender.test\r\nSubject: plain\r\n\r\nhello\r\n"

func sendToAll(t *testing.T, v TargetServer) {
	expect(t, v.send(t, "a@sender.test", []byte(plainMessage), v.Known[0], v.Known[1]), mail.Accepted, mail.Accepted)
	v.holds(t, v.Known[0], plainMessage)
	v.holds(t, v.Known[1], plainMessage)
}

func sendToSome(t *testing.T, v TargetServer) {
	expect(t, v.send(t, "a@sender.test", []byte(plainMessage), v.Unknown, v.Known[1]), mail.NoSuchUser, mail.Accepted)
	v.holds(t, v.Known[0])
	v.holds(t, v.Known[1], plainMessage)
}

func sendToNobody(t *testing.T, v TargetServer) {
	for range 3 {
		expect(t, v.send(t, "a@sender.test", []byte(plainMessage), v.Unknown), mail.NoSuchUser)
	}
	expect(t, v.send(t, "a@sender.test", []byte(plainMessage), v.Known[0]), mail.Accepted)
	v.holds(t, v.Known[0], plainMessage)
}

func sendStrange(t *testing.T, v TargetServer) {
	const head = "From: a@sender.test\r\nSubject: strange\r\n"
	tests := []struct{ sent, want string }{
		{head + "\r\n", head + "\r\n"},
		{head + "\r\n.\r\n..\r\n.x\r\n", head + "\r\n.\r\n..\r\n.x\r\n"},
		{head + "\r\nno end", head + "\r\nno end\r\n"},
		{head + "\r\na\n.\nb\rc\r\n", head + "\r\na\r\n.\r\nb\r\nc\r\n"},
		{head + "X: \xe9\r\n\r\n\xff\xfe\r\n", head + "X: \xe9\r\n\r\n\xff\xfe\r\n"},
		{"Return-Path: <x@y.test>\r\n" + head + "\r\nReturn-Path: <z>\r\n", head + "\r\nReturn-Path: <z>\r\n"},
		{head + "\r\n" + strings.Repeat("y", 990) + "\r\n", head + "\r\n" + strings.Repeat("y", 990) + "\r\n"},
		{head + "\r\n" + strings.Repeat("line of text\r\n", 20_000), head + "\r\n" + strings.Repeat("line of text\r\n", 20_000)},
	}
	var want []string
	for _, tt := range tests {
		expect(t, v.send(t, "a@sender.test", []byte(tt.sent), v.Known[0]), mail.Accepted)
		want = append(want, tt.want)
	}
	v.holds(t, v.Known[0], want...)
}

func sendNullSender(t *testing.T, v TargetServer) {
	expect(t, v.send(t, "", []byte(plainMessage), v.Known[0]), mail.Accepted)
	v.holds(t, v.Known[0], plainMessage)
}

func sendMany(t *testing.T, v TargetServer) {
	var want []string
	for i := range 60 {
		m := fmt.Sprintf("From: a@sender.test\r\nSubject: number %d\r\n\r\nbody %d\r\n", i, i)
		expect(t, v.send(t, "a@sender.test", []byte(m), v.Known[0]), mail.Accepted)
		want = append(want, m)
	}
	v.holds(t, v.Known[0], want...)
}
