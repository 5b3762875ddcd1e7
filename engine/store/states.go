package store

import (
	"context"
	"encoding/json"
	"time"

	"postbag/engine/mail"
)

// MailboxState is what outlives a restart of a mailbox beside its messages.
type MailboxState struct {
	ID          string    `json:"-"`
	Name        string    `json:"-"` // as configured last; the journal shows it
	Suspended   bool      `json:"suspended,omitempty"`
	Strikes     int       `json:"strikes,omitempty"` // wrong passwords in a row (rule 8)
	Paused      bool      `json:"paused,omitempty"`  // by hand
	LastStart   time.Time `json:"last_start,omitzero"`
	LastEnd     time.Time `json:"last_end,omitzero"`
	Next        time.Time `json:"next,omitzero"`
	NextAllowed time.Time `json:"next_allowed,omitzero"` // LOGIN-DELAY (rule 9)
	Result      string    `json:"result,omitempty"`
	ErrorCode   mail.Code `json:"error_code,omitempty"`
	ErrorReply  string    `json:"error_reply,omitempty"`
	Collected   int       `json:"collected,omitempty"`

	Notes map[string]string `json:"notes,omitempty"` // what the engine wants to remember besides
}

// TargetState is what outlives a restart of a target.
type TargetState struct {
	Name        string     `json:"-"`
	PausedUntil time.Time  `json:"paused_until,omitzero"`
	Attempts    int        `json:"attempts,omitempty"` // in a row, booked before the dial (rule 44)
	Class       mail.Class `json:"class,omitempty"`
	Code        mail.Code  `json:"code,omitempty"`
	Reply       string     `json:"reply,omitempty"`
	Refusals    int        `json:"refusals,omitempty"` // 5.7.x in a row (rule 45)

	Notes map[string]string `json:"notes,omitempty"`
}

// Alert is one cause that needs a person, for the digests and for the word that
// it is over.
type Alert struct {
	Cause    string            `json:"-"`
	First    time.Time         `json:"first,omitzero"`
	Last     time.Time         `json:"last,omitzero"`
	Notified time.Time         `json:"notified,omitzero"`
	Resolved time.Time         `json:"resolved,omitzero"` // zero: not over
	Count    int               `json:"count,omitempty"`
	Notes    map[string]string `json:"notes,omitempty"`
}

// GetMailbox returns the state of a mailbox; a fresh one when none is stored.
func (s *Store) GetMailbox(ctx context.Context, id string) (MailboxState, error) {
	m := MailboxState{ID: id}
	err := s.readBeside(ctx, "mailbox", func(c *conn) error { return readMailbox(c, &m) })
	return m, err
}

func readMailbox(c *conn, m *MailboxState) error {
	r, ok, err := c.one(context.Background(), sqlMailbox, m.ID)
	if err != nil || !ok {
		return err
	}
	m.Name = r.str(0)
	return json.Unmarshal([]byte(r.str(1)), m)
}

// Mailboxes returns the states of all mailboxes ever known, by id.
func (s *Store) Mailboxes(ctx context.Context) ([]MailboxState, error) {
	var out []MailboxState
	err := s.readBeside(ctx, "mailboxes", func(c *conn) error {
		return c.each(ctx, "SELECT id, name, state FROM mailbox ORDER BY id", func(r record) error {
			m := MailboxState{ID: r.str(0), Name: r.str(1)}
			err := json.Unmarshal([]byte(r.str(2)), &m)
			out = append(out, m)
			return err
		})
	})
	return out, err
}

// UpdateMailbox changes the state of a mailbox with change, which sees the
// stored state: two callers cannot lose each other's changes. change may run
// twice.
func (s *Store) UpdateMailbox(ctx context.Context, id string, change func(*MailboxState)) error {
	return s.writeBeside(ctx, "update mailbox", func(t *tx) error { return t.updateMailbox(id, change) })
}

func (t *tx) updateMailbox(id string, change func(*MailboxState)) error {
	m := MailboxState{ID: id}
	if err := readMailbox(t.conn, &m); err != nil {
		return err
	}
	change(&m)
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = t.exec(sqlSetMailbox, id, m.Name, string(b))
	return err
}

// SaveMailbox stores the state of a mailbox as a whole.
func (s *Store) SaveMailbox(ctx context.Context, m MailboxState) error {
	return s.UpdateMailbox(ctx, m.ID, func(stored *MailboxState) { *stored = m })
}

// GetTarget returns the state of a target; a fresh one when none is stored.
func (s *Store) GetTarget(ctx context.Context, name string) (TargetState, error) {
	out := TargetState{Name: name}
	err := s.readBeside(ctx, "target", func(c *conn) error {
		return readJSON(c, sqlTarget, name, &out)
	})
	return out, err
}

// UpdateTarget changes the state of a target with change, which sees the stored
// state and may run twice.
func (s *Store) UpdateTarget(ctx context.Context, name string, change func(*TargetState)) error {
	return s.writeBeside(ctx, "update target", func(t *tx) error {
		st := TargetState{Name: name}
		if err := readJSON(t.conn, sqlTarget, name, &st); err != nil {
			return err
		}
		change(&st)
		return t.writeJSON(sqlSetTarget, name, st)
	})
}

// SaveTarget stores the state of a target as a whole.
func (s *Store) SaveTarget(ctx context.Context, st TargetState) error {
	return s.UpdateTarget(ctx, st.Name, func(stored *TargetState) { *stored = st })
}

// Alerts returns every cause on record.
func (s *Store) Alerts(ctx context.Context) ([]Alert, error) {
	var out []Alert
	err := s.readBeside(ctx, "alerts", func(c *conn) error {
		return c.each(ctx, "SELECT cause, state FROM alert ORDER BY cause", func(r record) error {
			a := Alert{Cause: r.str(0)}
			err := json.Unmarshal([]byte(r.str(1)), &a)
			out = append(out, a)
			return err
		})
	})
	return out, err
}

// UpdateAlert changes the record of a cause with change, which sees the stored
// one (fresh when there is none) and may run twice. An Alert whose First is
// zero afterwards is removed.
func (s *Store) UpdateAlert(ctx context.Context, cause string, change func(*Alert)) error {
	return s.writeBeside(ctx, "update alert", func(t *tx) error {
		a := Alert{Cause: cause}
		if err := readJSON(t.conn, "SELECT state FROM alert WHERE cause = ?", cause, &a); err != nil {
			return err
		}
		change(&a)
		if a.First.IsZero() {
			_, err := t.exec("DELETE FROM alert WHERE cause = ?", cause)
			return err
		}
		return t.writeJSON("INSERT OR REPLACE INTO alert (cause, state) VALUES (?, ?)", cause, a)
	})
}

func readJSON(c *conn, sql, key string, into any) error {
	r, ok, err := c.one(context.Background(), sql, key)
	if err != nil || !ok {
		return err
	}
	return json.Unmarshal([]byte(r.str(0)), into)
}

func (t *tx) writeJSON(sql, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = t.exec(sql, key, string(b))
	return err
}

const (
	sqlMailbox    = "SELECT name, state FROM mailbox WHERE id = ?"
	sqlSetMailbox = `INSERT INTO mailbox (id, name, state) VALUES (?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, state = excluded.state`
	sqlTarget    = "SELECT state FROM target WHERE name = ?"
	sqlSetTarget = "INSERT OR REPLACE INTO target (name, state) VALUES (?, ?)"
)
