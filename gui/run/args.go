package run

import (
	"errors"
	"flag"
	"io"
	"path/filepath"

	"postbag/app/i18n"
)

// arguments of the command line.
type arguments struct {
	config, data, lang string
	hidden             bool
	version            bool
}

// parse reads the arguments; paths come out absolute.
func parse(args []string, config, data string) (arguments, error) {
	a := arguments{}
	fs := flag.NewFlagSet("postbag", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // the usage is told in the user's language
	fs.StringVar(&a.config, "config", config, "")
	fs.StringVar(&a.data, "data", data, "")
	fs.StringVar(&a.lang, "lang", "", "")
	fs.BoolVar(&a.hidden, "hidden", false, "")
	fs.BoolVar(&a.version, "version", false, "")
	if err := fs.Parse(args); err != nil {
		return a, err
	}
	if fs.NArg() > 0 || a.lang != "" && !i18n.Supported(a.lang) || a.config == "" || a.data == "" {
		return a, errors.New("usage")
	}
	var err1, err2 error
	a.config, err1 = filepath.Abs(a.config)
	a.data, err2 = filepath.Abs(a.data)
	return a, errors.Join(err1, err2)
}
