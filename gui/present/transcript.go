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
