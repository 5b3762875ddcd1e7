package gui

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
)

// Tab brings what it leads to into sight, in both directions.
func TestFocusIsBroughtIntoSight(t *testing.T) {
	newTestApp(t)
	column := container.NewVBox()
	var buttons []*Button
	for range 40 {
		b := newButton("x", func() {})
		buttons = append(buttons, b)
		column.Add(b)
	}
	scroll := container.NewVScroll(column)
	w := test.NewTempWindow(t, container.NewPadded(scroll))
	w.Resize(fyne.NewSize(200, 200))
	d := fyne.CurrentApp().Driver()
	inside := func(o fyne.CanvasObject) bool {
		y := d.AbsolutePositionForObject(o).Y - d.AbsolutePositionForObject(scroll).Y
		return y >= 0 && y+o.Size().Height <= scroll.Size().Height
	}
	for i, b := range buttons {
		w.Canvas().FocusNext()
		if w.Canvas().Focused() != fyne.Focusable(b) || !inside(b) {
			t.Fatalf("button %d has the focus out of sight, offset %v", i, scroll.Offset)
		}
	}
	for i := len(buttons) - 2; i >= 0; i-- {
		w.Canvas().FocusPrevious()
		if !inside(buttons[i]) {
			t.Fatalf("back at button %d, out of sight, offset %v", i, scroll.Offset)
		}
	}
}

// No field keeps the focus for itself.
func TestTabLeavesEveryField(t *testing.T) {
	newTestApp(t)
	e := newWizardEntry(wizardKeys{}, "", nil)
	e.MultiLine = true
	k := newKeyEntry(nil)
	k.MultiLine = true
	if e.AcceptsTab() || k.AcceptsTab() {
		t.Error("a field of several lines is a trap for the keyboard")
	}
}
