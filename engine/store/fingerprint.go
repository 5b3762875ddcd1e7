package store

import "encoding/binary"

// A fingerprint is looked for by its first octets; the identity has all of them.
// SHA-256 spreads these evenly, so that no two messages of one office share them
// by chance, and what is found is compared as a whole.
const (
	keyOctets = 6
	keySpace  = uint64(1) << (8 * keyOctets)
	newKeys   = 16 << 10 // about so many fingerprints stay in the small table

	schemaKeys = 3 // the first schema that has these tables
)

const (
	sqlTwice = `SELECT 1 FROM fingerprint_new WHERE key = ?1 AND row <> ?2
		UNION ALL SELECT 1 FROM fingerprint_old WHERE key = ?1 AND row <> ?2 LIMIT 1`

	// sqlAlike is what is known with the fingerprint ?1 that begins with ?2. Of an
	// identity that a repair rebuilt nothing but these first octets may be known.
	sqlAlike = `row IN (SELECT row FROM fingerprint_new WHERE key = ?2 UNION ALL SELECT row FROM fingerprint_old WHERE key = ?2)
		AND (fingerprint = ?1 OR length(fingerprint) = 6 OR length(?1) = 6)`

	sqlEnterKeys = `INSERT OR IGNORE INTO fingerprint_new (key, row)
		SELECT substr(fingerprint, 1, 6), row FROM identity WHERE row BETWEEN ? AND ? AND fingerprint IS NOT NULL`

	// sqlAllKeys is what schemaKeys, the third schema, begins with.
	sqlAllKeys = `INSERT OR IGNORE INTO fingerprint_old (key, row)
		SELECT substr(fingerprint, 1, 6), row FROM identity WHERE fingerprint IS NOT NULL ORDER BY fingerprint`

	sqlFile   = `INSERT OR IGNORE INTO fingerprint_old (key, row) SELECT key, row FROM fingerprint_new WHERE key >= ? AND key < ?`
	sqlUnfile = `DELETE FROM fingerprint_new WHERE key >= ? AND key < ?`
)

// short is what a fingerprint is looked for by; nil without one.
func short(key []byte) []byte { return key[:min(len(key), keyOctets)] }

// keys are the fingerprints that a transaction has given to messages and that
// these cannot be found by yet: a statement for many of them is cheaper than one
// for each, and comes after what writes words, which it would make write them out.
type keys struct {
	rows  []int64
	byKey map[string]int64 // the row, 0 for several
	last  string
	filed int // how many can be found
}

// keyed notes that a message in the tables got its fingerprint.
func (t *tx) keyed(row int64, key []byte) {
	if key == nil {
		return
	}
	if t.s != nil {
		t.s.heard.add(key)
	}
	k := &t.keys
	if k.byKey == nil {
		k.byKey = make(map[string]int64)
	}
	k.rows = append(k.rows, row)
	k.last = string(short(key))
	if other, ok := k.byKey[k.last]; ok && other != row {
		row = 0
	}
	k.byKey[k.last] = row
}

// twice tells whether the tables may know another message with that fingerprint.
// No is certain, yes is not.
func (t *tx) twice(key []byte, row int64) (yes bool, err error) {
	if key == nil {
		return false, nil
	}
	if other, ok := t.keys.byKey[string(short(key))]; ok && other != row {
		return true, nil
	}
	if !t.s.heard.maybe(key) {
		return false, nil
	}
	err = t.query(sqlTwice, func(record) error {
		yes = true
		return nil
	}, short(key), row)
	return yes, err
}

// enterKeys makes the messages that got their fingerprints findable by them.
func (t *tx) enterKeys() error {
	k := &t.keys
	for _, sp := range spans(k.rows) {
		if _, err := t.exec(sqlEnterKeys, sp.first, sp.last); err != nil {
			return err
		}
	}
	k.filed += len(k.rows)
	k.rows, k.byKey = nil, nil
	return nil
}

// file moves fingerprints on from the small table to the large one: for each new
// one all of one in newKeys parts that they can be in. So the small one has about
// newKeys of them, without being counted, and the large one is touched at as many
// places as fit, not at one for each message. Where does not matter, as long as
// it is everywhere in turn: the newest fingerprint decides it.
func (t *tx) file() error {
	if err := t.enterKeys(); err != nil || t.keys.filed == 0 {
		return err
	}
	first, end := partOf(t.keys.last, t.keys.filed)
	if n, err := t.exec(sqlFile, first, end); err != nil || n == 0 {
		return err
	}
	_, err := t.exec(sqlUnfile, first, end)
	return err
}

// partOf is where the part of all keys begins and ends that has a key in it and
// is n parts of newKeys wide.
func partOf(key string, n int) (first, end []byte) {
	var octets [8]byte
	copy(octets[2:], key)
	width := keySpace / newKeys * uint64(min(n, newKeys))
	from := binary.BigEndian.Uint64(octets[:]) / width * width
	first = binary.BigEndian.AppendUint64(nil, from)[2:]
	if from+width >= keySpace {
		return first, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff} // longer than any
	}
	return first, binary.BigEndian.AppendUint64(nil, from+width)[2:]
}
