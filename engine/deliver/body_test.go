package deliver

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// encode returns what goes over the wire between 354 and the final dot.
func encode(t testing.TB, trace string, src io.Reader, size int) string {
	t.Helper()
	var out bytes.Buffer
	e := newEncoder(&out)
	buf := bufio.NewReaderSize(nil, size)
	if err := e.trace([]byte(trace), buf); err != nil {
		t.Fatal(err)
	}
	if err := e.message(src, buf); err != nil {
		t.Fatal(err)
	}
	out.WriteString("\r\n") // as Conn does it through go-smtp
	return out.String()
}

func TestEncoder(t *testing.T) {
	const trace = "Received: from a\r\n\tby b\r\n"
	tests := []struct{ name, in, want string }{
		{"plain", "A: b\r\n\r\nc\r\n", "A: b\r\n\r\nc\r\n"},
		{"no last line end", "A: b\r\n\r\nc", "A: b\r\n\r\nc\r\n"},
		{"rule 39 bare LF", "A: b\n\nc\n.\nd\n", "A: b\r\n\r\nc\r\n..\r\nd\r\n"},
		{"rule 39 bare CR", "A: b\r\n\r\nc\rd\r", "A: b\r\n\r\nc\r\nd\r\n"},
		{"rule 39 smuggling", "A: b\r\n\r\nx\n.\r\nMAIL\r\ny\r\n.\ny\r.\r\n", "A: b\r\n\r\nx\r\n..\r\nMAIL\r\ny\r\n..\r\ny\r\n..\r\n"},
		{"CR CR LF in the body", "A: b\r\n\r\nc\r\r\nd\r\n", "A: b\r\n\r\nc\r\n\r\nd\r\n"},
		{"CR CR LF in the header", "A: b\r\r\nC: d\r\r\n\r\r\ne\r\n", "A: b\r\nC: d\r\n\r\ne\r\n"},
		{"dots", "A: b\r\n\r\n.\r\n..\r\n.x\r\nx.\r\n", "A: b\r\n\r\n..\r\n...\r\n..x\r\nx.\r\n"},
		{"dot first", ".A: b\r\n", "..A: b\r\n"},
		{"rule 38 Return-Path", "Return-Path: <a@b.test>\r\nA: b\r\n\r\nReturn-Path: x\r\n", "A: b\r\n\r\nReturn-Path: x\r\n"},
		{"rule 38 folded", "A: b\r\nreturn-path :\r\n <a@b.test>\r\n\tx\r\nC: d\r\n\r\ne\r\n", "A: b\r\nC: d\r\n\r\ne\r\n"},
		{"rule 38 last", "A: b\r\nReturn-Path: x\r\n\r\ne\r\n", "A: b\r\n\r\ne\r\n"},
		{"rule 38 alone", "Return-Path: x\r\n", ""},
		{"rule 38 near", "Return-Path-X: x\r\nX-Return-Path: y\r\n", "Return-Path-X: x\r\nX-Return-Path: y\r\n"},
		{"mbox line", "From a Mon\r\nReturn-Path: x\r\nA: b\r\n\r\nc\r\n", "From a Mon\r\nA: b\r\n\r\nc\r\n"},
		{"no header", "hello world\r\nReturn-Path: x\r\n", "hello world\r\nReturn-Path: x\r\n"},
		{"empty", "", ""},
		{"empty line only", "\r\n", "\r\n"},
		{"many empty lines", "A: b\r\n\r\n\r\n\r\n\r\n", "A: b\r\n\r\n\r\n\r\n\r\n"},
		{"NUL and 8-bit", "A: \xe9\x00\r\n\r\n\xff\x00\r\n", "A: \xe9\x00\r\n\r\n\xff\x00\r\n"},
		{"rule 40 long line", "A: b\r\n\r\n" + strings.Repeat("x", 5000) + "\r\n", "A: b\r\n\r\n" + strings.Repeat("x", 5000) + "\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{16, 17, 31, 4096} {
				got := encode(t, trace, strings.NewReader(tt.in), size)
				if got != trace+tt.want {
					t.Errorf("buffer %d: got %q, want %q", size, got, trace+tt.want)
				}
			}
			if got := encode(t, trace, iotest.OneByteReader(strings.NewReader(tt.in)), 64); got != trace+tt.want {
				t.Errorf("byte by byte: got %q", got)
			}
		})
	}
}

func TestEncoderErrors(t *testing.T) {
	broken := errors.New("broken")
	e := newEncoder(io.Discard)
	err := e.message(io.MultiReader(strings.NewReader("A: b\r\n"), iotest.ErrReader(broken)), bufio.NewReader(nil))
	if _, ok := errors.AsType[*readError](err); !ok || !errors.Is(err, broken) {
		t.Errorf("reading: %v", err)
	}
	e = newEncoder(brokenWriter{broken})
	if err := e.message(strings.NewReader("A: b\r\n\r\nx"), bufio.NewReader(nil)); err != broken {
		t.Errorf("writing: %v", err)
	}
}

type brokenWriter struct{ err error }

func (b brokenWriter) Write([]byte) (int, error) { return 0, b.err }

// reference is the rule in the simplest words.
func reference(in string) string {
	in = strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(in, "\r\n", "\n"), "\r", "\n"), "\n", "\r\n")
	return strings.TrimSuffix(in, "\r\n") + "\r\n"
}

// rule 39: whatever comes in, no CR or LF stands alone, no line is a single
// dot, and un-stuffed it is the message with its line ends made CRLF.
func FuzzEncoder(f *testing.F) {
	for _, s := range []string{"", ".", "\r", "\n", "\r\n.\r\n", "a\r\r\n.b\n..\r", "\n.\n", strings.Repeat("x\r", 40)} {
		f.Add(s, 16)
	}
	f.Fuzz(func(t *testing.T, body string, size int) {
		if size < 16 || size > 1<<16 {
			size = 16
		}
		got := encode(t, "X: y\r\n\r\n", strings.NewReader("no header\r\n"+body), size)
		var plain strings.Builder
		for _, line := range strings.SplitAfter(got, "\r\n") {
			text, found := strings.CutSuffix(line, "\r\n")
			if !found && line != "" || strings.ContainsAny(text, "\r\n") {
				t.Fatalf("bare line end in %q", got)
			}
			if text == "." {
				t.Fatalf("the data end early: %q", got)
			}
			plain.WriteString(strings.TrimPrefix(text, "."))
			if found {
				plain.WriteString("\r\n")
			}
		}
		if want := reference("X: y\r\n\r\nno header\r\n" + body); plain.String() != want {
			t.Fatalf("got %q, want %q", plain.String(), want)
		}
	})
}

func BenchmarkEncoder(b *testing.B) {
	message := []byte("A: b\r\n\r\n" + strings.Repeat(strings.Repeat("x", 74)+"\r\n", 70))
	buf := bufio.NewReaderSize(nil, 32<<10)
	w := &wire{out: make([]byte, 0, wireBuffer)}
	b.SetBytes(int64(len(message)))
	b.ReportAllocs()
	for b.Loop() {
		w.out = w.out[:0]
		if err := newEncoder(plainWriter{w}).message(bytes.NewReader(message), buf); err != nil {
			b.Fatal(err)
		}
	}
}
