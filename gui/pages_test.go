package gui

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/engine/mail"
	"postbag/gui/present"
)

// objects lists all that is shown in a window, questions included.
func (b *pageBench) objects() []fyne.CanvasObject {
	var out []fyne.CanvasObject
	for _, top := range append(b.w.Canvas().Overlays().List(), b.w.Content()) {
		out = append(out, seen(top)...)
	}
	return out
}

// seen lists an object and what is in it, without what is hidden.
func seen(o fyne.CanvasObject) []fyne.CanvasObject {
	if !o.Visible() {
		return nil
	}
	out := []fyne.CanvasObject{o}
	var inner []fyne.CanvasObject
	switch x := o.(type) {
	case *fyne.Container:
		inner = x.Objects
	case fyne.Widget:
		inner = test.WidgetRenderer(x).Objects()
	}
	for _, child := range inner {
		out = append(out, seen(child)...)
	}
	return out
}

// button finds a visible button by its word.
func (b *pageBench) button(t *testing.T, label string) *widget.Button {
	t.Helper()
	for _, o := range b.objects() {
		var found *widget.Button
		switch x := o.(type) {
		case *Button:
			found = &x.Button
		case *keyButton:
			found = &x.Button.Button
		}
		if found != nil && found.Text == label && found.Visible() {
			return found
		}
	}
	t.Fatalf("there is no button %q; there is: %s", label, b.texts())
	return nil
}

// press taps a button.
func (b *pageBench) press(t *testing.T, label string) {
	t.Helper()
	button := b.button(t, label)
	if button.Disabled() {
		t.Fatalf("the button %q is switched off", label)
	}
	b.do(func() { test.Tap(button) })
}

// texts is all that can be read.
func (b *pageBench) texts() string {
	var out []string
	for _, o := range b.objects() {
		switch x := o.(type) {
		case *widget.Label:
			out = append(out, x.Text)
		case *Button:
			out = append(out, "["+x.Text+"]")
		case *keyButton:
			out = append(out, "["+x.Text+"]")
		case *row:
			for _, c := range x.cells {
				out = append(out, c.text)
			}
		case *widget.TextGrid:
			out = append(out, x.Text())
		}
	}
	return strings.Join(out, "\n")
}

func (b *pageBench) see(t *testing.T, texts ...string) {
	t.Helper()
	all := b.texts()
	for _, text := range texts {
		if !strings.Contains(all, text) {
			t.Errorf("%q cannot be read; there is:\n%s", text, all)
		}
	}
}

func (b *pageBench) seeNot(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(b.texts(), text) {
			t.Errorf("%q can still be read", text)
		}
	}
}

// key presses a key where the focus is.
func (b *pageBench) key(name fyne.KeyName) {
	b.do(func() {
		if f := b.w.Canvas().Focused(); f != nil {
			f.TypedKey(&fyne.KeyEvent{Name: name})
		} else if on := b.w.Canvas().OnTypedKey(); on != nil {
			on(&fyne.KeyEvent{Name: name})
		}
	})
}

// rest lets the time pass that pages take between two readings. Time in a
// bubble takes no time.
func (b *pageBench) rest() {
	<-time.After(paceRest)
	b.do(func() {})
}

// write types where the focus is.
func (b *pageBench) write(text string) {
	b.do(func() {
		for _, r := range text {
			b.w.Canvas().Focused().TypedRune(r)
		}
	})
}

// pageTest runs a test of one page in a bubble of its own.
func pageTest(t *testing.T, lang string, make func(*Desk) Page, change func(*pageBackend), check func(*testing.T, *pageBench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		check(t, newPageBench(t, lang, smallPage, make, change))
	})
}

func TestOverviewPage(t *testing.T) {
	pageTest(t, "en", NewOverviewPage, nil, func(t *testing.T, b *pageBench) {
		b.see(t, "All is well. 30 messages today, the last at 14:01.", "Whole office", "12 new", "15:06", "Seen 4,711 = ")
		b.press(t, "Collect now")
		if !b.has("collect []") {
			t.Error(b.calls)
		}
		b.press(t, "Stop")
		b.see(t, "Postbag does not collect at present.")
		b.press(t, "Start")
		if !b.has("stop") || !b.has("start") {
			t.Error(b.calls)
		}
		b.do(func() { b.d.printer = french(b); b.page.Retext() })
		b.see(t, "Tout va bien. 30 messages aujourd'hui", "[Relever maintenant]", "[Arrêter]")
	})
}

func TestOverviewPageShowsProgress(t *testing.T) {
	pageTest(t, "en", NewOverviewPage, nil, func(t *testing.T, b *pageBench) {
		b.do(func() { b.page.Heard([]facts.Event{{Kind: facts.EventMailboxStart, Mailbox: "Anne"}}) })
		b.see(t, "Connecting...")
		if !b.button(t, "Collect now").Disabled() {
			t.Error("Collect now can be pressed while collecting")
		}
		b.do(func() {
			b.page.Heard([]facts.Event{{Kind: facts.EventFetched, Mailbox: "Anne", Done: 30, Total: 40, Bytes: 2_500_000}})
		})
		b.see(t, "30 of 40, 2.5\u00a0MB")
		asked := len(b.calls)
		b.do(func() { b.page.Heard([]facts.Event{{Kind: facts.EventMailboxEnd, Mailbox: "Anne"}}) })
		b.rest()
		if len(b.calls) == asked {
			t.Error("the status was not read anew")
		}
		b.seeNot(t, "30 of 40")
	})
}

// A burst of events asks for the status twice at most: what runs, and once more.
func TestOverviewPageIsNotFlooded(t *testing.T) {
	pageTest(t, "en", NewOverviewPage, nil, func(t *testing.T, b *pageBench) {
		asked := len(b.calls)
		b.do(func() {
			for range 1000 {
				b.page.Heard([]facts.Event{{Kind: facts.EventDelivered}})
			}
		})
		if n := len(b.calls) - asked; n != 0 {
			t.Errorf("the status was read %d times at once, though it was read a moment ago", n)
		}
		b.rest()
		if n := len(b.calls) - asked; n != 1 {
			t.Errorf("the status was read %d times", n)
		}
	})
}

func TestOverviewPageLeadsToWhatMends(t *testing.T) {
	pageTest(t, "en", NewOverviewPage, func(b *pageBackend) {
		b.status.Mailboxes[1].Fault = &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeAuth, Reply: "-ERR no"}
		b.status.Balance[mail.Quarantined] = 2
	}, func(t *testing.T, b *pageBench) {
		b.see(t, "2 things need attention.", "!! Anne: The provider's server pop.isp.test refuses the user name or the password.", "-ERR no", "!! 2 messages are set aside.")
		b.press(t, "Change password...")
		b.press(t, "Queue...")
		if !slices.Equal(b.opened, []string{PageMailboxes + " Anne", PageQueue}) {
			t.Error(b.opened)
		}
	})
}

func TestOverviewPageOrdersThatFail(t *testing.T) {
	pageTest(t, "en", NewOverviewPage, func(b *pageBackend) {
		b.orderFault = &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeBusy}
	}, func(t *testing.T, b *pageBench) {
		b.press(t, "Collect now")
		b.see(t, "Another Postbag is already at work with this data folder.", "[Close]")
		b.key(fyne.KeyEscape)
		b.seeNot(t, "Another Postbag")
	})
}

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
		if len(b.filters) != 1 {
			t.Error("the log is searched at every letter")
		}
		<-time.After(searchRest) // of the bubble: takes no time
		b.do(func() {})
		if got := b.filters[len(b.filters)-1]; got.Search != "Order 12" || len(b.filters) != 2 {
			t.Errorf("%+v", b.filters)
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
		last := b.filters[len(b.filters)-1]
		if last.Since.Day() != 2 || last.Until.Day() != 3 {
			t.Errorf("%+v", last)
		}
		b.see(t, "[02/11/2026]", "ne contient rien")
		b.press(t, "02/11/2026")
		b.press(t, "Tous les jours")
		if !b.filters[len(b.filters)-1].Since.IsZero() {
			t.Error("the day is still chosen")
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
		b.key(fyne.KeyDown)
		b.seeNot(t, "Fetched from pop.isp.test")
		b.key(fyne.KeyUp)
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
		// One turn of the mouse wheel in the middle of it all: the frame must
		// be there before the eye sees it.
		start := time.Now()
		b.do(func() { p.list.ScrollTo(50_000) })
		if took := time.Since(start); took > time.Second {
			t.Errorf("a page of scrolling took %v", took)
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
func entryOf(t *testing.T, f *form, key string) *wizardEntry {
	t.Helper()
	c, ok := f.row(key).control.(*textControl)
	if !ok {
		t.Fatalf("%s is no text", key)
	}
	return c.entry
}

func TestMailboxesPageSaves(t *testing.T) {
	pageTest(t, "en", NewMailboxesPage, nil, func(t *testing.T, b *pageBench) {
		p := b.page.(*mailboxesPage)
		if !b.button(t, "Save").Disabled() {
			t.Error("there is nothing to save yet")
		}
		b.do(func() { entryOf(t, p.edit.form, "host").SetText("pop3.isp.test") })
		b.see(t, "Not saved yet")
		b.do(func() { b.w.Canvas().Focus(entryOf(t, p.edit.form, "host")) })
		b.key(fyne.KeyReturn)
		b.see(t, "Saved. It holds at once.")
		if got := b.cfg.Mailboxes[0].Host; got != "pop3.isp.test" || b.has("secret keyring:whole-office") {
			t.Errorf("%s, %v", got, b.calls)
		}
	})
}

func TestMailboxesPageShowsFaultsAtTheField(t *testing.T) {
	pageTest(t, "en", NewMailboxesPage, nil, func(t *testing.T, b *pageBench) {
		p := b.page.(*mailboxesPage)
		b.do(func() { entryOf(t, p.edit.form, "port").SetText("many"); entryOf(t, p.edit.form, "host").SetText("pop isp") })
		b.press(t, "Save")
		b.see(t, "Type a whole number.")
		b.do(func() { entryOf(t, p.edit.form, "port").SetText("995") })
		b.press(t, "Save")
		if f := p.edit.form.row("host").fault; !f.box.Visible() || !strings.Contains(f.label.Text, "pop isp") {
			t.Errorf("%q", f.label.Text)
		}
		if b.w.Canvas().Focused() != entryOf(t, p.edit.form, "host") {
			t.Error("the focus is not where the fault is")
		}
		if b.has("apply") {
			t.Error("what cannot work was applied")
		}
		b.key(fyne.KeyEscape)
		if got := entryOf(t, p.edit.form, "host").Text; got != "pop.isp.test" {
			t.Errorf("after Undo: %q", got)
		}
	})
}

// A fault in a field that stands behind "More settings" opens them.
func TestMailboxesPageOpensMoreForAFault(t *testing.T) {
	pageTest(t, "en", NewMailboxesPage, nil, func(t *testing.T, b *pageBench) {
		p := b.page.(*mailboxesPage)
		if p.edit.form.more.Visible() {
			t.Fatal("the technical settings are open at once")
		}
		b.do(func() { entryOf(t, p.edit.form, "envelope_pattern").SetText("([") })
		b.press(t, "Save")
		if !p.edit.form.more.Visible() || p.edit.form.row("envelope_pattern").fault.label.Text == "" {
			t.Error("the fault cannot be seen")
		}
	})
}

func TestMailboxesPageNew(t *testing.T) {
	pageTest(t, "en", NewMailboxesPage, nil, func(t *testing.T, b *pageBench) {
		p := b.page.(*mailboxesPage)
		b.press(t, "Add")
		f := p.edit.form
		b.write("Bob")
		b.do(func() {
			entryOf(t, f, "host").SetText("pop.isp.test")
			entryOf(t, f, "username").SetText("bob")
			entryOf(t, f, "deliver_to").SetText("bob@office.test, anne@office.test")
		})
		b.press(t, "Save")
		b.see(t, "Type the password, twice.")
		b.do(func() { f.secret().first.SetText("hunter2"); f.secret().again.SetText("hunter3") })
		b.press(t, "Save")
		b.see(t, "The two entries differ.")
		b.do(func() { f.secret().again.SetText("hunter2") })
		b.press(t, "Save")
		b.see(t, "Saved.")
		m := b.cfg.Mailbox("Bob")
		if m == nil || b.secrets["keyring:bob"] != "hunter2" || !slices.Equal(m.DeliverTo, []string{"bob@office.test", "anne@office.test"}) {
			t.Errorf("%+v, %v", m, b.secrets)
		}
		if strings.Contains(string(config.Marshal(b.cfg)), "hunter2") {
			t.Error("the password stands in the file")
		}
	})
}

// Who comes because of a refused password finds the cursor where the new one
// belongs.
func TestMailboxesPageOffersThePassword(t *testing.T) {
	pageTest(t, "en", NewMailboxesPage, troubled, func(t *testing.T, b *pageBench) {
		p := b.page.(*mailboxesPage)
		b.do(func() { b.page.(Opener).Open("Anne") })
		if c := p.edit.form.secret(); !c.entries.Visible() || b.w.Canvas().Focused() != c.first {
			t.Fatal("the field for the password is not open")
		}
		b.write("hunter2")
		b.key(fyne.KeyReturn)
		b.see(t, "The two entries differ.")
		b.do(func() { p.edit.form.secret().again.SetText("hunter2") })
		b.press(t, "Save")
		if b.secrets["keyring:anne"] != "hunter2" {
			t.Errorf("%v", b.secrets)
		}
	})
}

func TestMailboxesPageAsksBeforeItForgets(t *testing.T) {
	pageTest(t, "en", NewMailboxesPage, nil, func(t *testing.T, b *pageBench) {
		p := b.page.(*mailboxesPage)
		b.do(func() { entryOf(t, p.edit.form, "host").SetText("other.isp.test") })
		b.do(func() { p.edit.list.Select(1) })
		b.see(t, "What you typed is not saved")
		b.key(fyne.KeyEscape) // Stay
		if p.edit.list.at != 0 || entryOf(t, p.edit.form, "host").Text != "other.isp.test" {
			t.Error("what was typed is gone")
		}
		b.do(func() { p.edit.list.Select(1) })
		b.press(t, "Discard")
		if entryOf(t, p.edit.form, "name").Text != "Anne" || b.has("apply") {
			t.Error("Discard did not go on, or saved")
		}
		// A change of the language keeps what is typed.
		b.do(func() { entryOf(t, p.edit.form, "host").SetText("typed.isp.test") })
		b.do(func() { b.d.printer = french(b); b.page.Retext() })
		b.see(t, "[Enregistrer]")
		if entryOf(t, p.edit.form, "host").Text != "typed.isp.test" || !p.edit.form.dirty {
			t.Error("the change of language lost what was typed")
		}
	})
}

func TestMailboxesPageChangedElsewhere(t *testing.T) {
	pageTest(t, "en", NewMailboxesPage, nil, func(t *testing.T, b *pageBench) {
		p := b.page.(*mailboxesPage)
		b.cfg.Mailboxes[0].Port = 1995
		b.do(func() { entryOf(t, p.edit.form, "host").SetText("other.isp.test") })
		b.press(t, "Save")
		b.see(t, "These settings were changed elsewhere meanwhile.")
		b.press(t, "Close")
		b.press(t, "Undo")
		if got := entryOf(t, p.edit.form, "port").Text; got != "1995" {
			t.Errorf("Undo shows port %q, it is 1995 now", got)
		}
	})
}

func TestMailboxesPageTestAndPin(t *testing.T) {
	pin := "sha256:" + strings.Repeat("ab", 32)
	pageTest(t, "en", NewMailboxesPage, func(b *pageBackend) {
		b.steps = []facts.CheckStep{
			{Side: facts.SideSource, Step: "dns", OK: true}, {Side: facts.SideSource, Step: "connect", OK: true},
			{Side: facts.SideSource, Step: "tls", Fault: &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeTLSUntrusted}, Certificate: &facts.Certificate{Fingerprint: pin, Names: []string{"pop.isp.test"}}},
		}
	}, func(t *testing.T, b *pageBench) {
		p := b.page.(*mailboxesPage)
		b.do(func() { entryOf(t, p.edit.form, "port").SetText("1995") })
		b.press(t, "Test")
		b.see(t, "ABAB ABAB", "pop.isp.test", "Not all is well.")
		if b.checked.Mailboxes[0].Port != 1995 || b.cfg.Mailboxes[0].Port == 1995 {
			t.Error("the test is about what is typed, and saves nothing")
		}
		b.press(t, b.d.Text().T("wizard.certificate.accept"))
		if got := p.edit.form.value("tls_pin"); got != pin || b.cfg.Mailboxes[0].TLSPin != "" {
			t.Errorf("pin %q", got)
		}
		b.press(t, "Save")
		if b.cfg.Mailboxes[0].TLSPin != pin { // rule 6
			t.Error("the pin was not saved")
		}
	})
}

func TestMailboxesPageLook(t *testing.T) {
	pageTest(t, "en", NewMailboxesPage, func(b *pageBackend) {
		b.preview = []facts.PreviewLine{{From: "c@shop.test", Subject: "Order", Recipients: []string{"anne@office.test"}, Route: "envelope:Envelope-To", Evidence: "Envelope-To: anne@office.test"}}
	}, func(t *testing.T, b *pageBench) {
		b.press(t, "Look first...")
		b.see(t, "anne@office.test", "Order", "c@shop.test")
		if !b.has("preview Whole office 50") {
			t.Error(b.calls)
		}
	})
}

func TestMailboxesPagePauseAndRemove(t *testing.T) {
	pageTest(t, "en", NewMailboxesPage, func(b *pageBackend) { b.status.Mailboxes[1].Paused = true }, func(t *testing.T, b *pageBench) {
		b.see(t, "... Anne")
		b.press(t, "Pause")
		b.do(func() { b.page.(Opener).Open("Anne") })
		b.see(t, "The mailbox is paused.")
		b.press(t, "Resume")
		if !b.has("pause Whole office") || !b.has("resume Anne") {
			t.Error(b.calls)
		}
		b.press(t, "Remove...")
		b.see(t, `Nothing is collected from "Anne" any more.`)
		b.press(t, "Remove...") // the one of the question stands over the page
		if len(b.cfg.Mailboxes) != 1 {
			t.Errorf("%d mailboxes", len(b.cfg.Mailboxes))
		}
	})
}

func TestTargetPage(t *testing.T) {
	pageTest(t, "en", NewTargetPage, func(b *pageBackend) {
		b.status.Targets = []facts.TargetStatus{{Name: "office", Host: "mail.office.test", PausedUntil: pagesNow.Add(time.Minute), Fault: &facts.Fault{Code: mail.CodeConnect}}}
		b.steps = []facts.CheckStep{{Side: facts.SideTarget, Step: "connect", OK: true}, {Side: facts.SideTarget, Step: "rcpt", OK: true, Detail: "anne@office.test"}}
	}, func(t *testing.T, b *pageBench) {
		b.see(t, "... office", "The office server mail.office.test cannot be reached.", "Next attempt: 14:07.")
		b.press(t, "Test")
		b.see(t, "All is well. No mail was touched.")
		b.press(t, "Close")
		// The last office server must stay.
		b.press(t, "Remove...")
		b.press(t, "Remove...")
		b.see(t, "This cannot be removed.")
		if len(b.cfg.Targets) != 1 {
			t.Error("it was removed")
		}
	})
}

func TestPeoplePage(t *testing.T) {
	pageTest(t, "en", NewPeoplePage, nil, func(t *testing.T, b *pageBench) {
		b.see(t, "anne@office.test", "bob@office.test")
		b.press(t, "Paste a list...")
		list := b.w.Canvas().Focused().(*wizardEntry)
		b.write("no address")
		b.press(t, "Add")
		b.see(t, "There is no address in line 1.")
		b.do(func() { list.SetText("carl@office.test, c@office.test\ndora@office.test") })
		b.press(t, "Add")
		b.see(t, "carl@office.test", "dora@office.test")
		if len(b.cfg.Recipients) != 5 || !slices.Equal(b.cfg.Recipients[3].Aliases, []string{"c@office.test"}) {
			t.Errorf("%+v", b.cfg.Recipients)
		}
		p := b.page.(*peoplePage)
		b.do(func() { p.tabs.SelectIndex(1) })
		b.see(t, "sales@office.test")
		b.do(func() { entryOf(t, p.lists.form, "members").SetText("anne@office.test") })
		b.press(t, "Save")
		if got := b.cfg.Lists[0].Members; !slices.Equal(got, []string{"anne@office.test"}) {
			t.Error(got)
		}
	})
}

func TestSchedulePage(t *testing.T) {
	pageTest(t, "en", NewSchedulePage, nil, func(t *testing.T, b *pageBench) {
		p := b.page.(*schedulePage)
		f := p.box.form
		b.do(func() {
			f.row("every").control.(*unitControl).number.SetText("15")
			f.row("every").control.(*unitControl).unit.SetSelected("minutes")
			f.row("days").control.(*daysControl).checks[5].SetChecked(true)
			entryOf(t, f, "from").SetText("8 o'clock")
		})
		b.press(t, "Save")
		if f.row("from").fault.label.Text == "" || b.has("apply") {
			t.Error("the time was taken")
		}
		b.do(func() { entryOf(t, f, "from").SetText("08:00") })
		b.press(t, "Save")
		b.see(t, "Saved. It holds at once.")
		s := b.cfg.Schedule
		if s.Every.D() != 15*time.Minute || len(s.Days) != 6 || s.From != 8*60 {
			t.Errorf("%+v", s)
		}
	})
}

func TestSettingsPage(t *testing.T) {
	auto := &fakeAutostart{}
	make := func(d *Desk) Page { d.Autostart = auto; return NewSettingsPage(d) }
	pageTest(t, "en", make, func(b *pageBackend) {
		b.transcripts = []facts.Transcript{{Time: pagesNow, Name: "pop3-whole-office", Text: "C: USER office-42\r\nC: PASS ***\r\n"}}
	}, func(t *testing.T, b *pageBench) {
		p := b.page.(*settingsPage)
		b.do(func() { p.auto.SetChecked(true) })
		if !auto.on {
			t.Error("the start at sign-in was not switched on")
		}
		b.do(func() { p.tabs.SelectIndex(3) })
		b.see(t, "Delivery log", "Technical log")
		b.do(func() { p.boxes[4].box.form.row("transcripts").control.set("true") })
		b.do(func() { test.Tap(p.boxes[4].box.save) })
		if !b.cfg.Log.Transcripts {
			t.Error("transcripts were not switched on")
		}
		b.do(func() { p.tabs.SelectIndex(4) })
		b.see(t, "pop3-whole-office", "PASS ***")
		b.do(func() { p.tabs.SelectIndex(5) })
		b.see(t, "1.0.0 (0123456789ab)", "/home/anne/.config/postbag/postbag.toml", "MIT")
	})
}

func TestSettingsPageLook(t *testing.T) {
	pageTest(t, "en", NewSettingsPage, nil, func(t *testing.T, b *pageBench) {
		selects := map[string]*wizardSelect{}
		for _, o := range b.objects() {
			if s, ok := o.(*wizardSelect); ok {
				selects[s.Selected] = s
			}
		}
		b.do(func() { selects["English"].SetSelected("Français") })
		b.do(func() { selects["as the system"].SetSelected("dark") })
		b.do(func() { selects["in colour"].SetSelected("monochrome") })
		if b.look.Language != "fr" || b.look.Theme != present.ThemeDark || b.look.TrayIcon != present.TrayMonochrome {
			t.Errorf("%+v", b.look)
		}
	})
}

func TestAbout(t *testing.T) {
	pageTest(t, "fr", NewOverviewPage, nil, func(t *testing.T, b *pageBench) {
		b.do(func() { ShowAbout(b.d) })
		b.see(t, "1.0.0 (0123456789ab)", "MIT", "/home/anne/.local/share/postbag")
		b.key(fyne.KeyEscape)
		b.seeNot(t, "MIT")
	})
}

// No page needs more room than the smallest window has, and no word of a
// button is cut, in either language.
func TestNoTextIsCut(t *testing.T) {
	for _, lang := range []string{"en", "fr"} {
		for name, make := range pageMakers() {
			t.Run(name+" "+lang, func(t *testing.T) {
				pageTest(t, lang, make, troubled, func(t *testing.T, b *pageBench) {
					checkRoom(t, b)
					if tabs := tabsOf(b); tabs != nil {
						for i := range tabs.Items {
							b.do(func() { tabs.SelectIndex(i) })
							checkRoom(t, b)
						}
					}
				})
			})
		}
	}
}

func tabsOf(b *pageBench) *container.AppTabs {
	for _, o := range b.objects() {
		if tabs, ok := o.(*container.AppTabs); ok {
			return tabs
		}
	}
	return nil
}

func checkRoom(t *testing.T, b *pageBench) {
	t.Helper()
	if min := b.page.Content().MinSize(); min.Width > smallPage.Width || min.Height > smallPage.Height {
		t.Errorf("the page needs %v, there is %v", min, smallPage)
	}
	for _, o := range b.objects() {
		label := ""
		switch x := o.(type) {
		case *Button:
			label = x.Text
		case *keyButton:
			label = x.Text
		case *wizardCheck:
			label = x.Text
		case *widget.Label:
			if x.Truncation == fyne.TextTruncateOff {
				label = x.Text
			}
		}
		if label != "" && o.Visible() && o.Size().Width+0.5 < o.MinSize().Width {
			t.Errorf("%q has %v, needs %v", label, o.Size(), o.MinSize())
		}
	}
}

func pageMakers() map[string]func(*Desk) Page {
	return map[string]func(*Desk) Page{
		"overview": NewOverviewPage, "log": NewLogPage, "queue": NewQueuePage, "mailboxes": NewMailboxesPage,
		"people": NewPeoplePage, "target": NewTargetPage, "schedule": NewSchedulePage, "settings": NewSettingsPage,
	}
}

// troubled is a backend with something of everything.
func troubled(b *pageBackend) {
	b.entries[0].State, b.entries[0].Reason, b.entries[0].Code = mail.Quarantined, "552 5.2.2 mailbox full", mail.CodeMailboxFull
	b.entries[1].State, b.entries[1].Attempts, b.entries[1].NextAttempt = mail.Queued, 4, pagesNow.Add(time.Hour)
	b.status.Balance = facts.Balance{mail.Delivered: 4690, mail.Queued: 12, mail.Quarantined: 3, mail.Duplicate: 6, mail.TooBig: 1}
	b.status.Mailboxes[1].Fault = &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeAuth, Op: "PASS", Reply: "-ERR [AUTH] invalid login"}
	b.status.Mailboxes[1].Suspended, b.status.Mailboxes[1].Result = true, facts.ResultNeedsUser
	b.status.Targets = []facts.TargetStatus{{Name: "office", Host: "mail.office.test", PausedUntil: pagesNow.Add(time.Minute), Fault: &facts.Fault{Code: mail.CodeConnect}}}
	b.transcripts = []facts.Transcript{{Time: pagesNow, Name: "pop3-whole-office", Text: "C: USER office-42\r\nC: PASS ***\r\n"}}
	b.stories["K30"] = storyOf(b.entries[0])
}
