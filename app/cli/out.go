package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"postbag/app/tell"
)

// lineWriter writes whole lines to standard output or standard error. Nothing
// that could steer a terminal passes: mail and servers may have written it. The
// first error is kept and everything after it dropped.
type lineWriter struct {
	lock *sync.Mutex // shared by both, so that lines never mix
	w    *bufio.Writer
	raw  io.Writer
	fail error
}

func newLineWriter(w io.Writer, lock *sync.Mutex) *lineWriter {
	return &lineWriter{lock: lock, w: bufio.NewWriterSize(w, 16<<10), raw: w}
}

// put buffers one or several lines, without a line end at the end.
func (l *lineWriter) put(text string) error {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.write(safe(text))
}

// line is put that can be read at once.
func (l *lineWriter) line(text string) {
	l.lock.Lock()
	defer l.lock.Unlock()
	_ = l.write(safe(text))
	l.keep(l.w.Flush())
}

// object writes v as one line of JSON.
func (l *lineWriter) object(v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.write(escapeControls(readable(strings.TrimSuffix(b.String(), "\n"))))
}

func (l *lineWriter) flush() error {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.keep(l.w.Flush())
	return l.fail
}

func (l *lineWriter) write(text string) error {
	if l.fail != nil {
		return l.fail
	}
	_, err := l.w.WriteString(text)
	if err == nil {
		err = l.w.WriteByte('\n')
	}
	l.keep(err)
	return l.fail
}

func (l *lineWriter) keep(err error) {
	if err != nil && l.fail == nil {
		l.fail = fmt.Errorf("write the output: %w", err)
	}
}

// safe replaces what a terminal would obey or show misleadingly; line ends stay.
func safe(text string) string { return tell.Safe(text) }

// cell is safe for a value within a line: no line ends, one space for several.
func cell(text string) string { return tell.Line(text) }

// readable undoes the escaping of < > & that values with an encoder of their own
// bring along: a person who looks for <id@host> with grep should find it.
func readable(json string) string {
	if !strings.Contains(json, `\u00`) {
		return json
	}
	var b strings.Builder
	b.Grow(len(json))
	for i := 0; i < len(json); i++ {
		if json[i] != '\\' || i+1 >= len(json) {
			b.WriteByte(json[i])
			continue
		}
		escape := json[i:min(i+6, len(json))]
		switch escape {
		case `\u003c`:
			b.WriteByte('<')
			i += 5
		case `\u003e`:
			b.WriteByte('>')
			i += 5
		case `\u0026`:
			b.WriteByte('&')
			i += 5
		default: // an escaped backslash must not be taken for the next escape
			b.WriteString(json[i : i+2])
			i++
		}
	}
	return b.String()
}

// escapeControls writes the steering runes of a JSON text as \u escapes, which
// means the same to a program. C0 is escaped by the encoder already.
func escapeControls(text string) string {
	if tell.IsPlain(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range text {
		if tell.Steers(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
