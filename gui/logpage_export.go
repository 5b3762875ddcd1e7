package gui

import (
	"context"
	"os"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"postbag/app/i18n"
	"postbag/app/tell"
)

// export writes what is chosen as a table for a spreadsheet.
func (p *logPage) export() {
	filter := p.choice.Filter()
	saveAs(p.d, p.d.Text().T("main.log.file_name", i18n.Args{"Day": p.d.Now().Format(time.DateOnly)}), func(ctx context.Context, f *os.File) error {
		rows := tell.NewCSV(f)
		if err := p.d.Backend.Log(ctx, filter, rows.Entry); err != nil {
			return err
		}
		return rows.Close()
	})
}

// storyShare is the part of the page that the list keeps beside a story.
const storyShare = 0.56

// beside puts the story at the right of a list while there is one.
func beside(table fyne.CanvasObject, story *storyPanel) fyne.CanvasObject {
	if story.id == "" {
		return table
	}
	split := container.NewHSplit(table, story.root)
	split.SetOffset(storyShare)
	return split
}

// arrange gives the story the right of the page while there is one. Where it
// stands already nothing is made anew: the list would draw all its rows.
func arrange(body *fyne.Container, table fyne.CanvasObject, story *storyPanel) {
	_, open := body.Objects[0].(*container.Split)
	now := tableOf(body)
	if table == nil {
		table = now
	}
	if open == (story.id != "") && table == now {
		return
	}
	body.Objects = []fyne.CanvasObject{beside(table, story)}
	body.Refresh()
}

// tableOf is the list of a body, alone or beside a story.
func tableOf(body *fyne.Container) fyne.CanvasObject {
	if split, ok := body.Objects[0].(*container.Split); ok {
		return split.Leading
	}
	return body.Objects[0]
}
