package mailtest

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func (s *pop3Session) stat(string) error {
	if s.user == "" {
		return s.err("sign in first")
	}
	n, size := 0, 0
	for _, m := range s.messages {
		if !s.deleted[m] {
			n, size = n+1, size+len(m.raw)
		}
	}
	return s.ok(fmt.Sprintf("%d %d", n, size))
}

func (s *pop3Session) list(arg string) error {
	return s.listing("LIST", arg, func(m *storedMessage) string { return strconv.Itoa(len(m.raw)) })
}

func (s *pop3Session) uidl(arg string) error {
	if s.server.opt.NoUIDL {
		return s.err("unknown command")
	}
	return s.listing("UIDL", arg, func(m *storedMessage) string { return m.uid })
}

func (s *pop3Session) listing(verb, arg string, value func(*storedMessage) string) error {
	if s.user == "" {
		return s.err("sign in first")
	}
	if arg != "" {
		m, n := s.message(arg)
		if m == nil {
			return s.err("no such message")
		}
		return s.ok(strconv.Itoa(n) + " " + value(m))
	}
	if err := s.ok("listing follows"); err != nil {
		return err
	}
	for i, m := range s.messages {
		if s.deleted[m] {
			continue
		}
		line := strconv.Itoa(i+1) + " " + value(m)
		if change := s.server.opt.Line; change != nil {
			if line = change(verb, i+1, line); line == "" {
				continue
			}
		}
		_, _ = s.w.WriteString(line)
		_, _ = s.w.WriteString("\r\n")
	}
	_, err := s.w.WriteString(".\r\n")
	return err
}

func (s *pop3Session) dele(arg string) error {
	m, _ := s.message(arg)
	if m == nil {
		return s.err("no such message")
	}
	s.deleted[m] = true
	return s.ok("")
}

func (s *pop3Session) rset(string) error {
	clear(s.deleted)
	return s.ok("")
}

// Sign-in.

func (s *pop3Session) userCmd(arg string) error {
	if s.server.opt.NoUser || s.user != "" {
		return s.err("unknown command")
	}
	if s.server.opt.PlainTLS && !s.secure {
		return s.err("[AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.")
	}
	s.name = arg
	return s.ok("")
}

func (s *pop3Session) pass(arg string) error {
	if s.name == "" || s.user != "" {
		return s.err("USER first")
	}
	return s.signIn(s.name, func(password string) bool { return password == arg })
}

func (s *pop3Session) apop(arg string) error {
	user, digest, _ := strings.Cut(arg, " ")
	if !s.server.opt.APOP || s.user != "" {
		return s.err("unknown command")
	}
	return s.signIn(user, func(password string) bool {
		sum := md5.Sum([]byte(s.stamp + password))
		return digest == hex.EncodeToString(sum[:])
	})
}

func (s *pop3Session) signIn(user string, good func(password string) bool) error {
	password, known := s.server.opt.Users[user]
	s.name = ""
	if !known || !good(password) {
		return s.err("[AUTH] Authentication failed.")
	}
	messages, refusal := s.server.enter(user)
	if refusal != "" {
		return s.err(refusal)
	}
	s.user, s.messages = user, messages
	return s.ok("signed in")
}

func (s *pop3Session) auth(arg string) error {
	mechanism, initial, has := strings.Cut(arg, " ")
	mechanism = strings.ToUpper(mechanism)
	if !slices.Contains(s.server.opt.SASL, mechanism) || s.user != "" {
		return s.err("unsupported authentication mechanism")
	}
	if s.server.opt.PlainTLS && !s.secure && mechanism != "CRAM-MD5" {
		return s.err("[AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.")
	}
	if s.server.opt.NoInitialResponse {
		has = false
	}
	first := func(challenge string) (string, error) {
		if has {
			text, err := base64.StdEncoding.DecodeString(initial)
			return string(text), err
		}
		return s.challenge(challenge)
	}
	switch mechanism {
	case "PLAIN":
		return s.authPlain(first)
	case "LOGIN":
		return s.authLogin(first)
	case "CRAM-MD5":
		return s.authCRAM()
	}
	return s.authXOAUTH2(first)
}

// challenge sends one and returns the decoded answer.
func (s *pop3Session) challenge(text string) (string, error) {
	_, _ = s.w.WriteString("+ " + base64.StdEncoding.EncodeToString([]byte(text)) + "\r\n")
	if err := s.w.Flush(); err != nil {
		return "", err
	}
	line, err := s.readLine()
	if err != nil {
		return "", err
	}
	s.count["AUTH-LINE"]++
	s.server.notice(POP3Command{Session: s.id, Verb: "AUTH-LINE", Arg: line, Nth: s.count["AUTH-LINE"], Secure: s.secure})
	answer, err := base64.StdEncoding.DecodeString(line)
	return string(answer), err
}

func (s *pop3Session) authPlain(first func(string) (string, error)) error {
	answer, err := first("")
	if err != nil {
		return s.err("malformed response")
	}
	parts := strings.Split(answer, "\x00")
	if len(parts) != 3 {
		return s.err("malformed response")
	}
	return s.signIn(parts[1], func(password string) bool { return password == parts[2] })
}

func (s *pop3Session) authLogin(first func(string) (string, error)) error {
	user, err := first("Username:")
	if err != nil {
		return s.err("malformed response")
	}
	given, err := s.challenge("Password:")
	if err != nil {
		return s.err("malformed response")
	}
	return s.signIn(user, func(password string) bool { return password == given })
}

func (s *pop3Session) authCRAM() error {
	answer, err := s.challenge(s.stamp)
	if err != nil {
		return s.err("malformed response")
	}
	user, digest, _ := strings.Cut(answer, " ")
	return s.signIn(user, func(password string) bool {
		mac := hmac.New(md5.New, []byte(password))
		mac.Write([]byte(s.stamp))
		return digest == hex.EncodeToString(mac.Sum(nil))
	})
}

func (s *pop3Session) authXOAUTH2(first func(string) (string, error)) error {
	answer, err := first("")
	if err != nil {
		return s.err("malformed response")
	}
	fields := strings.Split(answer, "\x01")
	if len(fields) != 4 || !strings.HasPrefix(fields[0], "user=") || !strings.HasPrefix(fields[1], "auth=Bearer ") {
		return s.err("malformed response")
	}
	user, token := fields[0][len("user="):], fields[1][len("auth=Bearer "):]
	if want, known := s.server.opt.Users[user]; !known || want != token {
		_, _ = s.challenge(`{"status":"401","schemes":"bearer"}`)
	}
	return s.signIn(user, func(password string) bool { return password == token })
}
