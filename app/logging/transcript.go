package logging

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// Defaults of TranscriptOptions.
const (
	DefaultTranscripts    = 50      // sessions
	DefaultTranscriptSize = 256_000 // octets of one session
)

// leastTranscriptSize leaves room for a beginning and an end, also where each
// octet of a line needs six to be shown.
const leastTranscriptSize = 64_000

// longestLine bounds a line of a transcript; commands and replies have 512
// octets at most (RFC 5321 section 4.5.3.1), odd servers send more.
const longestLine = 2000

// ours recognises the files that this package made; nothing else is removed.
var ours = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\d{8}T\d{6}\.\d{3}Z-[a-z0-9.-]+\.txt$`)
})

// TranscriptOptions says where transcripts go and how many are kept.
type TranscriptOptions struct {
	Data     string           // data folder; they lie in transcripts/ in it
	Keep     int              // sessions; 0 or less: DefaultTranscripts
	MaxSize  int64            // octets of one, at least 64,000; 0 or less: DefaultTranscriptSize
	Redactor *Redactor        // may be nil
	Now      func() time.Time // nil: time.Now
}

// Transcripts keeps what was said in the last sessions, one file each. A nil
// *Transcripts is allowed: its transcripts swallow everything.
type Transcripts struct {
	o   TranscriptOptions
	dir string

	mu   sync.Mutex
	open map[string]bool // names that are being written
}

// OpenTranscripts makes the folder (0700) and removes what is over the number.
func OpenTranscripts(o TranscriptOptions) (*Transcripts, error) {
	if o.Keep <= 0 {
		o.Keep = DefaultTranscripts
	}
	if o.MaxSize <= 0 {
		o.MaxSize = DefaultTranscriptSize
	}
	o.MaxSize = max(o.MaxSize, leastTranscriptSize)
	if o.Now == nil {
		o.Now = time.Now
	}
	t := &Transcripts{o: o, dir: filepath.Join(o.Data, "transcripts"), open: make(map[string]bool)}
	if err := privateFolder(t.dir); err != nil {
		return nil, err
	}
	if err := t.prune(o.Keep); err != nil {
		return nil, err
	}
	return t, nil
}

// Session begins the transcript of a session: protocol ("pop3", "smtp"), the
// name of the mailbox or target, and the session's id. A fault here, for
// example a full disk, gives a transcript that swallows everything: no session
// fails for its transcript.
func (t *Transcripts) Session(protocol, name, id string) *Transcript {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.prune(t.o.Keep - 1); err != nil {
		return nil
	}
	begin := t.o.Now().UTC()
	file := fmt.Sprintf("%s-%s-%s-%s.txt", begin.Format("20060102T150405.000Z"), fileWord(protocol), fileWord(name), fileWord(id))
	f, err := os.OpenFile(filepath.Join(t.dir, file), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil
	}
	t.open[file] = true
	done := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.open, file)
	}
	return &Transcript{f: f, max: t.o.MaxSize, secrets: t.o.Redactor, now: t.o.Now, done: done}
}

// prune removes the oldest transcripts until keep are left, never one that is
// being written.
func (t *Transcripts) prune(keep int) error {
	entries, err := os.ReadDir(t.dir)
	if err != nil {
		return fmt.Errorf("list the transcripts: %w", err)
	}
	var names []string // in the order of their time, which they begin with
	for _, e := range entries {
		if e.Type().IsRegular() && ours().MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	for excess := len(names) - max(keep, 0); excess > 0 && len(names) > 0; names = names[1:] {
		if t.open[names[0]] {
			continue
		}
		if err := os.Remove(filepath.Join(t.dir, names[0])); err != nil {
			return fmt.Errorf("remove an old transcript: %w", err)
		}
		excess--
	}
	return nil
}

// Transcript is what was said in one session, line by line with its time. It is
// an io.Writer for the lines that a protocol already masked; registered secrets
// are masked once more, control characters made visible. When it grows over
// its size the middle is left out: how a session began and how it ended is what
// helps. A nil *Transcript is allowed.
type Transcript struct {
	mu      sync.Mutex
	f       *os.File
	size    int64 // octets in the file
	head    int64 // where the part begins that may be overwritten; 0: not decided
	max     int64
	partial []byte // a line that has not ended yet
	secrets *Redactor
	now     func() time.Time
	done    func()
}

// Write takes any stretch of lines and always reports success: a session never
// fails for its transcript.
func (t *Transcript) Write(p []byte) (int, error) {
	if t == nil {
		return len(p), nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.f == nil {
		return len(p), nil
	}
	rest := p
	for len(rest) > 0 {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			t.keepPartial(rest)
			break
		}
		t.keepPartial(rest[:end])
		t.line()
		rest = rest[end+1:]
	}
	return len(p), nil
}

// Close ends the transcript.
func (t *Transcript) Close() error {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.f == nil {
		return nil
	}
	if len(t.partial) > 0 {
		t.line()
	}
	t.give()
	return nil
}

// give closes the file, also after a fault of the disk.
func (t *Transcript) give() {
	if t.f == nil {
		return
	}
	_ = t.f.Close()
	t.f = nil
	t.done()
}

func (t *Transcript) keepPartial(p []byte) {
	if room := longestLine - len(t.partial); room < len(p) {
		p = p[:max(room, 0)]
	}
	t.partial = append(t.partial, p...)
}

// line writes the collected line to the file at once, so that it survives a
// crash of the program.
func (t *Transcript) line() {
	text := visible(t.secrets.Redact(strings.TrimRight(string(t.partial), "\r")))
	t.partial = t.partial[:0]
	out := t.now().UTC().Format("15:04:05.000 ") + text + "\n"
	if t.size+int64(len(out)) > t.max {
		if err := t.cut(); err != nil {
			t.give()
			return
		}
	}
	n, err := io.WriteString(t.f, out)
	t.size += int64(n)
	if err != nil {
		t.give()
	}
}

// cut drops the middle: the first half of the size stays for good, of the rest
// the last quarter of the size.
func (t *Transcript) cut() error {
	if t.head == 0 {
		head, err := t.lineStart(t.max / 2)
		if err != nil {
			return err
		}
		t.head = head
	}
	from, err := t.lineStart(max(t.head, t.size-t.max/4))
	if err != nil {
		return err
	}
	tail := make([]byte, t.size-from)
	if _, err := t.f.ReadAt(tail, from); err != nil {
		return err
	}
	tail = append([]byte("             ... lines are left out here ...\n"), tail...)
	if err := t.f.Truncate(t.head); err != nil {
		return err
	}
	if _, err := t.f.Seek(t.head, io.SeekStart); err != nil {
		return err
	}
	n, err := t.f.Write(tail)
	t.size = t.head + int64(n)
	return err
}

// lineStart finds the beginning of the first line at or after an offset.
func (t *Transcript) lineStart(offset int64) (int64, error) {
	if offset == 0 || offset >= t.size {
		return min(offset, t.size), nil
	}
	buf := make([]byte, min(t.size-offset+1, 8*longestLine))
	n, err := t.f.ReadAt(buf, offset-1)
	if err != nil && n < len(buf) {
		return 0, err
	}
	if end := bytes.IndexByte(buf, '\n'); end >= 0 {
		return offset + int64(end), nil
	}
	return t.size, nil
}

// visible makes control characters and broken UTF-8 readable as text, so that
// a server cannot write to the terminal of the person who reads this.
func visible(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
		i += size
	}
	return b.String()
}

// fileWord makes a part of a file name from a name of the configuration.
func fileWord(s string) string {
	word := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, s)
	if word == "" {
		return "unnamed"
	}
	return word[:min(len(word), 40)]
}
