package deliver

import (
	"bytes"
	"io"
	"strconv"
)

// maxDialogue bounds what an outcome keeps of its transaction.
const maxDialogue = 4 << 10

// transcript writes the lines of a session without passwords and without
// message data, and remembers those of the last transaction (rule 48).
type transcript struct {
	w        io.Writer // nil: nothing is written
	label    string    // tells the connections of one target apart; "" for a single one
	secret   bool      // AUTH is under way: what the client says is masked
	data     bool      // message data are under way: they are left out
	dialogue []byte    // of the last transaction
}

// newTranscript numbers the connections of a pool; 0 is a single one.
func newTranscript(w io.Writer, number int) *transcript {
	t := &transcript{w: w}
	if number > 0 {
		t.label = "[" + strconv.Itoa(number) + "] "
	}
	return t
}

func (t *transcript) client(p []byte) {
	if t.data {
		return
	}
	line := bytes.TrimRight(p, "\r\n")
	if t.secret {
		line = masked(line)
	}
	t.write("C: ", line)
}

// masked keeps the first two words of "AUTH PLAIN AGFubmUA...".
func masked(line []byte) []byte {
	f := bytes.SplitN(line, []byte(" "), 3)
	if len(f) < 2 || !bytes.EqualFold(f[0], []byte("AUTH")) {
		return []byte("***")
	}
	return []byte(string(f[0]) + " " + string(f[1]) + " ***")
}

func (t *transcript) server(line []byte) {
	line = bytes.TrimRight(line, "\r\n")
	if t.secret && bytes.HasPrefix(line, []byte("334")) {
		line = []byte("334 ***")
	}
	t.write("S: ", line)
}

func (t *transcript) write(who string, line []byte) {
	if room := maxDialogue - len(t.dialogue); room > len(line)+4 {
		t.dialogue = append(append(append(t.dialogue, who...), line...), '\n')
	}
	if t.w != nil {
		_, _ = io.WriteString(t.w, t.label+who+string(line)+"\n")
	}
}

// begin forgets the transaction before.
func (t *transcript) begin() { t.dialogue = t.dialogue[:0] }
