package store

import (
	"slices"

	"postbag/engine/mail"
)

// schemaIntake is the version of the schema that has an intake.
const schemaIntake = 3

// takeIntake brings what the damaged store had in its intake only into the
// tables. A record that cannot be read is a gap.
func (r *repair) takeIntake() error {
	t := &tx{conn: r.dst, now: r.now, delta: make(map[mail.State]int64)} // counted anew later
	if r.schema < schemaIntake {
		return nil
	}
	var all [][]byte
	err := t.query("SELECT data FROM intake ORDER BY n", func(rec record) error {
		all = append(all, slices.Clone(rec.blob(0)))
		return nil
	})
	if err != nil {
		return err
	}
	for _, data := range all {
		t.filed += int64(len(data))
		if err := t.replay(data); isDamage(err) {
			r.rep.Gaps++
		} else if err != nil {
			return err
		}
	}
	r.rep.Bodies += len(t.pendings(func(p *pending) bool { return !settled(p) }))
	return t.foldAll()
}
