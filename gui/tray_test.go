package gui

import (
	"bytes"
	"image/png"
	"strings"
	"testing"

	"fyne.io/fyne/v2/lang"

	"postbag/app/i18n"
	"postbag/assets"
)

// The icons near the clock can be told apart without colour: their shapes
// differ in many pixels, in each palette, also in the size of a panel.
func TestTrayIconsDiffer(t *testing.T) {
	newTestApp(t)
	for _, palette := range assets.TrayPalettes() {
		covered := map[assets.TrayState][]bool{}
		for _, state := range assets.TrayStates() {
			svg, err := assets.TrayIcon(state, palette)
			if err != nil {
				t.Fatal(err)
			}
			data, err := drawSVG(string(state)+string(palette), svg, 22)
			if err != nil {
				t.Fatal(err)
			}
			covered[state] = bright(t, data)
		}
		for i, a := range assets.TrayStates() {
			for _, b := range assets.TrayStates()[i+1:] {
				if n := differences(covered[a], covered[b]); n < 24 {
					t.Errorf("%s: %s and %s differ in %d of 484 pixels", palette, a, b, n)
				}
			}
		}
	}
}

// bright tells for each pixel whether it is light on a middle grey: what is
// left of a picture without any colour.
func bright(t *testing.T, data []byte) []bool {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var out []bool
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			r, g, b, a := img.At(x, y).RGBA()
			grey := (0.3*float64(r)+0.59*float64(g)+0.11*float64(b))/0xffff + 0.5*(1-float64(a)/0xffff)
			out = append(out, grey > 0.45)
		}
	}
	return out
}

func differences(a, b []bool) int {
	n := 0
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

func TestEveryWordOfFyneIsOurs(t *testing.T) {
	for _, l := range i18n.Languages() {
		p := i18n.New(l)
		for key, text := range fyneWords(p) {
			if text == "" || strings.HasPrefix(text, "gui.") {
				t.Errorf("%s: %q is %q", l, key, text)
			}
		}
	}
}

// The words change with the language while the program runs, whatever the
// language of the system.
func TestWordsOfFyneSwitch(t *testing.T) {
	newTestApp(t)
	for _, system := range []string{"en_GB.UTF-8", "fr_FR.UTF-8", "de_DE.UTF-8", "pt_BR.UTF-8"} {
		t.Setenv("LANG", system)
		for _, l := range []string{"fr", "en", "fr"} {
			p := i18n.New(l)
			if err := speak(p); err != nil {
				t.Fatal(err)
			}
			for key, want := range fyneWords(p) {
				if got := lang.X(key, "?"); got != want {
					t.Errorf("%s on %s: %q is %q, want %q", l, system, key, got, want)
				}
			}
		}
	}
}
