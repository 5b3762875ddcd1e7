package store

import (
	"context"
	"errors"

	"postbag/engine/mail"
)

// Rows returns what is known of the rows today, in their order; rows that are
// gone are left out.
func (s *Store) Rows(ctx context.Context, rows []int64) ([]Known, error) {
	out := make([]Known, 0, len(rows))
	err := s.read(ctx, "rows", func(c *conn) error {
		for _, row := range rows {
			r, ok, err := c.one(ctx, "SELECT "+columnsKnown+" FROM identity WHERE row = ?", row)
			if err != nil {
				return err
			}
			if ok {
				out = append(out, scanKnown(r))
			}
		}
		return nil
	})
	return out, err
}

// Entries hands over the journal's lines of the rows, in their order.
func (s *Store) Entries(ctx context.Context, rows []int64, each func(mail.Entry) error) error {
	err := s.entries(ctx, rows, each)
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}
