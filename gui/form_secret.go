package gui

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"postbag/gui/present"
)

// secretControl takes a password, twice. The one that is stored is never
// shown: it is not even read.
type secretControl struct {
	f          *form
	change     *Button
	first      *wizardEntry
	again      *wizardEntry
	entries    *fyne.Container
	box        *fyne.Container
	obligatory bool // there is no stored one yet
}

func (f *form) newSecret() *secretControl {
	c := &secretControl{f: f}
	p := f.d.Text()
	c.first = newWizardPassword(f.keys, "", func(string) { f.touched() })
	c.again = newWizardPassword(f.keys, "", func(string) { f.touched() })
	c.first.SetPlaceHolder(p.T("main.secret.new"))
	c.again.SetPlaceHolder(p.T("main.secret.again"))
	c.entries = container.NewGridWithColumns(2, c.first, c.again)
	c.change = newButton(p.T("main.secret.change"), c.open)
	c.obligatory = present.ReadField(f.sheet.Table(), "secret") == ""
	visible(c.entries, c.obligatory)
	visible(c.change, !c.obligatory)
	c.box = container.NewVBox(container.NewHBox(c.change), c.entries)
	return c
}

// open lets the person type another password.
func (c *secretControl) open() {
	c.change.Hide()
	c.entries.Show()
	c.f.box.Refresh() // the focus brings into sight what has a place
	c.f.d.Window.Canvas().Focus(c.first)
}

func (c *secretControl) object() fyne.CanvasObject { return c.box }
func (c *secretControl) focus() fyne.Focusable     { return c.first }
func (c *secretControl) get() string               { return c.first.Text }
func (c *secretControl) set(string)                {}

// fault is what is wrong with what was typed, "" when nothing is.
func (c *secretControl) fault() string {
	p := c.f.d.Text()
	row := c.f.row("secret")
	switch {
	case !c.box.Visible():
		return ""
	case c.first.Text != c.again.Text:
		return p.T("main.secret.differs")
	case strings.ContainsAny(c.first.Text, "\r\n"):
		return p.T("main.secret.one_line")
	case c.first.Text == "" && c.needed() && (row == nil || row.control.get() == ""):
		return p.T("main.secret.needed")
	}
	return ""
}

// needed tells whether the settings cannot do without a password.
func (c *secretControl) needed() bool {
	for _, row := range c.f.rows {
		if row.control == formControl(c) {
			return c.obligatory && row.box.Visible()
		}
	}
	return false
}
