package logging

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// Mask stands where a secret stood.
const Mask = "[masked]"

// shortestSecret is the length in octets below which a value is not masked:
// every second line contains it, and the holes would betray it.
const shortestSecret = 4

// shortestCore is the least number of base64 digits that are worth a search.
const shortestCore = 6

// Redactor masks registered secrets wherever they appear in a text. It is the
// second line of defence: the protocols hide credentials themselves, but the
// words of a server, an error or a path may repeat them. The zero value is
// ready; all methods may be called at the same time, also on nil.
type Redactor struct {
	mu       sync.Mutex
	known    map[string]bool
	replacer atomic.Pointer[strings.Replacer]
}

// Add registers a secret: as it is, quoted once or twice, as JSON, in URLs, in
// hexadecimal and inside base64, at whichever octet it begins there (SASL PLAIN
// and XOAUTH2 put a user name before it). Values under four octets are ignored.
func (r *Redactor) Add(secret string) {
	if r == nil || len(secret) < shortestSecret {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = make(map[string]bool)
	}
	for _, form := range forms(secret) {
		r.known[form] = true
	}
	all := make([]string, 0, len(r.known))
	for form := range r.known {
		all = append(all, form)
	}
	// At one place the first argument wins: a secret that begins with another
	// one is masked whole.
	slices.SortFunc(all, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	pairs := make([]string, 0, 2*len(all))
	for _, form := range all {
		pairs = append(pairs, form, Mask)
	}
	r.replacer.Store(strings.NewReplacer(pairs...))
}

// Redact returns text with every registered secret masked.
func (r *Redactor) Redact(text string) string {
	if r == nil {
		return text
	}
	if replacer := r.replacer.Load(); replacer != nil {
		return replacer.Replace(text)
	}
	return text
}

// redactTo appends to out what Redact would return.
func (r *Redactor) redactTo(out *spelling, text string) {
	if r != nil {
		if replacer := r.replacer.Load(); replacer != nil {
			_, _ = replacer.WriteString(out, text) // out cannot fail
			return
		}
	}
	*out = append(*out, text...)
}

// forms lists how a secret may be spelled in a log.
func forms(secret string) []string {
	quoted := inner(strconv.Quote(secret))
	list := []string{
		secret, quoted, inner(strconv.Quote(quoted)), inner(strconv.QuoteToASCII(secret)),
		url.QueryEscape(secret), url.PathEscape(secret),
		hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))),
	}
	if asJSON, err := json.Marshal(secret); err == nil {
		list = append(list, inner(string(asJSON)))
	}
	for shift := range 3 {
		for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			if core := base64Core(secret, shift, alphabet); len(core) >= shortestCore {
				list = append(list, core)
			}
		}
	}
	// A password of few octets has no core that is long enough to search for,
	// but its own encoding is.
	list = append(list, base64.StdEncoding.EncodeToString([]byte(secret)))
	return list
}

// base64Core returns the base64 digits that depend on the secret alone when
// shift octets (0 to 2, modulo 3) of something else stand before it.
func base64Core(secret string, shift int, alphabet *base64.Encoding) string {
	coded := alphabet.EncodeToString([]byte(strings.Repeat("\x00", shift) + secret))
	first := (8*shift + 5) / 6            // the digits before mix with the neighbour
	last := (8*shift + 8*len(secret)) / 6 // the digit after mixes with the neighbour or is padded
	return coded[first:last]
}

func inner(quoted string) string { return quoted[1 : len(quoted)-1] }
