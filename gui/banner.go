package gui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"postbag/gui/present"
)

// banner is a message over the pages, until the user has understood.
type banner struct {
	d       *Desk
	box     *fyne.Container
	what    *widget.Label
	detail  *widget.Label
	wizard  *Button
	file    *Button
	dismiss *Button
	path    string
}

func newBanner(d *Desk) *banner {
	b := &banner{d: d, what: widget.NewLabel(""), detail: widget.NewLabel("")}
	b.what.Wrapping, b.detail.Wrapping = fyne.TextWrapWord, fyne.TextWrapWord
	b.what.TextStyle.Bold = true
	b.detail.SizeName = theme.SizeNameCaptionText
	b.wizard = newMainButton("", func() { d.Wizard() })
	b.file = newButton("", b.openFile)
	b.dismiss = newButton("", b.hide)
	icon := widget.NewIcon(theme.NewWarningThemedResource(theme.WarningIcon()))
	buttons := container.NewVBox(container.NewHBox(b.file, b.dismiss, b.wizard))
	b.box = container.NewVBox(
		container.NewPadded(container.NewBorder(nil, nil, container.NewVBox(icon), buttons, container.NewVBox(b.what, b.detail))),
		widget.NewSeparator(),
	)
	b.box.Hide()
	return b
}

func (b *banner) retext() {
	p := b.d.Text()
	b.wizard.SetText(p.T("gui.banner.wizard"))
	b.file.SetText(p.T("gui.banner.file"))
	b.dismiss.SetText(p.T("gui.banner.dismiss"))
}

// show says one thing; the next takes its place.
func (b *banner) show(v present.Banner) {
	b.path = v.File
	b.what.SetText(v.What)
	b.detail.SetText(v.Detail)
	visible(b.detail, v.Detail != "")
	visible(b.wizard, v.Wizard)
	visible(b.file, v.File != "" && b.d.OpenFile != nil)
	b.box.Show()
}

func (b *banner) hide() { b.box.Hide() }

func (b *banner) openFile() {
	path := b.path
	work(b.d, func(context.Context) (struct{}, error) { return struct{}{}, b.d.OpenFile(path) }, func(_ struct{}, err error) {
		if err != nil {
			b.show(present.Banner{What: b.what.Text, Detail: err.Error()})
		}
	})
}

func visible(o fyne.CanvasObject, yes bool) {
	if yes {
		o.Show()
		return
	}
	o.Hide()
}

// leastSize gives its content at least a size.
type leastSize struct{ width, height float32 }

var _ fyne.Layout = (*leastSize)(nil)

// MinSize is the content's, or ours where that is smaller.
func (l *leastSize) MinSize(objects []fyne.CanvasObject) fyne.Size {
	size := fyne.NewSize(l.width, l.height)
	for _, o := range objects {
		size = size.Max(o.MinSize())
	}
	return size
}

// Layout gives the content all the room.
func (l *leastSize) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.NewPos(0, 0))
		o.Resize(size)
	}
}
