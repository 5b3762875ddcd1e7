package digest

import (
	"bytes"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"

	"postbag/engine/mail/header"
)

// compose puts header and body together. RFC 5322 section 3.6 asks for Date and
// From; RFC 3834 section 5 for Auto-Submitted, which keeps holiday notices
// away; X-Auto-Response-Suppress does the same with Exchange.
func (in Input) compose(l Letter, domain, body string) []byte {
	var b bytes.Buffer
	for _, f := range [][2]string{
		{"Date", in.Now.Format(time.RFC1123Z)},
		{"From", "Postbag <postbag@" + domain + ">"},
		{"To", address(in.Administrator)},
		{"Subject", encoded(l.Subject)},
		{"Message-ID", l.MessageID},
		{"Auto-Submitted", "auto-generated"},
		{"X-Auto-Response-Suppress", "All"},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Language", in.Texts.Lang()},
		{"Content-Transfer-Encoding", "quoted-printable"},
	} {
		b.WriteString(f[0] + ": " + f[1] + "\r\n")
	}
	b.WriteString("\r\n")
	q := quotedprintable.NewWriter(&b)
	// Writes to a bytes.Buffer do not fail.
	_, _ = q.Write([]byte(strings.ReplaceAll(body, "\n", "\r\n")))
	_ = q.Close()
	return b.Bytes()
}

// address writes the recipient for the header: the domain in A-form, so that
// only a foreign local part needs more than ASCII.
func address(text string) string {
	if a, ok := header.ParseAddress(text); ok {
		a.Domain = header.DomainKey(a.Domain)
		return "<" + a.String() + ">"
	}
	return "<" + clean(text, mostSubject) + ">"
}

// widest is how long an encoded word may get: "Subject: " stands before it in a
// line of 76 at most (RFC 2047 section 2).
const widest = 64

// encoded writes a text for a header: as it is when it is ASCII, else in encoded
// words (RFC 2047), which are cut at the blanks of the text; folded to lines of
// 78 (RFC 5322 section 2.1.1).
func encoded(text string) string {
	if mime.QEncoding.Encode("utf-8", text) == text {
		if i := strings.LastIndexByte(text[:min(len(text), widest)], ' '); len(text) > widest && i > 0 {
			return text[:i] + "\r\n" + text[i:]
		}
		return text
	}
	var lines []string
	chunk := ""
	for word := range strings.SplitAfterSeq(text, " ") { // the blank belongs to the word before it
		if chunk != "" && len(mime.QEncoding.Encode("utf-8", chunk+word+"é")) > widest {
			lines, chunk = append(lines, forced(chunk)), ""
		}
		chunk += word
	}
	return strings.Join(append(lines, forced(chunk)), "\r\n ")
}

// forced writes an encoded word also of plain ASCII: a blank between an encoded
// word and a plain one would be seen twice.
func forced(chunk string) string {
	if out := mime.QEncoding.Encode("utf-8", chunk); out != chunk {
		return out
	}
	return "=?utf-8?q?" + strings.NewReplacer(" ", "_", "=", "=3D", "?", "=3F", "_", "=5F").Replace(chunk) + "?="
}
