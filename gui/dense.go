package gui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
)

// dense is the theme in use with less room around texts. It asks for the theme
// each time: the person may choose another one.
type dense struct{}

var _ fyne.Theme = dense{}

func (dense) used() fyne.Theme { return fyne.CurrentApp().Settings().Theme() }

// Color is that of the theme in use.
func (d dense) Color(name fyne.ThemeColorName, variant fyne.ThemeVariant) color.Color {
	return d.used().Color(name, variant)
}

// Font is that of the theme in use.
func (d dense) Font(style fyne.TextStyle) fyne.Resource { return d.used().Font(style) }

// Icon is that of the theme in use.
func (d dense) Icon(name fyne.ThemeIconName) fyne.Resource { return d.used().Icon(name) }

// Size halves the space around texts.
func (d dense) Size(name fyne.ThemeSizeName) float32 {
	if name == theme.SizeNameInnerPadding {
		return 4
	}
	return d.used().Size(name)
}

// inDense shows rows closer together.
func inDense(o fyne.CanvasObject) fyne.CanvasObject {
	return container.NewThemeOverride(o, dense{})
}
