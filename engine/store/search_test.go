package store

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// What is found inside the words is what lower case finds, whatever the letters.
func TestContainsAll(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	letters := []rune("aAbBkKiIzZ@.-\n éÉßẞœŒıİ\u212aдД中\U00010400\ufffd")
	text := func(n int) string {
		var b strings.Builder
		for range rnd.IntN(n) {
			if rnd.IntN(40) == 0 {
				b.WriteByte(byte(rnd.IntN(256))) // not UTF-8, most of the time
				continue
			}
			b.WriteRune(letters[rnd.IntN(len(letters))])
		}
		return b.String()
	}
	found := 0
	for range 200_000 {
		in, words := text(14), strings.Fields(strings.ToLower(text(5)))
		want := true
		for _, w := range words {
			want = want && strings.Contains(strings.ToLower(in), w)
		}
		if containsAll(words, in) != want {
			t.Fatalf("%q in %q: %v", words, in, !want)
		}
		if want && len(words) > 0 {
			found++
		}
	}
	if found < 1000 {
		t.Errorf("%d are found only", found)
	}
}

// Parts of words are found in each thing that a message is found by, in the case
// of the other letters too, and not across two of them.
func TestLogFindsPartsOfWords(t *testing.T) {
	r := newRig(t)
	row := r.keep("box", "uid-xyzzy-1", "Rapport de l'ÉTÉ", "anne").Row
	r.keep("box", "u2", "nothing of the kind", "bob")
	r.list("box", "u3-plugh") // not here yet: it has a UIDL only
	for search, want := range map[string]int{
		"ender": 2, "apport": 1, "ÉTÉ": 1, "l'été": 1, "été ender": 1, "yzzy": 1, "YZZY APPORT": 1, "sp.test": 2, "nne@off": 1, "lugh": 1,
		r.entry(row).ID[3:]: 1, "zebra": 0, "apport zebra": 0, "étéa": 0, "xyzzy-1\u212a": 0,
	} {
		n := 0
		for _, e := range r.log(Filter{Search: search}) {
			if n++; want == 1 && search != "lugh" && e.Row != row {
				t.Errorf("%q finds %s", search, e.UID)
			}
		}
		if n != want {
			t.Errorf("%q finds %d, want %d", search, n, want)
		}
	}
}
