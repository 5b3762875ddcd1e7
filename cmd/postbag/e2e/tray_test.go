//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"

	"postbag/engine/mailtest/real"
)

const (
	watcherName = "org.kde.StatusNotifierWatcher"
	watcherPath = "/StatusNotifierWatcher"
	itemPath    = "/StatusNotifierItem"
	itemFace    = "org.kde.StatusNotifierItem"
	menuFace    = "com.canonical.dbusmenu"
)

// watcher is the place for icons near the clock, and for messages.
type watcher struct {
	t    *testing.T
	conn *dbus.Conn

	mu    sync.Mutex
	items []string    // who has registered, newest last
	notes [][2]string // title and text of each message
}

// startWatcher takes the names of both on the bus.
func startWatcher(t *testing.T, conn *dbus.Conn) *watcher {
	t.Helper()
	w := &watcher{t: t, conn: conn}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(conn.ExportMethodTable(map[string]any{
		"RegisterStatusNotifierItem": w.register,
		"RegisterStatusNotifierHost": func(string) *dbus.Error { return nil },
	}, watcherPath, watcherName))
	_, err := prop.Export(conn, watcherPath, prop.Map{watcherName: {
		"RegisteredStatusNotifierItems":  {Value: []string{}, Emit: prop.EmitTrue},
		"IsStatusNotifierHostRegistered": {Value: true, Emit: prop.EmitTrue},
		"ProtocolVersion":                {Value: int32(0), Emit: prop.EmitTrue},
	}})
	must(err)
	must(conn.ExportMethodTable(map[string]any{"Notify": w.notify}, "/org/freedesktop/Notifications", "org.freedesktop.Notifications"))
	for _, name := range []string{watcherName, "org.freedesktop.Notifications"} {
		reply, err := conn.RequestName(name, dbus.NameFlagDoNotQueue)
		must(err)
		if reply != dbus.RequestNameReplyPrimaryOwner {
			t.Fatalf("%s is taken", name)
		}
	}
	return w
}

func (w *watcher) register(sender dbus.Sender, _ string) *dbus.Error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.items = append(w.items, string(sender))
	return nil
}

func (w *watcher) notify(_ string, _ uint32, _, title, text string, _ []string, _ map[string]dbus.Variant, _ int32) (uint32, *dbus.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notes = append(w.notes, [2]string{title, text})
	return 1, nil
}

// messages are the texts that popped up.
func (w *watcher) messages() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, n := range w.notes {
		out = append(out, n[1])
	}
	return out
}

// forget makes the next icon that registers the only one.
func (w *watcher) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.items = nil
}

// item is who shows an icon, "" when nobody does.
func (w *watcher) item() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.items) == 0 {
		return ""
	}
	return w.items[len(w.items)-1]
}

// entry is one line of the menu.
type entry struct {
	id       int32
	label    string
	disabled bool
}

// layout is the struct of com.canonical.dbusmenu.GetLayout: (ia{sv}av).
type layout struct {
	ID       int32
	Props    map[string]dbus.Variant
	Children []dbus.Variant
}

// menu reads the menu of the icon as it is now.
func (w *watcher) menu() ([]entry, error) {
	item := w.item()
	if item == "" {
		return nil, fmt.Errorf("no icon")
	}
	at, err := w.conn.Object(item, itemPath).GetProperty(itemFace + ".Menu")
	if err != nil {
		return nil, err
	}
	path, ok := at.Value().(dbus.ObjectPath)
	if !ok {
		return nil, fmt.Errorf("menu at %v", at)
	}
	var revision uint32
	var root layout
	err = w.conn.Object(item, path).Call(menuFace+".GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &root)
	if err != nil {
		return nil, err
	}
	var out []entry
	for _, c := range root.Children {
		var l layout
		if err := dbus.Store([]any{c.Value()}, &l); err != nil {
			return nil, err
		}
		e := entry{id: l.ID}
		if v, ok := l.Props["label"].Value().(string); ok {
			e.label = v
		}
		if v, ok := l.Props["enabled"].Value().(bool); ok {
			e.disabled = !v
		}
		out = append(out, e)
	}
	return out, nil
}

// find returns the line with the label, when it can be chosen.
func (w *watcher) find(label string) (entry, bool) {
	menu, err := w.menu()
	if err != nil {
		return entry{}, false
	}
	for _, e := range menu {
		if e.label == label && !e.disabled {
			return e, true
		}
	}
	return entry{}, false
}

// choose waits until the menu offers the label and has come to rest, and chooses
// it. Ids change with each refresh, and what a menu says in the moment in which
// it is made is heard by nobody: no person is that quick.
func (w *watcher) choose(label string) {
	w.t.Helper()
	var last []entry
	var since time.Time
	real.Eventually(w.t, effectLimit, "the menu to offer "+label, func() bool {
		menu, err := w.menu()
		if err != nil || !slices.Equal(menu, last) {
			last, since = menu, time.Now()
			return false
		}
		i := slices.IndexFunc(menu, func(e entry) bool { return e.label == label && !e.disabled })
		if i < 0 || time.Since(since) < still {
			return false
		}
		at, err := w.conn.Object(w.item(), itemPath).GetProperty(itemFace + ".Menu")
		if err != nil {
			return false
		}
		path, _ := at.Value().(dbus.ObjectPath)
		// Who quits may be gone before it answers.
		_ = w.conn.Object(w.item(), path).Call(menuFace+".Event", 0, menu[i].id, "clicked", dbus.MakeVariant(""), uint32(0)).Err
		return true
	})
}

// headline is the first line of the menu: what is going on.
func (w *watcher) headline() string {
	menu, err := w.menu()
	if err != nil || len(menu) == 0 {
		return ""
	}
	return menu[0].label
}

// waitHeadline waits until the first line satisfies want.
func (w *watcher) waitHeadline(what string, want func(string) bool) {
	w.t.Helper()
	real.Eventually(w.t, effectLimit, fmt.Sprintf("the icon to say %s; it says %q", what, w.headline()), func() bool { return want(w.headline()) })
}

// picture is the icon as it is shown now.
func (w *watcher) picture() image.Image {
	w.t.Helper()
	v, err := w.conn.Object(w.item(), itemPath).GetProperty(itemFace + ".IconPixmap")
	if err != nil {
		w.t.Fatal(err)
	}
	var pictures []struct {
		W, H int32
		Pix  []byte
	}
	if err := dbus.Store([]any{v.Value()}, &pictures); err != nil || len(pictures) == 0 {
		w.t.Fatalf("icon: %v", err)
	}
	p := pictures[0]
	img := image.NewNRGBA(image.Rect(0, 0, int(p.W), int(p.H)))
	for i := 0; i+3 < len(p.Pix) && i+3 < len(img.Pix); i += 4 {
		// ARGB in network order.
		img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = p.Pix[i+1], p.Pix[i+2], p.Pix[i+3], p.Pix[i]
	}
	return img
}

// keep stores the icon as it is shown now beside the pictures of the windows.
func (w *watcher) keep(name string) {
	w.t.Helper()
	f, err := os.Create(filepath.Join(shots(w.t), name+".png"))
	if err != nil {
		w.t.Fatal(err)
	}
	if err := errors.Join(png.Encode(f, w.picture()), f.Close()); err != nil {
		w.t.Error(err)
	}
}

// same tells whether two pictures are equal.
func same(a, b image.Image) bool {
	if a.Bounds() != b.Bounds() {
		return false
	}
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			if a.At(x, y) != b.At(x, y) {
				return false
			}
		}
	}
	return true
}
