package gui

import (
	"testing"
	"testing/synctest"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

// oneThread is Fyne's test application with the rule of the real one: what is
// posted runs on one goroutine, one after the other. Fyne's own runs it at once
// on whatever goroutine posts.
type oneThread struct {
	fyne.App
	driver *oneDriver
}

func (a *oneThread) Driver() fyne.Driver { return a.driver }

type oneDriver struct {
	fyne.Driver
	queue chan func()
}

// DoFromGoroutine puts f behind what is waiting.
func (d *oneDriver) DoFromGoroutine(f func(), wait bool) {
	if !wait {
		d.queue <- f
		return
	}
	done := make(chan struct{})
	d.queue <- func() { defer close(done); f() }
	<-done
}

// newOneThread must be called inside synctest.Test.
func newOneThread(t *testing.T) *oneThread {
	t.Helper()
	inner := newTestApp(t)
	a := &oneThread{App: inner, driver: &oneDriver{Driver: inner.Driver(), queue: make(chan func(), 10_000)}}
	fyne.SetCurrentApp(a)
	go func() {
		for f := range a.driver.queue {
			f()
		}
	}()
	t.Cleanup(func() { close(a.driver.queue); synctest.Wait() })
	return a
}

// last is the last of a list that is not empty.
func last[T any](list []T) T { return list[len(list)-1] }

// do runs f as an act of the user and waits until all that followed is done.
func (a *oneThread) do(f func()) {
	a.driver.DoFromGoroutine(f, true)
	synctest.Wait()
	// Fyne's driver lays out anew, before each picture, whatever needs more or
	// less room; the one for tests does not.
	a.driver.DoFromGoroutine(func() {
		for _, w := range a.driver.AllWindows() {
			for range 3 {
				if w.Content() != nil {
					w.Content().Refresh()
				}
			}
		}
	}, true)
	synctest.Wait()
}

// newTestApp is Fyne's application for tests, as it is at the start of a program.
//
// QUIRK Fyne measures the age of what it has drawn from the time of the last
// picture. A test in a bubble of testing/synctest leaves the year 2000 there, and
// the first picture of the next test would lack everything, as too old.
func newTestApp(t testing.TB) fyne.App {
	t.Helper()
	a := test.NewTempApp(t)
	test.NewCanvas().Capture()
	return a
}
