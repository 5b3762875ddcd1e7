package app

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/assets"
)

// DemoDesktop is a Desktop on a provider and an office server of its own. Its
// first settings are prepared, so that the wizard needs nothing but "Next".
type DemoDesktop struct {
	*Desktop
	demo *demo
}

// NewDemo starts the provider and the office server with sample mail, and
// returns where the settings and the data of the demonstration will be.
func (a *Application) NewDemo(lang string) (*DemoDesktop, error) {
	d := &DemoDesktop{demo: &demo{app: a, lang: lang}}
	err := errors.Join(d.demo.servers(), d.demo.folder())
	if err == nil {
		// The looping message cannot be known before there is an installation
		// whose name it carries; here it is an ordinary one.
		err = d.demo.fill("no installation yet")
	}
	if err != nil {
		return nil, errors.Join(err, d.demo.close())
	}
	return d, nil
}

// Place tells the configuration file and the data folder.
func (d *DemoDesktop) Place() facts.Options {
	return facts.Options{Config: d.demo.file(), Data: d.demo.data(), Lang: d.demo.lang, Access: facts.AccessEngine}
}

// Open opens the engine, without settings yet.
func (d *DemoDesktop) Open(ctx context.Context, o facts.Options) error {
	var err error
	d.Desktop, err = d.demo.app.NewDesktop(ctx, o)
	return err
}

// Config is the prepared configuration until there is one.
func (d *DemoDesktop) Config(ctx context.Context) (*config.Config, error) {
	cfg, err := d.Desktop.Config(ctx)
	if _, serr := os.Stat(d.demo.file()); !errors.Is(serr, fs.ErrNotExist) {
		return cfg, err
	}
	prepared, _ := config.Parse([]byte(assets.DemoConfig(d.demo.provider.Port(), d.demo.office.Port())), d.demo.dir)
	return prepared, err
}

// Close ends the engine and the servers and removes what they left.
func (d *DemoDesktop) Close() error {
	var err error
	if d.Desktop != nil {
		err = d.Desktop.Close()
	}
	return errors.Join(err, d.demo.close())
}
