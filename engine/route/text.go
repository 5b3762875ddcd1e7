package route

import (
	"strconv"
	"strings"
	"unicode"
)

const (
	maxEvidence = 400 // octets of a header line in the journal
	maxReason   = 200 // octets of X-Postbag-Reason
	maxNotes    = 10  // notes of one kind
)

// evidence is a header line for the journal: one line of valid UTF-8.
func evidence(line string) string {
	line = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(line, "?"))
	line = strings.Join(strings.Fields(line), " ")
	if len(line) <= maxEvidence {
		return line
	}
	return strings.ToValidUTF8(line[:maxEvidence], "") + "..."
}

// ascii keeps printable ASCII only: the text stands in a header of ours and
// must not end its line or open another.
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

// reason is the text of X-Postbag-Reason on the unknown recipient's copy (rule
// 30): why he has it, not who else does.
func reason(strangers, empty []string, individual bool) string {
	switch {
	case len(strangers) > 0:
		return naming("unknown: ", strangers)
	case len(empty) > 0:
		return naming("nobody behind: ", empty)
	case individual:
		return "nobody is left of deliver_to"
	}
	return "no accepted address in the header"
}

// naming lists as many addresses as fit.
func naming(what string, addresses []string) string {
	out := what
	for i, a := range addresses {
		more := ascii(a)
		if i > 0 {
			more = ", " + more
		}
		if len(out)+len(more) > maxReason-20 {
			if i == 0 {
				out += more[:maxReason-20-len(out)] + "..."
			}
			if rest := len(addresses) - max(i, 1); rest > 0 {
				out += " and " + strconv.Itoa(rest) + " more"
			}
			return out
		}
		out += more
	}
	return out
}

// notes says the same of each address, of a few of them.
func notes(addresses []string, what string) []string {
	var out []string
	for i, a := range addresses {
		if i == maxNotes {
			return append(out, "and "+strconv.Itoa(len(addresses)-i)+" more"+what)
		}
		out = append(out, evidence(a)+what)
	}
	return out
}
