package header

import (
	"bytes"
	"net/mail"
	"strings"
	"time"
)

// Field is one field of a header. Value is unfolded (line ends removed, RFC
// 5322 section 2.2.3), trimmed, otherwise byte for byte as it came.
type Field struct {
	Name  string // as written
	Value string
}

// Is tells whether the field has the name, without case.
func (f Field) Is(name string) bool { return strings.EqualFold(f.Name, name) }

// Header is the fields of a message from the top down.
type Header struct {
	Fields []Field
}

// Parse reads a header up to its first empty line. It never fails: a line that
// is no field and continues none is passed over, as is an mbox "From " line at
// the top; bare LF ends a line as well as CR LF does.
func Parse(block []byte) Header {
	h := Header{Fields: make([]Field, 0, 24)}
	text := string(block) // names and values are parts of it, save folded ones
	var folded []byte
	open := false
	flush := func() {
		if !open {
			return
		}
		last := &h.Fields[len(h.Fields)-1]
		if len(folded) > 0 {
			last.Value, folded = string(folded), folded[:0]
		}
		last.Value = strings.Trim(last.Value, " \t")
	}
	for rest := block; len(rest) > 0; {
		at := len(block) - len(rest)
		var line []byte
		line, rest = cutLine(rest)
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			if open {
				if len(folded) == 0 {
					folded = append(folded, h.Fields[len(h.Fields)-1].Value...)
				}
				folded = append(folded, line...)
			}
			continue
		}
		flush()
		var name, value int
		if name, value, open = cutName(line); open {
			h.Fields = append(h.Fields, Field{Name: text[at : at+name], Value: text[at+value : at+len(line)]})
		}
	}
	flush()
	return h
}

// cutLine returns the first line without its end, and what follows it.
func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return bytes.TrimSuffix(b, []byte{'\r'}), nil
	}
	return bytes.TrimSuffix(b[:i], []byte{'\r'}), b[i+1:]
}

// cutName tells where in a line the name of a field ends and its value begins;
// not ok: the line begins no field. A name is printable ASCII without blanks
// (RFC 5322 section 2.2); blanks before the colon are forgiven (section 4.5).
func cutName(line []byte) (name, value int, ok bool) {
	i := bytes.IndexByte(line, ':')
	if i <= 0 {
		return 0, 0, false
	}
	n := bytes.TrimRight(line[:i], " \t")
	for _, c := range n {
		if c <= ' ' || c >= 0x7f {
			return 0, 0, false
		}
	}
	return len(n), i + 1, len(n) > 0
}

// Get returns the value of the topmost field with the name, "" without one.
func (h Header) Get(name string) string {
	for _, f := range h.Fields {
		if f.Is(name) {
			return f.Value
		}
	}
	return ""
}

// Has tells whether a field with the name is there.
func (h Header) Has(name string) bool {
	for _, f := range h.Fields {
		if f.Is(name) {
			return true
		}
	}
	return false
}

// Values returns the values of all fields with the name, from the top down.
func (h Header) Values(name string) []string {
	var out []string
	for _, f := range h.Fields {
		if f.Is(name) {
			out = append(out, f.Value)
		}
	}
	return out
}

// Date is the time in the Date field; false when there is none that can be read.
func (h Header) Date() (time.Time, bool) {
	t, err := mail.ParseDate(h.Get("Date"))
	return t, err == nil
}
