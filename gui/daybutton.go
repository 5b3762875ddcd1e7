package gui

import (
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"
)

// dayButton chooses a day, or all days, in a calendar of the language in use.
// Fyne's calendar knows English months only and no way to choose none.
type dayButton struct {
	d       *Desk
	button  *Button
	day     time.Time // zero: all days
	changed func(time.Time)

	popup *widget.PopUp
	month time.Time // its first day
	box   *fyne.Container
	days  []*keyButton // of the month, the first at 0

	earlier, later *keyButton
}

func newDayButton(d *Desk, day time.Time, changed func(time.Time)) *dayButton {
	b := &dayButton{d: d, day: day, changed: changed}
	b.button = newButton("", b.open)
	b.button.Alignment = widget.ButtonAlignLeading
	b.label()
	return b
}

// set shows another day without a call of changed.
func (b *dayButton) set(day time.Time) {
	b.day = day
	b.label()
}

func (b *dayButton) label() {
	if b.day.IsZero() {
		b.button.SetText(b.d.Text().T("main.log.all_days"))
		return
	}
	b.button.SetText(b.d.Text().Day(b.day))
}

// open shows the calendar below the button.
func (b *dayButton) open() {
	from := b.day
	if from.IsZero() {
		from = b.d.Now()
	}
	b.month = firstOfMonth(from)
	b.box = container.NewVBox()
	b.fill()
	b.popup = widget.NewPopUp(withEdge(container.NewPadded(b.box)), b.d.Window.Canvas())
	b.popup.ShowAtRelativePosition(fyne.NewPos(0, b.button.Size().Height), b.button)
	b.focusDay(from.Day())
}

func firstOfMonth(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, day.Location())
}

// inMonthBeside is the same day of another month, its last when it is shorter.
func inMonthBeside(day time.Time, months int) time.Time {
	first := firstOfMonth(day).AddDate(0, months, 0)
	return first.AddDate(0, 0, min(day.Day(), first.AddDate(0, 1, -1).Day())-1)
}

// close takes the calendar away without a choice.
func (b *dayButton) close() {
	if b.popup != nil {
		b.popup.Hide()
	}
}

// focusDay puts the focus on a day of the month, the last one when it is shorter.
func (b *dayButton) focusDay(day int) {
	b.d.Window.Canvas().Focus(b.days[min(day, len(b.days))-1])
}

// turn shows another month and stays on its arrow.
func (b *dayButton) turn(months int) {
	b.month = b.month.AddDate(0, months, 0)
	b.fill()
	arrow := b.later
	if months < 0 {
		arrow = b.earlier
	}
	b.d.Window.Canvas().Focus(arrow)
}

// move goes from a day to another by the keys of every calendar, also into the
// months beside this one.
func (b *dayButton) move(day time.Time, name fyne.KeyName) bool {
	switch name {
	case fyne.KeyLeft:
		day = day.AddDate(0, 0, -1)
	case fyne.KeyRight:
		day = day.AddDate(0, 0, 1)
	case fyne.KeyUp:
		day = day.AddDate(0, 0, -7)
	case fyne.KeyDown:
		day = day.AddDate(0, 0, 7)
	case fyne.KeyPageUp:
		day = inMonthBeside(day, -1)
	case fyne.KeyPageDown:
		day = inMonthBeside(day, 1)
	default:
		return b.key(name)
	}
	if month := firstOfMonth(day); !month.Equal(b.month) {
		b.month = month
		b.fill()
	}
	b.focusDay(day.Day())
	return true
}

func (b *dayButton) take(day time.Time) {
	b.popup.Hide()
	b.set(day)
	b.changed(day)
	b.d.Window.Canvas().Focus(b.button)
}

func (b *dayButton) key(name fyne.KeyName) bool {
	if name == fyne.KeyEscape {
		b.popup.Hide()
		b.d.Window.Canvas().Focus(b.button)
		return true
	}
	return false
}

func (b *dayButton) small(label string, do func()) *keyButton {
	k := newKeyButton(label, do, b.key)
	k.Importance = widget.LowImportance
	return k
}

// fill draws the month, beginning with Monday.
func (b *dayButton) fill() {
	t := b.d.Text()
	title := widget.NewLabelWithStyle(t.T(monthKeys[b.month.Month()-1])+" "+strconv.Itoa(b.month.Year()), fyne.TextAlignCenter, fyne.TextStyle{Bold: true})
	b.earlier, b.later = b.small("<", func() { b.turn(-1) }), b.small(">", func() { b.turn(1) })
	head := container.NewBorder(nil, nil, b.earlier, b.later, title)
	grid := container.New(layout.NewGridLayoutWithColumns(len(weekDays)))
	for _, key := range weekdayKeys {
		grid.Add(widget.NewLabelWithStyle(t.T(key), fyne.TextAlignCenter, fyne.TextStyle{}))
	}
	for range (int(b.month.Weekday()) + 6) % 7 {
		grid.Add(layout.NewSpacer())
	}
	b.days = nil
	for day := b.month; day.Month() == b.month.Month(); day = day.AddDate(0, 0, 1) {
		k := b.small(strconv.Itoa(day.Day()), func() { b.take(day) })
		k.onKey = func(name fyne.KeyName) bool { return b.move(day, name) }
		if sameDay(day, b.day) || b.day.IsZero() && sameDay(day, b.d.Now()) {
			k.Importance = widget.HighImportance
		}
		b.days = append(b.days, k)
		grid.Add(k)
	}
	foot := container.NewGridWithColumns(2, b.small(t.T("main.log.today"), func() { b.take(b.d.Now()) }), b.small(t.T("main.log.all_days"), func() { b.take(time.Time{}) }))
	b.box.Objects = []fyne.CanvasObject{head, grid, foot}
	b.box.Refresh()
}

func sameDay(a, b time.Time) bool {
	ay, am, ad := a.Date()
	by, bm, bd := b.Date()
	return ay == by && am == bm && ad == bd
}

// The keys of the names, January and Monday first.
var (
	monthKeys = [...]string{
		"main.month.january", "main.month.february", "main.month.march", "main.month.april", "main.month.may", "main.month.june",
		"main.month.july", "main.month.august", "main.month.september", "main.month.october", "main.month.november", "main.month.december",
	}
	weekdayKeys = [...]string{
		"main.weekday.mon", "main.weekday.tue", "main.weekday.wed", "main.weekday.thu", "main.weekday.fri", "main.weekday.sat", "main.weekday.sun",
	}
)
