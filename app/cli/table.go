package cli

import (
	"strings"

	"github.com/rivo/uniseg"
)

// column describes one column of a table.
type column struct {
	title string
	right bool // numbers stand at the right
	min   int  // may be cut down to this width on a narrow terminal; 0: never cut
}

// sampleRows is how many rows decide the widths: a journal of a million lines
// is not held in memory.
const sampleRows = 200

const gap = "  "

// table writes aligned rows. On a terminal it fits the width, elsewhere nothing
// is cut, so that a pipe gets whole values.
type table struct {
	columns []column
	width   int // of the terminal, 0: unlimited
	put     func(string) error
	rows    [][]string
	widths  []int
}

func (s *session) newTable(columns ...column) *table {
	return &table{columns: columns, width: s.env.StdoutWidth, put: s.out.put}
}

// row adds one row; the cells are made safe.
func (t *table) row(cells ...string) error {
	for i := range cells {
		cells[i] = cell(cells[i])
	}
	if t.widths != nil {
		return t.put(t.format(cells))
	}
	t.rows = append(t.rows, cells)
	if len(t.rows) < sampleRows {
		return nil
	}
	return t.close()
}

// close writes what is still held back. A table without rows writes nothing.
func (t *table) close() error {
	if t.widths != nil || len(t.rows) == 0 {
		return nil
	}
	t.measure()
	titles := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = c.title
	}
	if err := t.put(t.format(titles)); err != nil {
		return err
	}
	for _, cells := range t.rows {
		if err := t.put(t.format(cells)); err != nil {
			return err
		}
	}
	t.rows = nil
	return nil
}

// measure takes the widest cell of each column and then narrows the widest of
// the columns that may be cut until the line fits.
func (t *table) measure() {
	t.widths = make([]int, len(t.columns))
	total := len(gap) * (len(t.columns) - 1)
	for i, c := range t.columns {
		t.widths[i] = uniseg.StringWidth(c.title)
		for _, r := range t.rows {
			t.widths[i] = max(t.widths[i], uniseg.StringWidth(r[i]))
		}
		total += t.widths[i]
	}
	if t.width == 0 {
		return
	}
	for total > t.width {
		widest := -1
		for i, c := range t.columns {
			if c.min > 0 && t.widths[i] > c.min && (widest < 0 || t.widths[i] > t.widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		t.widths[widest]--
		total--
	}
}

func (t *table) format(cells []string) string {
	var b strings.Builder
	for i, c := range t.columns {
		text := cells[i]
		if t.width > 0 && c.min > 0 {
			text = cut(text, t.widths[i])
		}
		pad := strings.Repeat(" ", max(0, t.widths[i]-uniseg.StringWidth(text)))
		if i > 0 {
			b.WriteString(gap)
		}
		if c.right {
			b.WriteString(pad + text)
			continue
		}
		b.WriteString(text + pad)
	}
	return strings.TrimRight(b.String(), " ")
}

// cut shortens a text to so many columns, with an ellipsis at its end.
func cut(text string, width int) string {
	if uniseg.StringWidth(text) <= width {
		return text
	}
	var b strings.Builder
	used, state := 0, -1
	for len(text) > 0 {
		var cluster string
		var w int
		cluster, text, w, state = uniseg.FirstGraphemeClusterInString(text, state)
		if used+w > width-1 {
			break
		}
		used += w
		b.WriteString(cluster)
	}
	return b.String() + "…"
}
