package gui

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"postbag/app/facts"
	"postbag/engine/mail"
)

func TestLogPageSearchAndFilters(t *testing.T) {
	pageTest(t, "en", NewLogPage, func(b *pageBackend) {
		b.entries[3].State = mail.Quarantined
		b.entries[4].Mailbox = "Anne"
	}, func(t *testing.T, b *pageBench) {
		p := b.page.(*logPage)
		if b.w.Canvas().Focused() != p.search {
			t.Error("the cursor is not in the search field")
		}
		b.see(t, "Order 30", "!! set aside")
		b.write("Order 12")
		if len(b.asks()) != 1 {
			t.Error("the log is searched at every letter")
		}
		<-time.After(searchRest) // of the bubble: takes no time
		b.do(func() {})
		if got := last(b.asks()); got.Search != "Order 12" || len(b.asks()) != 2 {
			t.Errorf("%+v", b.asks())
		}
		b.see(t, "Order 12")
		b.seeNot(t, "Order 30")
		b.key(fyne.KeyEscape)
		b.see(t, "Order 30")
		b.do(func() { p.state.choice.SetSelected("set aside") })
		b.seeNot(t, "Order 30")
		b.see(t, "Order 27")
		b.press(t, "Show all")
		b.do(func() { p.mailbox.choice.SetSelected("Anne") })
		b.see(t, "Order 26")
		b.seeNot(t, "Order 30")
	})
}

func TestLogPageCalendar(t *testing.T) {
	pageTest(t, "fr", NewLogPage, nil, func(t *testing.T, b *pageBench) {
		b.press(t, "Tous les jours")
		b.see(t, "novembre 2026", "Lun", "[30]")
		b.press(t, "<")
		b.see(t, "octobre 2026")
		b.press(t, ">")
		b.press(t, "2")
		day := last(b.asks())
		if day.Since.Day() != 2 || day.Until.Day() != 3 {
			t.Errorf("%+v", day)
		}
		b.see(t, "[02/11/2026]", "ne contient rien")
		b.press(t, "02/11/2026")
		b.press(t, "Tous les jours")
		if !last(b.asks()).Since.IsZero() {
			t.Error("the day is still chosen")
		}
	})
}

// The calendar works without a mouse, and goes with its page.
func TestLogPageCalendarByKeys(t *testing.T) {
	pageTest(t, "en", NewLogPage, nil, func(t *testing.T, b *pageBench) {
		p := b.page.(*logPage)
		b.press(t, "All days") // the third of November has the focus
		for _, key := range []fyne.KeyName{fyne.KeyUp, fyne.KeyRight, fyne.KeyPageUp, fyne.KeyDown, fyne.KeyLeft} {
			b.key(key)
		}
		b.see(t, "October 2026")
		b.key(fyne.KeyReturn)
		b.see(t, "[2026-10-04]")
		b.press(t, "2026-10-04")
		b.key(fyne.KeyEscape)
		b.seeNot(t, "October 2026")
		b.press(t, "2026-10-04")
		b.press(t, "<")
		b.key(fyne.KeyReturn)
		b.see(t, "August 2026")
		b.do(p.Hidden)
		b.seeNot(t, "August 2026")
		if got := inMonthBeside(time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC), -1); got.Day() != 28 || got.Month() != time.February {
			t.Error(got)
		}
	})
}

func TestLogPageStory(t *testing.T) {
	pageTest(t, "en", NewLogPage, func(b *pageBackend) {
		b.stories["K30"] = storyOf(b.entries[0])
	}, func(t *testing.T, b *pageBench) {
		b.key(fyne.KeyDown) // from the search field into the list
		b.see(t, "14:00:58", "Fetched from pop.isp.test (12\u00a0KB)", `For anne@office.test: the provider wrote "Envelope-To: anne@office.test"`,
			"For anne@office.test: the office server accepted, 250 2.0.0 Ok: queued as 4Xy1", "Deleted at the provider")
		b.key(fyne.KeyDown) // at once: the next message rests a moment
		b.rest()
		b.seeNot(t, "Fetched from pop.isp.test")
		b.key(fyne.KeyUp)
		b.rest()
		b.see(t, "Fetched from pop.isp.test")
		b.key(fyne.KeyEscape)
		b.seeNot(t, "Fetched from pop.isp.test")
		if b.w.Canvas().Focused() != b.page.(*logPage).search {
			t.Error("the focus did not go back to the search field")
		}
	})
}

func TestLogPageShowsOneMessageWhenAsked(t *testing.T) {
	pageTest(t, "en", NewLogPage, func(b *pageBackend) { b.stories["K30"] = storyOf(b.entries[0]) }, func(t *testing.T, b *pageBench) {
		b.do(func() { b.page.(Opener).Open("K30") })
		b.see(t, "Fetched from pop.isp.test")
	})
}

// New lines come in by themselves at the top; further down nothing moves under
// the reader's eyes.
func TestLogPageFollowsTheEngine(t *testing.T) {
	pageTest(t, "en", NewLogPage, func(b *pageBackend) { b.entries = journal(500); b.stories["K500"] = storyOf(b.entries[0]) }, func(t *testing.T, b *pageBench) {
		p := b.page.(*logPage)
		b.key(fyne.KeyDown)
		arrive := func(n int) {
			b.entries = append([]mail.Entry{{Row: int64(n), ID: fmt.Sprint("K", n), Subject: fmt.Sprint("Fresh ", n), Time: pagesNow, State: mail.Delivered}}, b.entries...)
			b.do(func() { b.page.Heard([]facts.Event{{Kind: facts.EventDelivered}}) })
			b.rest()
		}
		arrive(501)
		b.see(t, "Fresh 501", "Fetched from pop.isp.test")
		if p.list.at != 1 {
			t.Errorf("line %d is marked, the open message is now line 1", p.list.at)
		}
		b.do(func() { p.list.ScrollTo(150) })
		arrive(502)
		b.seeNot(t, "Fresh 502")
		b.press(t, "There are newer messages: show them")
		b.see(t, "Fresh 502")
	})
}

func TestLogPageHundredThousandRows(t *testing.T) {
	pageTest(t, "en", NewLogPage, func(b *pageBackend) { b.entries = journal(100_000) }, func(t *testing.T, b *pageBench) {
		p := b.page.(*logPage)
		for range 600 { // the End key, again and again
			b.driver.DoFromGoroutine(func() { p.list.ScrollTo(p.pager.Len() - 1) }, true)
			synctest.Wait()
			if p.pager.Known() == 100_000 {
				break
			}
		}
		if p.pager.Known() != 100_000 {
			t.Fatalf("%d lines known", p.pager.Known())
		}
		b.do(func() { p.list.ScrollTo(p.pager.Len() - 1) })
		b.see(t, "Order 1\n")
		b.do(func() { p.list.ScrollTo(0) })
		b.do(func() { p.list.choose(30_000) }) // its page has been forgotten meanwhile
		if p.chosen != "K70000" {
			t.Errorf("the message %q is open", p.chosen)
		}
		// What a jump costs does not grow with the log: a page or two are read,
		// and only lines in sight are drawn.
		drawn, draw, asked := 0, p.list.UpdateItem, len(b.asks())
		p.list.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) { drawn++; draw(i, o) }
		b.do(func() { p.list.ScrollTo(50_000) })
		if n := len(b.asks()) - asked; n > 2 || drawn == 0 || drawn > 400 {
			t.Errorf("a jump read %d pages and drew %d lines", n, drawn)
		}
	})
}

func TestLogPageFault(t *testing.T) {
	pageTest(t, "en", NewLogPage, nil, func(t *testing.T, b *pageBench) {
		b.do(func() { b.page.(*logPage).drawFault(&mail.Failure{Code: mail.CodeStoreDamaged}) })
		b.see(t, "Postbag's store of mail under way is damaged.")
	})
}

func TestLogPageExport(t *testing.T) {
	dir := t.TempDir()
	pageTest(t, "en", NewLogPage, nil, func(t *testing.T, b *pageBench) {
		path := filepath.Join(dir, "log.csv")
		saveTo(t, b, "Export CSV...", path)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(string(text), "\r\n"); lines != 31 {
			t.Errorf("%d lines", lines)
		}
		// Once more: nothing is written over without a word.
		b.press(t, "Close")
		saveTo(t, b, "Export CSV...", path)
		b.see(t, "There is a file of this name already.")
		b.key(fyne.KeyEscape)
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Error(info, err)
		}
	})
}

// saveTo presses the button and names the file.
func saveTo(t *testing.T, b *pageBench, button, path string) {
	t.Helper()
	b.press(t, button)
	b.do(func() { b.w.Canvas().Focused().(*wizardEntry).SetText(path) })
	b.press(t, "Save")
}

func TestQueuePage(t *testing.T) {
	dir := t.TempDir()
	pageTest(t, "en", NewQueuePage, func(b *pageBackend) {
		b.entries[0].State, b.entries[0].Reason, b.entries[0].Code = mail.Quarantined, "552 5.2.2 full", mail.CodeMailboxFull
		b.entries[1].State, b.entries[1].Attempts, b.entries[1].NextAttempt = mail.Queued, 4, pagesNow.Add(time.Hour)
		b.entries[2].State = mail.TooBig
	}, func(t *testing.T, b *pageBench) {
		p := b.page.(*queuePage)
		b.see(t, "3 messages: too big\u00a01, waits\u00a01, set aside\u00a01", "552 5.2.2 full", "15:06", "4")
		b.key(fyne.KeyHome)
		b.see(t, "The recipient's mailbox at the office server is full.")
		b.press(t, "Try again")
		b.rest()
		b.key(fyne.KeyDown)
		b.key(fyne.KeyUp)
		b.key(fyne.KeyDelete) // what can be read is not what is chosen: nothing happens
		b.seeNot(t, "Delete for good?")
		b.rest()
		b.key(fyne.KeyDelete)
		b.see(t, "Delete for good?", `The message "Order 30" from Claire Martin <claire@shop.test> is deleted here.`)
		b.key(fyne.KeyEscape)
		if b.has("delete K30") {
			t.Fatal("Escape deleted")
		}
		b.press(t, "Delete...")
		b.key(fyne.KeyReturn) // the focus is on Cancel: Enter does no harm
		if b.has("delete K30") {
			t.Fatal("Enter on Cancel deleted")
		}
		b.press(t, "Delete...")
		b.press(t, "Delete")
		b.press(t, "Send to...")
		b.write("nobody")
		b.key(fyne.KeyReturn)
		b.see(t, "Type one e-mail address")
		b.write("@office.test")
		b.key(fyne.KeyReturn)
		saveTo(t, b, "Save...", filepath.Join(dir, "m.eml"))
		b.press(t, "Close")
		b.do(func() { p.list.choose(2) })
		b.rest()
		b.see(t, "[Fetch anyway]", "[Delete...]")
		b.seeNot(t, "[Send to...]", "[Save...]")
		b.press(t, "Try all again")
		for _, call := range []string{"retry K30", "delete K30", "send K30 to nobody@office.test", "save K30", "retry K29"} {
			if !b.has(call) {
				t.Errorf("no %q in %q", call, b.calls)
			}
		}
		if b.has("retry K28") {
			t.Error("what is too big was fetched without being asked for by itself")
		}
	})
}

func TestQueuePageEmpty(t *testing.T) {
	pageTest(t, "fr", NewQueuePage, nil, func(t *testing.T, b *pageBench) {
		b.see(t, "Rien n'attend et rien n'est mis de côté.")
		if !b.button(t, "Tout réessayer").Disabled() {
			t.Error("there is nothing to try again")
		}
	})
}

// entry finds a field of the open form by its key.
