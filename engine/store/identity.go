package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"postbag/engine/mail"
)

// Known is what the store knows of one message of a mailbox.
type Known struct {
	Row            int64
	ID             string // for people
	UID            string // UIDL, "" without
	Ident          string // key within the mailbox: the UIDL, or "fp:"+fingerprint+"#"+occurrence
	State          mail.State
	AtSource       mail.AtSource
	Fingerprint    string    // hex; "" before it was collected
	Size           int64     // octets; as LIST said before it was collected, -1 unknown
	FirstDelivered time.Time // first accepted delivery; zero: none
	Fetches        int       // that failed
	FetchAnyway    bool      // a person wants it whatever its size
	DeleteAsked    bool      // a person wants it deleted at the provider
}

// columnsKnown are the columns of a Known, in the order of scanKnown.
const columnsKnown = `row, id, uid, ident, state, at_source, fingerprint, size, delivered, fetches, fetch_anyway, delete_asked`

func scanKnown(r record) Known {
	k := Known{
		Row: r.int(0), ID: r.str(1), UID: r.str(2), Ident: r.str(3), State: mail.State(r.str(4)),
		AtSource: mail.AtSource(r.str(5)), Fingerprint: fingerprintText(r.blob(6)), Size: r.int(7),
		FirstDelivered: r.time(8), Fetches: int(r.int(9)), FetchAnyway: r.bool(10), DeleteAsked: r.bool(11),
	}
	if k.Ident == "" {
		k.Ident = k.UID
	}
	return k
}

// fingerprintKey is the stored form of a fingerprint: its 32 octets, or the
// text as it is when it is no hex. nil for none.
func fingerprintKey(text string) []byte {
	if text == "" {
		return nil
	}
	if b, err := hex.DecodeString(text); err == nil && len(b) == 32 && !strings.ContainsAny(text, "ABCDEF") {
		return b
	}
	return []byte(text)
}

// orNone is NULL for no fingerprint.
func orNone(key []byte) any {
	if key == nil {
		return nil
	}
	return key
}

func fingerprintText(key []byte) string {
	if len(key) == 32 {
		return hex.EncodeToString(key)
	}
	return string(key)
}

// Comparison is a listing seen against what is known.
type Comparison struct {
	Known    map[string][]Known // by UID; several, or an Ident other than the UID: the UID is ambiguous, go by the fingerprint (rule 3)
	Vanished []Known            // were at the provider and are not listed; never those without a UID
	First    bool               // this mailbox was never listed before
}

// Compare looks up the UIDs of a listing. It changes nothing.
func (s *Store) Compare(ctx context.Context, mailbox string, uids []string) (Comparison, error) {
	out := Comparison{Known: make(map[string][]Known), First: true}
	listed := make(map[string]bool, len(uids)) // true once looked up
	for _, u := range uids {
		if u != "" {
			listed[u] = false
		}
	}
	view := s.viewMailbox(mailbox) // before the query: what it does not see yet is in here
	err := s.snapshotBeside(ctx, "compare", func(c *conn) error {
		r, ok, err := c.one(ctx, sqlListed, mailbox)
		if err != nil {
			return err
		}
		out.First = !ok || !r.bool(0)
		if _, any, err := c.one(ctx, "SELECT 1 FROM identity WHERE mailbox = ? LIMIT 1", mailbox); err != nil || !any {
			return err // the whole listing is new
		}
		// What is there now comes in one sweep; what was thought to be gone
		// is asked for one by one.
		err = c.each(ctx, sqlPresent, func(r record) error {
			k := scanKnown(r)
			k = view[k.Row].or(k)
			present := k.AtSource == mail.SourcePresent || k.AtSource == mail.SourceKept
			if _, ok := listed[k.UID]; ok {
				out.Known[k.UID] = append(out.Known[k.UID], k)
			} else if k.UID != "" && present {
				out.Vanished = append(out.Vanished, k)
			}
			return nil
		}, mailbox)
		if err != nil {
			return err
		}
		return compareRest(ctx, c, mailbox, listed, out.Known, view)
	})
	return out, err
}

const sqlPresent = `SELECT ` + columnsKnown + ` FROM identity
	WHERE mailbox = ? AND at_source IN ('present', 'kept') ORDER BY row`

const sqlByUID = `SELECT ` + columnsKnown + ` FROM identity WHERE mailbox = ? AND uid = ? ORDER BY row`

func compareRest(ctx context.Context, c *conn, mailbox string, listed map[string]bool, known map[string][]Known, view map[int64]*pending) error {
	for uid := range listed {
		if len(known[uid]) == 1 && known[uid][0].Ident == uid {
			continue // the UID's only row: idents are unique
		}
		var rows []Known
		err := c.each(ctx, sqlByUID, func(r record) error {
			k := scanKnown(r)
			rows = append(rows, view[k.Row].or(k))
			return nil
		}, mailbox, uid)
		if err != nil {
			return err
		}
		if len(rows) > 0 {
			known[uid] = rows
		}
	}
	return nil
}

// ByFingerprint returns what this mailbox has with that fingerprint, oldest first.
func (s *Store) ByFingerprint(ctx context.Context, mailbox, fingerprint string) ([]Known, error) {
	key := fingerprintKey(fingerprint)
	if key == nil {
		return nil, nil
	}
	view := s.view(func(p *pending) bool { return p.mailbox == mailbox && bytes.Equal(p.key, key) })
	var out []Known
	err := s.readBeside(ctx, "by fingerprint", func(c *conn) error {
		return c.each(ctx, sqlByFingerprint, func(r record) error {
			k := scanKnown(r)
			delete(view, k.Row) // it stands in the tables now
			k.Fingerprint = fingerprint
			out = append(out, k)
			return nil
		}, key, short(key), mailbox)
	})
	for _, p := range view {
		out = append(out, p.known)
	}
	slices.SortFunc(out, func(a, b Known) int { return cmp.Compare(a.Row, b.Row) })
	return out, err
}

const sqlByFingerprint = `SELECT ` + columnsKnown + ` FROM identity WHERE ` + sqlAlike + ` AND +mailbox = ?3 ORDER BY row`

// known reads one row inside a transaction.
func (t *tx) known(row int64) (Known, bool, error) {
	r, ok, err := t.first("SELECT "+columnsKnown+" FROM identity WHERE row = ?", row)
	if err != nil || !ok {
		return Known{}, false, err
	}
	return scanKnown(r), true, nil
}

// must is known for a row that has to exist.
func (t *tx) must(op string, row int64) (Known, error) {
	k, ok, err := t.known(row)
	if err == nil && !ok {
		err = notFound(op)
	}
	return k, err
}

// become changes the state of a message and the balance with it (rule 49).
func (t *tx) become(row int64, from, to mail.State) error {
	if _, err := t.exec("UPDATE identity SET state = ?, changed = ? WHERE row = ?", to, t.now, row); err != nil {
		return err
	}
	t.moved(from, to)
	return nil
}

// moved books a change of state; from is "" for a message never seen before,
// to is "" for one that was another.
func (t *tx) moved(from, to mail.State) {
	if from != "" {
		t.delta[from]--
	}
	if to != "" {
		t.delta[to]++
	}
}

// count is the last thing in a transaction: its part of the counters, and some of
// what can be filed.
func (t *tx) count() error {
	if err := t.file(); err != nil {
		return err
	}
	for state, n := range t.delta {
		if n == 0 {
			continue
		}
		if err := t.addTo(string(state), n); err != nil {
			return err
		}
	}
	if t.spool != 0 {
		return t.addTo("#spool", t.spool)
	}
	return nil
}

func (t *tx) addTo(counter string, n int64) error {
	_, err := t.exec(sqlCounted, counter, n)
	return err
}

// note records something out of the ordinary for the story of a message.
func (t *tx) note(row int64, what, address string, code mail.Code, detail string) error {
	_, err := t.exec("INSERT INTO event (row, at, what, address, code, detail) VALUES (?, ?, ?, ?, ?, ?)",
		row, t.now, what, address, code, detail)
	return err
}

// Balance returns how many messages are in each state; the sum is the number
// ever seen (rule 49). It survives Purge.
func (s *Store) Balance(ctx context.Context) (map[mail.State]int64, error) {
	out := make(map[mail.State]int64)
	for _, st := range mail.States() {
		out[st] = 0
	}
	err := s.read(ctx, "balance", func(c *conn) error {
		return c.each(ctx, "SELECT state, n FROM counter", func(r record) error {
			if st := mail.State(r.str(0)); st[0] != '#' {
				out[st] = r.int(1)
			}
			return nil
		})
	})
	return out, err
}

const (
	sqlCounted = "INSERT INTO counter (state, n) VALUES (?, ?) ON CONFLICT (state) DO UPDATE SET n = n + excluded.n"
)
