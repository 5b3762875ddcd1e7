package store

import (
	"context"
	"errors"
	"slices"

	"postbag/engine/mail"
)

// Rows returns what is known of the rows today, in their order; rows that are
// gone are left out.
func (s *Store) Rows(ctx context.Context, rows []int64) ([]Known, error) {
	view := s.viewRows(rows) // the tables need not be asked for these
	rest := slices.DeleteFunc(slices.Clone(rows), func(row int64) bool { return view[row] != nil })
	known := make(map[int64]Known, len(rest))
	err := s.readBeside(ctx, "rows", func(c *conn) error {
		for _, sp := range spans(rest) {
			err := c.each(ctx, sqlRows, func(r record) error {
				k := scanKnown(r)
				known[k.Row] = k
				return nil
			}, sp.first, sp.last)
			if err != nil {
				return err
			}
		}
		return nil
	})
	out := make([]Known, 0, len(rows))
	for _, row := range rows {
		if p := view[row]; p != nil {
			out = append(out, p.known)
		} else if k, ok := known[row]; ok {
			out = append(out, k)
		}
	}
	return out, err
}

// CountRows tells how many of the rows are in a state now.
func (s *Store) CountRows(ctx context.Context, rows []int64, state mail.State) (int, error) {
	n := 0
	err := s.read(ctx, "count rows", func(c *conn) error {
		for _, sp := range spans(rows) {
			r, _, err := c.one(ctx, sqlCountRows, sp.first, sp.last, state)
			if err != nil {
				return err
			}
			n += int(r.int(0))
		}
		return nil
	})
	return n, err
}

const (
	sqlRows      = `SELECT ` + columnsKnown + ` FROM identity WHERE row BETWEEN ? AND ?`
	sqlCountRows = `SELECT count(*) FROM identity WHERE row BETWEEN ? AND ? AND state = ?`
)

// span is a run of consecutive rows.
type span struct{ first, last int64 }

// spans finds the runs in rows, each row once: those of one listing follow one
// another, and one statement reads them all.
func spans(rows []int64) []span {
	var out []span
	for _, row := range slices.Sorted(slices.Values(rows)) {
		switch last := len(out) - 1; {
		case last >= 0 && row == out[last].last:
		case last >= 0 && row == out[last].last+1:
			out[last].last = row
		default:
			out = append(out, span{row, row})
		}
	}
	return out
}

// Entries hands over the journal's lines of the rows, in their order.
func (s *Store) Entries(ctx context.Context, rows []int64, each func(mail.Entry) error) error {
	err := s.entries(ctx, rows, each)
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}
