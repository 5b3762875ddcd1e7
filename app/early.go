package app

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"postbag/app/config"
	"postbag/engine"
	"postbag/engine/source/pop3"
	"postbag/engine/store"
)

const (
	earlyWait  = time.Second     // an attempt that takes longer is left to the session, which says why
	earlyFresh = 5 * time.Second // a line that waited longer is not used: the provider may be about to hang up
)

// early are lines to providers, dialled while the store is opened: they take
// their time to greet. Nothing is said or read on them before the session of the
// mailbox begins. They are dialled only for mailboxes that were ready when the
// store was closed in order, if nobody has touched it since, or before it is made,
// and whose secret can be read: nobody is called in vain.
type early struct {
	stop  context.CancelFunc
	mu    sync.Mutex
	lines map[string]<-chan net.Conn // by the name of the mailbox; nil comes where it was not reached
	since time.Time
}

// dialEarly dials for the mailboxes that are to be collected.
func (l *Local) dialEarly(ctx context.Context) {
	ready, ok := l.wereReady()
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, earlyWait)
	e := &early{stop: cancel, lines: make(map[string]<-chan net.Conn), since: time.Now()}
	for _, m := range toCollect(l.config(), l.o.Mailboxes) {
		if len(e.lines) == engine.Together || !ready(m.Name) {
			continue
		}
		line := make(chan net.Conn, 1)
		e.lines[m.Name] = line
		go func() { line <- l.reach(ctx, m) }()
	}
	l.early = e
	runtime.Gosched() // now, not when the store is open
}

// wereReady tells which mailboxes nothing kept from being collected when the
// store was closed; ok is false when it is not known. Before the very first
// start nothing does.
func (l *Local) wereReady() (ready func(name string) bool, ok bool) {
	dir := storeDir(l.o.Data)
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return func(string) bool { return true }, true
	}
	var names []string
	note, ok := store.NoteLeft(dir)
	ok = ok && json.Unmarshal([]byte(note), &names) == nil
	return func(name string) bool { return slices.Contains(names, name) }, ok
}

// reach dials for a mailbox; nil: in vain.
func (l *Local) reach(ctx context.Context, m *config.Mailbox) net.Conn {
	if _, err := l.secrets.Read(ctx, m.Secret); err != nil {
		return nil
	}
	if l.o.Ready != nil {
		select {
		case <-l.o.Ready:
		case <-ctx.Done():
			return nil
		}
	}
	at := pop3.Options{Host: m.Host, Port: m.Port, Security: m.Security}.Address()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", at)
	if err != nil {
		return nil
	}
	return conn
}

// toCollect are the named mailboxes, or all that are enabled.
func toCollect(cfg *config.Config, names []string) (out []*config.Mailbox) {
	for _, name := range names {
		if m := cfg.Mailbox(name); m != nil {
			out = append(out, m)
		}
	}
	for i := range cfg.Mailboxes {
		if m := &cfg.Mailboxes[i]; len(names) == 0 && m.Enabled {
			out = append(out, m)
		}
	}
	return out
}

// take returns the line of a mailbox, once; nil: the session dials itself.
func (e *early) take(name string) net.Conn {
	if e == nil {
		return nil
	}
	e.mu.Lock()
	line := e.lines[name]
	delete(e.lines, name)
	e.mu.Unlock()
	if line == nil {
		return nil
	}
	conn := <-line
	if conn != nil && time.Since(e.since) > earlyFresh {
		_ = conn.Close()
		return nil
	}
	return conn
}

// close hangs up where nobody asked for the line.
func (e *early) close() {
	if e == nil {
		return
	}
	e.stop()
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, line := range e.lines {
		if conn := <-line; conn != nil {
			_ = conn.Close()
		}
		delete(e.lines, name)
	}
}

// noteReady leaves word for the next start of which mailboxes may be dialled
// early: those that nothing keeps from being collected.
func (l *Local) noteReady() {
	states, err := l.store.Mailboxes(context.Background())
	if err != nil {
		l.logger().Warn("the next start dials no provider early", "error", err)
		return
	}
	ready := []string{}
	for _, st := range states {
		if st.Name != "" && !st.Paused && !st.Suspended && st.NextAllowed.Before(time.Now()) {
			ready = append(ready, st.Name)
		}
	}
	if note, err := json.Marshal(ready); err == nil {
		l.store.LeaveNote(string(note))
	}
}
