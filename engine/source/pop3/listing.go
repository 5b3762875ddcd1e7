package pop3

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"

	"postbag/engine/source"
)

// maxFaults bounds the malformed lines that are described one by one.
const maxFaults = 50

// scanLine is one line of LIST, uidLine one of UIDL.
type scanLine struct {
	number int
	size   int64
}

type uidLine struct {
	number int
	uid    string
}

// collector gathers the lines of STAT, LIST and UIDL.
type collector struct {
	count     int
	size      int64
	hasUIDL   bool
	max       int
	scan      []scanLine
	uids      []uidLine
	bad       map[int]bool // numbers to be left alone (rule 2)
	anonymous bool         // a malformed LIST line did not even tell its number
	left      int          // lines over max
	faults    []string
	further   int
}

func (c *collector) fault(name string, line []byte, why string) {
	if len(c.faults) >= maxFaults {
		c.further++
		return
	}
	c.faults = append(c.faults, fmt.Sprintf("%s: %s: %.80q", name, why, line))
}

func (c *collector) leaveAlone(number int) {
	if c.bad == nil {
		c.bad = make(map[int]bool)
	}
	c.bad[number] = true
}

func (c *collector) addScan(line []byte, tooLong bool) {
	number, size, ok := parsePair(line)
	switch {
	case ok && !tooLong && number > 0:
		if len(c.scan) >= c.max {
			c.left++
			return
		}
		c.scan = append(c.scan, scanLine{number, size})
	case number > 0:
		c.fault("LIST", line, "malformed, this message is left alone")
		c.leaveAlone(number)
	default:
		c.fault("LIST", line, "malformed")
		c.anonymous = true
	}
}

func (c *collector) addUID(line []byte, tooLong bool) {
	number, uid, ok := parseUIDL(line)
	switch {
	case ok && !tooLong:
		if len(c.uids) >= c.max {
			return // counted with LIST
		}
		c.uids = append(c.uids, uidLine{number, string(uid)})
	case number > 0:
		c.fault("UIDL", line, "malformed, this message is left alone")
		c.leaveAlone(number)
	default:
		c.fault("UIDL", line, "malformed")
	}
}

// parsePair reads "number size" and whatever follows (RFC 1939 section 5,
// scan listing). number is told even if the size is malformed, 0 if it is not
// one either.
func parsePair(line []byte) (number int, size int64, ok bool) {
	first, rest := cutField(line)
	n, okNumber := parseNumber(first, math.MaxInt32)
	if !okNumber {
		return 0, 0, false
	}
	second, _ := cutField(rest)
	size, okSize := parseNumber(second, math.MaxInt64)
	return int(n), size, okSize
}

// parseUIDL reads "number unique-id" (RFC 1939 section 7): 1 to 70 octets from
// 0x21 to 0x7E and nothing behind. number is told even if the rest is
// malformed, 0 if it is not one either. rule 2
func parseUIDL(line []byte) (number int, uid []byte, ok bool) {
	first, rest := cutField(line)
	n, okNumber := parseNumber(first, math.MaxInt32)
	if !okNumber || n == 0 {
		return 0, nil, false
	}
	uid, rest = cutField(rest)
	if len(uid) < 1 || len(uid) > 70 || len(bytes.TrimLeft(rest, " \t")) > 0 {
		return int(n), nil, false
	}
	for _, b := range uid {
		if b < 0x21 || b > 0x7e {
			return int(n), nil, false
		}
	}
	return int(n), uid, true
}

// cutField returns the first word of line and what follows it. Only blanks and
// tabs separate.
func cutField(line []byte) (field, rest []byte) {
	line = bytes.TrimLeft(line, " \t")
	if i := bytes.IndexAny(line, " \t"); i >= 0 {
		return line[:i], line[i:]
	}
	return line, nil
}

// parseNumber reads decimal digits and nothing else.
func parseNumber(word []byte, limit int64) (int64, bool) {
	if len(word) == 0 || len(word) > 19 {
		return 0, false
	}
	var n int64
	for _, b := range word {
		if b < '0' || b > '9' {
			return 0, false
		}
		d := int64(b - '0')
		if n > (limit-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// listing joins LIST and UIDL by number.
func (c *collector) listing() source.Listing {
	c.dropContradictions()
	l := source.Listing{HasUIDL: c.hasUIDL, Count: c.count, Size: c.size}
	i, j := 0, 0
	for i < len(c.scan) || j < len(c.uids) {
		switch {
		case j == len(c.uids) || i < len(c.scan) && c.scan[i].number < c.uids[j].number:
			l.Items = c.onlyScan(l.Items, c.scan[i])
			i++
		case i == len(c.scan) || c.uids[j].number < c.scan[i].number:
			l.Items = c.onlyUID(l.Items, c.uids[j])
			j++
		default:
			if !c.bad[c.scan[i].number] {
				l.Items = append(l.Items, source.Item{Number: c.scan[i].number, UID: c.uids[j].uid, Size: c.scan[i].size})
			}
			i, j = i+1, j+1
		}
	}
	c.conclude(&l)
	return l
}

// conclude adds what the lists tell as a whole.
func (c *collector) conclude(l *source.Listing) {
	if c.left > 0 {
		c.fault("LIST", nil, fmt.Sprintf("%d messages over the limit of %d wait for the next session", c.left, c.max))
	}
	if named := len(l.Items) + len(c.bad); c.count > named && c.left == 0 && len(c.faults) == 0 {
		// Whoever looks for messages that vanished must know that this list is not whole.
		c.fault("STAT", nil, fmt.Sprintf("it counts %d messages, the lists name %d", c.count, named))
	}
	if c.further > 0 {
		c.faults = append(c.faults, fmt.Sprintf("and %d malformed lines more", c.further))
	}
	if c.count < 0 {
		l.Count, l.Size = len(l.Items), 0
		for _, it := range l.Items {
			l.Size += max(it.Size, 0)
		}
	}
	l.Faults = c.faults
}

func (c *collector) onlyScan(items []source.Item, s scanLine) []source.Item {
	switch {
	case c.bad[s.number]:
	case c.hasUIDL:
		// Without its UIDL it could be one that is known.
		c.fault("UIDL", nil, fmt.Sprintf("message %d has no line, it is left alone", s.number))
	default:
		return append(items, source.Item{Number: s.number, Size: s.size})
	}
	return items
}

func (c *collector) onlyUID(items []source.Item, u uidLine) []source.Item {
	switch {
	case c.bad[u.number]:
	case c.anonymous || c.left > 0:
		// Its LIST line may be the malformed one, or beyond the limit.
		c.fault("LIST", nil, fmt.Sprintf("message %d has no line, it is left alone", u.number))
	default:
		return append(items, source.Item{Number: u.number, UID: u.uid, Size: -1})
	}
	return items
}

// dropContradictions sorts both lists by number and leaves those numbers alone
// that one list names twice with different values.
func (c *collector) dropContradictions() {
	byNumber := func(a, b scanLine) int { return cmp.Compare(a.number, b.number) }
	slices.SortStableFunc(c.scan, byNumber)
	c.scan = slices.CompactFunc(c.scan, func(a, b scanLine) bool {
		if a.number == b.number && a.size != b.size {
			c.fault("LIST", nil, fmt.Sprintf("message %d has two sizes, it is left alone", a.number))
			c.leaveAlone(a.number)
		}
		return a.number == b.number
	})
	slices.SortStableFunc(c.uids, func(a, b uidLine) int { return cmp.Compare(a.number, b.number) })
	c.uids = slices.CompactFunc(c.uids, func(a, b uidLine) bool {
		if a.number == b.number && a.uid != b.uid {
			c.fault("UIDL", nil, fmt.Sprintf("message %d has two unique-ids, it is left alone", a.number))
			c.leaveAlone(a.number)
		}
		return a.number == b.number
	})
}
