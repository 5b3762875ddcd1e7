package gui

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"postbag/app/facts"
	"postbag/engine/mail"
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
		asked := b.asked()
		b.do(func() { b.page.Heard([]facts.Event{{Kind: facts.EventMailboxEnd, Mailbox: "Anne"}}) })
		b.rest()
		if b.asked() == asked {
			t.Error("the status was not read anew")
		}
		b.seeNot(t, "30 of 40")
	})
}

// A burst of events asks for the status twice at most: what runs, and once more.
func TestOverviewPageIsNotFlooded(t *testing.T) {
	pageTest(t, "en", NewOverviewPage, nil, func(t *testing.T, b *pageBench) {
		asked := b.asked()
		b.do(func() {
			for range 1000 {
				b.page.Heard([]facts.Event{{Kind: facts.EventDelivered}})
			}
		})
		if n := b.asked() - asked; n != 0 {
			t.Errorf("the status was read %d times at once, though it was read a moment ago", n)
		}
		b.rest()
		if n := b.asked() - asked; n != 1 {
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

// What needs attention comes and goes; the table makes room for it.
func TestOverviewPageMakesRoom(t *testing.T) {
	pageTest(t, "fr", NewOverviewPage, nil, func(t *testing.T, b *pageBench) {
		p := b.page.(*overviewPage)
		top := func() float32 { return p.table.Position().Y }
		before := top()
		b.mu.Lock()
		b.status.Mailboxes[1].Fault = &facts.Fault{Class: mail.NeedsUser, Code: mail.CodeAuth, Reply: "-ERR no"}
		b.status.Balance[mail.Quarantined] = 2
		b.mu.Unlock()
		b.do(p.pace.now)
		if bottom := p.matters.MinSize().Height; bottom < 100 || top() < before+bottom {
			t.Errorf("the table begins at %v, what needs attention takes %v", top(), bottom)
		}
		for _, o := range p.matters.Objects {
			if o.Size().Height < o.MinSize().Height {
				t.Errorf("%v high, needs %v", o.Size().Height, o.MinSize().Height)
			}
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
