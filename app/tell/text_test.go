package tell

import "testing"

func TestSentence(t *testing.T) {
	for text, want := range map[string]string{
		"  two  words\nand\ta third \x1b": "two words and a third \ufffd",
		"Vérifiez\u00a0:  le\u202fmot":    "Vérifiez\u00a0: le\u202fmot",
		"wide\u3000space\u2003here":       "wide space here",
		"":                                "",
	} {
		if got := Sentence(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
