//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"postbag/engine/mailtest"
	"postbag/engine/mailtest/bench/floor"
)

// place is a provider with the letters of a ledger, a sink that expects them,
// and the job between them.
func place(t *testing.T, l *ledger, boxes int) (*mailtest.POP3, *sink, floor.Job) {
	t.Helper()
	users := make(map[string]string)
	var j floor.Job
	for i := range boxes {
		users[user(i)] = password
		j.Boxes = append(j.Boxes, floor.Box{User: user(i), Password: password, Recipient: address(i)})
	}
	isp, err := mailtest.NewPOP3(mailtest.POP3Options{Users: users, Record: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = isp.Close() })
	for _, x := range l.letters {
		name, _, _ := strings.Cut(x.rcpt, "@")
		isp.AddMessage(name, "", bytes.ReplaceAll(x.stored(), []byte("\n"), []byte("\r\n")))
	}
	s, err := newSink()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	s.ledger.Store(l)
	j.POP3, j.SMTP = isp.Port(), s.port()
	return isp, s, j
}

// A floor that loses mail would be no limit for programs that do not.
func TestFloorDelivers(t *testing.T) {
	for _, c := range []struct{ boxes, each, size int }{
		{1, 1, 5000},
		{1, 1030, 500}, // three sessions
		{12, 30, 5000},
		{2, 3, 600_000}, // larger than its buffers
		{2, 0, 0},
	} {
		for _, durable := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d boxes of %d x %d, durable %v", c.boxes, c.each, c.size, durable), func(t *testing.T) {
				l := newLedger("floor", c.boxes, c.each, c.size)
				isp, _, j := place(t, l, c.boxes)
				if durable {
					j.File = filepath.Join(t.TempDir(), "kept")
				}
				if err := floor.Run(j); err != nil {
					t.Fatal(err)
				}
				if v := l.verdict(); !v.ok() {
					t.Errorf("%v", v)
				}
				for i := range c.boxes {
					if left := isp.Messages(user(i)); len(left) > 0 {
						t.Errorf("%d left in mailbox %d", len(left), i)
					}
				}
				if durable {
					checkKept(t, j.File, l, c.boxes)
				}
			})
		}
	}
}

// kept is a record of the floor's file.
type kept struct {
	kind byte
	box  int
	text []byte
}

// readKept reads the groups of the file up to the first that is not whole.
func readKept(file string) (out []kept) {
	b, _ := os.ReadFile(file) // without it nothing is kept
	le, number := binary.LittleEndian, uint64(0)
	for len(b) >= 32 && le.Uint32(b) != 0 {
		size := 32 + int(le.Uint32(b[4:]))
		if size > len(b) {
			break
		}
		group := b[:size]
		sum := le.Uint32(group[24:])
		le.PutUint32(group[24:], 0)
		if number++; le.Uint64(group[16:]) != number || sum != crc32.Checksum(group, crc32.MakeTable(crc32.Castagnoli)) {
			break
		}
		b = b[min((size+511)/512*512, len(b)):]
		for r := group[32:]; len(r) > 0; {
			n := 7 + int(le.Uint32(r[3:]))
			out = append(out, kept{r[0], int(le.Uint16(r[1:])), r[7:n]})
			r = r[n:]
		}
	}
	return out
}

// checkKept demands that the file tells all, each step after the one before.
func checkKept(t *testing.T, file string, l *ledger, boxes int) {
	t.Helper()
	seen := make([]int, boxes)
	steps := make(map[string]string)
	for _, k := range readKept(file) {
		switch k.kind {
		case 'U':
			for r := k.text; len(r) > 0; r = r[1+r[0]:] {
				steps[fmt.Sprint(k.box, seen[k.box])] = "U"
				seen[k.box]++
			}
		case 'M', 'O':
			steps[fmt.Sprint(k.box, binary.LittleEndian.Uint32(k.text))] += string(k.kind)
			if whole := func(x *letter) bool { return bytes.HasSuffix(k.text, x.wire) }; k.kind == 'M' && !slices.ContainsFunc(l.letters, whole) {
				t.Errorf("not a whole message: %.200q", k.text)
			}
		case 'G':
			for r := k.text; len(r) > 0; r = r[4:] {
				steps[fmt.Sprint(k.box, binary.LittleEndian.Uint32(r))] += "G"
			}
		default:
			t.Errorf("record %q", k.kind)
		}
	}
	if len(steps) != len(l.letters) {
		t.Errorf("%d messages in the file, %d were there", len(steps), len(l.letters))
	}
	for id, way := range steps {
		if way != "UMOG" { // seen, kept, delivered, gone
			t.Errorf("message %s went %q", id, way)
		}
	}
}

// At each MAIL the file holds that message, and at each final dot the outcome of
// the message before on that connection.
func TestFloorBooksFirst(t *testing.T) {
	l := newLedger("floor", 1, 200, 1000)
	isp, _, j := place(t, l, 1)
	j.File = filepath.Join(t.TempDir(), "kept")
	var mu sync.Mutex
	begun, dots, conns := 0, 0, make(map[int]bool)
	script := func(e mailtest.SMTPEvent) mailtest.SMTPAction {
		mu.Lock()
		defer mu.Unlock()
		written := make(map[byte]int)
		switch e.Step {
		case mailtest.StepMAIL:
			begun++
		case mailtest.StepDot:
			dots++
			conns[e.Conn] = true
		default:
			return mailtest.SMTPAction{}
		}
		for _, k := range readKept(j.File) {
			written[k.kind]++
		}
		if written['M'] < begun {
			t.Errorf("message %d begun, %d in the file", begun, written['M'])
		}
		if before := dots - len(conns); written['O'] < before {
			t.Errorf("final dot %d on %d connections, %d outcomes in the file", dots, len(conns), written['O'])
		}
		return mailtest.SMTPAction{}
	}
	office, err := mailtest.NewSMTP(mailtest.SMTPOptions{Script: script})
	if err != nil {
		t.Fatal(err)
	}
	defer office.Close()
	_, port, _ := net.SplitHostPort(office.Addr())
	if j.SMTP, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	if err := floor.Run(j); err != nil {
		t.Fatal(err)
	}
	if dots != 200 || len(isp.Messages(user(0))) != 0 {
		t.Errorf("%d messages taken, %d left", dots, len(isp.Messages(user(0))))
	}
}

// What is not durable is neither delivered nor deleted.
func TestFloorKeepsItsPromises(t *testing.T) {
	l := newLedger("floor", 1, 3, 1000)
	isp, s, j := place(t, l, 1)
	j.File = "/dev/full"
	if err := floor.Run(j); err == nil {
		t.Error("no error although nothing could be written")
	}
	if n := s.taken.Load(); n > 0 {
		t.Errorf("%d messages were handed over", n)
	}
	if n := len(isp.Messages(user(0))); n != 3 {
		t.Errorf("%d messages left at the provider, 3 were there", n)
	}
}

// Whatever is not as expected ends it.
func TestFloorGivesUp(t *testing.T) {
	l := newLedger("floor", 1, 3, 1000)
	isp, s, j := place(t, l, 1)
	j.Boxes[0].Password = "another"
	if err := floor.Run(j); err == nil || !strings.Contains(err.Error(), "-ERR") {
		t.Errorf("a wrong password: %v", err)
	}
	j.Boxes[0].Password = password
	s.close()
	if err := floor.Run(j); err == nil {
		t.Error("no error without an office server")
	}
	if n := len(isp.Messages(user(0))); n != 3 {
		t.Errorf("%d messages left at the provider, 3 were there", n)
	}
}

func TestWhoTakesPart(t *testing.T) {
	names := func(o options, sc scenario) (out []string) {
		for _, p := range o.taken(sc) {
			out = append(out, p.name)
		}
		return out
	}
	with, without := scenario{floors: true}, scenario{}
	for _, c := range []struct {
		o    options
		sc   scenario
		want []string
	}{
		{options{floors: true}, with, []string{"postbag", "fetchmail", "floor, keeps nothing", "floor, durable"}},
		{options{floors: true}, without, []string{"postbag", "fetchmail"}},
		{options{}, with, []string{"postbag", "fetchmail"}},
		{options{floors: true, without: "fetchmail,floor, durable"}, with, []string{"postbag", "floor, keeps nothing"}},
		{options{slowRuns: 1}, with, []string{"postbag", "fetchmail", "mpop+msmtp", "getmail6+msmtp"}},
	} {
		if got := names(c.o, c.sc); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %q, want %q", c.o, got, c.want)
		}
	}
}
