package deliver

import (
	"bytes"
	"io"
)

// transcript writes the lines of a session without passwords and without
// message data. A nil transcript writes nothing.
type transcript struct {
	w      io.Writer
	secret bool // AUTH is under way: what the client says is masked
	data   bool // message data is under way: it is left out
}

func (t *transcript) client(p []byte) {
	if t == nil || t.w == nil || t.data {
		return
	}
	line := bytes.TrimRight(p, "\r\n")
	if t.secret {
		masked := []byte("***")
		// "AUTH PLAIN AGFubmUA..." keeps its first two words.
		if f := bytes.SplitN(line, []byte(" "), 3); len(f) > 1 && bytes.EqualFold(f[0], []byte("AUTH")) {
			masked = append(bytes.Join(f[:2], []byte(" ")), " ***"...)
		}
		line = masked
	}
	t.write("C: ", line)
}

func (t *transcript) server(line []byte) {
	if t == nil || t.w == nil {
		return
	}
	line = bytes.TrimRight(line, "\r\n")
	if t.secret && bytes.HasPrefix(line, []byte("334")) {
		line = []byte("334 ***")
	}
	t.write("S: ", line)
}

func (t *transcript) write(who string, line []byte) {
	_, _ = t.w.Write(append(append([]byte(who), line...), '\n'))
}

func (t *transcript) masking(on bool) {
	if t != nil {
		t.secret = on
	}
}

func (t *transcript) omitting(on bool) {
	if t != nil {
		t.data = on
	}
}
