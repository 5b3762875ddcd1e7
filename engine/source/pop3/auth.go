package pop3

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"

	"postbag/engine/mail"
)

// timestamp is the msg-id in the greeting of a server with APOP (RFC 1939
// section 7). Only printable ASCII counts: a forged one with other octets can
// be used to guess at the password (CVE-2007-1558).
var timestamp = lazily(`<[!-;=?-~]+@[!-;=?-~]+>`)

// maxCommand is the length of an AUTH command with its initial response and
// CRLF (RFC 5034 section 4, rule 7).
const maxCommand = 255

// plaintext names the mechanisms that tell the secret to whoever listens.
var plaintext = map[string]bool{AuthUser: true, AuthPlain: true, AuthLogin: true, AuthXOAUTH2: true}

// hidden lists the forms of the secret that no log may show.
func hidden(o Options) []string {
	b64 := base64.StdEncoding.EncodeToString
	return []string{
		b64([]byte("\x00" + o.Username + "\x00" + o.Password)),
		b64(xoauth2(o.Username, o.Password)), b64([]byte(o.Password)), o.Password,
	}
}

func xoauth2(user, token string) []byte {
	return []byte("user=" + user + "\x01auth=Bearer " + token + "\x01\x01")
}

// signIn tries the mechanisms in turn; only one that the server does not know
// makes it go on to the next, so that a wrong password is offered once (rule 8).
func (s *Session) signIn() error {
	if strings.ContainsAny(s.opt.Username, "\r\n\x00") || strings.ContainsAny(s.opt.Password, "\r\n\x00") {
		return &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeAuth, Op: "login",
			Err: errors.New("a line break or NUL in the user name or password")}
	}
	names, err := s.mechanisms()
	if err != nil {
		return err
	}
	for i, name := range names {
		err = s.authenticate(name)
		if err == nil || s.gate.fault != nil || i+1 == len(names) || !tryNext(mail.AsFailure(err), name, names[i+1]) {
			return err
		}
		s.opt.Log.Debug("sign-in method refused, trying the next", "method", name, "next", names[i+1])
	}
	return err
}

// tryNext tells whether a refusal speaks of the method and not of the password.
func tryNext(f *mail.Failure, method, next string) bool {
	if f.Code == mail.CodeNoMechanism {
		return true
	}
	if responseCode(f.Reply) != "" || f.Code != mail.CodeAuth {
		return false
	}
	// QUIRK many servers offer APOP or CRAM-MD5 for accounts that they hold
	// only as hashes. Where the user allowed it, the password itself decides.
	return wordsUnsupported().MatchString(f.Reply) || !plaintext[method] && plaintext[next]
}

// mechanisms is the order in which to try (rules 5 and 7).
func (s *Session) mechanisms() ([]string, error) {
	mayTell := s.gate.secure || s.opt.AllowPlaintextPassword
	name := strings.ToLower(s.opt.Auth)
	refused := &mail.Failure{Class: mail.NeedsUser, Code: mail.CodePlaintext, Op: "login"}
	if name != AuthAuto {
		if plaintext[name] && !mayTell {
			return nil, refused
		}
		return []string{name}, nil
	}
	challenge, plain := s.offered()
	var names []string
	switch {
	case s.gate.secure: // nobody listens: what every account can do comes first
		names = append(plain, challenge...)
	case mayTell:
		names = append(challenge, plain...)
	case len(challenge) == 0:
		return nil, refused
	default:
		names = challenge
	}
	if len(names) == 0 {
		return nil, &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeNoMechanism, Op: "login"}
	}
	return names, nil
}

// offered sorts what the server offers into ways that keep the password to
// themselves and ways that tell it.
func (s *Session) offered() (challenge, plain []string) {
	if s.caps.sasl["CRAM-MD5"] {
		challenge = append(challenge, AuthCRAMMD5)
	}
	if s.stamp != "" {
		challenge = append(challenge, AuthAPOP)
	}
	if s.caps.sasl["PLAIN"] {
		plain = append(plain, AuthPlain)
	}
	if !s.caps.known || s.caps.user || len(s.caps.sasl) == 0 {
		plain = append(plain, AuthUser)
	}
	if s.caps.sasl["LOGIN"] {
		plain = append(plain, AuthLogin)
	}
	return challenge, plain
}

func (s *Session) authenticate(name string) error {
	user, password := s.opt.Username, s.opt.Password
	switch name {
	case AuthUser:
		return s.userPass(user, password)
	case AuthAPOP:
		return s.apop(user, password)
	case AuthPlain:
		return s.sasl("PLAIN", []byte("\x00"+user+"\x00"+password), func(int, []byte) []byte { return nil })
	case AuthXOAUTH2:
		// An error comes as a challenge with details; an empty answer fetches the -ERR.
		return s.sasl("XOAUTH2", xoauth2(user, password), func(int, []byte) []byte { return nil })
	case AuthLogin:
		return s.sasl("LOGIN", nil, func(round int, _ []byte) []byte {
			// The prompts differ from server to server, their order does not.
			if round == 0 {
				return []byte(user)
			}
			return []byte(password)
		})
	case AuthCRAMMD5:
		return s.sasl("CRAM-MD5", nil, func(_ int, challenge []byte) []byte {
			mac := hmac.New(md5.New, []byte(password))
			mac.Write(challenge)
			return []byte(user + " " + hex.EncodeToString(mac.Sum(nil)))
		})
	}
	return &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeNoMechanism, Op: "login",
		Err: errors.New("unknown way to sign in: " + name)}
}

func (s *Session) userPass(user, password string) error {
	if err := s.secretCommand("USER", "USER "+user, "USER ****"); err != nil {
		return err
	}
	return s.secretCommand("PASS", "PASS "+password, "PASS ****")
}

func (s *Session) apop(user, password string) error {
	if s.stamp == "" {
		return &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeNoMechanism, Op: "APOP"}
	}
	sum := md5.Sum([]byte(s.stamp + password))
	return s.secretCommand("APOP", "APOP "+user+" "+hex.EncodeToString(sum[:]), "APOP ****")
}

// secretCommand is a command of the sign-in whose argument is kept out of the transcript.
func (s *Session) secretCommand(op, line, shown string) error {
	s.gate.op = op
	if err := s.gate.idle(); err != nil {
		return err
	}
	if err := s.send(line, shown); err != nil {
		return err
	}
	k, err := s.answer(op, s.opt.Timeouts.Login)
	if err != nil {
		return err
	}
	return s.verdict(op, k)
}

// verdict is the meaning of the last status line of a sign-in.
func (s *Session) verdict(op string, k kind) error {
	switch k {
	case kindOK:
		return nil
	case kindErr:
		return s.masked(signInRefusal(op, s.words(), s.gate.secure))
	}
	return s.gate.protocol("a challenge where none was due", s.gate.last.text)
}

// sasl runs one exchange (RFC 5034 section 4). initial is sent with the
// command when it fits, else as the answer to the first, empty challenge;
// respond answers every other challenge.
func (s *Session) sasl(mechanism string, initial []byte, respond func(round int, challenge []byte) []byte) error {
	op := "AUTH " + mechanism
	s.gate.op = op
	if err := s.gate.idle(); err != nil {
		return err
	}
	line, shown := op, op
	encoded := base64.StdEncoding.EncodeToString(initial)
	early := initial != nil && len(line)+1+len(encoded)+2 <= maxCommand
	if early {
		line, shown = line+" "+encoded, shown+" ****"
	}
	if err := s.send(line, shown); err != nil {
		return err
	}
	for round := range 8 {
		k, err := s.answer(op, s.opt.Timeouts.Login)
		if err != nil {
			return err
		}
		if k != kindMore {
			return s.verdict(op, k)
		}
		challenge, err := base64.StdEncoding.DecodeString(string(s.gate.last.text))
		if err != nil && mechanism == "CRAM-MD5" { // QUIRK others put plain words here
			return s.gate.protocol("a challenge that is not base64", s.gate.last.text)
		}
		answer := respond(round, challenge)
		if round == 0 && initial != nil && s.wantsInitial(mechanism, early) {
			answer = initial
		}
		if err := s.send(base64.StdEncoding.EncodeToString(answer), "****"); err != nil {
			return err
		}
	}
	return s.gate.protocol("a sign-in without end", nil)
}

// wantsInitial tells whether the first challenge asks for the initial
// response. QUIRK a server of before RFC 5034 passes over the one that came
// with the command and asks again; XOAUTH2 tells an error in a challenge.
func (s *Session) wantsInitial(mechanism string, early bool) bool {
	return !early || mechanism == "PLAIN" || len(s.gate.last.text) == 0
}
