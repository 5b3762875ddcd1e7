package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"

	"postbag/app/i18n"
	"postbag/gui/present"
)

// answer is one button of a question.
type answer struct {
	label  string
	danger bool
	do     func() (stay bool) // nil: nothing; true keeps the question open
}

// question is a small window in the middle of the page. The last answer is what
// Escape stands for, the first is what Enter does in a field.
type question struct {
	popup   *widget.PopUp
	answers []answer
}

// questionWidth is that of every question: wide enough for a sentence.
const questionWidth = 480

// ask shows a question. Content may be nil; first is what gets the focus, nil
// for the last button, which does no harm.
func ask(d *Desk, title, text string, content fyne.CanvasObject, first fyne.Focusable, answers ...answer) *question {
	q := &question{answers: answers}
	heading := widget.NewLabelWithStyle(title, fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
	heading.Wrapping = fyne.TextWrapWord
	rows := []fyne.CanvasObject{heading}
	if text != "" {
		rows = append(rows, wizardText(text))
	}
	if content != nil {
		rows = append(rows, content)
	}
	buttons := []fyne.CanvasObject{layout.NewSpacer()}
	var last *keyButton
	for i, a := range answers {
		b := newKeyButton(a.label, func() { q.choose(a) }, q.key)
		switch {
		case a.danger:
			b.Importance = widget.DangerImportance
		case i == 0 && len(answers) > 0:
			b.Importance = widget.HighImportance
		}
		buttons, last = append(buttons, b), b
	}
	rows = append(rows, container.NewHBox(buttons...))
	body := container.New(&leastSize{width: questionWidth}, container.NewPadded(container.NewVBox(rows...)))
	q.popup = widget.NewModalPopUp(withEdge(body), d.Window.Canvas())
	q.popup.Show()
	if first == nil && last != nil {
		first = last
	}
	if first != nil {
		d.Window.Canvas().Focus(first)
	}
	return q
}

// key is Escape anywhere, and Enter in a field.
func (q *question) key(name fyne.KeyName) bool {
	if name == fyne.KeyEscape {
		q.choose(q.answers[len(q.answers)-1])
		return true
	}
	return false
}

// entryKey is the same for a field, where Enter stands for the first answer.
func (q *question) entryKey(name fyne.KeyName) bool {
	if name == fyne.KeyReturn || name == fyne.KeyEnter {
		q.choose(q.answers[0])
		return true
	}
	return q.key(name)
}

func (q *question) choose(a answer) {
	if a.do != nil && a.do() {
		return
	}
	q.popup.Hide()
}

// tellFault shows an explanation with one button.
func tellFault(d *Desk, e i18n.Explanation) {
	var detail fyne.CanvasObject
	if e.Detail != "" {
		detail = small(e.Detail)
	}
	ask(d, e.What, join(e.Meaning, e.Advice), detail, nil, answer{label: d.Text().T("main.close")})
}

// tellError shows what an error of the backend means.
func tellError(d *Desk, err error, about i18n.Context) {
	tellFault(d, present.Sentence(d.Text(), err, about))
}

// confirm asks before something that cannot be undone.
func confirm(d *Desk, title, text, verb string, do func()) {
	ask(d, title, text, nil, nil,
		answer{label: verb, danger: true, do: func() bool { do(); return false }},
		answer{label: d.Text().T("main.cancel")})
}

func join(sentences ...string) string {
	out := ""
	for _, s := range sentences {
		if s != "" && out != "" {
			out += " "
		}
		out += s
	}
	return out
}

// focusIfFree gives the focus to the page unless a question is open, so that
// who works by keyboard goes on where the work is.
func focusIfFree(d *Desk, to fyne.Focusable) {
	if c := d.Window.Canvas(); c.Overlays().Top() == nil {
		c.Focus(to)
	}
}
