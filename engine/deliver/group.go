package deliver

import (
	"errors"
	"strings"
)

// errClosing: RFC 5321 section 3.8, after 421 no further reply is sent.
var errClosing = errors.New("the server closes the connection")

// begin forgets the group of commands before.
func (w *wire) begin() { w.owed, w.answers, w.said, w.sent = 0, w.answers[:0], w.said[:0], false }

// sayAhead gathers a command that goes out together with the next one of
// go-smtp. The reply to it is in answers before that one's is handed out.
func (w *wire) sayAhead(command string) error {
	if isLines(command) {
		return errors.New("a command of more than one line")
	}
	w.owed++
	_, err := w.Write([]byte(command + "\r\n"))
	return err
}

// isLines tells that a command would be more than one line.
func isLines(command string) bool { return strings.ContainsAny(command, "\r\n") }

// settleOwed reads the replies to the commands that were said ahead.
func (w *wire) settleOwed() error {
	tell := func(n int) {
		for _, p := range w.said[:n] {
			w.log.client(p)
		}
		w.said = w.said[n:]
	}
	defer func() { tell(len(w.said)) }()
	for w.owed > 0 {
		tell(min(1, len(w.said)))
		if err := w.flush(); err != nil {
			return err
		}
		if w.r.Buffered() == 0 {
			w.ack()
		}
		r, err := w.reply()
		if err != nil {
			return err
		}
		w.owed--
		w.answers = append(w.answers, r)
		if r.Code == 421 {
			return errClosing
		}
	}
	return nil
}

// flushBehind is flush with what is to go out behind.
func (w *wire) flushBehind() error {
	if len(w.behind) > 0 {
		w.out, w.behind = append(w.out, w.behind...), w.behind[:0]
	}
	return w.flush()
}
