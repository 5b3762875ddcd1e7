package deliver

import (
	"strings"
	"testing"
)

func TestWordsOfAReplyStandOnOneLine(t *testing.T) {
	long := strings.Repeat("x", maxWords)
	for _, c := range []struct {
		code       int
		text, want string
	}{
		{250, "2.0.0 Ok: queued as 4711", "250 2.0.0 Ok: queued as 4711"},
		{250, "", "250"},
		{250, " ", "250"},
		{250, " two  words\t", "250 two words"},
		{550, "no\nsuch\r\nuser", "550 no such user"},
		{550, "né", "550 né"},
		{550, "n\xe9", "550 n?"},
		{550, "a\x7fb", "550 a b"},
		{250, long, "250 " + long},
		{250, long + "y", "250 " + long},
		{0, "said nothing", "said nothing"},
		{0, "", ""},
		{7, "odd", "007 odd"},
	} {
		if got := (Reply{Code: c.code, Text: c.text}).String(); got != c.want {
			t.Errorf("%d %q: %q, not %q", c.code, c.text, got, c.want)
		}
	}
}

func TestPathsWithQuotes(t *testing.T) {
	for address, want := range map[string]bool{
		"anne@office.test":                   true,
		`"a b"@office.test`:                  true,
		`"a>b"@office.test`:                  true,
		"a b@office.test":                    false,
		"a>b@office.test":                    false,
		"anne@office.test>":                  false,
		`"anne@office.test`:                  false,
		"anne":                               false,
		"anne@":                              false,
		"@office.test":                       false,
		"anne@office.test\r\nRSET":           false,
		`"a\"b"@office.test`:                 true,
		strings.Repeat("a", 999) + "@x.test": false,
	} {
		if got := safePath(address); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
}
