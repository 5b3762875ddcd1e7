package gui

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/gui/present"
)

// shellBackend answers what the frame of the window asks.
type shellBackend struct {
	present.Backend // what is not asked for here panics

	mu      sync.Mutex
	status  facts.Status
	fault   error
	running atomic.Bool
	asked   int
	calls   []string
	listen  func(facts.Event)
}

func (b *shellBackend) note(call string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, call)
	return nil
}

func (b *shellBackend) Start(context.Context) error { b.running.Store(true); return b.note("start") }
func (b *shellBackend) Stop(context.Context) error  { b.running.Store(false); return b.note("stop") }
func (b *shellBackend) Running() bool               { return b.running.Load() }
func (b *shellBackend) Attached() bool              { return false }
func (b *shellBackend) Place() facts.Options        { return facts.Options{Config: "/home/anne/postbag.toml"} }

func (b *shellBackend) Collect(context.Context, []string) (facts.CollectReport, error) {
	return facts.CollectReport{}, b.note("collect")
}

func (b *shellBackend) Status(context.Context) (facts.Status, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	return b.status, b.fault
}

func (b *shellBackend) Config(context.Context) (*config.Config, error) {
	return config.Defaults(), b.fault
}

// times is how often the state was asked for.
func (b *shellBackend) times() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked
}

func (b *shellBackend) Watch(listen func(facts.Event)) func() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listen = listen
	return func() { _ = b.note("unwatch") }
}

// fakeTray takes icons and menus.
type fakeTray struct {
	menus []*fyne.Menu
	icons []fyne.Resource
}

func (f *fakeTray) SetSystemTrayMenu(m *fyne.Menu)    { f.menus = append(f.menus, m) }
func (f *fakeTray) SetSystemTrayIcon(r fyne.Resource) { f.icons = append(f.icons, r) }

func (f *fakeTray) icon() string {
	if len(f.icons) == 0 {
		return ""
	}
	return strings.TrimSuffix(f.icons[len(f.icons)-1].Name(), ".png")
}

// choose does what the menu item with the label stands for.
func (f *fakeTray) choose(t *testing.T, label string) {
	t.Helper()
	for _, it := range f.menus[len(f.menus)-1].Items {
		if it.Label == label && !it.Disabled {
			it.Action()
			return
		}
	}
	t.Fatalf("the menu has no %q", label)
}

// fakePage is a page that counts what happens to it.
type fakePage struct {
	title         string
	label         *widget.Label
	shown, hidden int
	texts         int
	opened        string
	heard         int
	did           map[string]int // commands
	unsaved       bool
}

func (p *fakePage) Unsaved() bool { return p.unsaved }

// Commands of the mailboxes and the log alone.
func (p *fakePage) Commands() map[string]func() {
	count := func(word string) func() { return func() { p.did[word]++ } }
	switch p.title {
	case PageMailboxes:
		return map[string]func(){CommandSave: count(CommandSave), CommandTest: count(CommandTest)}
	case PageLog:
		return map[string]func(){CommandExport: count(CommandExport)}
	}
	return nil
}

func (p *fakePage) Title() string              { return p.title }
func (p *fakePage) Content() fyne.CanvasObject { return p.label }
func (p *fakePage) Shown()                     { p.shown++ }
func (p *fakePage) Hidden()                    { p.hidden++ }
func (p *fakePage) Retext()                    { p.texts++ }
func (p *fakePage) Heard(events []facts.Event) { p.heard += len(events) }
func (p *fakePage) Open(subject string)        { p.opened = subject }

// bench is a main window with all that it needs.
type bench struct {
	*Shell
	backend   *shellBackend
	host      *fakeTray
	pages     []*fakePage
	minimised int
	quit      bool
}

func newBench(t *testing.T, change func(*ShellDeps)) *bench {
	t.Helper()
	b := &bench{backend: &shellBackend{}, host: &fakeTray{}}
	app := newTestApp(t)
	o := ShellDeps{
		Desk: &Desk{
			Backend: b.backend, App: app, Context: t.Context(),
			Now: func() time.Time { return time.Date(2026, 11, 20, 14, 6, 0, 0, time.Local) },
		},
		Data: t.TempDir(), Look: present.DefaultLook(), Lang: "en", Tray: b.host,
		Minimise: func(fyne.Window) { b.minimised++ },
		Quit:     func() { b.quit = true },
	}
	if change != nil {
		change(&o)
	}
	b.Shell = NewShell(o)
	// The window library of the tests calls at once what the real one puts in a
	// row: two goroutines of the pulse would meet here, and nowhere else.
	var row sync.Mutex
	b.pulse.heard = func(events []facts.Event) {
		row.Lock()
		defer row.Unlock()
		b.heard(events)
	}
	b.pulse.know = func(st facts.Status, err error) {
		row.Lock()
		defer row.Unlock()
		b.know(st, err)
	}
	t.Cleanup(func() {
		b.pulse.stop()
		b.keeper.under.Wait()
	})
	var pages []Page
	for _, title := range []string{PageOverview, PageLog, PageQueue, PageMailboxes, PagePeople, PageTarget, PageSchedule, PageSettings} {
		p := &fakePage{title: title, label: widget.NewLabel(title), did: map[string]int{}}
		b.pages, pages = append(b.pages, p), append(pages, p)
	}
	b.SetPages(pages)
	return b
}
