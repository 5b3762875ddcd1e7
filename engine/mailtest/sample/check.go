package sample

import (
	"fmt"
	"maps"
	"slices"
)

// Check compares what was delivered to each address with what ought to be
// there, and names each fault: a message that is missing, that came twice, that
// went to somebody else, or that was altered.
func Check(messages []Message, delivered map[string][][]byte) []string {
	byContent := map[string]int{}
	want := map[string]map[int]bool{}
	for i, m := range messages {
		byContent[string(m.Normalized())] = m.First
		for _, a := range m.For {
			if want[a] == nil {
				want[a] = map[int]bool{}
			}
			want[a][messages[i].First] = true
		}
	}
	var faults []string
	for _, address := range slices.Sorted(maps.Keys(delivered)) {
		got := map[int]int{}
		for n, raw := range delivered[address] {
			first, ok := find(byContent, raw)
			if !ok {
				faults = append(faults, fmt.Sprintf("%s: message %d is none of those that were sent, or was altered: %.400q", address, n, raw))
				continue
			}
			got[first]++
		}
		faults = append(faults, compare(messages, address, want[address], got)...)
	}
	for _, address := range slices.Sorted(maps.Keys(want)) {
		if _, ok := delivered[address]; !ok {
			faults = append(faults, fmt.Sprintf("%s: nothing is known of its %d messages", address, len(want[address])))
		}
	}
	return faults
}

func find(byContent map[string]int, raw []byte) (int, bool) {
	below, ok := Below(raw)
	if !ok {
		return 0, false
	}
	first, ok := byContent[string(below)]
	if !ok && len(below) > 0 && below[0] == '\n' {
		first, ok = byContent[string(below[1:])] // see Below
	}
	return first, ok
}

func compare(messages []Message, address string, want map[int]bool, got map[int]int) []string {
	var faults []string
	for i, m := range messages {
		switch n := got[i]; {
		case want[i] && n == 0:
			faults = append(faults, fmt.Sprintf("%s: message %d (%s) is missing", address, i, m.Kind))
		case n > 1:
			faults = append(faults, fmt.Sprintf("%s: message %d (%s) came %d times", address, i, m.Kind, n))
		case !want[i] && n > 0:
			faults = append(faults, fmt.Sprintf("%s: message %d (%s) is for %v", address, i, m.Kind, m.For))
		}
	}
	return faults
}
