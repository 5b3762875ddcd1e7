package gui

import (
	"bytes"
	"fmt"
	"image/png"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/software"

	"postbag/assets"
	"postbag/gui/present"
)

// TrayHost shows an icon near the clock; Fyne's app is one where there is a
// desktop.
type TrayHost interface {
	SetSystemTrayMenu(menu *fyne.Menu)
	SetSystemTrayIcon(icon fyne.Resource)
}

// trayIconSize is the side of the picture in pixels; panels scale it down.
const trayIconSize = 64

// trayIcon is the icon near the clock with its menu. What it shows is decided
// in present.Tray.
type trayIcon struct {
	host    TrayHost
	do      func(present.TrayItem) // what a menu item stands for
	tooltip func(string)           // may be nil

	view   present.TrayView
	shown  bool
	form   assets.TrayState // on screen now
	colour assets.TrayPalette
	made   map[string]fyne.Resource // drawn pictures
}

func newTrayIcon(host TrayHost, do func(present.TrayItem)) *trayIcon {
	return &trayIcon{host: host, do: do, made: make(map[string]fyne.Resource)}
}

// FirstTrayIcon is what the icon near the clock looks like until it is known
// how things are. It is drawn already: an icon as SVG, the window library would
// draw beside the goroutine of the user interface.
func FirstTrayIcon() (fyne.Resource, error) {
	return newTrayIcon(nil, nil).picture(assets.TrayStopped, assets.TrayOnLight)
}

// show brings icon and menu to what the view says. The menu is made anew only
// when it differs: a person may have it open.
func (t *trayIcon) show(v present.TrayView, colour assets.TrayPalette) {
	if !t.shown || t.view.Shape != v.Shape || t.colour != colour {
		t.draw(assets.TrayState(v.Shape), colour)
	}
	if !t.shown || !slices.Equal(t.view.Items, v.Items) {
		t.host.SetSystemTrayMenu(t.menu(v))
		if t.tooltip != nil {
			t.tooltip(v.Headline())
		}
	}
	t.view, t.shown = v, true
}

// turn shows the other picture of collecting.
func (t *trayIcon) turn() {
	if t.view.Shape != present.ShapeCollecting {
		return
	}
	next := assets.TrayCollectingNext
	if t.form == next {
		next = assets.TrayCollecting
	}
	t.draw(next, t.colour)
}

func (t *trayIcon) menu(v present.TrayView) *fyne.Menu {
	items := make([]*fyne.MenuItem, 0, len(v.Items))
	for _, it := range v.Items {
		if it.Label == "" {
			items = append(items, fyne.NewMenuItemSeparator())
			continue
		}
		item := fyne.NewMenuItem(it.Label, func() { t.do(it) })
		item.Disabled = it.Disabled
		item.IsQuit = it.Action == present.ActionQuit
		items = append(items, item)
	}
	return fyne.NewMenu("Postbag", items...)
}

func (t *trayIcon) draw(form assets.TrayState, colour assets.TrayPalette) {
	res, err := t.picture(form, colour)
	if err != nil {
		fyne.LogError("the icon near the clock cannot be drawn", err)
		return
	}
	t.form, t.colour = form, colour
	// QUIRK systray panics when the session bus has gone, as it does while the
	// session ends; the icon is gone with it.
	defer func() {
		if p := recover(); p != nil {
			fyne.LogError("the icon near the clock is gone", fmt.Errorf("%v", p))
		}
	}()
	t.host.SetSystemTrayIcon(res)
}

// picture draws an icon once and keeps it.
func (t *trayIcon) picture(form assets.TrayState, colour assets.TrayPalette) (fyne.Resource, error) {
	name := "postbag-" + string(form) + "-" + string(colour)
	if res, ok := t.made[name]; ok {
		return res, nil
	}
	svg, err := assets.TrayIcon(form, colour)
	if err != nil {
		return nil, err
	}
	data, err := drawSVG(name, svg, trayIconSize)
	if err != nil {
		return nil, err
	}
	res := fyne.NewStaticResource(name+".png", data)
	t.made[name] = res
	return res, nil
}

// drawSVG returns the picture as PNG of side by side pixels on nothing.
func drawSVG(name string, svg []byte, side int) ([]byte, error) {
	c := software.NewTransparentCanvas()
	c.SetPadded(false)
	c.SetContent(canvas.NewImageFromResource(fyne.NewStaticResource(name+".svg", svg)))
	c.Resize(fyne.NewSquareSize(float32(side)))
	var b bytes.Buffer
	if err := png.Encode(&b, c.Capture()); err != nil {
		return nil, fmt.Errorf("draw %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// trayPalette chooses colours for the panel. Nobody tells what colour the panel
// has; it goes with the desktop's variant.
func trayPalette(icon string, dark bool) assets.TrayPalette {
	switch {
	case icon == present.TrayMonochrome && dark:
		return assets.TrayMonoOnDark
	case icon == present.TrayMonochrome:
		return assets.TrayMonoOnLight
	case dark:
		return assets.TrayOnDark
	}
	return assets.TrayOnLight
}
