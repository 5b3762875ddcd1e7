package run

import (
	"fyne.io/fyne/v2"
	"github.com/go-gl/glfw/v3.4/glfw"
)

// minimise puts the window into the task bar.
//
// QUIRK Fyne has no call for it; but while it works in the window's context,
// the library below says which window that is.
func minimise(w fyne.Window) {
	inside, ok := w.(interface{ RunWithContext(f func()) })
	if !ok {
		return
	}
	inside.RunWithContext(func() {
		if native := glfw.GetCurrentContext(); native != nil {
			native.Iconify()
		}
	})
}
