package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"postbag/engine/mail"
)

// smallStore is the size up to which a store is checked at every start; a
// larger one is checked when it was not closed in order.
const smallStore = 16 << 20

func damaged(text string) error {
	return &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeStoreDamaged, Op: "open", Err: errors.New(text)}
}

// markDamaged leaves the mark that keeps the store closed until Repair.
func markDamaged(files fileLayer, dir, why string) error {
	path := filepath.Join(dir, fileDamaged)
	if exists(path) {
		return nil
	}
	return writeWhole(files, path, strings.NewReader(why+"\n"))
}

// inspect looks at the files before SQLite does, makes the database file when
// the store is new, and tells whether its content should be checked.
func inspect(dir string, readOnly bool) (check bool, err error) {
	if why, err := os.ReadFile(filepath.Join(dir, fileDamaged)); err == nil {
		return false, damaged("found earlier: " + strings.TrimSpace(string(why)))
	} else if !os.IsNotExist(err) {
		return false, err
	}
	path := filepath.Join(dir, fileDB)
	size := fileSize(path)
	if readOnly {
		return false, nil // another process may be writing
	}
	if size == 0 && exists(filepath.Join(dir, fileWitness)) {
		// SQLite would begin a new database, and all known mail would be
		// fetched again.
		return false, errors.Join(damaged("the database has vanished"),
			markDamaged(osFiles{}, dir, "the database has vanished"))
	}
	if err := privateFile(path); err != nil {
		return false, err
	}
	wal := path + "-wal"
	if fileSize(wal) == 0 {
		return size > 0 && size < smallStore, nil
	}
	if why, err := walDamage(wal); err != nil {
		return false, err
	} else if why != "" {
		return false, errors.Join(damaged(why), markDamaged(osFiles{}, dir, why))
	}
	return true, nil
}

// quickCheck has SQLite verify the structure of the database.
func quickCheck(c *conn) error {
	r, _, err := c.one(context.Background(), "PRAGMA quick_check(1)")
	if err != nil {
		return err
	}
	if got := r.str(0); got != "ok" {
		return damagedContent{got}
	}
	return nil
}

// damagedContent is what quick_check found.
type damagedContent struct{ text string }

func (d damagedContent) Error() string { return fmt.Sprintf("quick_check: %s", d.text) }

// dropLeftovers removes what a crash left behind: drafts, spool files that no
// row knows, .eml files of messages that left the quarantine. An .eml whose
// message is unknown stays: it may be all that is left.
func (s *Store) dropLeftovers() error {
	top, err := listNames(s.dir)
	if err != nil {
		return err
	}
	for _, n := range top {
		if strings.HasSuffix(n, tempSuffix) {
			s.trash.unlink(filepath.Join(s.dir, n))
		}
	}
	spool := filepath.Join(s.dir, dirSpool)
	names, err := listNames(spool)
	if err != nil {
		return err
	}
	for _, n := range names {
		if strings.HasSuffix(n, bodySuffix) {
			_, known, err := s.w.one(context.Background(), "SELECT row FROM body WHERE file = ?", n)
			if err != nil {
				return err
			}
			if known {
				continue
			}
		}
		s.trash.unlink(filepath.Join(spool, n))
	}
	return s.dropStrayEml()
}

func (s *Store) dropStrayEml() error {
	dir := filepath.Join(s.dir, dirQuarantine)
	names, err := listNames(dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		if strings.HasSuffix(n, tempSuffix) {
			s.trash.unlink(filepath.Join(dir, n))
			continue
		}
		id, isEml := strings.CutSuffix(n, emlSuffix)
		if !isEml {
			continue
		}
		r, known, err := s.w.one(context.Background(), sqlQuarantinedByID, id)
		if err != nil {
			return err
		}
		if known && r.int(0) == 0 {
			s.trash.unlink(filepath.Join(dir, n))
		}
	}
	return nil
}

// sqlQuarantinedByID tells whether a known message has anything in quarantine.
const sqlQuarantinedByID = `SELECT i.state = 'quarantined' OR EXISTS (
	SELECT 1 FROM copy c WHERE c.id >= i.row << 20 AND c.id < (i.row + 1) << 20 AND c.state = 'quarantined')
	FROM identity i WHERE i.id = ?`
