package gui

import (
	"context"
	"os"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/gui/present"
)

// transcriptPanel shows what was said with the servers in the last sessions,
// secrets masked, for the person who helps.
type transcriptPanel struct {
	d    *Desk
	all  []facts.Transcript
	at   int
	list *keyList
	text *widget.TextGrid
	none *widget.Label
	save *Button
	copy *Button
	root *fyne.Container
}

func newTranscriptPanel(d *Desk) *transcriptPanel {
	return &transcriptPanel{d: d, at: -1, root: container.NewStack()}
}

// shown reads the transcripts anew.
func (p *transcriptPanel) shown() {
	work(p.d, p.d.Backend.Transcripts, func(all []facts.Transcript, err error) {
		slices.SortStableFunc(all, func(a, b facts.Transcript) int { return b.Time.Compare(a.Time) })
		p.all, p.at = all, -1
		if len(all) > 0 {
			p.at = 0
		}
		p.draw()
		if err != nil {
			p.none.SetText(present.Sentence(p.d.Text(), err, i18n.Context{}).What)
		}
	})
}

// build makes the widgets anew.
func (p *transcriptPanel) build() {
	t := p.d.Text()
	p.list = newKeyList(func() int { return len(p.all) }, func() fyne.CanvasObject { return newRow(transcriptColumns()) }, func(i widget.ListItemID, o fyne.CanvasObject) {
		o.(*row).show(plain(p.d.Text().StampSecond(p.all[i].Time), present.TranscriptWith(p.all[i])))
	})
	p.list.OnSelected = func(i widget.ListItemID) {
		p.list.at, p.at = i, i
		p.drawText()
	}
	p.text = widget.NewTextGrid()
	p.none = wizardText("")
	p.save = newButton(t.T("main.transcript.save"), p.saveText)
	p.copy = newButton(t.T("main.transcript.copy"), func() { p.d.App.Clipboard().SetContent(p.all[p.at].Text) })
	left := container.New(&leastSize{width: 288}, container.NewBorder(nil, nil, nil, widget.NewSeparator(), p.list))
	foot := container.NewHBox(p.copy, p.save)
	p.root.Objects = []fyne.CanvasObject{container.NewBorder(wizardHint(t.T("main.transcript.about")), foot, left, nil,
		container.NewStack(container.NewScroll(p.text), p.none))}
	p.root.Refresh()
	p.draw()
}

// transcriptColumns are those of the list: when, and with whom.
func transcriptColumns() columns { return columns{{min: 160}, {min: 64, share: 1}} }

func (p *transcriptPanel) draw() {
	if p.list == nil {
		return
	}
	p.none.SetText(p.d.Text().T("main.transcript.none"))
	visible(p.none, len(p.all) == 0)
	p.list.Refresh()
	if p.at >= 0 {
		p.list.Select(p.at)
		p.list.ScrollToTop()
	}
	p.drawText()
}

func (p *transcriptPanel) drawText() {
	text := ""
	if p.at >= 0 && p.at < len(p.all) {
		text = present.TranscriptText(p.all[p.at])
	}
	p.text.SetText(text)
	able(p.save, text != "")
	able(p.copy, text != "")
}

func (p *transcriptPanel) saveText() {
	one := p.all[p.at]
	saveAs(p.d, present.TranscriptFile(one), func(_ context.Context, f *os.File) error {
		_, err := f.WriteString(one.Text)
		return err
	})
}

// noContext is a job that does not ask when it must end.
func noContext[T any](job func() (T, error)) func(context.Context) (T, error) {
	return func(context.Context) (T, error) { return job() }
}
