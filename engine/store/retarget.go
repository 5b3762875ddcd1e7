package store

import "context"

// Retarget moves the queued copies of a target that is no longer configured to
// the one that where names for their address; "" leaves a copy as it is. It
// returns how many were moved.
func (s *Store) Retarget(ctx context.Context, old string, where func(address string) string) (int, error) {
	moved := 0
	err := s.write(ctx, "retarget", 0, func(t *tx) error {
		moved = 0
		to := make(map[int64]string)
		err := t.query("SELECT id, address FROM copy WHERE target = ? AND state = 'queued'", func(r record) error {
			if name := where(r.str(1)); name != "" && name != old {
				to[r.int(0)] = name
			}
			return nil
		}, old)
		if err != nil {
			return err
		}
		for id, name := range to {
			if _, err := t.exec("UPDATE copy SET target = ? WHERE id = ?", name, id); err != nil {
				return err
			}
			moved++
		}
		return nil
	})
	return moved, err
}
