package engine

import (
	"context"

	"postbag/engine/source"
)

// room is how many of the items are to be fetched before the clock and the
// spool are looked at again; 0 when the spool is full, and what was under way
// is on its way no more.
func (s *session) room(ctx context.Context, items []source.Planned) (int, error) {
	most := s.fetch.most()
	fits := func() int {
		left, empty := s.e.spoolLeft()
		n := chunk(items, most, left)
		if n == 0 && empty {
			n = 1
		}
		return n
	}
	if n := fits(); n > 0 {
		return n, nil
	}
	if err := s.fetch.durable(nil); err != nil {
		return 0, err
	}
	s.e.expect(false) // what came is with the targets, or is not for them
	if err := s.settle(ctx); err != nil {
		return 0, err
	}
	if n := fits(); n > 0 {
		return n, nil
	}
	// What fills it may be mail of earlier sessions that is on its way just now.
	if err := s.await(ctx, s.delivered); err != nil {
		return 0, err
	}
	return fits(), nil
}

// chunk counts the items that are asked for at once: no more than most, and no
// more octets than left.
func chunk(items []source.Planned, most int, left int64) int {
	var bytes int64
	for i, it := range items {
		bytes += max(it.Size, 0)
		if bytes > left {
			return i
		}
		if i+1 >= most || bytes >= chunkBytes {
			return i + 1
		}
	}
	return len(items)
}
