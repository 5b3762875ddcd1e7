package deliver

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-sasl"
)

// mechanism returns the SASL client of a Target. clear tells whether it hands
// over the secret itself, so that the line must be encrypted (rule 5).
func mechanism(t Target) (client sasl.Client, name string, clear bool, err error) {
	if strings.ContainsAny(t.Username+t.Secret, "\x00\r\n") {
		return nil, "", false, errors.New("control characters in user name or secret")
	}
	switch t.Auth {
	case AuthPlain:
		return sasl.NewPlainClient("", t.Username, t.Secret), sasl.Plain, true, nil
	case AuthLogin:
		return &loginClient{answers: []string{t.Username, t.Secret}}, sasl.Login, true, nil
	case AuthCRAMMD5:
		return &cramClient{user: t.Username, secret: t.Secret}, "CRAM-MD5", false, nil
	case AuthXOAUTH2:
		return &xoauth2Client{user: t.Username, token: t.Secret}, "XOAUTH2", true, nil
	}
	return nil, "", false, fmt.Errorf("unknown mechanism %q", t.Auth)
}

// loginClient answers LOGIN (draft-murchison-sasl-login). QUIRK: the wording
// of the two challenges differs from server to server, so only their order
// counts; and some servers take no initial response.
type loginClient struct{ answers []string }

func (c *loginClient) Start() (string, []byte, error) { return sasl.Login, nil, nil }

func (c *loginClient) Next([]byte) ([]byte, error) {
	if len(c.answers) == 0 {
		return nil, sasl.ErrUnexpectedServerChallenge
	}
	a := c.answers[0]
	c.answers = c.answers[1:]
	return []byte(a), nil
}

// cramClient answers CRAM-MD5 (RFC 2195 section 2).
type cramClient struct {
	user, secret string
	done         bool
}

func (c *cramClient) Start() (string, []byte, error) { return "CRAM-MD5", nil, nil }

func (c *cramClient) Next(challenge []byte) ([]byte, error) {
	if c.done {
		return nil, sasl.ErrUnexpectedServerChallenge
	}
	c.done = true
	mac := hmac.New(md5.New, []byte(c.secret))
	mac.Write(challenge)
	return []byte(c.user + " " + hex.EncodeToString(mac.Sum(nil))), nil
}

// xoauth2Client answers XOAUTH2 as Google and Microsoft describe it.
type xoauth2Client struct{ user, token string }

func (c *xoauth2Client) Start() (string, []byte, error) {
	return "XOAUTH2", []byte("user=" + c.user + "\x01auth=Bearer " + c.token + "\x01\x01"), nil
}

// Next answers the challenge that tells a fault in JSON with an empty line;
// the real refusal follows. It must not be nil: go-smtp takes that for success.
func (c *xoauth2Client) Next([]byte) ([]byte, error) { return []byte{}, nil }
