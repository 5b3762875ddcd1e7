package engine

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"postbag/engine/mail"
	"postbag/engine/source"
)

// ResultKind is what became of a mailbox in a collection.
type ResultKind string

// The results; their words are a promise to scripts.
const (
	ResultOK        ResultKind = "ok"
	ResultTemporary ResultKind = "temporary"
	ResultNeedsUser ResultKind = "needs_user"
	ResultFailed    ResultKind = "failed"
	ResultSkipped   ResultKind = "skipped"
)

// Result is what became of one mailbox.
type Result struct {
	Mailbox    string // id
	Kind       ResultKind
	Failure    *mail.Failure // nil when ok
	Fetched    int           // messages, also those that proved to be here already
	New        int           // messages that were not here before
	BadLines   int           // of the listing, that could not be read (rule 2)
	Undeleted  bool          // the provider confirmed QUIT and kept what was to be deleted (rule 12)
	LoginDelay time.Duration // that the server asked for
	login      time.Time     // of the last sign-in; zero: none
}

// Report is what a collection brought.
type Report struct {
	Results     []Result
	Rows        []int64 // every message whose state changed, in the order in which it was first touched
	Quarantined int     // messages that this run put into quarantine
	SetAside    int     // messages that this run set aside after three failed fetches
	Queued      int64   // messages that are still queued
	TooBig      []int64 // messages that this run found to be too big
	Interrupted bool    // the run was asked to stop
}

// badMessages is how many messages may break their session in one run before
// the fault is taken for one of the line.
const badMessages = 5

// run gathers what happens in one collection. Its methods may be called from
// any goroutine.
type run struct {
	e   *Engine
	id  string       // the session's, in every line of the log
	log *slog.Logger // of this session

	beginning *beginning // nil: messages may move

	open atomic.Int32 // mailboxes of which it is not stored what became of them
	done func()       // see collect

	mu     sync.Mutex
	order  []int64
	known  map[int64]bool
	boxes  map[string]*tally
	aside  map[int64]bool // messages that went into quarantine
	failed map[int64]bool // messages set aside after three failed fetches
	big    []int64        // messages that are too big, and were not known to be
}

// tally is what one mailbox had so far.
type tally struct {
	total, done           int
	totalBytes, doneBytes int64
	spentCount            int
	spentBytes            int64
	avoid                 map[string]bool // messages that broke a session in this run
	noTop                 map[string]bool // messages whose header broke one
	first                 bool            // this run saw the mailbox for the first time
	broken                bool            // the last session died of one message
	breaks                int             // sessions of this run that did
	kept                  int             // messages new to the store
	badLines              int
	miss                  *mail.Failure
	suspects              map[string]suspect
	suspected             []string // keys of suspects, in order
	loginDelay            time.Duration
	login                 time.Time  // of the last sign-in
	whole                 bool       // the last session fetched everything that was to be fetched
	owed                  *confirmed // what the last session brought about at the provider; nil: nothing
}

func newRun(e *Engine) *run {
	id := strings.ToLower(rand.Text()[:12])
	return &run{e: e, id: id, log: e.deps.Log.With("session", id), known: make(map[int64]bool), boxes: make(map[string]*tally),
		aside: make(map[int64]bool), failed: make(map[int64]bool)}
}

func (r *run) box(id string) *tally {
	t := r.boxes[id]
	if t == nil {
		t = &tally{avoid: make(map[string]bool), noTop: make(map[string]bool), suspects: make(map[string]suspect)}
		r.boxes[id] = t
	}
	return t
}

// touch notes rows whose state this run changed.
func (r *run) touch(rows ...int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, row := range rows {
		r.note(row)
	}
}

func (r *run) note(row int64) {
	if row != 0 && !r.known[row] {
		r.known[row] = true
		r.order = append(r.order, row)
	}
}

func (r *run) rows() []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.order)
}

// listed announces what is to be fetched.
func (r *run) listed(mailbox string, n int, bytes int64) {
	r.mu.Lock()
	t := r.box(mailbox)
	t.total, t.totalBytes = t.done+n, t.doneBytes+bytes
	ev := Event{Kind: EventListed, Mailbox: mailbox, Total: t.total, TotalBytes: t.totalBytes, Done: t.done, DoneBytes: t.doneBytes}
	r.mu.Unlock()
	r.e.publish(ev)
}

// fetched counts a message that is here.
func (r *run) fetched(mailbox string, size int64) {
	r.mu.Lock()
	t := r.box(mailbox)
	t.done++
	t.doneBytes += size
	t.spentCount++
	t.spentBytes += size
	ev := Event{Kind: EventFetched, Mailbox: mailbox, Total: t.total, TotalBytes: t.totalBytes, Done: t.done, DoneBytes: t.doneBytes}
	r.mu.Unlock()
	r.e.publish(ev)
}

// settled notes the end of an attempt at a message, in whichever mailbox.
func (r *run) settled(row int64, aside bool) {
	r.touch(row)
	if aside {
		r.quarantined(row)
	}
}

func (r *run) quarantined(row int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.aside[row] = true
}

func (r *run) gaveUp(row int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed[row] = true
}

// tooBig notes a message of which the user has not been told yet (rule 15).
func (r *run) tooBig(row int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.big = append(r.big, row)
}

// oversize returns them.
func (r *run) oversize() []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.big)
}

// setAside counts what this run put into quarantine, and what it gave up fetching.
func (r *run) setAside() (quarantined, failed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.aside), len(r.failed)
}

// faults notes how many lines of a listing could not be read.
func (r *run) faults(mailbox string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.box(mailbox).badLines = n
}

// signedIn remembers that a session began.
func (r *run) signedIn(mailbox string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.box(mailbox)
	t.login, t.whole = r.e.deps.Now(), false
}

// delays remembers how long the server wants to be left alone after a sign-in
// (rule 9).
func (r *run) delays(mailbox string, delay time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.box(mailbox).loginDelay = delay
}

// hasSignedIn tells whether this run has had a session with the mailbox.
func (r *run) hasSignedIn(mailbox string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.box(mailbox).login.IsZero()
}

// fetchedAll notes that a session has nothing left to fetch.
func (r *run) fetchedAll(mailbox string, whole bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.box(mailbox).whole = whole
}

// isWhole tells whether everything was fetched, so that only deleting failed.
func (r *run) isWhole(mailbox string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.box(mailbox)
	return t.whole && t.miss == nil
}

// later keeps what is to be stored together with the result of a mailbox.
func (r *run) later(mailbox string, c *confirmed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.box(mailbox).owed = c
}

// owed returns, once, what later was given.
func (r *run) owed(mailbox string) *confirmed {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.box(mailbox)
	owed := t.owed
	t.owed = nil
	return owed
}

// missed remembers why a message of the mailbox was not fetched.
func (r *run) missed(mailbox string, why *mail.Failure) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.box(mailbox).miss = why
}

// avoid leaves a message that broke its session out of the rest of this run.
func (r *run) avoid(mailbox string, it source.Planned) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.box(mailbox)
	t.avoid[avoidKey(it)] = true
	t.broken = true
	t.breaks++
}

// avoidKey tells messages of one run apart, with or without UIDL.
func avoidKey(it source.Planned) string {
	if it.UID != "" && !it.ByFingerprint {
		return it.UID
	}
	return fmt.Sprintf(" %d %d %s", it.Number, it.Size, it.UID) // no UIDL has a blank
}

// tookIn counts a message that was not here before, and notes that it is.
func (r *run) tookIn(mailbox string, row int64, it source.Planned) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.box(mailbox)
	t.kept++
	r.note(row)
	t.clear(it)
}

// taken is how many messages came in that were not here before.
func (r *run) taken(mailbox string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.box(mailbox).kept
}

// mayGoOn tells, and forgets, whether the session died of one message only, so
// that the others can be fetched in a new one (rule 16).
func (r *run) mayGoOn(mailbox string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.box(mailbox)
	again := t.broken && t.breaks <= badMessages
	t.broken = false
	return again
}

// budget leaves out what is to be avoided and what the limits of a session,
// over all its checkpoints, do not allow any more.
func (r *run) budget(mb *Mailbox, items []source.Planned) []source.Planned {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.box(mb.ID)
	out := make([]source.Planned, 0, len(items))
	bytes := t.spentBytes
	for _, it := range items {
		if len(t.avoid) > 0 && t.avoid[avoidKey(it)] {
			continue
		}
		if n := mb.Policy.MaxMessages; n > 0 && t.spentCount+len(out) >= n {
			break
		}
		bytes += max(it.Size, 0)
		if n := mb.Policy.MaxBytes; n > 0 && bytes > n && t.spentCount+len(out) > 0 {
			break
		}
		out = append(out, it)
	}
	return out
}

// mayTop tells whether the header of a message may be asked for.
func (r *run) mayTop(mailbox string, it source.Planned) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.box(mailbox).noTop[avoidKey(it)]
}

// noTop notes that the session died when a header was asked for.
func (r *run) noTop(mailbox string, it source.Planned) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.box(mailbox)
	t.noTop[avoidKey(it)] = true
	t.broken = true
	t.breaks++
}

// isFirst notes and tells whether this run is the first that sees the mailbox.
func (r *run) isFirst(mailbox string, first bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.box(mailbox)
	t.first = t.first || first
	return t.first
}

// outcome is the result of a mailbox whose sessions ended with err.
func (r *run) outcome(mailbox string, err error) Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.box(mailbox)
	res := Result{Mailbox: mailbox, Kind: ResultOK, Fetched: t.done, New: t.kept, BadLines: t.badLines, LoginDelay: t.loginDelay, login: t.login}
	if err == nil && t.miss != nil {
		// The others were collected: the one message is counted (rule 16), and
		// the mailbox is not collected whole.
		err = t.miss
	}
	if err == nil {
		return res
	}
	res.Failure = mail.AsFailure(err)
	res.Kind = resultOf(res.Failure)
	return res
}

func resultOf(f *mail.Failure) ResultKind {
	switch f.Class {
	case mail.NeedsUser:
		return ResultNeedsUser
	case mail.Transient:
		return ResultTemporary
	}
	return ResultFailed
}
