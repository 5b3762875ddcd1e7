package engine

import (
	"strings"
	"testing"

	"postbag/engine/mail/header"
	"postbag/engine/source"
	"postbag/engine/store"
)

// Sizes as different servers count them are believed, others are not.
func TestDoubtful(t *testing.T) {
	st, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	const text = ".Subject: x\r\n\r\n.one\r\ntwo\r\n..three\r\n" // 5 lines, 3 dots
	const octets = int64(len(text))
	tests := map[string]struct {
		size int64
		want bool
	}{
		"as received":            {octets, false},
		"line ends as one octet": {octets - 5, false},
		"with the stuffed dots":  {octets + 3, false},
		"without the last CRLF":  {octets - 2, false},
		"unknown":                {-1, false},
		"more than came":         {octets + 40, true},
		"far less than came":     {octets - 20, true},
	}
	for name, tt := range tests {
		for _, piece := range []int{1, 3, len(text)} { // however it is cut
			a := &arrival{it: source.Planned{Item: source.Item{Size: tt.size}}, draft: st.NewDraft(), col: header.NewCollector()}
			for rest := text; rest != ""; rest = rest[min(piece, len(rest)):] {
				if _, err := a.Write([]byte(rest[:min(piece, len(rest))])); err != nil {
					t.Fatal(err)
				}
			}
			if got := a.doubtful(); got != tt.want {
				t.Errorf("%s, in pieces of %d: %v (%d lines, %d dots)", name, piece, got, a.lines, a.dots)
			}
			a.draft.Discard()
		}
	}
	if n := strings.Count(text, "\n"); n != 5 {
		t.Fatal(n)
	}
}

func TestChunk(t *testing.T) {
	items := make([]source.Planned, 50)
	for i := range items {
		items[i].Size = 10
	}
	items[40].Size = chunkBytes
	for _, tt := range []struct {
		from, most int
		left       int64
		want       int
	}{{0, few, 1 << 40, few}, {0, 500, 1 << 40, 41}, {41, 500, 1 << 40, 9}, {0, 500, 55, 5}, {0, 500, 9, 0}, {40, 500, 100, 0}} {
		if got := chunk(items[tt.from:], tt.most, tt.left); got != tt.want {
			t.Errorf("%+v: %d", tt, got)
		}
	}
}
