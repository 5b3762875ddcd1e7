package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"time"

	"postbag/engine/mail"

	"modernc.org/sqlite"
)

// conn is one connection to the database with its prepared statements. It
// talks to the driver itself: database/sql's conversions and locks cost about
// as much as SQLite does for statements as small as ours. A conn is used by
// one goroutine at a time.
type conn struct {
	dc    driver.Conn
	stmts map[string]driver.Stmt
	named []driver.NamedValue // reused for the arguments of exec
}

// openConn opens the existing database file at path and runs the pragmas.
func openConn(path string, pragmas ...string) (*conn, error) {
	// SQLite's URI form, so that "?" and "#" in a folder's name mean
	// themselves; mode=rw: the file is made by us, with our permissions.
	slashed := filepath.ToSlash(path)
	if slashed[0] != '/' {
		slashed = "/" + slashed // file:///C:/...
	}
	u := url.URL{Scheme: "file", Path: slashed, RawQuery: "mode=rw"}
	dc, err := new(sqlite.Driver).Open(u.String())
	if err != nil {
		return nil, err
	}
	c := &conn{dc: dc, stmts: make(map[string]driver.Stmt)}
	for _, p := range pragmas {
		if err := c.script("PRAGMA " + p); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

// execer is what the driver's connections can do besides driver.Conn.
type execer = driver.ExecerContext

func argument(s string) []driver.NamedValue {
	return []driver.NamedValue{{Ordinal: 1, Value: s}}
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		_ = s.Close() // a statement's Close repeats the error of its last step
	}
	c.stmts = nil
	return c.dc.Close()
}

// script runs statements without arguments once, unprepared.
func (c *conn) script(sql string) error {
	_, err := c.dc.(execer).ExecContext(context.Background(), sql, nil)
	if err != nil {
		return fmt.Errorf("%.60s: %w", sql, err)
	}
	return nil
}

func (c *conn) prepare(sql string) (driver.Stmt, error) {
	if s, ok := c.stmts[sql]; ok {
		return s, nil
	}
	s, err := c.dc.Prepare(sql)
	if err != nil {
		return nil, fmt.Errorf("%.60s: %w", sql, err)
	}
	c.stmts[sql] = s
	return s, nil
}

func (c *conn) bind(args []any) ([]driver.NamedValue, error) {
	c.named = c.named[:0]
	for i, a := range args {
		v, err := value(a)
		if err != nil {
			return nil, err
		}
		c.named = append(c.named, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return c.named, nil
}

// value turns an argument into what SQLite stores: times as Unix milliseconds
// with NULL for the zero time, booleans as 0 and 1.
func value(a any) (driver.Value, error) {
	switch v := a.(type) {
	case nil, int64, string, []byte, float64:
		return v, nil
	case int:
		return int64(v), nil
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case time.Time:
		return stamp(v), nil
	case mail.State:
		return string(v), nil
	case mail.AtSource:
		return string(v), nil
	case mail.Code:
		return string(v), nil
	}
	return nil, fmt.Errorf("store: cannot bind %T", a)
}

// stamp is the stored form of a time: Unix milliseconds, NULL for none.
func stamp(t time.Time) driver.Value {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// exec runs a prepared statement and tells how many rows it changed.
func (c *conn) exec(sql string, args ...any) (int64, error) {
	res, err := c.run(sql, args)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// run runs a prepared statement.
func (c *conn) run(sql string, args []any) (driver.Result, error) {
	s, err := c.prepare(sql)
	if err != nil {
		return nil, err
	}
	named, err := c.bind(args)
	if err != nil {
		return nil, err
	}
	res, err := s.(driver.StmtExecContext).ExecContext(context.Background(), named)
	if err != nil {
		return nil, fmt.Errorf("%.60s: %w", sql, err)
	}
	return res, nil
}

// each runs a prepared query and hands over its rows one by one; the row is
// valid only during the call. One statement must not be nested in itself.
func (c *conn) each(ctx context.Context, sql string, fn func(record) error, args ...any) error {
	s, err := c.prepare(sql)
	if err != nil {
		return err
	}
	named, err := c.bind(args)
	if err != nil {
		return err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(ctx, named)
	if err != nil {
		return fmt.Errorf("%.60s: %w", sql, err)
	}
	buf := make(record, len(rows.Columns()))
	done := ctx.Done()
	for err == nil {
		if err = rows.Next(buf); err == nil {
			err = fn(buf)
		}
		select {
		case <-done:
			if err == nil {
				err = ctx.Err()
			}
		default:
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if cerr := rows.Close(); err == nil {
		err = cerr
	}
	return err
}

// errStop ends each early without being an error.
var errStop = errors.New("stop")

// one returns the first row of a query; ok is false when there is none.
func (c *conn) one(ctx context.Context, sql string, args ...any) (r record, ok bool, err error) {
	err = c.each(ctx, sql, func(found record) error {
		r, ok = append(record(nil), found...), true
		return errStop
	}, args...)
	if errors.Is(err, errStop) {
		err = nil
	}
	return r, ok, err
}

// record is one row of a result. The accessors read NULL as the zero value.
type record []driver.Value

func (r record) int(i int) int64 {
	v, _ := r[i].(int64)
	return v
}

func (r record) str(i int) string {
	switch v := r[i].(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

func (r record) blob(i int) []byte {
	v, _ := r[i].([]byte)
	return v
}

func (r record) bool(i int) bool { return r.int(i) != 0 }

func (r record) time(i int) time.Time {
	v, ok := r[i].(int64)
	if !ok {
		return time.Time{}
	}
	return time.UnixMilli(v).UTC()
}
