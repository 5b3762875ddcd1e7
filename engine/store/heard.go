package store

// heard are the first octets of every fingerprint in the tables, and perhaps some
// that are not there, while there are few of them beside what comes in: at a
// first collection the tables need not be asked about each message whether it is
// one that is known. The writer's.
type heard struct {
	keys map[[keyOctets]byte]struct{} // nil: unknown, the tables are asked
}

const (
	manyNew  = 64       // new messages of a listing for which it is worth a look
	maxHeard = 64 << 10 // fingerprints
)

// maybe tells whether the tables may have a fingerprint.
func (h *heard) maybe(key []byte) bool {
	if h.keys == nil || len(key) < keyOctets {
		return true
	}
	_, ok := h.keys[[keyOctets]byte(key)]
	return ok
}

// add notes one that the tables get.
func (h *heard) add(key []byte) {
	switch {
	case h.keys == nil || len(key) < keyOctets:
	case len(h.keys) >= maxHeard:
		h.keys = nil
	default:
		h.keys[[keyOctets]byte(key)] = struct{}{}
	}
}

// hear reads all fingerprints when there are no more than new messages.
func (t *tx) hear(fresh int) error {
	h := &t.s.heard
	if h.keys != nil || fresh < manyNew || fresh > maxHeard {
		return nil
	}
	last, _, err := t.first("SELECT max(row) FROM identity")
	if err != nil || last.int(0) > int64(fresh) {
		return err
	}
	t.s.join() // what it has in hand is not there yet
	keys := make(map[[keyOctets]byte]struct{}, fresh)
	err = t.query("SELECT key FROM fingerprint_new UNION ALL SELECT key FROM fingerprint_old", func(r record) error {
		if key := r.blob(0); len(key) >= keyOctets {
			keys[[keyOctets]byte(key)] = struct{}{}
		}
		return nil
	})
	if err == nil {
		h.keys = keys
		for key := range t.keys.byKey { // of this transaction so far
			h.add([]byte(key))
		}
	}
	return err
}
