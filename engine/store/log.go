package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"postbag/engine/mail"
)

// Filter chooses lines of the journal. Zero fields do not choose.
type Filter struct {
	Since   time.Time // time of the last change of state, inclusive
	Until   time.Time // exclusive
	Search  string    // words: sender, subject, Message-ID, recipients; or an id
	State   mail.State
	Mailbox string // id or name
	Person  string // an address of a recipient
	Limit   int    // 0: all
	Before  string // Cursor of the last line seen: the page after it
}

// Cursor is the place of a line in the journal, for Filter.Before.
func Cursor(e mail.Entry) string { return e.Cursor() }

const (
	page       = 200     // entries read in one go, so that a slow reader holds no snapshot
	searchable = 100_000 // messages that one search looks at, newest first
)

// Log hands over the journal, newest first. An error of each ends it and is
// returned as it is.
func (s *Store) Log(ctx context.Context, f Filter, each func(mail.Entry) error) error {
	q, err := f.query()
	if err != nil {
		return err
	}
	if f.Search != "" || f.Person != "" || f.rare() {
		rows, err := s.search(ctx, f, q)
		if err != nil {
			return err
		}
		if f.Limit > 0 && len(rows) > f.Limit {
			rows = rows[:f.Limit]
		}
		return s.entries(ctx, rows, each)
	}
	for left := f.Limit; ; {
		n := page
		if f.Limit > 0 {
			n = min(n, left)
		}
		part, err := s.logPage(ctx, q, n)
		if err != nil {
			return err
		}
		if err := handOver(part, each); err != nil {
			return err
		}
		if left -= len(part); len(part) < n || left == 0 {
			return nil
		}
		q.cursor(part[len(part)-1].Time.UnixMilli(), part[len(part)-1].Row)
	}
}

// logPage reads the next n lines.
func (s *Store) logPage(ctx context.Context, q *logQuery, n int) (part []mail.Entry, err error) {
	err = s.snapshot(ctx, "log", func(c *conn) error {
		part, err = readEntries(ctx, c, sqlEntry+" INDEXED BY identity_changed "+joinEntry+q.where()+
			" ORDER BY i.changed DESC, i.row DESC LIMIT ?", append(slices.Clone(q.args), n)...)
		return err
	})
	return part, err
}

func handOver(list []mail.Entry, each func(mail.Entry) error) error {
	for _, e := range list {
		if err := each(e); err != nil {
			return err
		}
	}
	return nil
}

// logQuery is a Filter as SQL.
type logQuery struct {
	parts []string
	args  []any // the first two are the cursor's
}

func (q *logQuery) add(part string, args ...any) {
	q.parts = append(q.parts, part)
	q.args = append(q.args, args...)
}

func (q *logQuery) cursor(changed, row int64) { q.args[0], q.args[1] = changed, row }
func (q *logQuery) where() string             { return " WHERE " + strings.Join(q.parts, " AND ") }

func (f Filter) query() (*logQuery, error) {
	changed, row := int64(1)<<62, int64(1)<<62
	if f.Before != "" {
		if _, err := fmt.Sscanf(f.Before, "%d.%d", &changed, &row); err != nil {
			return nil, &mail.Failure{Class: mail.Permanent, Code: mail.CodeNotFound, Op: "log", Err: err}
		}
	}
	q := &logQuery{}
	q.add("i.changed IS NOT NULL AND (i.changed, i.row) < (?, ?)", changed, row)
	if !f.Since.IsZero() {
		q.add("i.changed >= ?", f.Since)
	}
	if !f.Until.IsZero() {
		q.add("i.changed < ?", f.Until)
	}
	if f.State != "" {
		q.add("+i.state = ?", f.State)
	}
	if f.Mailbox != "" {
		q.add("(+i.mailbox = ? OR b.name = ?)", f.Mailbox, f.Mailbox)
	}
	if f.Person != "" {
		q.add(`EXISTS (SELECT 1 FROM copy c WHERE c.id >= i.row << 20 AND c.id < (i.row + 1) << 20
			AND (c.person = ? COLLATE NOCASE OR c.address = ? COLLATE NOCASE))`, f.Person, f.Person)
	}
	return q, nil
}

// search returns the rows that match, newest first: by the words' index, or,
// when no word begins like that, by looking inside the words.
func (s *Store) search(ctx context.Context, f Filter, q *logQuery) ([]int64, error) {
	var rows []int64
	found, args := f.found()
	if found != "" {
		limit := -1
		if f.Limit > 0 {
			limit = f.Limit + 1 // one may be there by its id and by its words
		}
		sql := sqlFound(found, q.where())
		err := s.snapshot(ctx, "log", func(c *conn) error {
			return c.each(ctx, sql, func(r record) error {
				rows = append(rows, r.int(0))
				return nil
			}, slices.Concat(args, q.args, []any{limit})...)
		})
		if err != nil {
			return nil, err
		}
		rows = slices.Compact(rows)
	}
	if len(rows) > 0 || f.Search == "" {
		return rows, nil // also when a person or a rare state has no message
	}
	return s.scan(ctx, f, q)
}

// rare tells that few messages are in the state asked for, which an index
// finds; going through the journal could take all of it.
func (f Filter) rare() bool {
	switch f.State {
	case mail.TooBig, mail.Failed, mail.Collected, mail.Quarantined:
		return true
	}
	return false
}

const (
	sqlRare    = `SELECT row FROM identity WHERE state = ? AND ` + isOpen
	sqlByID    = `SELECT row FROM identity WHERE id = ?`
	sqlByWords = `SELECT * FROM (SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid DESC LIMIT ?)`
)

// sqlFound chooses among the rows that were found. CROSS JOIN: they lead, however
// many they are.
func sqlFound(found, where string) string {
	return "WITH found (n) AS (" + found + `) SELECT i.row FROM found CROSS JOIN identity i ON i.row = found.n
		LEFT JOIN mailbox b ON b.id = i.mailbox` + where + " ORDER BY i.changed DESC, i.row DESC LIMIT ?"
}

// found asks the indexes of words, ids and states for rows; "" when they know
// nothing of what is searched for.
func (f Filter) found() (sql string, args []any) {
	var parts []string
	if f.Search != "" {
		parts, args = append(parts, sqlByID), append(args, cleanID(f.Search))
	}
	switch expr := matchExpression(f.Search + " " + f.Person); {
	case expr != "":
		parts, args = append(parts, sqlByWords), append(args, expr, searchable)
	case f.Search == "" && f.rare():
		parts, args = append(parts, sqlRare), append(args, f.State)
	}
	return strings.Join(parts, " UNION ALL "), args
}

// scan looks for the words as parts of words among the newest messages.
func (s *Store) scan(ctx context.Context, f Filter, q *logQuery) ([]int64, error) {
	words := strings.Fields(strings.ToLower(f.Search))
	var rows []int64
	err := s.snapshot(ctx, "log", func(c *conn) error {
		sql := sqlParts + q.where() + " ORDER BY i.changed DESC, i.row DESC LIMIT ?"
		return c.each(ctx, sql, func(r record) error {
			if !containsAll(words, r.str(1)) {
				return nil
			}
			rows = append(rows, r.int(0))
			if f.Limit > 0 && len(rows) >= f.Limit {
				return errStop
			}
			return nil
		}, append(slices.Clone(q.args), searchable)...)
	})
	if errors.Is(err, errStop) {
		err = nil
	}
	return rows, err
}

// sqlParts is what a message is found by, as one text of lines: no word goes
// from one line into the next.
const sqlParts = `SELECT i.row, concat_ws(char(10), m.author, m.subject, m.message_id, i.uid, i.id,
	(SELECT group_concat(concat_ws(char(10), c.address, c.for_address), char(10)) FROM copy c WHERE c.id >= i.row << 20 AND c.id < (i.row + 1) << 20))
	FROM identity i INDEXED BY identity_changed LEFT JOIN message m ON m.row = i.row LEFT JOIN mailbox b ON b.id = i.mailbox`

// entries hands over the entries of rows, a page at a time.
func (s *Store) entries(ctx context.Context, rows []int64, each func(mail.Entry) error) error {
	for part := range slices.Chunk(rows, page) {
		var list []mail.Entry
		err := s.snapshot(ctx, "log", func(c *conn) error {
			for _, row := range part {
				e, err := readEntries(ctx, c, sqlEntry+joinEntry+" WHERE i.row = ?", row)
				if err != nil {
					return err
				}
				list = append(list, e...)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := handOver(list, each); err != nil {
			return err
		}
	}
	return nil
}

// Queue hands over what is under way here or was set aside: collected, queued,
// quarantined, too big and failed messages, oldest first.
func (s *Store) Queue(ctx context.Context, each func(mail.Entry) error) error {
	var rows []int64
	err := s.snapshot(ctx, "queue", func(c *conn) error {
		return c.each(ctx, sqlQueue, func(r record) error {
			rows = append(rows, r.int(0))
			return nil
		})
	})
	if err != nil {
		return err
	}
	return s.entries(ctx, rows, each)
}

const sqlQueue = `SELECT row FROM identity WHERE ` + isOpen + ` AND state <> 'waiting' ORDER BY row`

// Get returns one message by its id; CodeNotFound when there is none.
func (s *Store) Get(ctx context.Context, id string) (mail.Entry, error) {
	var out mail.Entry
	err := s.snapshot(ctx, "get", func(c *conn) error {
		list, err := readEntries(ctx, c, sqlEntry+joinEntry+" WHERE i.id = ? AND i.changed IS NOT NULL", cleanID(id))
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return notFound("get")
		}
		out = list[0]
		return nil
	})
	return out, err
}

// Entry returns the journal's line of a row, as Get does.
func (s *Store) Entry(ctx context.Context, row int64) (mail.Entry, error) {
	var out mail.Entry
	err := s.snapshot(ctx, "entry", func(c *conn) error {
		list, err := readEntries(ctx, c, sqlEntry+joinEntry+" WHERE i.row = ?", row)
		if err == nil && len(list) == 0 {
			err = notFound("entry")
		}
		if err == nil {
			out = list[0]
		}
		return err
	})
	return out, err
}
