package pop3

import (
	"context"
	"io"
	"testing"

	"postbag/engine/mail"
	"postbag/engine/mailtest"
	"postbag/engine/source"
)

// rule 9: cancelled within a second, wherever the server hangs.
func TestRule9_CancelWhileTheServerIsSilent(t *testing.T) {
	for _, verb := range []string{"GREETING", "CAPA", "USER", "PASS", "STAT", "LIST", "UIDL", "RETR", "TOP", "DELE", "NOOP", "QUIT"} {
		t.Run(verb, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			script := func(c mailtest.POP3Command) *mailtest.POP3Fault {
				if c.Verb != verb {
					return nil
				}
				cancel()
				return mailtest.POP3Silent()
			}
			p := serve(t, mailtest.POP3Options{Fault: script}, "one\r\n")
			o := options(p)
			o.Timeouts = Timeouts{} // the usual ones: far over a second
			_, err := whole(ctx, o)
			want(t, err, mail.CodeCancelled, mail.Transient)
			if len(p.Messages(testUser)) != 1 {
				t.Fatal("deleted without QUIT")
			}
		})
	}
}

// whole runs every command of a session once.
func whole(ctx context.Context, o Options) (deleted int, err error) {
	s, err := Dial(ctx, o)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	l, err := s.List(ctx)
	if err != nil {
		return 0, err
	}
	if err := s.Noop(ctx); err != nil {
		return 0, err
	}
	if _, err := s.Top(ctx, 1, 0, 1000); err != nil {
		return 0, err
	}
	if _, err := fetchAll(ctx, s, l.Items); err != nil {
		return 0, err
	}
	done, err := s.Delete(ctx, l.Items)
	if err != nil {
		return 0, err
	}
	return len(done), s.Quit(ctx)
}

// rule 9: a deadline for each line; the cap of a session is the context.
func TestRule9_TimeoutAtEachStep(t *testing.T) {
	for _, verb := range []string{"GREETING", "CAPA", "USER", "PASS", "STAT", "LIST", "UIDL", "RETR", "TOP", "DELE", "NOOP", "QUIT"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			p := serve(t, mailtest.POP3Options{Fault: mailtest.OnPOP3(verb, 1, mailtest.POP3Silent())}, "one\r\n")
			o := options(p)
			short := o.Timeouts.Reply / 50
			o.Timeouts = Timeouts{Connect: short, Greeting: short, Login: short, Reply: short, List: short, Data: short, Quit: short}
			_, err := whole(t.Context(), o)
			want(t, err, mail.CodeTimeout, mail.Transient)
			if len(p.Messages(testUser)) != 1 {
				t.Fatal("deleted without +OK to QUIT")
			}
		})
	}
}

func TestDropAtEachStep(t *testing.T) {
	for _, verb := range []string{"GREETING", "CAPA", "USER", "PASS", "STAT", "LIST", "UIDL", "RETR", "TOP", "DELE", "NOOP", "QUIT"} {
		p := serve(t, mailtest.POP3Options{Fault: mailtest.OnPOP3(verb, 1, mailtest.POP3Drop())}, "one\r\n")
		_, err := whole(t.Context(), options(p))
		want(t, err, mail.CodeClosed, mail.Transient)
		if len(p.Messages(testUser)) != 1 {
			t.Fatal(verb, "deleted without +OK to QUIT")
		}
	}
}

// Dripping octets do not extend the deadline of a line.
func TestRule9_DrippingLine(t *testing.T) {
	p := serve(t, mailtest.POP3Options{Fault: mailtest.OnPOP3("NOOP", 1, mailtest.POP3Stream(func(w io.Writer) error {
		for {
			if _, err := w.Write([]byte("+")); err != nil {
				return err
			}
		}
	}))})
	o := options(p)
	o.Timeouts.Reply /= 20
	s := dial(t, o)
	err := s.Noop(t.Context())
	if f := mail.AsFailure(err); f == nil || f.Code != mail.CodeTimeout && f.Code != mail.CodeProtocol {
		t.Fatal(err)
	}
	wantDead(t, s)
}

// rule 9: silence in the middle of a message, and a cancel there.
func TestRule9_SilenceWithinAMessage(t *testing.T) {
	for _, cancelIt := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		release := make(chan struct{})
		p := serve(t, mailtest.POP3Options{Fault: mailtest.OnPOP3("RETR", 1, mailtest.POP3Stream(func(w io.Writer) error {
			_, err := io.WriteString(w, "+OK\r\nSubject: half\r\n\r\nbo")
			<-release
			return err
		}))}, "one\r\n")
		o := options(p)
		if !cancelIt {
			o.Timeouts.Data /= 50
		}
		s := dial(t, o)
		err := s.Fetch(ctx, list(t, s).Items, 0, func(_ source.Item, body io.Reader, err error) error {
			if err != nil {
				return err
			}
			if _, err := io.ReadFull(body, make([]byte, 19)); err != nil {
				return err
			}
			if cancelIt {
				cancel()
			}
			_, err = io.ReadAll(body)
			return err
		})
		if cancelIt {
			want(t, err, mail.CodeCancelled, mail.Transient)
		} else {
			want(t, err, mail.CodeTimeout, mail.Transient)
		}
		close(release)
		wantDead(t, s)
	}
}
