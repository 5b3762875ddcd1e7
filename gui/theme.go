package gui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"postbag/gui/present"
)

// Theme is Fyne's, with the colours of Postbag: one accent (post-office blue),
// amber for what needs the user, red only for loss of service. Every text, also
// of what is switched off or has the focus, stands out by 4.5:1 at least
// (WCAG 2.2, 1.4.3); the test computes it.
//
// Fyne shows the focus of a control by one colour for all, the ground under
// text and icons. To be told from the window and yet carry text, that colour
// must lie in the middle between ground and text: hence grounds that are nearly
// white or black, and a focus whose luminance is 0.18.
type Theme struct {
	fyne.Theme
	variant *fyne.ThemeVariant // nil: as the desktop is
}

var _ fyne.Theme = (*Theme)(nil)

// NewTheme returns the theme for one of the Theme words of present.Look.
func NewTheme(word string) *Theme {
	t := &Theme{Theme: theme.DefaultTheme()}
	switch word {
	case present.ThemeLight:
		v := theme.VariantLight
		t.variant = &v
	case present.ThemeDark:
		v := theme.VariantDark
		t.variant = &v
	}
	return t
}

// Dark tells whether the theme is dark when the desktop wants the variant.
func (t *Theme) Dark(desktop fyne.ThemeVariant) bool {
	if t.variant != nil {
		return *t.variant == theme.VariantDark
	}
	return desktop == theme.VariantDark
}

// Color returns a colour of our own, or Fyne's.
func (t *Theme) Color(name fyne.ThemeColorName, variant fyne.ThemeVariant) color.Color {
	if t.variant != nil {
		variant = *t.variant
	}
	palette := lightPalette
	if variant == theme.VariantDark {
		palette = darkPalette
	}
	if c, ok := palette[name]; ok {
		return c
	}
	return t.Theme.Color(name, variant)
}

// Size keeps to a grid of 8 pixels, with halves of it between what belongs
// together, and one size of heading.
func (t *Theme) Size(name fyne.ThemeSizeName) float32 {
	switch name {
	case theme.SizeNamePadding:
		return 4
	case theme.SizeNameInnerPadding:
		return 8
	case theme.SizeNameLineSpacing:
		return 4
	case theme.SizeNameText:
		return 14
	case theme.SizeNameCaptionText:
		return 12
	case theme.SizeNameHeadingText, theme.SizeNameSubHeadingText:
		return 20
	case theme.SizeNameInputRadius, theme.SizeNameSelectionRadius, theme.SizeNameButtonRadius:
		return 4
	case theme.SizeNameScrollBar:
		return 12
	case theme.SizeNameScrollBarSmall:
		return 4
	}
	return t.Theme.Size(name)
}

func rgb(hex uint32) color.NRGBA { return rgba(hex, 0xff) }

func rgba(hex uint32, alpha uint8) color.NRGBA {
	return color.NRGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: alpha}
}

// lightPalette and darkPalette are constants in all but name.
var lightPalette = map[fyne.ThemeColorName]color.NRGBA{
	theme.ColorNameBackground:          rgb(0xffffff),
	theme.ColorNameForeground:          rgb(0x030405),
	theme.ColorNamePrimary:             rgb(0x1f4e8c),
	theme.ColorNameHyperlink:           rgb(0x1f4e8c),
	theme.ColorNameForegroundOnPrimary: rgb(0xffffff),
	theme.ColorNameFocus:               rgb(0x3e77c4),
	theme.ColorNameButton:              rgb(0xe4ebf4),
	theme.ColorNameDisabledButton:      rgb(0xf0f2f5),
	theme.ColorNameDisabled:            rgb(0x5f6670),
	theme.ColorNamePlaceHolder:         rgb(0x5f6670),
	theme.ColorNameInputBackground:     rgb(0xffffff),
	theme.ColorNameInputBorder:         rgb(0x6b7480),
	theme.ColorNameMenuBackground:      rgb(0xffffff),
	theme.ColorNameOverlayBackground:   rgb(0xffffff),
	theme.ColorNameHeaderBackground:    rgb(0xeef2f7),
	theme.ColorNameSelection:           rgb(0xcfe0f6),
	theme.ColorNameHover:               rgba(0x1f4e8c, 0x18),
	theme.ColorNamePressed:             rgba(0x1f4e8c, 0x40),
	theme.ColorNameSeparator:           rgb(0xd3dae3),
	theme.ColorNameScrollBar:           rgb(0x6b7480),
	theme.ColorNameShadow:              rgba(0x000000, 0x40),
	theme.ColorNameError:               rgb(0xb3261e),
	theme.ColorNameForegroundOnError:   rgb(0xffffff),
	theme.ColorNameWarning:             rgb(0x8a5200),
	theme.ColorNameForegroundOnWarning: rgb(0xffffff),
	theme.ColorNameSuccess:             rgb(0x1a6b35),
	theme.ColorNameForegroundOnSuccess: rgb(0xffffff),
}

var darkPalette = map[fyne.ThemeColorName]color.NRGBA{
	theme.ColorNameBackground:          rgb(0x030405),
	theme.ColorNameForeground:          rgb(0xffffff),
	theme.ColorNamePrimary:             rgb(0x8db4f0),
	theme.ColorNameHyperlink:           rgb(0x8db4f0),
	theme.ColorNameForegroundOnPrimary: rgb(0x030405),
	theme.ColorNameFocus:               rgb(0x3e77c4),
	theme.ColorNameButton:              rgb(0x232b36),
	theme.ColorNameDisabledButton:      rgb(0x14181e),
	theme.ColorNameDisabled:            rgb(0x9aa4b1),
	theme.ColorNamePlaceHolder:         rgb(0x9aa4b1),
	theme.ColorNameInputBackground:     rgb(0x030405),
	theme.ColorNameInputBorder:         rgb(0x8b95a3),
	theme.ColorNameMenuBackground:      rgb(0x030405),
	theme.ColorNameOverlayBackground:   rgb(0x030405),
	theme.ColorNameHeaderBackground:    rgb(0x161b22),
	theme.ColorNameSelection:           rgb(0x1d3d6b),
	theme.ColorNameHover:               rgba(0x8db4f0, 0x20),
	theme.ColorNamePressed:             rgba(0x8db4f0, 0x48),
	theme.ColorNameSeparator:           rgb(0x303a47),
	theme.ColorNameScrollBar:           rgb(0x8b95a3),
	theme.ColorNameShadow:              rgba(0x000000, 0x90),
	theme.ColorNameError:               rgb(0xff8a80),
	theme.ColorNameForegroundOnError:   rgb(0x030405),
	theme.ColorNameWarning:             rgb(0xffc247),
	theme.ColorNameForegroundOnWarning: rgb(0x030405),
	theme.ColorNameSuccess:             rgb(0x7fd39a),
	theme.ColorNameForegroundOnSuccess: rgb(0x030405),
}
