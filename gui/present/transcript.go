package present

import (
	"strings"

	"postbag/app/facts"
	"postbag/app/tell"
)

// transcriptShown bounds what a window shows of one transcript; the file that
// is saved has all of it.
const transcriptShown = 100_000

// TranscriptText is a transcript as a window can show it.
func TranscriptText(t facts.Transcript) string {
	text := tell.Safe(strings.ReplaceAll(t.Text, "\r\n", "\n"))
	if len(text) <= transcriptShown {
		return text
	}
	half := transcriptShown / 2
	return strings.ToValidUTF8(text[:half], "") + "\n[...]\n" + strings.ToValidUTF8(text[len(text)-half:], "")
}

// TranscriptWith says with whom a session was: the protocol and the name of the
// mailbox or office server, without the mark that tells sessions apart.
func TranscriptWith(t facts.Transcript) string {
	protocol, rest, found := strings.Cut(tell.Line(t.Name), "-")
	if !found {
		return protocol
	}
	if at := strings.LastIndexByte(rest, '-'); at > 0 {
		rest = rest[:at]
	}
	return strings.ToUpper(protocol) + " " + rest
}

// TranscriptFile proposes a name for a saved transcript.
func TranscriptFile(t facts.Transcript) string {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>| `, r) {
			return '-'
		}
		return r
	}, tell.Line(t.Name))
	return "postbag-" + t.Time.Format("20060102-150405") + "-" + name + ".txt"
}
