package app

import (
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"postbag/app/facts"
	"postbag/assets"
	"postbag/engine/store"
)

// A signal that comes before the program took signals over ends it at once: no
// provider has been called by then.
func TestNobodyIsDialledBeforeReady(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	dir := t.TempDir()
	ready := make(chan struct{})
	o := facts.Options{Config: filepath.Join(dir, "postbag.toml"), Data: filepath.Join(dir, "data"), Lang: "en", Access: facts.AccessCollect, Ready: ready}
	must(t, os.WriteFile(filepath.Join(dir, "secret"), []byte(assets.DemoPassword+"\n"), 0o600))
	must(t, os.WriteFile(o.Config, []byte(assets.DemoConfig(l.Addr().(*net.TCPAddr).Port, 2)), 0o600))
	var isReady, called atomic.Bool // called: with isReady
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		if conn, err := l.Accept(); err == nil {
			called.Store(isReady.Load())
			_ = conn.Close()
		}
	}()
	a := open(t, o)
	isReady.Store(true)
	close(ready)
	if conn := a.early.take(a.config().Mailboxes[0].Name); conn == nil {
		t.Error("the provider was not called")
	} else {
		must(t, conn.Close())
		<-accepted
		if !called.Load() {
			t.Error("the provider was called before")
		}
	}
	must(t, a.Close())
}

// A provider is called while the store is opened, if nothing speaks against it:
// the mailbox was ready at the last close in order, and its secret can be read.
func TestDialledEarly(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	dir := t.TempDir()
	o := facts.Options{Config: filepath.Join(dir, "postbag.toml"), Data: filepath.Join(dir, "data"), Lang: "en", Access: facts.AccessCollect}
	write := func(name, text string) { must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)) }
	write("secret", assets.DemoPassword+"\n")
	write("postbag.toml", assets.DemoConfig(l.Addr().(*net.TCPAddr).Port, 2))
	// early opens and closes everything, and tells whether the provider was called.
	early := func(change func(st *store.MailboxState)) bool {
		t.Helper()
		a := open(t, o)
		called := a.early != nil && len(a.early.lines) > 0
		m := a.config().Mailboxes[0]
		if called {
			conn := a.early.take(m.Name)
			if called = conn != nil; called {
				must(t, conn.Close())
			}
			if a.early.take(m.Name) != nil {
				t.Error("a line was handed out twice")
			}
		}
		must(t, a.store.UpdateMailbox(t.Context(), m.ID, func(st *store.MailboxState) { st.Name = m.Name; change(st) }))
		must(t, a.Close())
		return called
	}
	for _, step := range []struct {
		name   string
		change func(st *store.MailboxState) // for the next step
		want   bool
		before func()
	}{
		{"the very first start", func(*store.MailboxState) {}, true, func() {}},
		{"ready", func(*store.MailboxState) {}, true, func() {}},
		{"without a secret", func(*store.MailboxState) {}, false, func() { must(t, os.Remove(filepath.Join(dir, "secret"))) }},
		{"ready again", func(st *store.MailboxState) { st.Paused = true }, true, func() { write("secret", assets.DemoPassword+"\n") }},
		{"paused", func(st *store.MailboxState) { st.Paused, st.Suspended = false, true }, false, func() {}},
		{"suspended", func(st *store.MailboxState) { st.Suspended = false }, false, func() {}},
		{"nobody listens", func(*store.MailboxState) {}, false, func() { must(t, l.Close()) }},
	} {
		step.before()
		if got := early(step.change); got != step.want {
			t.Errorf("%s: called %v, want %v", step.name, got, step.want)
		}
	}
}
