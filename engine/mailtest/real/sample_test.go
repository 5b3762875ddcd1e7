//go:build linux

package real_test

import (
	"bytes"
	"fmt"
	"net/textproto"
	"testing"

	"postbag/engine/mailtest/real"
	"postbag/engine/mailtest/sample"
)

// TestSampleThroughServers shows what the real servers themselves change in the
// sample mail, so that a test with Postbag between them knows whom to blame:
// Dovecot must hand out, and Postfix must deliver, every message as it is but
// for its line ends.
func TestSampleThroughServers(t *testing.T) {
	t.Parallel()
	const anne = "anne@office.test"
	messages := sample.Generate(11, 80, sample.Default())
	d := real.StartDovecot(t, real.DovecotOptions{Users: map[string]string{"office-42": "x"}})
	p := real.StartPostfix(t, real.PostfixOptions{Users: []string{anne}})
	for _, m := range messages {
		d.AddMessage("office-42", m.Bytes)
	}
	in := dial(t, d.POP3Addr, nil)
	in.ask("USER office-42", "+OK")
	in.ask("PASS x", "+OK")
	in.ask("STAT", fmt.Sprintf("+OK %d ", len(messages)))
	out := dial(t, p.Addr, nil)
	out.ask("HELO test", "250")
	for i, m := range messages {
		in.ask(fmt.Sprintf("RETR %d", i+1), "+OK")
		got, err := textproto.NewReader(in.r).ReadDotBytes()
		if err != nil {
			t.Fatal(err)
		}
		// QUIRK Dovecot hands out a message of zero bytes as one empty line.
		want := m.Normalized()
		if len(want) == 0 {
			want = []byte("\n")
		}
		if !bytes.Equal(sample.Normalize(got), want) {
			t.Errorf("Dovecot changes message %d (%s)\n got %.2000q\nwant %.2000q", i, m.Kind, sample.Normalize(got), want)
		}
		out.ask("MAIL FROM:<>", "250")
		out.ask("RCPT TO:<"+anne+">", "250")
		out.ask("DATA", "354")
		w := textproto.NewWriter(out.w()).DotWriter()
		if _, err := fmt.Fprintf(w, "Received: from a by b with POP3 (Postbag)\n\tid %d; x\nX-Postbag-Loop: 1\n%s", i, m.Normalized()); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got := out.read(); got[:3] != "250" {
			t.Errorf("Postfix refuses message %d (%s): %s", i, m.Kind, got)
		}
		messages[i].First, messages[i].For = i, []string{anne}
	}
	p.Settle()
	for _, fault := range sample.Check(messages, map[string][][]byte{anne: p.Maildir(anne)}) {
		t.Errorf("%.3000s", fault)
	}
}
