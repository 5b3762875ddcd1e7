package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"postbag/gui/present"
)

// ShowAbout says what this program is, for the menu.
func ShowAbout(d *Desk) {
	ask(d, d.Text().T("gui.name"), "", aboutRows(d), nil, answer{label: d.Text().T("main.close")})
}

// aboutRows are version, licence and the folders in use; all can be copied.
func aboutRows(d *Desk) fyne.CanvasObject {
	rows := container.NewVBox(wizardText(d.Text().T("main.about.text")))
	for _, line := range present.About(d.Text(), d.Build, d.Backend.Place()) {
		rows.Add(pair(line[0], line[1], 176, present.MarkNone))
	}
	return rows
}
