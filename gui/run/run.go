// Package run starts the desktop program: arguments, language, the one instance
// of a data folder, the window library, the engine, and their end. It is the
// only package besides cmd/postbag that needs a display; what it starts is in
// package gui.
package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"fyne.io/systray"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/assets"
	"postbag/engine/mail"
	"postbag/gui"
	"postbag/gui/autostart"
	"postbag/gui/launch"
	"postbag/gui/present"
)

// Backend is the engine with an end.
type Backend interface {
	present.Backend
	Close() error
}

// Options are the world around the program.
type Options struct {
	Args    []string // without the program's name
	Program string   // path of the executable, for the start at sign-in
	Getenv  func(string) string
	Stdout  io.Writer
	Stderr  io.Writer
	Config  string // the configuration file without --config
	Data    string // the data folder without --data
	Build   facts.Build

	// Open opens the engine. With an error the Backend is usable all the same.
	Open func(ctx context.Context, o facts.Options) (Backend, error)
	// Exit ends the process at once, when the window library cannot go on.
	Exit func(code int)
}

// Exit codes, those of postbagd.
const (
	exitOK         = 0
	exitUnexpected = 1
	exitUsage      = 2
	exitBusy       = 5
)

// raising is how long a second start waits for the first one to answer.
const raising = 5 * time.Second

// Main runs the program and returns its exit code. It must be called on the
// first goroutine of the process.
func Main(o Options) int {
	a, err := launch.Parse(o.Args, o.Config, o.Data)
	look, lookErr := present.LoadLook(a.Data)
	lang := look.Language
	if a.Lang != "" {
		lang = a.Lang
	}
	p := i18n.New(lang)
	say := func(ob present.Obstacle) { launch.Tell(o.Stderr, p.T("gui.name"), ob.Sentence(p)) }
	if err != nil {
		say(present.Usage)
		return exitUsage
	}
	if a.Version {
		_, err := fmt.Fprintln(o.Stdout, "postbag", o.Build.Version, o.Build.Commit, runtime.Version())
		return code(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	one, err := launch.First(ctx, a.Data, raising)
	switch {
	case errors.Is(err, launch.ErrRaised):
		_, err := fmt.Fprintln(o.Stderr, present.Raised.Sentence(p))
		return code(err)
	case errors.Is(err, launch.ErrDeaf):
		say(present.Deaf)
		return exitBusy
	case err != nil:
		b, _ := present.StartBanner(p, &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeFile, Err: err}, "")
		launch.Tell(o.Stderr, p.T("gui.name"), b.What+" "+b.Detail)
		return exitUnexpected
	}
	if !launch.Display(runtime.GOOS, o.Getenv) {
		say(present.NoDisplay)
		_ = one.Close()
		return exitUnexpected
	}
	log.SetOutput(&launch.Log{Out: o.Stderr, Seen: func(ob present.Obstacle) { say(ob); o.Exit(exitUnexpected) }})
	d := &desk{o: o, a: a, look: look, one: one, ctx: ctx}
	if lookErr != nil {
		log.Println(lookErr)
	}
	return d.run()
}

func code(err error) int {
	if err != nil {
		return exitUnexpected
	}
	return exitOK
}

// desk is the running program. What stands below ctx belongs to the goroutine of
// the user interface.
type desk struct {
	o    Options
	a    launch.Args
	look present.Look
	one  *launch.Instance
	ctx  context.Context

	app     fyne.App
	backend Backend
	shell   *gui.Shell
	early   bool // a second start came before the window
	ending  bool // somebody quit before the window
	stopBus func()
	tray    gui.TrayHost // nil without a session bus

	once sync.Once
	code int // with which the program ends
}

// thrift is the share of the heap that may be garbage, in per cent. The program
// runs all day and does little: it had better be small.
const thrift = 40

// quiet is after how long without news the memory of a collection goes back to
// the operating system, which Go itself does in many minutes only.
const quiet = 2 * time.Second

func slim(b Backend) {
	t := time.AfterFunc(quiet, debug.FreeOSMemory)
	b.Watch(func(facts.Event) { t.Reset(quiet) })
}

// run shows windows until the user quits.
func (d *desk) run() int {
	debug.SetGCPercent(thrift)
	if dir, err := os.UserCacheDir(); err == nil {
		_ = os.MkdirAll(dir, 0o700) // QUIRK Fyne complains loudly in a home folder that is new
	}
	d.app = app.NewWithID(autostart.ID)
	d.app.SetIcon(fyne.NewStaticResource("postbag.svg", assets.AppIcon()))
	if launch.Bus(runtime.GOOS, d.o.Getenv) {
		d.tray, _ = d.app.(gui.TrayHost)
	}
	if d.tray != nil {
		// QUIRK Fyne begins with the icon when the program begins, or never: it
		// cannot wait for what the menu will say.
		quit := fyne.NewMenuItem(i18n.New(d.a.Lang).T("gui.tray.quit"), d.quit)
		quit.IsQuit = true
		if icon, err := gui.FirstTrayIcon(); err == nil {
			d.tray.SetSystemTrayIcon(icon)
		}
		d.tray.SetSystemTrayMenu(fyne.NewMenu("Postbag", quit))
	}
	go d.one.Serve(func() { gui.Post(d.raise) })
	d.obey()
	d.app.Run()
	return d.close() // only a fault of the display leads here
}

// open opens the engine, which may wait for a disk, and then the window.
func (d *desk) open() {
	backend, err := d.o.Open(d.ctx, facts.Options{Config: d.a.Config, Data: d.a.Data, Lang: d.a.Lang, Access: facts.AccessEngine})
	plain := d.o.Getenv("FYNE_THEME") == "" && !launch.HasPortal(d.ctx, d.o.Getenv)
	gui.Post(func() { d.show(backend, plain, err) })
}

// show makes the main window.
func (d *desk) show(backend Backend, plain bool, err error) {
	d.backend = backend
	if d.ending {
		d.end()
		return
	}
	slim(backend)
	entry := autostart.New(autostart.Options{
		Program: d.o.Program, Args: d.changed(), Hint: i18n.New(d.look.Language).T("gui.start.autostart_hint"), Getenv: d.o.Getenv,
	})
	deps := gui.ShellDeps{
		Desk: &gui.Desk{
			Backend: backend, App: d.app, Now: time.Now, Context: d.ctx,
			Autostart: entry, Build: d.o.Build, OpenFile: launch.OpenFile,
		},
		Data: d.a.Data, Look: d.look, Lang: d.a.Lang,
		Pages: gui.NewPages, About: gui.ShowAbout, Minimise: minimise, Quit: d.end, PlainDesktop: plain, StartError: err,
	}
	if d.tray != nil {
		deps.Tray = d.tray
		deps.Tooltip = systray.SetTooltip
		deps.Notify = func(title, text string) { d.app.SendNotification(fyne.NewNotification(title, text)) }
	}
	d.shell = gui.NewShell(deps)
	d.shell.Start(d.a.Hidden && !d.early)
	d.stopBus = launch.WatchTray(deps.Tray != nil, func(there bool) { gui.Post(func() { d.shell.TrayThere(there) }) })
}

// changed are the arguments that a start at sign-in must repeat.
func (d *desk) changed() []string {
	var args []string
	if d.a.Config != d.o.Config {
		args = append(args, "--config", d.a.Config)
	}
	if d.a.Data != d.o.Data {
		args = append(args, "--data", d.a.Data)
	}
	return args
}

// raise answers a second start.
func (d *desk) raise() {
	if d.shell == nil {
		d.early = true
		return
	}
	d.shell.Raise()
}
