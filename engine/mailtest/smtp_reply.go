package mailtest

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"io"
	"strings"
)

// line reads one command line without its end.
func (t *smtpSession) line() (string, error) {
	l, err := t.r.ReadString('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimRight(l, "\r\n"), nil
}

// write sends a reply; its lines are separated by LF.
func (t *smtpSession) write(reply string) error {
	_, err := io.WriteString(t.conn, strings.ReplaceAll(reply, "\n", "\r\n")+"\r\n")
	return err
}

func (t *smtpSession) script(step SMTPStep, address string) SMTPAction {
	t.s.mu.Lock()
	script := t.s.o.Script
	t.s.mu.Unlock()
	if script == nil {
		return SMTPAction{}
	}
	return script(SMTPEvent{Step: step, Conn: t.number, Message: t.messages, Address: address})
}

// answer replies at a step, as the script wants it.
func (t *smtpSession) answer(step SMTPStep, address, ordinary string) error {
	_, err := t.judge(step, address, ordinary)
	return err
}

// judge replies at a step and tells whether the reply was a positive one.
func (t *smtpSession) judge(step SMTPStep, address, ordinary string) (bool, error) {
	return t.carry(t.script(step, address), ordinary)
}

// carry does what an action says.
func (t *smtpSession) carry(a SMTPAction, ordinary string) (bool, error) {
	if a.Wait != nil {
		select {
		case <-a.Wait:
		case <-t.s.closed:
			return false, errLeave
		}
	}
	if a.Silent {
		_, _ = io.Copy(io.Discard, t.r) // until the client leaves
		return false, errLeave
	}
	if a.Drop && a.Reply == "" {
		return false, errLeave
	}
	reply := ordinary
	if a.Reply != "" {
		reply = a.Reply
	}
	if err := t.write(reply); err != nil {
		return false, err
	}
	if a.Drop || strings.HasPrefix(reply, "421") {
		return false, errLeave
	}
	return positiveReply(a, ordinary), nil
}

func positiveReply(a SMTPAction, ordinary string) bool {
	if a.Silent || a.Drop && a.Reply == "" {
		return false
	}
	if a.Reply != "" {
		ordinary = a.Reply
	}
	return ordinary[0] == '2' || ordinary[0] == '3'
}

// path takes "FROM:<a@b> X=1" apart.
func path(arg, prefix string) (address, params string, ok bool) {
	if len(arg) < len(prefix) || !strings.EqualFold(arg[:len(prefix)], prefix) {
		return "", "", false
	}
	arg = strings.TrimSpace(arg[len(prefix):])
	if !strings.HasPrefix(arg, "<") {
		return "", "", false
	}
	quoted := false
	for i := 1; i < len(arg); i++ {
		switch {
		case quoted && arg[i] == '\\':
			i++
		case arg[i] == '"':
			quoted = !quoted
		case arg[i] == '>' && !quoted:
			return arg[1:i], strings.TrimSpace(arg[i+1:]), true
		}
	}
	return "", "", false
}

// auth speaks PLAIN, LOGIN, CRAM-MD5 and XOAUTH2 (RFC 4954).
func (t *smtpSession) auth(arg string) error {
	if t.s.o.Passwords == nil || t.login != "" {
		return t.write("503 5.5.1 AUTH not possible")
	}
	mech, initial, _ := strings.Cut(arg, " ")
	var user string
	var good bool
	var err error
	switch strings.ToUpper(mech) {
	case "PLAIN":
		user, good, err = t.authPlain(initial)
	case "LOGIN":
		user, good, err = t.authLogin(initial)
	case "CRAM-MD5":
		user, good, err = t.authCRAM()
	case "XOAUTH2":
		user, good, err = t.authXOAUTH2(initial)
	default:
		return t.write("504 5.5.4 Unknown mechanism")
	}
	if err != nil {
		return err
	}
	ordinary := "535 5.7.8 Authentication failed"
	if good {
		ordinary = "235 2.7.0 Welcome"
	}
	positive, err := t.judge(StepAUTH, user, ordinary)
	if positive {
		t.login = user
	}
	return err
}

// ask sends a challenge and returns the decoded answer.
func (t *smtpSession) ask(challenge string) (string, error) {
	if err := t.write("334 " + base64.StdEncoding.EncodeToString([]byte(challenge))); err != nil {
		return "", err
	}
	l, err := t.line()
	if err != nil {
		return "", err
	}
	t.s.saw(l)
	return decode64(l), nil
}

func decode64(s string) string {
	b, _ := base64.StdEncoding.DecodeString(s)
	return string(b)
}

func (t *smtpSession) check(user, password string) bool {
	want, ok := t.s.o.Passwords[user]
	return ok && want == password
}

func (t *smtpSession) authPlain(initial string) (string, bool, error) {
	answer := decode64(initial)
	if initial == "" {
		var err error
		if answer, err = t.ask(""); err != nil {
			return "", false, err
		}
	}
	p := strings.Split(answer, "\x00")
	if len(p) != 3 {
		return "", false, nil
	}
	return p[1], t.check(p[1], p[2]), nil
}

func (t *smtpSession) authLogin(initial string) (user string, good bool, err error) {
	user = decode64(initial)
	if initial == "" {
		if user, err = t.ask("User Name"); err != nil { // not everybody says "Username:"
			return "", false, err
		}
	}
	password, err := t.ask("Password")
	return user, t.check(user, password), err
}

func (t *smtpSession) authCRAM() (string, bool, error) {
	const challenge = "<1896.697170952@mail.office.test>"
	answer, err := t.ask(challenge)
	if err != nil {
		return "", false, err
	}
	user, digest, _ := strings.Cut(answer, " ")
	password, ok := t.s.o.Passwords[user]
	mac := hmac.New(md5.New, []byte(password))
	mac.Write([]byte(challenge))
	return user, ok && hex.EncodeToString(mac.Sum(nil)) == digest, nil
}

func (t *smtpSession) authXOAUTH2(initial string) (string, bool, error) {
	answer := decode64(initial)
	rest, ok := strings.CutPrefix(answer, "user=")
	user, rest, _ := strings.Cut(rest, "\x01")
	token, tail, _ := strings.Cut(strings.TrimPrefix(rest, "auth=Bearer "), "\x01")
	if ok && tail == "\x01" && t.check(user, token) {
		return user, true, nil
	}
	// The fault is told in a challenge that the client answers with nothing.
	_, err := t.ask(`{"status":"401","schemes":"bearer"}`)
	return user, false, err
}
