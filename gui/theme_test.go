package gui

import (
	"image/color"
	"math"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"postbag/gui/present"
)

// luminance of an opaque colour (WCAG 2.2, "relative luminance").
func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	linear := func(v uint32) float64 {
		x := float64(v) / 0xffff
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

// contrast of two opaque colours (WCAG 2.2, "contrast ratio").
func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// over lays a colour that one can see through on an opaque one.
func over(top, ground color.Color) color.Color {
	t := color.NRGBAModel.Convert(top).(color.NRGBA)
	g := color.NRGBAModel.Convert(ground).(color.NRGBA)
	mix := func(t8, g8 uint8) uint8 {
		a := float64(t.A) / 255
		return uint8(math.Round(float64(t8)*a + float64(g8)*(1-a)))
	}
	return color.NRGBA{mix(t.R, g.R), mix(t.G, g.G), mix(t.B, g.B), 0xff}
}

// pairs are what is read or told apart: first on second, by 4.5:1.
func pairs() [][2]fyne.ThemeColorName {
	on := func(ground fyne.ThemeColorName, tops ...fyne.ThemeColorName) (out [][2]fyne.ThemeColorName) {
		for _, top := range tops {
			out = append(out, [2]fyne.ThemeColorName{top, ground})
		}
		return out
	}
	text := []fyne.ThemeColorName{
		theme.ColorNameForeground, theme.ColorNameDisabled, theme.ColorNamePlaceHolder, theme.ColorNamePrimary,
		theme.ColorNameHyperlink, theme.ColorNameError, theme.ColorNameWarning, theme.ColorNameSuccess,
	}
	all := on(theme.ColorNameBackground, append(text, theme.ColorNameFocus, theme.ColorNameInputBorder, theme.ColorNameScrollBar)...)
	for _, ground := range []fyne.ThemeColorName{theme.ColorNameInputBackground, theme.ColorNameMenuBackground, theme.ColorNameOverlayBackground} {
		all = append(all, on(ground, append(text, theme.ColorNameFocus)...)...)
	}
	all = append(all, on(theme.ColorNameHeaderBackground, text...)...)
	all = append(all, on(theme.ColorNameDisabledButton, theme.ColorNameDisabled)...)
	for _, ground := range []fyne.ThemeColorName{theme.ColorNameButton, theme.ColorNameSelection} {
		all = append(all, on(ground, theme.ColorNameForeground)...)
	}
	for ground, top := range map[fyne.ThemeColorName]fyne.ThemeColorName{
		theme.ColorNamePrimary: theme.ColorNameForegroundOnPrimary,
		theme.ColorNameError:   theme.ColorNameForegroundOnError,
		theme.ColorNameWarning: theme.ColorNameForegroundOnWarning,
		theme.ColorNameSuccess: theme.ColorNameForegroundOnSuccess,
	} {
		all = append(all, on(ground, top)...)
		// A button that has the focus: its text stays, its ground is the focus.
		all = append(all, on(theme.ColorNameFocus, top)...)
	}
	return append(all, on(theme.ColorNameFocus, theme.ColorNameForeground)...)
}

func TestContrast(t *testing.T) {
	const least = 4.5
	for _, word := range []string{present.ThemeLight, present.ThemeDark} {
		th := NewTheme(word)
		for _, p := range pairs() {
			if c := contrast(th.Color(p[0], 0), th.Color(p[1], 0)); c < least {
				t.Errorf("%s: %s on %s has %.2f:1, at least %.1f:1", word, p[0], p[1], c, least)
			}
		}
		// What a pointer over it does to a ground must leave its text readable.
		for _, veil := range []fyne.ThemeColorName{theme.ColorNameHover, theme.ColorNamePressed} {
			for ground, top := range map[fyne.ThemeColorName]fyne.ThemeColorName{
				theme.ColorNameButton:     theme.ColorNameForeground,
				theme.ColorNameBackground: theme.ColorNameForeground,
				theme.ColorNamePrimary:    theme.ColorNameForegroundOnPrimary,
			} {
				if c := contrast(th.Color(top, 0), over(th.Color(veil, 0), th.Color(ground, 0))); c < least {
					t.Errorf("%s: %s on %s under %s has %.2f:1", word, top, ground, veil, c)
				}
			}
		}
	}
}

// The measure itself: values from WCAG.
func TestContrastMeasure(t *testing.T) {
	for _, c := range []struct {
		a, b uint32
		want float64
	}{
		{0x000000, 0xffffff, 21}, {0xffffff, 0xffffff, 1}, {0x777777, 0xffffff, 4.48}, {0x1f4e8c, 0xffffff, 8.31},
	} {
		if got := contrast(rgb(c.a), rgb(c.b)); math.Abs(got-c.want) > 0.01 {
			t.Errorf("contrast(%06x, %06x) = %.2f, want %.2f", c.a, c.b, got, c.want)
		}
	}
}

func TestThemeFollowsTheDesktop(t *testing.T) {
	white, black := NewTheme(present.ThemeLight), NewTheme(present.ThemeDark)
	system := NewTheme(present.ThemeSystem)
	for v, want := range map[fyne.ThemeVariant]*Theme{theme.VariantLight: white, theme.VariantDark: black} {
		if system.Color(theme.ColorNameBackground, v) != want.Color(theme.ColorNameBackground, 0) {
			t.Errorf("variant %d is not followed", v)
		}
		if system.Dark(v) != (v == theme.VariantDark) || white.Dark(v) || !black.Dark(v) {
			t.Errorf("variant %d: which theme is dark?", v)
		}
	}
	if got := white.Color(theme.ColorNamePrimary, theme.VariantDark); got != rgb(0x1f4e8c) {
		t.Errorf("the accent is %v", got)
	}
}
