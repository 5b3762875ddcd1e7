package gui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"postbag/app/i18n"
)

// In the smallest window no page needs more room than there is, whatever it
// shows: the window would grow by itself, and who cannot have it larger loses
// the right edge.
func TestPagesFitTheSmallestWindow(t *testing.T) {
	for _, lang := range i18n.Languages() {
		for name, make := range pageMakers() {
			t.Run(name+" "+lang, func(t *testing.T) {
				pageTest(t, lang, make, troubled, func(t *testing.T, b *pageBench) {
					fits(t, b, "at first")
					switch p := b.page.(type) {
					case *logPage:
						b.do(func() { p.list.choose(0) })
					case *queuePage:
						b.do(func() { p.list.choose(0) })
					case *mailboxesPage:
						b.do(func() { p.Open("Anne") })
						fits(t, b, "an individual mailbox")
						long := strings.Repeat("the branch office in Saint-Germain ", 5)
						for _, key := range []string{"name", "host", "deliver_to"} {
							b.do(func() { p.edit.setField(key, long) })
						}
						fits(t, b, "long names")
						b.do(func() { p.edit.form.turnMore() })
						b.do(func() { p.edit.form.row("OwnSchedule").control.set("true") })
					case *peoplePage:
						for i := range p.tabs.Items {
							b.do(func() { p.tabs.SelectIndex(i) })
							fits(t, b, p.tabs.Items[i].Text)
						}
					case *targetPage:
						b.do(func() { p.edit.form.turnMore() })
						b.do(func() { p.edit.form.row("auth").control.set("cram-md5") })
					case *settingsPage:
						for i := range p.tabs.Items {
							b.do(func() { p.tabs.SelectIndex(i) })
							fits(t, b, p.tabs.Items[i].Text)
						}
					}
					fits(t, b, "with what was opened")
				})
			})
		}
	}
}

func fits(t *testing.T, b *pageBench, when string) {
	t.Helper()
	var need fyne.Size
	b.do(func() { need = b.page.Content().MinSize() })
	if need.Width > smallPage.Width || need.Height > smallPage.Height {
		t.Errorf("%s: needs %v, there is %v", when, need, smallPage)
	}
}

// The wheel over a field turns the page, as it does beside it.
func TestWheelOverAFieldTurnsThePage(t *testing.T) {
	pageTest(t, "en", NewMailboxesPage, nil, func(t *testing.T, b *pageBench) {
		p := b.page.(*mailboxesPage)
		host := p.edit.form.row("host").control.(*textControl).entry
		var around []*container.Scroll
		b.do(func() {
			around, _ = scrollsAround(b.w.Content(), host)
			objects := test.WidgetRenderer(host).Objects()
			objects[len(objects)-1].(fyne.Scrollable).Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, -40)})
		})
		if len(around) != 1 || around[0].Offset.Y <= 0 {
			t.Errorf("%d parts can be scrolled, the page stands still", len(around))
		}
	})
}
