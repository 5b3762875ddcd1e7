package store

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"postbag/engine/mail"
)

// Options says where and how a store works.
type Options struct {
	Dir             string           // folder of its own, made when missing (0700)
	Now             func() time.Time // nil: time.Now
	DuplicateWindow time.Duration    // how long an accepted delivery counts for rule 35; 0: 30 days
	ReadOnly        bool             // nothing is changed, not even leftovers; the store must exist
	Log             *slog.Logger     // nil: silence
	QuotaBytes      int64            // spool quota; 0: none

	files   fileLayer // nil: the operating system's; tests put faults here
	ledger  func(path string, write bool) (ledgerFile, error)
	noPlain bool // tests: every message goes into the tables at once
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.DuplicateWindow == 0 {
		o.DuplicateWindow = 30 * 24 * time.Hour
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.files == nil {
		o.files = osFiles{}
	}
	if o.ledger == nil {
		o.ledger = openLedger
	}
	return o
}

const maxReaders = 4

// Store is an open store. Its methods may be called by many goroutines.
type Store struct {
	dir      string
	now      func() time.Time
	window   time.Duration
	readOnly bool
	log      *slog.Logger
	quota    int64
	files    fileLayer
	install  string
	checked  time.Time // when the database was last looked at for damage
	note     string    // for the next start
	ids      ids

	mu     sync.Mutex // guards closed
	closed bool
	calls  sync.WaitGroup // calls under way

	w       *conn // the writer's
	ops     chan *operation
	patient chan []*operation // see operation
	waiting []*operation      // of them, what was taken and is in no transaction yet; the writer's
	tables  chan *operation
	written chan struct{}
	commits atomic.Int64
	damage  atomic.Pointer[error]

	readers chan *conn    // idle
	slots   chan struct{} // one per open reader

	buffers sync.Pool // *[]byte of drafts
	recent  recent
	spool   atomic.Int64
	drafted atomic.Int64 // octets of drafts
	credit  atomic.Int64 // octets for which there is room on the disk
	spilled atomic.Int64 // of these, those on disk already

	pendMu     sync.RWMutex       // for others than the writer
	pend       map[int64]*pending // messages on their plain way, by row
	settled    int                // of them, those that have settled; the writer's
	alike      map[string]int64   // their rows by fingerprint; the writer's
	ledger     ledger             // the writer's
	landed     []int64            // of them, what has settled, in that order; the writer's
	folder     folder
	keeping    int             // transactions for which what comes in has the processors first; the writer's
	news       map[int64]found // what the tables tell of messages just listed; the writer's
	heard      heard           // of the tables; the writer's
	unclaimed  []int64         // of them, those that nobody has claimed, in their order; the writer's
	plainAgain time.Time       // not before anything goes the plain way, after a failure; the writer's
	records    packer          // room for those of the next transaction
	held       atomic.Int64    // octets of pendings
	noPlain    bool            // tests: every message goes into the tables at once

	flightMu sync.Mutex
	flight   map[int64]struct{} // copies claimed and not yet settled

	trash trash
}

// Open opens the store in o.Dir, makes it when there is none, brings its
// schema forward and drops what a crash left behind: drafts, files without a
// row. It fails with CodeStoreNewer when a newer version wrote it and with
// CodeStoreDamaged when it is damaged; then nothing is wiped, and every later
// Open fails too until the user called Repair.
func Open(ctx context.Context, o Options) (*Store, error) {
	o = o.withDefaults()
	if err := ctx.Err(); err != nil {
		return nil, fail("open", err)
	}
	s := &Store{
		dir: o.Dir, now: o.Now, window: o.DuplicateWindow, readOnly: o.ReadOnly, log: o.Log,
		quota: o.QuotaBytes, files: o.files,
		ops: make(chan *operation, 1024), patient: make(chan []*operation, 1024), tables: make(chan *operation, 1024), written: make(chan struct{}),
		readers: make(chan *conn, maxReaders), slots: make(chan struct{}, maxReaders),
		flight: make(map[int64]struct{}), pend: make(map[int64]*pending), news: make(map[int64]found), alike: make(map[string]int64), noPlain: o.noPlain,
	}
	s.trash.s = s
	s.ledger = ledger{path: filepath.Join(o.Dir, fileLedger), open: o.ledger}
	if err := s.open(); err != nil {
		err = errors.Join(err, s.ledger.close())
		if s.w != nil {
			err = errors.Join(err, s.w.close())
		}
		if isDamage(err) && !o.ReadOnly {
			err = errors.Join(err, markDamaged(o.files, o.Dir, err.Error()))
		}
		return nil, fail("open", err)
	}
	go s.writer()
	return s, nil
}

// Made tells whether a store in dir was ever finished: its witness comes last.
func Made(dir string) bool { return exists(filepath.Join(dir, fileWitness)) }

func (s *Store) open() error {
	path := filepath.Join(s.dir, fileDB)
	if s.readOnly {
		if _, err := os.Stat(path); err != nil {
			return err
		}
	} else if err := s.prepareFolder(); err != nil {
		return err
	}
	check, err := inspect(s.dir, s.readOnly)
	if err != nil {
		return err
	}
	check = s.toCheck(check)
	if s.w, err = openConn(path, s.pragmas()...); err != nil {
		return err
	}
	if check {
		if err := quickCheck(s.w); err != nil {
			return err
		}
	}
	if err := migrate(s.w, s.readOnly); err != nil {
		return err
	}
	if err := s.identify(); err != nil {
		return err
	}
	r, _, err := s.w.one(context.Background(), "SELECT n FROM counter WHERE state = '#spool'")
	if err != nil {
		return err
	}
	if r != nil {
		s.spool.Store(r.int(0))
	}
	if s.readOnly {
		return nil
	}
	if err := s.loadIntake(); err != nil {
		return err
	}
	return s.dropLeftovers()
}

// pragmas of the writer. The order matters: page_size is fixed by the first
// write.
func (s *Store) pragmas() []string {
	p := []string{"busy_timeout = 10000"}
	if s.readOnly {
		return append(p, "query_only = 1")
	}
	return append(p, "journal_mode = WAL", "synchronous = FULL", "temp_store = MEMORY",
		"cache_size = -4096", "wal_autocheckpoint = 2000", "journal_size_limit = 33554432")
}

func (s *Store) prepareFolder() error {
	for _, d := range []string{s.dir, filepath.Join(s.dir, dirSpool), filepath.Join(s.dir, dirQuarantine)} {
		if err := privateDir(d); err != nil {
			return err
		}
	}
	return nil
}

// identify reads the installation id, or makes one. It stands in the database
// and in a file beside it: the file tells that there was a store when the
// database has vanished, and keeps the id through a repair (rule 36).
func (s *Store) identify() error {
	r, ok, err := s.w.one(context.Background(), "SELECT value FROM meta WHERE key = 'installation'")
	if err != nil {
		return err
	}
	path := filepath.Join(s.dir, fileWitness)
	b, ferr := os.ReadFile(path)
	if ferr != nil && !os.IsNotExist(ferr) {
		return ferr
	}
	onFile := strings.TrimSpace(string(b))
	if ok {
		s.install = r.str(0)
	} else if s.install = onFile; s.install == "" {
		s.install = randomName()
	}
	if s.readOnly {
		return nil
	}
	if !ok {
		if _, err := s.w.exec("INSERT INTO meta (key, value) VALUES ('installation', ?)", s.install); err != nil {
			return err
		}
	}
	if onFile != s.install {
		return writeWhole(s.files, path, strings.NewReader(s.install+"\n"))
	}
	return nil
}

// InstallationID is random, made once and never changed (rule 36).
func (s *Store) InstallationID() string { return s.install }

// Close finishes what is under way, folds the write-ahead log into the
// database and closes it. Calls made after it fail.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.calls.Wait()
	close(s.ops)
	<-s.written
	var err error
	for range len(s.slots) {
		err = errors.Join(err, (<-s.readers).close())
	}
	if !s.readOnly && len(s.pend) == 0 {
		if err := s.ledger.end(); err != nil {
			s.log.Warn("the next start reads the intake to its end", "error", err)
		}
	}
	// The last connection folds the log into the database and removes it.
	err = errors.Join(err, s.ledger.close(), s.w.close())
	if err == nil && !s.readOnly && s.Damaged() == nil {
		s.markClosed()
	}
	return fail("close", err)
}

// read lends a connection for one query; snapshot is for several that must see
// one state of the database. Before it everything pending goes into the tables.
func (s *Store) read(ctx context.Context, name string, fn func(*conn) error) error {
	if err := s.enter(name); err != nil {
		return err
	}
	defer s.calls.Done()
	if err := s.unfold(ctx); err != nil {
		return fail(name, err)
	}
	return s.readBeside(ctx, name, fn)
}

// readBeside is read for queries that pendings do not concern, or that look at
// them as well.
func (s *Store) readBeside(ctx context.Context, name string, fn func(*conn) error) error {
	if err := s.enter(name); err != nil {
		return err
	}
	defer s.calls.Done()
	c, err := s.reader(ctx)
	if err != nil {
		return fail(name, err)
	}
	defer func() { s.readers <- c }()
	return fail(name, s.watch(fn(c)))
}

// snapshot lends a connection on which fn sees one state of the database.
func (s *Store) snapshot(ctx context.Context, name string, fn func(*conn) error) error {
	return s.read(ctx, name, oneState(fn))
}

// snapshotBeside is readBeside with one state of the database.
func (s *Store) snapshotBeside(ctx context.Context, name string, fn func(*conn) error) error {
	return s.readBeside(ctx, name, oneState(fn))
}

func oneState(fn func(*conn) error) func(*conn) error {
	return func(c *conn) error {
		if _, err := c.exec("BEGIN"); err != nil {
			return err
		}
		err := fn(c)
		if _, cerr := c.exec("ROLLBACK"); err == nil {
			err = cerr
		}
		return err
	}
}

// trash removes files whose rows are gone, after the commit that says so. It
// waits while a backup copies them.
type trash struct {
	s    *Store
	mu   sync.Mutex
	held int      // backups under way
	wait []string // paths
}

func (t *trash) remove(path string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held > 0 {
		t.wait = append(t.wait, path)
		return
	}
	t.unlink(path)
}

func (t *trash) unlink(path string) {
	if err := t.s.files.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.s.log.Warn("a file is left for the next start", "err", err)
	}
}

// hold keeps all files until the returned function is called.
func (t *trash) hold() (release func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held++
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.held--; t.held == 0 {
			for _, p := range t.wait {
				t.unlink(p)
			}
			t.wait = nil
		}
	}
}

// copyAll writes everything of r to w in pieces.
func copyAll(w io.Writer, r io.Reader) error {
	_, err := io.CopyBuffer(w, r, make([]byte, 64<<10))
	return err
}

// Damaged tells whether the store found itself damaged since it was opened.
func (s *Store) Damaged() error {
	if err := s.damage.Load(); err != nil {
		return *err
	}
	return nil
}

var _ error = (*mail.Failure)(nil)
