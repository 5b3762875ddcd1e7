package engine

import (
	"bytes"
	"time"

	"postbag/engine/mail"
)

// trace is the header that is put on top of a delivered message (rule 36, RFC
// 5321 section 4.4) and, on the unknown recipient's copy, why he gets it (rule
// 30). It names no recipient: a copy must not show who else got one.
func trace(j mail.Job, hostname, installation string) []byte {
	var b bytes.Buffer
	b.Grow(256) // enough for most
	b.WriteString("Received: from ")
	b.WriteString(word(j.Source, "unknown"))
	b.WriteString(" by ")
	b.WriteString(word(hostname, "localhost"))
	b.WriteString(" with POP3 (Postbag)\r\n\tid ")
	b.WriteString(j.ID)
	b.WriteString("; ")
	b.Write(j.Received.AppendFormat(b.AvailableBuffer(), time.RFC1123Z))
	b.WriteString("\r\nX-Postbag-Loop: ")
	b.WriteString(installation)
	b.WriteString("\r\n")
	if j.Unknown && j.Reason != "" {
		b.WriteString("X-Postbag-Reason: ")
		b.WriteString(word(j.Reason, "unknown"))
		b.WriteString("\r\n")
	}
	return b.Bytes()
}

const longestWord = 400

// isWord tells that word has nothing to do.
func isWord(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != "" && len(s) <= longestWord
}

// word keeps printable ASCII only, so that nothing from outside can end the
// header line that it stands in.
func word(s, otherwise string) string {
	if isWord(s) {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s) && len(out) < longestWord; i++ {
		if s[i] >= ' ' && s[i] < 0x7f {
			out = append(out, s[i])
		}
	}
	if len(bytes.TrimSpace(out)) == 0 {
		return otherwise
	}
	return string(out)
}
