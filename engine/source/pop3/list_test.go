package pop3

import (
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"

	"postbag/engine/mail"
	"postbag/engine/mailtest"
	"postbag/engine/source"
)

// rule 2: a malformed line is reported and leaves that number alone; the
// others are collected, and the session goes on.
func TestRule2_MalformedLines(t *testing.T) {
	long := strings.Repeat("u", 71)
	tests := []struct {
		name  string
		verb  string
		line  string // for message 2, "-" leaves it out
		items []int
		size  int64 // of message 2 when listed
		fault string
	}{
		{"usual", "UIDL", "2 b", []int{1, 2, 3}, 5, ""},
		{"70 octets", "UIDL", "2 " + long[:70], []int{1, 2, 3}, 5, ""},
		{"more blanks", "UIDL", "2 \t b ", []int{1, 2, 3}, 5, ""},
		{"71 octets", "UIDL", "2 " + long, []int{1, 3}, 0, "UIDL: malformed"},
		{"empty uid", "UIDL", "2 ", []int{1, 3}, 0, "UIDL: malformed"},
		{"number only", "UIDL", "2", []int{1, 3}, 0, "UIDL: malformed"},
		{"8 bit", "UIDL", "2 caf\xe9", []int{1, 3}, 0, "UIDL: malformed"},
		{"control", "UIDL", "2 a\x07b", []int{1, 3}, 0, "UIDL: malformed"},
		{"two words", "UIDL", "2 a b", []int{1, 3}, 0, "UIDL: malformed"},
		{"not a number", "UIDL", "two b", []int{1, 3}, 0, "UIDL: malformed"},
		{"negative", "UIDL", "-2 b", []int{1, 3}, 0, "UIDL: malformed"},
		{"huge number", "UIDL", "99999999999 b", []int{1, 3}, 0, "UIDL: malformed"},
		{"empty line", "UIDL", " ", []int{1, 3}, 0, "UIDL: malformed"},
		{"over-long line", "UIDL", "2 " + strings.Repeat("x", 200_000), []int{1, 3}, 0, "UIDL: malformed"},
		{"over-long line without a number", "UIDL", strings.Repeat("x", 20_000), []int{1, 3}, 0, "UIDL: malformed"},
		{"missing", "UIDL", "-", []int{1, 3}, 0, "message 2 has no line"},
		{"named twice", "UIDL", "1 other", []int{3}, 0, "message 1 has two unique-ids"},
		{"LIST more words", "LIST", "2 5 octets", []int{1, 2, 3}, 5, ""},
		{"LIST no size", "LIST", "2", []int{1, 3}, 0, "LIST: malformed"},
		{"LIST bad size", "LIST", "2 many", []int{1, 3}, 0, "LIST: malformed"},
		{"LIST negative size", "LIST", "2 -5", []int{1, 3}, 0, "LIST: malformed"},
		{"LIST huge size", "LIST", "2 99999999999999999999", []int{1, 3}, 0, "LIST: malformed"},
		{"LIST not a number", "LIST", "two 5", []int{1, 3}, 0, "LIST: malformed"},
		{"LIST over-long", "LIST", "2 5 " + strings.Repeat("x", 70_000), []int{1, 3}, 0, "LIST: malformed"},
		{"LIST missing", "LIST", "-", []int{1, 2, 3}, -1, ""},
		{"LIST two sizes", "LIST", "1 77", []int{2, 3}, -1, "message 1 has two sizes"},
	}
	for _, tt := range tests {
		for _, noPipelining := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				p := serve(t, mailtest.POP3Options{NoPipelining: noPipelining, Line: func(verb string, n int, line string) string {
					switch {
					case verb != tt.verb || n != 2:
						return line
					case tt.line == "-":
						return ""
					}
					return tt.line
				}}, "one\r\n", "two\r\n", "three\r\n")
				s := dial(t, options(p))
				l := list(t, s)
				var numbers []int
				for _, it := range l.Items {
					numbers = append(numbers, it.Number)
					if it.Number == 2 && it.Size != tt.size {
						t.Errorf("size %d, want %d", it.Size, tt.size)
					}
				}
				if !slices.Equal(numbers, tt.items) {
					t.Errorf("items %v, want %v", numbers, tt.items)
				}
				if tt.fault == "" && len(l.Faults) > 0 || tt.fault != "" && !strings.Contains(strings.Join(l.Faults, "\n"), tt.fault) {
					t.Errorf("faults %q", l.Faults)
				}
				for _, f := range l.Faults {
					if len(f) > 500 {
						t.Errorf("a fault of %d octets", len(f))
					}
				}
				// The session is in step, and the number left alone is neither
				// fetched nor deleted.
				if _, err := fetchAll(t.Context(), s, l.Items); err != nil {
					t.Fatal(err)
				}
				if done, err := s.Delete(t.Context(), l.Items); err != nil || len(done) != len(tt.items) {
					t.Fatal(done, err)
				}
				if err := s.Quit(t.Context()); err != nil {
					t.Fatal(err)
				}
				if n := len(p.Messages(testUser)); n != 3-len(tt.items) {
					t.Errorf("%d messages left", n)
				}
			})
		}
	}
}

// rule 3: shared unique ids are handed on, each with its own number.
func TestRule3_SharedUIDL(t *testing.T) {
	p := serve(t, mailtest.POP3Options{})
	p.AddMessage(testUser, "same", []byte("one\r\n"))
	p.AddMessage(testUser, "same", []byte("two\r\n"))
	s := dial(t, options(p))
	l := list(t, s)
	if want := []source.Item{{Number: 1, UID: "same", Size: 5}, {Number: 2, UID: "same", Size: 5}}; !reflect.DeepEqual(l.Items, want) {
		t.Fatal(l.Items)
	}
}

func TestListWithout(t *testing.T) {
	refuse := func(verbs ...string) func(mailtest.POP3Command) *mailtest.POP3Fault {
		return func(c mailtest.POP3Command) *mailtest.POP3Fault {
			if slices.Contains(verbs, c.Verb) {
				return mailtest.POP3Reply("-ERR unknown command")
			}
			return nil
		}
	}
	tests := []struct {
		name     string
		server   mailtest.POP3Options
		messages []string
		hasUIDL  bool
		items    int
		code     mail.Code
	}{
		{"all", mailtest.POP3Options{}, []string{"a\r\n"}, true, 1, ""},
		{"no UIDL", mailtest.POP3Options{NoUIDL: true}, []string{"a\r\n", "b\r\n"}, false, 2, ""},
		{"no CAPA", mailtest.POP3Options{NoCAPA: true}, []string{"a\r\n"}, true, 1, ""},
		{"no CAPA, no UIDL", mailtest.POP3Options{NoCAPA: true, NoUIDL: true}, []string{"a\r\n"}, false, 1, ""},
		{"empty", mailtest.POP3Options{}, nil, true, 0, ""},
		{"empty, -ERR to both", mailtest.POP3Options{Fault: refuse("LIST", "UIDL")}, nil, true, 0, ""},
		{"UIDL announced, refused now", mailtest.POP3Options{Fault: refuse("UIDL")}, []string{"a\r\n"}, false, 0, mail.CodeRefused},
		{"LIST refused", mailtest.POP3Options{Fault: refuse("LIST")}, []string{"a\r\n"}, false, 0, mail.CodeRefused},
		{"STAT refused", mailtest.POP3Options{Fault: refuse("STAT")}, []string{"a\r\n"}, false, 0, mail.CodeRefused},
		{"no CAPA, UIDL refused for now", mailtest.POP3Options{NoCAPA: true, Fault: mailtest.OnPOP3("UIDL", 0, mailtest.POP3Reply("-ERR [SYS/TEMP] index damaged"))},
			[]string{"a\r\n"}, false, 0, mail.CodeSysTemp},
		{"STAT counts more", mailtest.POP3Options{Fault: mailtest.OnPOP3("STAT", 0, mailtest.POP3Reply("+OK 2 6"))}, []string{"a\r\n"}, true, 1, ""},
		{"odd STAT", mailtest.POP3Options{Fault: mailtest.OnPOP3("STAT", 0, mailtest.POP3Reply("+OK one message"))}, []string{"a\r\n"}, true, 1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := serve(t, tt.server, tt.messages...)
			s := dial(t, options(p))
			l, err := s.List(t.Context())
			if tt.code != "" {
				want(t, err, tt.code, mail.Transient)
				wantDead(t, s)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if tt.name == "STAT counts more" {
				if l.Count != 2 || len(l.Faults) != 1 {
					t.Errorf("%+v", l)
				}
				return
			}
			if l.HasUIDL != tt.hasUIDL || len(l.Items) != tt.items || l.Count != tt.items {
				t.Errorf("%+v", l)
			}
			for _, it := range l.Items {
				if (it.UID != "") != tt.hasUIDL || it.Size != 3 {
					t.Errorf("%+v", it)
				}
			}
			if l.Size != int64(3*tt.items) {
				t.Errorf("size %d", l.Size)
			}
		})
	}
}

func TestListLimits(t *testing.T) {
	messages := make([]string, 30)
	for i := range messages {
		messages[i] = "x\r\n"
	}
	p := serve(t, mailtest.POP3Options{}, messages...)
	o := options(p)
	o.MaxItems = 20
	s := dial(t, o)
	l := list(t, s)
	if len(l.Items) != 20 || l.Count != 30 || !strings.Contains(strings.Join(l.Faults, "\n"), "10 messages over the limit") {
		t.Fatalf("%d of %d, %q", len(l.Items), l.Count, l.Faults)
	}
	bad := serve(t, mailtest.POP3Options{Line: func(string, int, string) string { return "?" }}, append(messages, messages...)...)
	l = list(t, dial(t, options(bad)))
	if len(l.Items) != 0 || len(l.Faults) > maxFaults+1 {
		t.Fatalf("%d items, %d faults", len(l.Items), len(l.Faults))
	}
}

func TestEndlessListing(t *testing.T) {
	for name, text := range map[string]string{"lines": strings.Repeat("x\r\n", 20_000), "line": strings.Repeat("x", 60_000)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := serve(t, mailtest.POP3Options{Fault: mailtest.OnPOP3("UIDL", 0, mailtest.POP3Stream(func(w io.Writer) error {
				if _, err := io.WriteString(w, "+OK\r\n"); err != nil {
					return err
				}
				for {
					if _, err := io.WriteString(w, text); err != nil {
						return err
					}
				}
			}))}, "one\r\n")
			o := options(p)
			o.MaxItems = 1000
			s := dial(t, o)
			_, err := s.List(t.Context())
			want(t, err, mail.CodeProtocol, mail.Transient)
		})
	}
}

// rules 1, 12: numbers are checked against this session's listing before DELE.
func TestRule12_DeleteChecksTheListing(t *testing.T) {
	p := serve(t, mailtest.POP3Options{})
	for i := range 3 {
		p.AddMessage(testUser, fmt.Sprint("uid", i+1), []byte("x\r\n"))
	}
	var log strings.Builder
	o := options(p)
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	s := dial(t, o)
	if done, err := s.Delete(t.Context(), []source.Item{{Number: 1, UID: "uid1"}}); err != nil || len(done) != 0 {
		t.Fatal("DELE before List:", done, err)
	}
	list(t, s)
	done, err := s.Delete(t.Context(), []source.Item{
		{Number: 1, UID: "uid2"}, {Number: 2, UID: "uid2"}, {Number: 3}, {Number: 4, UID: "uid4"}, {Number: 2, UID: "uid2"}})
	if err != nil || len(done) != 1 || done[0].Number != 2 {
		t.Fatal(done, err)
	}
	if !strings.Contains(log.String(), "another unique-id") || said(p, "DELE") != 1 {
		t.Error(log.String(), p.Transcript())
	}
	// Acknowledged before: told again, not sent again.
	done, err = s.Delete(t.Context(), []source.Item{{Number: 2, UID: "uid2"}})
	if err != nil || len(done) != 1 || said(p, "DELE") != 1 {
		t.Error(done, err)
	}
	if err := s.Quit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := p.Messages(testUser); len(left) != 2 || left[0].UID != "uid1" || left[1].UID != "uid3" {
		t.Error(left)
	}
}

// rule 12: deletions are real only after +OK to QUIT.
func TestRule12_OnlyQuitDeletes(t *testing.T) {
	tests := []struct {
		name  string
		fault *mailtest.POP3Fault
		code  mail.Code
		left  int
	}{
		{"+OK", nil, "", 0},
		{"-ERR", mailtest.POP3Reply("-ERR some deleted messages not removed"), mail.CodeRefused, 2},
		{"dropped before", mailtest.POP3Drop(), mail.CodeClosed, 2},
		{"answer lost", mailtest.POP3Cut(0), mail.CodeClosed, 0},
		{"answer cut", mailtest.POP3Cut(3), mail.CodeClosed, 0},
		{"garbage", mailtest.POP3Reply("bye"), mail.CodeProtocol, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := serve(t, mailtest.POP3Options{Fault: mailtest.OnPOP3("QUIT", 1, tt.fault)}, "one\r\n", "two\r\n")
			s := dial(t, options(p))
			l := list(t, s)
			if done, err := s.Delete(t.Context(), l.Items); err != nil || len(done) != 2 {
				t.Fatal(done, err)
			}
			err := s.Quit(t.Context())
			if tt.code == "" && err != nil {
				t.Fatal(err)
			}
			if tt.code != "" {
				want(t, err, tt.code, mail.Transient)
			}
			wantDead(t, s)
			_ = p.Close()
			if n := len(p.Messages(testUser)); n != tt.left {
				t.Errorf("%d messages left, want %d", n, tt.left)
			}
		})
	}
}

// rule 12: Close deletes nothing.
func TestRule12_CloseDeletesNothing(t *testing.T) {
	p := serve(t, mailtest.POP3Options{}, "one\r\n")
	s := dial(t, options(p))
	l := list(t, s)
	if _, err := s.Delete(t.Context(), l.Items); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	_ = p.Close()
	if len(p.Messages(testUser)) != 1 {
		t.Error("deleted without QUIT")
	}
}

func TestDeleteRefusedOneIsLeftOut(t *testing.T) {
	for _, noPipelining := range []bool{false, true} {
		p := serve(t, mailtest.POP3Options{NoPipelining: noPipelining,
			Fault: mailtest.OnPOP3("DELE", 2, mailtest.POP3Reply("-ERR message is locked"))}, "one\r\n", "two\r\n", "three\r\n")
		s := dial(t, options(p))
		done, err := s.Delete(t.Context(), list(t, s).Items)
		if err != nil || len(done) != 2 || done[0].Number != 1 || done[1].Number != 3 {
			t.Fatal(done, err)
		}
		if err := s.Quit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(p.Messages(testUser)); n != 1 {
			t.Error(n)
		}
	}
}

func TestDeleteDropTellsWhatWasAcknowledged(t *testing.T) {
	p := serve(t, mailtest.POP3Options{Fault: mailtest.OnPOP3("DELE", 2, mailtest.POP3Drop())}, "one\r\n", "two\r\n", "three\r\n")
	s := dial(t, options(p))
	done, err := s.Delete(t.Context(), list(t, s).Items)
	want(t, err, mail.CodeClosed, mail.Transient)
	if len(done) != 1 {
		t.Error(done)
	}
	wantDead(t, s)
}
