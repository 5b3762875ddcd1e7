package source

import (
	"cmp"
	"slices"
)

// small is the size up to which messages keep the order in which they came: a
// backlog of ordinary mail is not shuffled, only the big ones wait their turn.
const small = 256 << 10

// sortFailedLast lets a message that broke a session before wait for all others
// (rule 16).
func sortFailedLast(items []Planned) {
	slices.SortStableFunc(items, func(a, b Planned) int { return cmp.Compare(a.Known.Fetches, b.Known.Fetches) })
}

func sortSmallFirst(items []Planned) {
	class := func(p Planned) int64 {
		if p.Size <= small {
			return 0
		}
		return p.Size
	}
	slices.SortStableFunc(items, func(a, b Planned) int { return cmp.Compare(class(a), class(b)) })
}
