//go:build linux

// Package floor is the least that a program must do that collects mail by POP3
// and hands it over by SMTP, written as leanly as possible. It is no product: it
// shows how much of the time of a run nobody can save.
//
// What it does: for each mailbox it signs in, lists, fetches with one row of
// RETR, hands each message as it came to one of eight SMTP connections that stay
// open, MAIL, RCPT and DATA of the next one behind the final dot of the one
// before (RFC 2920), then DELE in one row, and QUIT. After 500 messages it quits
// and signs in again (rule 12), deliveries go on meanwhile; eight mailboxes are
// collected at once. With a file it keeps the promises of Postbag as cheaply as
// can be: see disk.
//
// What it does not do: take up again what was left when it ended early, read what
// the file of an earlier run says, retry, time out, ask for capabilities,
// encrypt, route, look for duplicates and loops, put a trace in front of a
// message or take a line away, keep a journal, tell anybody anything. Whatever
// is not as expected ends it with an error.
//
// One thread does everything but syncing the file; it asks the kernel directly
// (epoll) which connection has something to read. The scheduler of Go, which
// connections of package net wake for every packet, is what that saves. Nothing
// came of two files synced at once, of O_DIRECT with O_DSYNC, of a file that does
// not grow, of messages sent ahead of their final dots, or of dialling the next
// session sooner.
package floor

import (
	"errors"
	"fmt"
	"syscall"
)

const (
	together   = 8   // mailboxes at once, as in engine
	maxHands   = 8   // SMTP connections, as in engine/deliver
	checkpoint = 500 // messages of one session, as in engine
)

// Box is a mailbox and the recipient of all that is in it.
type Box struct{ User, Password, Recipient string }

// Job is what is to be done. The servers are on loopback.
type Job struct {
	POP3, SMTP int
	Boxes      []Box
	File       string // what is kept; "": nothing is
}

// handler is told that there is something to read.
type handler interface{ readable() error }

// floor is one run.
type floor struct {
	job      Job
	epoll    int
	handlers []handler // by file descriptor

	boxes   []*box
	started int // boxes
	fetched int // boxes of which everything is settled
	ended   int // boxes

	disk      *disk          // nil: keeps nothing
	unwritten queue[*letter] // not in a group yet
	waiting   queue[*letter] // for their group
	outcomes  queue[outcome]
	held      []*hand // whose message waits for a group

	ready queue[*letter]
	hands []*hand
	idle  []*hand
	open  int // hands that have not quit

	letters []*letter // to be used again
	buffers [][]byte
}

// letter is a message on its way.
type letter struct {
	item  *item
	text  []byte // as the provider sent it: dots stuffed, with the final dot
	group uint64 // that makes it durable
}

// outcome waits for its group.
type outcome struct {
	item  *item
	group uint64
}

// Run does a job.
func Run(j Job) (err error) {
	f := &floor{job: j}
	if f.epoll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	defer syscall.Close(f.epoll)
	defer f.hangUp()
	if err := f.start(); err != nil {
		return err
	}
	err = f.loop()
	if f.disk != nil {
		err = errors.Join(err, f.disk.close())
	}
	return err
}

// start dials both servers at once: neither needs the other.
func (f *floor) start() error {
	if f.job.File != "" {
		d, err := openDisk(f.job.File)
		if err != nil {
			return err
		}
		f.disk = d
		if err := f.watch(d.told, &committed{f}); err != nil {
			return err
		}
	}
	for i, b := range f.job.Boxes {
		f.boxes = append(f.boxes, newBox(f, i, b))
	}
	for range min(together, len(f.boxes)) {
		if err := f.startBox(); err != nil {
			return err
		}
	}
	return f.moreHands(1)
}

func (f *floor) startBox() error {
	if f.started == len(f.boxes) {
		return nil
	}
	f.started++
	return f.boxes[f.started-1].dial()
}

// loop serves whoever has something to read until everything has ended.
func (f *floor) loop() error {
	var events [64]syscall.EpollEvent
	for f.ended < len(f.boxes) || f.open > 0 || f.disk != nil && !f.still() {
		n, err := syscall.EpollWait(f.epoll, events[:], -1)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("epoll: %w", err)
		}
		for i := range max(n, 0) {
			if h := f.handlers[events[i].Fd]; h != nil {
				if err := h.readable(); err != nil {
					return err
				}
			}
		}
		if err := f.kick(); err != nil { // all that came at once goes into one group
			return err
		}
	}
	return nil
}

// arrived takes a message from a mailbox.
func (f *floor) arrived(l *letter) error {
	l.item.box.open++
	if f.disk != nil {
		f.unwritten.put(l)
		return nil
	}
	f.ready.put(l)
	return f.dispatch()
}

// kick keeps the disk at work. A group takes as many messages as a sync takes
// hardly longer for: outcomes wait for it, and connections for them.
func (f *floor) kick() error {
	if f.disk == nil || f.disk.busy {
		return nil
	}
	for f.unwritten.len() > 0 && len(f.disk.filling) < groupSize {
		l := f.unwritten.take()
		l.group = f.disk.message(l)
		f.waiting.put(l)
	}
	return f.disk.kick()
}

// dispatch gives what is ready to the connections that have nothing to do.
func (f *floor) dispatch() error {
	for f.ready.len() > 0 && len(f.idle) > 0 {
		h := f.idle[len(f.idle)-1]
		f.idle = f.idle[:len(f.idle)-1]
		if err := h.begin(f.ready.take()); err != nil {
			return err
		}
	}
	return nil
}

// accepted takes the office server's yes.
func (f *floor) accepted(l *letter) (barrier uint64, err error) {
	it := l.item
	f.letters = append(f.letters, l)
	if f.disk == nil {
		return 0, it.settle()
	}
	barrier = f.disk.outcome(it)
	f.outcomes.put(outcome{it, barrier})
	return barrier, nil
}

// committed is told that a group is durable.
type committed struct{ f *floor }

func (c *committed) readable() error {
	f := c.f
	if err := f.disk.finished(); err != nil {
		return err
	}
	// What waits goes on with the disk at work again.
	if err := f.kick(); err != nil {
		return err
	}
	for f.waiting.len() > 0 && f.waiting.first().group <= f.disk.done {
		f.ready.put(f.waiting.take())
	}
	// Of some the outcome is in the next group: they wait again.
	held := f.held
	f.held = nil
	for _, h := range held {
		if err := h.body(); err != nil {
			return err
		}
	}
	if err := f.dispatch(); err != nil {
		return err
	}
	for f.outcomes.len() > 0 && f.outcomes.first().group <= f.disk.done {
		if err := f.outcomes.take().item.settle(); err != nil {
			return err
		}
	}
	return nil
}

// allSettled is told when a mailbox needs nothing more of the office server.
func (f *floor) allSettled() error {
	if f.fetched++; f.fetched < len(f.boxes) {
		return nil
	}
	for _, h := range f.hands {
		if err := h.quit(); err != nil {
			return err
		}
	}
	return nil
}

// still tells that everything is durable.
func (f *floor) still() bool { return f.unwritten.len() == 0 && f.disk.still() }

func (f *floor) newLetter() *letter {
	if n := len(f.letters); n > 0 {
		l := f.letters[n-1]
		f.letters = f.letters[:n-1]
		return l
	}
	return &letter{text: make([]byte, 0, 8<<10)}
}

// queue is first in, first out.
type queue[T any] struct {
	all []T
	at  int
}

func (q *queue[T]) len() int { return len(q.all) - q.at }
func (q *queue[T]) put(x T)  { q.all = append(q.all, x) }
func (q *queue[T]) first() T { return q.all[q.at] }

func (q *queue[T]) take() T {
	x := q.all[q.at]
	if q.at++; q.at == len(q.all) {
		q.all, q.at = q.all[:0], 0
	}
	return x
}
