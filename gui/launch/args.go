// Package launch is what happens before and beside the windows: arguments, the
// one instance of a data folder, whether there is a screen, a session and a place
// for icons. It knows no Fyne, so it is tested without a display.
package launch

import (
	"errors"
	"flag"
	"io"
	"path/filepath"

	"postbag/app/i18n"
)

// Args are the arguments of the command line.
type Args struct {
	Config, Data string // absolute paths
	Lang         string // en, fr or ""
	Hidden       bool   // the icon near the clock only
	Version      bool
}

// Parse reads the arguments; config and data hold without them. The error is
// wrong usage.
func Parse(args []string, config, data string) (Args, error) {
	a := Args{}
	fs := flag.NewFlagSet("postbag", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // the usage is told in the user's language
	fs.StringVar(&a.Config, "config", config, "")
	fs.StringVar(&a.Data, "data", data, "")
	fs.StringVar(&a.Lang, "lang", "", "")
	fs.BoolVar(&a.Hidden, "hidden", false, "")
	fs.BoolVar(&a.Version, "version", false, "")
	if err := fs.Parse(args); err != nil {
		return a, err
	}
	if fs.NArg() > 0 || a.Lang != "" && !i18n.Supported(a.Lang) || a.Config == "" || a.Data == "" {
		return a, errors.New("usage")
	}
	var err1, err2 error
	a.Config, err1 = filepath.Abs(a.Config)
	a.Data, err2 = filepath.Abs(a.Data)
	return a, errors.Join(err1, err2)
}
