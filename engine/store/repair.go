package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"postbag/engine/mail"
)

// RepairReport tells what Repair did.
type RepairReport struct {
	Healthy    bool     `json:"healthy"`              // nothing was damaged and nothing was done
	Aside      string   `json:"aside,omitempty"`      // folder with the damaged files
	Identities int      `json:"identities"`           // messages known again
	Rebuilt    int      `json:"rebuilt"`              // of these, put together from what indexes held
	Messages   int      `json:"messages"`             // lines of the journal
	Copies     int      `json:"copies"`               // recipients
	Bodies     int      `json:"bodies"`               // stored octets
	Gaps       int      `json:"gaps"`                 // places that could not be read
	Refetch    int      `json:"refetch"`              // octets lost, the provider still has them: waiting again
	Lost       []string `json:"lost,omitempty"`       // ids of messages whose octets are lost for good
	Recovered  []string `json:"recovered,omitempty"`  // ids of messages that came back from files alone, now in quarantine
	QueueAgain int      `json:"queue_again,omitzero"` // messages whose recipients were lost, to be routed again
}

const (
	dirRepair  = "repair" + tempSuffix // the new store while it is being made
	fileDone   = "done"                // in it: only the swap is missing
	fileSource = "damaged.db"          // in it: what is read from
)

// repair is one Repair under way.
type repair struct {
	o      Options
	ctx    context.Context
	now    time.Time
	work   string
	src    *conn // the damaged database, mended as far as it goes; nil: nothing can be read
	dst    *conn // the new one
	schema int
	rep    RepairReport
}

// Repair makes a sound store out of a damaged one, when a person asks for it.
// The damaged files go, unchanged, into a folder damaged-<time>/ of the store;
// every readable row goes into a fresh database, identities above all so that
// nothing known is fetched twice; messages whose rows are lost and that lie
// under quarantine/ or spool/ go into quarantine; messages whose octets are lost
// wait to be fetched again when the provider still has them. On a sound store it
// does nothing. No engine may be running on the folder. An interrupted Repair
// leaves the store closed, and can be repeated.
func Repair(ctx context.Context, o Options) (RepairReport, error) {
	o = o.withDefaults()
	r := &repair{o: o, ctx: ctx, now: o.Now().UTC().Truncate(time.Millisecond), work: filepath.Join(o.Dir, dirRepair)}
	if !exists(filepath.Join(o.Dir, fileDamaged)) {
		sound, err := r.sound()
		if err != nil || sound {
			r.rep.Healthy = sound
			return r.rep, fail("repair", err)
		}
	}
	err := r.run()
	return r.rep, fail("repair", err)
}

// sound tells whether the store opens and stands a full check.
func (r *repair) sound() (bool, error) {
	s, err := Open(r.ctx, r.o)
	if err != nil {
		if isDamage(err) {
			return false, nil
		}
		return false, err
	}
	bad := ""
	err = s.read(r.ctx, "check", func(c *conn) error {
		rec, _, err := c.one(r.ctx, "PRAGMA integrity_check(1)")
		if err == nil && rec.str(0) != "ok" {
			bad = rec.str(0)
		}
		return err
	})
	if cerr := s.Close(); err == nil {
		err = cerr
	}
	if isDamage(err) {
		return false, nil
	}
	return bad == "", err
}

func (r *repair) run() error {
	if err := markDamaged(r.o.files, r.o.Dir, "a repair was begun"); err != nil {
		return err
	}
	if exists(filepath.Join(r.work, fileDone)) {
		return r.swap() // an earlier repair had come this far
	}
	if err := os.RemoveAll(r.work); err != nil {
		return err
	}
	for _, d := range []string{r.work, filepath.Join(r.o.Dir, dirSpool), filepath.Join(r.o.Dir, dirQuarantine)} {
		if err := privateDir(d); err != nil {
			return err
		}
	}
	err := r.build()
	for _, c := range []*conn{r.src, r.dst} {
		if c != nil {
			if cerr := c.close(); err == nil && c == r.dst {
				err = cerr
			}
		}
	}
	if err != nil {
		return err
	}
	if err := r.o.files.SyncDir(r.work); err != nil {
		return err
	}
	if err := writeWhole(r.o.files, filepath.Join(r.work, fileDone), strings.NewReader("")); err != nil {
		return err
	}
	return r.swap()
}

// build makes the new database in the work folder.
func (r *repair) build() error {
	if err := r.openSource(); err != nil {
		return err
	}
	path := filepath.Join(r.work, fileDB)
	if err := createAt(path, r.schema); err != nil {
		return err
	}
	var err error
	r.dst, err = openConn(path, "busy_timeout = 10000", "journal_mode = WAL", "synchronous = FULL", "cache_size = -8192")
	if err != nil {
		return err
	}
	steps := []func() error{r.salvage, r.rebuild, r.takeIntake, r.orphans, r.bodies, r.reconcile, r.recount, r.install}
	for _, step := range steps {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if err := r.transaction(step); err != nil {
			return err
		}
	}
	return nil
}

func (r *repair) transaction(step func() error) error {
	if err := r.dst.script("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := step(); err != nil {
		return errors.Join(err, r.dst.script("ROLLBACK"))
	}
	return r.dst.script("COMMIT")
}

// createAt makes an empty database with the given version of the schema.
func createAt(path string, version int) error {
	if err := privateFile(path); err != nil {
		return err
	}
	c, err := openConn(path, "journal_mode = WAL", "synchronous = FULL")
	if err != nil {
		return err
	}
	scripts, err := migrations()
	for n := 0; err == nil && n < version; n++ {
		err = migrateOne(c, n+1, scripts[n])
	}
	return errors.Join(err, c.close())
}

// install gives the new store the identity of the old one.
func (r *repair) install() error {
	b, err := os.ReadFile(filepath.Join(r.o.Dir, fileWitness))
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	id := strings.TrimSpace(string(b))
	if id == "" {
		return nil // what was salvaged stays, else Open makes one
	}
	_, err = r.dst.exec("INSERT OR REPLACE INTO meta (key, value) VALUES ('installation', ?)", id)
	return err
}

// swap puts the damaged files aside and the new database in their place. The
// mark goes last: until then the store stays closed.
func (r *repair) swap() error {
	db := filepath.Join(r.o.Dir, fileDB)
	fresh := filepath.Join(r.work, fileDB)
	if exists(fresh) {
		aside, err := r.asideFolder()
		if err != nil {
			return err
		}
		for _, name := range []string{fileDB, fileDB + "-wal", fileDB + "-shm", fileDB + "-journal", fileLedger} {
			from := filepath.Join(r.o.Dir, name)
			if !exists(from) {
				continue
			}
			if err := r.o.files.Rename(from, filepath.Join(aside, name)); err != nil {
				return err
			}
		}
		if err := r.o.files.SyncDir(aside); err != nil {
			return err
		}
		if err := r.o.files.Rename(fresh, db); err != nil {
			return err
		}
	}
	if err := r.o.files.SyncDir(r.o.Dir); err != nil {
		return err
	}
	if err := r.o.files.Remove(filepath.Join(r.o.Dir, fileDamaged)); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := r.o.files.SyncDir(r.o.Dir); err != nil {
		return err
	}
	return os.RemoveAll(r.work)
}

// asideFolder makes the folder for the damaged files.
func (r *repair) asideFolder() (string, error) {
	base := filepath.Join(r.o.Dir, "damaged-"+r.now.Format("20060102-150405"))
	for n := 0; ; n++ {
		dir := base
		if n > 0 {
			dir = fmt.Sprintf("%s-%d", base, n)
		}
		err := os.Mkdir(dir, 0o700)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		r.rep.Aside = dir
		return dir, err
	}
}

// copyFile copies a file for reading; a missing one is an empty one.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		if os.IsNotExist(err) {
			return nil
		}
		return err
	}
	defer in.Close() // read only: nothing to lose
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	// A bad sector ends the copy there: what was read before it still counts.
	_, err = io.Copy(out, in)
	if isFull(err) {
		return errors.Join(err, out.Close())
	}
	return out.Close()
}

func newFailure(code mail.Code, text string) *mail.Failure {
	return &mail.Failure{Class: mail.NeedsUser, Code: code, Op: "repair", Err: errors.New(text)}
}
