package store

import (
	"context"

	"postbag/engine/mail"
)

// Why a message went without ever being collected.
const reasonVanished = "vanished at the provider before it was collected"

// NewItem is a message of a listing that Compare did not know, or knew as
// deleted or gone.
type NewItem struct {
	UID    string
	Ident  string     // "": the UID; else "fp:..." (rule 3)
	Size   int64      // as LIST says, -1 unknown
	State  mail.State // "": waiting
	Reason string     // why it is in that State, for the journal
}

// chunk bounds how many rows one operation changes, so that a first listing of
// a full mailbox does not keep the others waiting.
const chunk = 500

// RecordListing records the new messages of a listing and those that vanished,
// and that the mailbox was listed. It returns what became of items, in order.
// An item with neither UID nor Ident has no identity before it is fetched: for
// it a Known with Row 0 is returned and nothing recorded.
//
// A new item that is known already keeps its state and is present again; one
// that had vanished before it was collected waits again. A vanished row becomes
// gone; if it was not collected yet it becomes deleted.
func (s *Store) RecordListing(ctx context.Context, mailbox string, items []NewItem, vanished []int64) ([]Known, error) {
	out := make([]Known, 0, len(items))
	err := s.recordParts(ctx, mailbox, items, chunk, func(part []Known) { out = append(out, part...) })
	for at := 0; at < len(vanished) && err == nil; at += chunk {
		part := vanished[at:min(at+chunk, len(vanished))]
		err = s.writeBeside(ctx, "record listing", func(t *tx) error {
			for _, row := range part {
				if err := t.vanished(row); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// firstPart is how many messages are recorded before all others: as many as it
// takes to have something to fetch meanwhile. A listing of few more is not divided.
const firstPart = 50

// RecordNew is RecordListing for the new messages of a listing, in parts: each
// is told of what became of the next items once that is durable. The mailbox
// counts as listed with the last of them.
func (s *Store) RecordNew(ctx context.Context, mailbox string, items []NewItem, each func(part []Known)) error {
	size := firstPart
	if len(items) <= 2*firstPart {
		size = len(items)
	}
	return s.recordParts(ctx, mailbox, items, size, each)
}

// recordParts records items in parts, each twice as large as the one before but
// none over chunk.
func (s *Store) recordParts(ctx context.Context, mailbox string, items []NewItem, size int, each func(part []Known)) error {
	fresh := len(items)
	for {
		part := items[:min(size, len(items))]
		items, size = items[len(part):], min(2*size, chunk)
		out := make([]Known, len(part))
		err := s.writeBeside(ctx, "record listing", func(t *tx) error {
			if err := t.hear(fresh); err != nil {
				return err
			}
			for i, it := range part {
				k, err := t.listed(mailbox, it)
				if err != nil {
					return err
				}
				out[i] = k
			}
			if len(items) > 0 {
				return nil
			}
			return t.markListed(mailbox)
		})
		if err != nil {
			return err
		}
		each(out)
		if len(items) == 0 {
			return nil
		}
	}
}

// markListed notes that a mailbox was listed.
func (t *tx) markListed(mailbox string) error {
	r, ok, err := t.first(sqlListed, mailbox)
	if err != nil || ok && r.bool(0) {
		return err
	}
	_, err = t.exec("INSERT INTO mailbox (id, listed) VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET listed = 1", mailbox)
	return err
}

// listed records one item of a listing.
func (t *tx) listed(mailbox string, it NewItem) (Known, error) {
	if it.UID == "" && it.Ident == "" {
		return Known{}, nil
	}
	state := it.State
	if state == "" {
		state = mail.Waiting
	}
	k, err := t.newIdentity(newIdentity{mailbox: mailbox, uid: it.UID, ident: it.Ident, state: state, size: it.Size})
	if err != nil {
		return k, err
	}
	if k.Row != 0 {
		if it.Reason != "" {
			err = t.setReason(k.Row, "", it.Reason)
		}
		if state == mail.Waiting && it.Reason == "" {
			t.remember(found{Known: k, mailbox: mailbox})
		}
		return k, err
	}
	k, ok, err := t.identity(mailbox, it.UID, it.Ident)
	if err == nil && !ok {
		err = internal("record listing", "an id was used twice")
	}
	if err == nil {
		k, err = t.tabled(k)
	}
	if err != nil {
		return k, err
	}
	return t.reappeared(k)
}

// tabled brings a message into the tables if it is pending, and tells what they
// tell then.
func (t *tx) tabled(k Known) (Known, error) {
	delete(t.s.news, k.Row)
	if !t.busy(k.Row) && t.pending(k.Row) == nil {
		return k, nil
	}
	if err := t.foldRow(k.Row); err != nil {
		return k, err
	}
	return t.must("record listing", k.Row)
}

// identity finds a message by its key (rule 1).
func (t *tx) identity(mailbox, uid, ident string) (Known, bool, error) {
	if ident == uid {
		ident = ""
	}
	sql, key := sqlByIdent, ident
	if ident == "" {
		sql, key = sqlByPlainUID, uid
	}
	r, ok, err := t.first(sql, mailbox, key)
	if err != nil || !ok {
		return Known{}, false, err
	}
	return scanKnown(r), true, nil
}

const (
	sqlByIdent    = `SELECT ` + columnsKnown + ` FROM identity WHERE mailbox = ? AND ident = ? AND ident <> ''`
	sqlByPlainUID = `SELECT ` + columnsKnown + ` FROM identity WHERE mailbox = ? AND uid = ? AND ident = ''`
)

type newIdentity struct {
	mailbox, uid, ident, id string
	state                   mail.State
	size                    int64
	fingerprint             []byte
}

// newIdentity inserts a message never seen before; Row is 0 when its key is
// known already.
func (t *tx) newIdentity(n newIdentity) (Known, error) {
	if n.ident == n.uid {
		n.ident = ""
	}
	if n.id == "" {
		n.id = t.s.ids.next(t.now)
	}
	k := Known{ID: n.id, UID: n.uid, Ident: n.ident, State: n.state, AtSource: mail.SourcePresent,
		Fingerprint: fingerprintText(n.fingerprint), Size: n.size}
	if k.Ident == "" {
		k.Ident = n.uid
	}
	var err error
	k.Row, err = t.insert(sqlNewIdentity,
		n.id, n.mailbox, n.uid, n.ident, n.state, n.size, orNone(n.fingerprint), t.now, t.now)
	if k.Row != 0 {
		t.moved("", n.state)
	}
	return k, err
}

// reappeared sets a known message right that is listed again.
func (t *tx) reappeared(k Known) (Known, error) {
	if k.AtSource != mail.SourceGone && k.AtSource != mail.SourceDeleted {
		return k, nil
	}
	if _, err := t.exec("UPDATE identity SET at_source = 'present', source_changed = NULL WHERE row = ?", k.Row); err != nil {
		return k, err
	}
	k.AtSource = mail.SourcePresent
	if k.State != mail.Deleted || k.DeleteAsked {
		return k, nil
	}
	// Deleted by nobody: it had only been out of sight before it was fetched.
	r, ok, err := t.first("SELECT received FROM message WHERE row = ?", k.Row)
	if err != nil || ok && !r.time(0).IsZero() {
		return k, err
	}
	if err := t.setReason(k.Row, "", ""); err != nil {
		return k, err
	}
	from := k.State
	k.State = mail.Waiting
	return k, t.become(k.Row, from, k.State)
}

// vanished books that a message is no longer listed.
func (t *tx) vanished(row int64) error {
	delete(t.s.news, row)
	if err := t.foldRow(row); err != nil {
		return err
	}
	k, ok, err := t.known(row)
	if err != nil || !ok || k.AtSource == mail.SourceGone || k.AtSource == mail.SourceDeleted {
		return err
	}
	if err := t.setAtSource(row, mail.SourceGone); err != nil {
		return err
	}
	switch k.State {
	case mail.Waiting, mail.TooBig, mail.Failed:
		if err := t.setReason(row, "", reasonVanished); err != nil {
			return err
		}
		return t.become(row, k.State, mail.Deleted)
	}
	return nil
}

// setReason says in the journal why a message as a whole is where it is.
func (t *tx) setReason(row int64, code mail.Code, reason string) error {
	_, err := t.exec(`INSERT INTO message (row, code, reason) VALUES (?, ?, ?)
		ON CONFLICT (row) DO UPDATE SET code = excluded.code, reason = excluded.reason`, row, code, reason)
	return err
}

// Rekey gives a known message its new UID after the provider renumbered (rule
// 4): it is present again under uid, and the waiting row drop (0: none), which
// was taken for a new message, disappears without being counted.
func (s *Store) Rekey(ctx context.Context, row int64, uid string, drop int64) error {
	return s.write(ctx, "rekey", 0, func(t *tx) error {
		if _, err := t.must("rekey", row); err != nil {
			return err
		}
		if drop != 0 && drop != row {
			if err := t.drop(drop); err != nil {
				return err
			}
		}
		_, err := t.exec("UPDATE identity SET uid = ?, ident = '', at_source = 'present', source_changed = NULL WHERE row = ?", uid, row)
		return err
	})
}

// drop removes a message that was never collected and is another one.
func (t *tx) drop(row int64) error {
	k, ok, err := t.known(row)
	if err != nil || !ok {
		return err
	}
	switch k.State {
	case mail.Waiting, mail.TooBig, mail.Failed:
	default:
		return wrongState("rekey", k.State)
	}
	if err := t.forget(row, t.now.Add(forever)); err != nil {
		return err
	}
	if _, err := t.exec("DELETE FROM identity WHERE row = ?", row); err != nil {
		return err
	}
	t.moved(k.State, "")
	return nil
}

const (
	sqlNewIdentity = `INSERT INTO identity (id, mailbox, uid, ident, state, at_source, size, fingerprint, seen, changed)
		VALUES (?, ?, ?, ?, ?, 'present', ?, ?, ?, ?) ON CONFLICT DO NOTHING`
	sqlListed = "SELECT listed FROM mailbox WHERE id = ?"
)
