package gui

import (
	"flag"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/gui/present"
)

var updateGolden = flag.Bool("golden", false, "write the golden pictures of the wizard anew")

// The pictures are kept small: grey, at half the size.
func shrink(src image.Image) *image.Gray {
	b := src.Bounds()
	out := image.NewGray(image.Rect(0, 0, b.Dx()/2, b.Dy()/2))
	for y := range b.Dy() / 2 {
		for x := range b.Dx() / 2 {
			sum := 0
			for i := range 4 {
				sum += int(color.GrayModel.Convert(src.At(b.Min.X+2*x+i%2, b.Min.Y+2*y+i/2)).(color.Gray).Y)
			}
			out.SetGray(x, y, color.Gray{Y: uint8(sum / 4)})
		}
	}
	return out
}

// differs tells how many of 1000 pixels are another grey.
func differs(a, b *image.Gray) float64 {
	if a.Bounds() != b.Bounds() {
		return 1000
	}
	n := 0
	for i := range a.Pix {
		if d := int(a.Pix[i]) - int(b.Pix[i]); d > 24 || d < -24 {
			n++
		}
	}
	return 1000 * float64(n) / float64(len(a.Pix))
}

// golden compares a picture with the one that a person has looked at.
func golden(t *testing.T, name string, picture image.Image) {
	t.Helper()
	got := shrink(picture)
	path := filepath.Join("testdata", "wizard", name+".png")
	if *updateGolden {
		writePicture(t, path, got)
		return
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	decoded, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	want, ok := decoded.(*image.Gray)
	if !ok {
		t.Fatalf("%s is not grey", path)
	}
	// A cursor may blink, a glyph may fall on another half of a pixel.
	if n := differs(got, want); n > 1 {
		now := filepath.Join("testdata", "failed", name+".png")
		writePicture(t, now, got)
		t.Errorf("%s: %.1f of 1000 pixels differ; it looks like %s now", name, n, now)
	}
}

func writePicture(t *testing.T, path string, picture image.Image) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, picture); err != nil {
		t.Fatal(err)
	}
}

func TestWizardLooksAsItDid(t *testing.T) {
	for _, lang := range i18n.Languages() {
		t.Run(lang, func(t *testing.T) {
			b := newWizardBench(t, lang, nil)
			b.backend.source, b.backend.target, b.backend.lines = goodSource(), goodTarget(), previewLines()
			b.backend.verdict = facts.Verdict{Verdict: facts.VerdictBccWorks, EnvelopeHeader: "Envelope-To"}
			b.fill(t)
			for _, s := range present.WizardSteps() {
				b.goTo(s)
				switch s {
				case present.WizardTarget:
					b.pages[s].(*wizardTarget).probe.toggle()
				case present.WizardIncoming:
					b.pages[s].(*wizardIncoming).probe().toggle()
				}
				b.win.Canvas().Unfocus() // a cursor would blink
				golden(t, lang+"-"+s.Key(), b.win.Canvas().Capture())
			}
		})
	}
}

func TestGoldenSeesAnotherPicture(t *testing.T) {
	b := newWizardBench(t, "en", nil)
	before := shrink(b.win.Canvas().Capture())
	b.question.SetText("Something else stands here.")
	if differs(before, shrink(b.win.Canvas().Capture())) <= 1 {
		t.Error("another sentence is not seen")
	}
}
