package gui

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"postbag/app/i18n"
)

// sameAsLast compares a page with the picture that a person has looked at;
// -golden writes it anew.
func sameAsLast(t *testing.T, b *pageBench, name string) {
	t.Helper()
	var got *image.Gray
	b.do(func() { b.w.Canvas().Unfocus() }) // a cursor would blink
	b.do(func() { got = shrink(b.w.Canvas().Capture()) })
	path := filepath.Join("testdata", "pages", name+".png")
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
	if n := differs(got, want); n > 1 {
		now := filepath.Join("testdata", "failed", name+".png")
		writePicture(t, now, got)
		t.Errorf("%s: %.1f of 1000 pixels differ; it looks like %s now", name, n, now)
	}
}

func TestPagesLookAsTheyDid(t *testing.T) {
	for _, lang := range i18n.Languages() {
		for name, make := range pageMakers() {
			t.Run(name+" "+lang, func(t *testing.T) {
				pageTest(t, lang, make, troubled, func(t *testing.T, b *pageBench) {
					switch p := b.page.(type) {
					case *logPage:
						b.do(func() { p.list.choose(0) })
					case *queuePage:
						b.do(func() { p.list.choose(0) })
					case *mailboxesPage:
						b.do(func() { p.Open("Anne") })
						b.do(func() { entryOf(t, p.edit.form, "port").SetText("many") })
						b.do(p.edit.save)
					}
					sameAsLast(t, b, lang+"-"+name)
				})
			})
		}
	}
}
