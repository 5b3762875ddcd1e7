package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/logging"
	"postbag/assets"
	"postbag/engine/store"
)

// DemoDesktop is a Desktop on a provider and an office server of its own. Its
// first settings are prepared, so that the wizard needs nothing but "Next".
type DemoDesktop struct {
	*Desktop
	demo *demo
}

// NewDemo starts the provider and the office server with sample mail, and
// returns where the settings and the data of the demonstration will be.
func (a *Application) NewDemo(ctx context.Context, lang string) (*DemoDesktop, error) {
	d := &DemoDesktop{demo: &demo{app: a, lang: lang}}
	if err := d.demo.prepare(ctx); err != nil {
		return nil, errors.Join(err, d.demo.close())
	}
	return d, nil
}

// prepare starts the servers and makes the store before there are settings: the
// message that goes round in circles carries the name of this installation.
func (d *demo) prepare(ctx context.Context) error {
	if err := errors.Join(d.servers(), d.folder()); err != nil {
		return err
	}
	st, err := store.Open(ctx, store.Options{Dir: storeDir(d.data()), Log: logging.Discard()})
	if err != nil {
		return fmt.Errorf("the store of the demonstration: %w", err)
	}
	installation := st.InstallationID()
	if err := st.Close(); err != nil {
		return fmt.Errorf("the store of the demonstration: %w", err)
	}
	return d.fill(installation)
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
