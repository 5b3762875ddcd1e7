//go:build linux

package e2e

import (
	"fmt"
	"image"
	"image/color"
	_ "image/png" // what import writes
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postbag/engine/mailtest/real"
)

// TestTrayInAPanel shows the icon in the panel of a real desktop (Xfce): it is
// there, a click opens the menu, the keyboard chooses from it, and the choice
// acts. A picture of it is for people.
func TestTrayInAPanel(t *testing.T) {
	d := newDesktop(t, "en_GB.UTF-8", parts{noKeyring: true, noTray: true})
	f := newFakeOffice(t, d, "file:secret")
	d.startPanel()
	d.settle()
	f.isp.AddMessage(account, "u1", message(1, "anne@office.test", "One"))
	d.start(build(t, "race"), f.args("--hidden")...)
	// QUIRK: a moment after a panel has looked at a menu for the first time,
	// systray tells it that the menu is another one. The panel makes it anew, and
	// keys that are pressed just then are lost. A person would press them again.
	real.Eventually(t, 3*effectLimit, "the message at the office", func() bool {
		d.trayMenu()
		d.keys("Down", "Down", "Return") // Open Postbag, Collect now
		d.settle()
		d.keys("Escape") // a menu that did not close
		return f.server.Taken() > 0
	})
	if n := f.server.Taken(); n != 1 {
		t.Errorf("the message came %d times", n)
	}
}

// panelSettings are those of a panel at the top with a place for icons and a
// clock.
const panelSettings = `<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="dark-mode" type="bool" value="false"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="32"/>
      <property name="icon-size" type="uint" value="22"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="1"/>
        <value type="int" value="2"/>
        <value type="int" value="3"/>
        <value type="int" value="4"/>
      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="applicationsmenu"/>
    <property name="plugin-2" type="string" value="separator">
      <property name="expand" type="bool" value="true"/>
      <property name="style" type="uint" value="0"/>
    </property>
    <property name="plugin-3" type="string" value="systray">
      <property name="square-icons" type="bool" value="true"/>
    </property>
    <property name="plugin-4" type="string" value="clock"/>
  </property>
</channel>
`

// startPanel starts the panel, with the store of its settings: the bus of the
// tests starts nothing by itself.
func (d *desktop) startPanel() {
	d.t.Helper()
	found, err := filepath.Glob("/usr/lib/*/xfce4/xfconf/xfconfd")
	if err != nil || len(found) == 0 {
		d.t.Fatalf("no xfconfd: %v (make e2e installs what is missing)", err)
	}
	dir := filepath.Join(d.dir, ".config", "xfce4", "xfconf", "xfce-perchannel-xml")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "xfce4-panel.xml"), []byte(panelSettings), 0o600); err != nil {
		d.t.Fatal(err)
	}
	d.process(nil, nil, found[0])
	d.waitName("org.xfce.Xfconf")
	d.process(nil, nil, "xfce4-panel", "--disable-wm-check")
	d.waitName(watcherName)
	real.Eventually(d.t, startLimit, "a place for icons", func() bool {
		v, err := d.bus.Object(watcherName, watcherPath).GetProperty(watcherName + ".IsStatusNotifierHostRegistered")
		there, _ := v.Value().(bool)
		return err == nil && there
	})
}

// trayMenu waits for the icon in the panel and opens its menu with the mouse. A
// panel that is just taking the menu in, shows none: then the click comes again.
func (d *desktop) trayMenu() {
	d.t.Helper()
	real.Eventually(d.t, startLimit, "the icon in the panel", func() bool {
		icon := bag(d.screen("panel"))
		return icon.Dx() >= 12 && icon.Dy() >= 12
	})
	real.Eventually(d.t, effectLimit, "the menu of the icon", func() bool {
		d.settle()
		before := d.screen("panel")
		icon := bag(before)
		d.tool("mousemove", fmt.Sprint(icon.Min.X+icon.Dx()/2), fmt.Sprint(icon.Min.Y+icon.Dy()/2), "click", "3")
		d.settle()
		return changed(before, d.screen("panel")).Dy() > 4*panelHeight
	})
}

// screen is a picture of the whole screen, kept under the name.
func (d *desktop) screen(name string) image.Image {
	d.t.Helper()
	at := filepath.Join(shots(d.t), name+".png")
	if _, err := d.output("import", "-window", "root", at); err != nil {
		d.t.Fatal(err)
	}
	f, err := os.Open(at)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	img, kind, err := image.Decode(f)
	if err != nil || !strings.Contains(kind, "png") {
		d.t.Fatal(kind, err)
	}
	return img
}

// panelHeight is that of panelSettings.
const panelHeight = 32

// bag is where the panel at the top shows the blue of our icon, in its form for
// a light panel or a dark one.
func bag(img image.Image) image.Rectangle {
	var out image.Rectangle
	for y := range panelHeight {
		for x := range img.Bounds().Dx() {
			if c, ok := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA); ok && (c == color.RGBA{0x1F, 0x4E, 0x8C, 0xFF} || c == color.RGBA{0x8D, 0xB4, 0xF0, 0xFF}) {
				out = out.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return out
}

// changed is the least rectangle with everything in which two pictures differ.
func changed(a, b image.Image) image.Rectangle {
	var out image.Rectangle
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			if a.At(x, y) != b.At(x, y) {
				out = out.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return out
}
