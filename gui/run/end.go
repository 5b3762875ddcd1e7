package run

import (
	"log"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"fyne.io/systray"

	"postbag/gui"
)

// closing is how long the engine may take to let go at the end; patience is how
// long the whole end may take after the session has asked for it.
const (
	closing  = 20 * time.Second
	patience = 45 * time.Second
)

// quit is what the user asked for, or the end of the session.
func (d *desk) quit() {
	if d.shell != nil {
		d.shell.End()
		return
	}
	d.ending = true // open is not through yet, which may wait for a disk
	time.AfterFunc(closing, func() { d.o.Exit(exitUnexpected) })
}

// end closes the engine and ends the process.
//
// QUIRK Fyne's own Quit is of no use. While its loop ends, it drops what other
// goroutines have just handed it and waits for it for ever (loop.go: between the
// last look into funcQueue and drained), or lets them panic with "send on closed
// channel". So the loop runs until the process is gone.
func (d *desk) end() { go func() { d.exit(d.close()) }() }

func (d *desk) exit(code int) {
	if d.tray != nil && runtime.GOOS == "windows" {
		systray.Quit() // else the icon stays until the pointer comes by
	}
	d.o.Exit(code)
}

// obey ends the program in good order when the session does, or the terminal
// that it was started from. It begins to open the engine, too.
func (d *desk) obey() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	var up atomic.Bool
	go func() {
		<-told
		if !up.Load() {
			d.o.Exit(exitOK) // nothing has begun
		}
		time.AfterFunc(patience, func() {
			log.Println("the program does not end in good order")
			d.o.Exit(exitUnexpected)
		})
		gui.Post(d.quit)
	}()
	d.app.Lifecycle().SetOnStarted(func() {
		// QUIRK Fyne has a handler of its own, which ends its loop at once.
		signal.Reset(os.Interrupt, syscall.SIGTERM)
		signal.Notify(told, os.Interrupt, syscall.SIGTERM)
		up.Store(true)
		go d.open()
	})
}

// close lets go of the engine and of the data folder, once. Who calls it makes
// sure that the goroutine of the user interface has nothing to do with them any
// more.
func (d *desk) close() int {
	d.once.Do(func() { d.code = d.letGo() })
	return d.code
}

func (d *desk) letGo() int {
	defer func() { _ = d.one.Close() }()
	if d.stopBus != nil {
		d.stopBus()
	}
	if d.backend == nil {
		return exitOK
	}
	closed := make(chan error, 1)
	go func() { closed <- d.backend.Close() }()
	limit := time.NewTimer(closing)
	defer limit.Stop()
	select {
	case err := <-closed:
		if err != nil {
			log.Println("close:", err)
			return exitUnexpected
		}
		return exitOK
	case <-limit.C:
		log.Println("close: the engine does not end")
		return exitUnexpected
	}
}
