package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"postbag/app/facts"
	"postbag/assets"
	"postbag/engine/mail"
	"postbag/engine/mailtest"
)

// Demo shows the whole way with the real engine: a provider and an office
// server of its own on loopback, sample mail between them. It needs no file, no
// network and no rights, and leaves nothing behind.
func (a *Application) Demo(ctx context.Context, o facts.Options, progress func(facts.Event)) (facts.DemoReport, error) {
	begin := time.Now()
	d := &demo{app: a, lang: o.Lang, progress: progress}
	rep, err := d.run(ctx)
	err = errors.Join(err, d.close())
	rep.Took = time.Since(begin)
	return rep, err
}

// demo is one run of the demonstration.
type demo struct {
	app      *Application
	lang     string
	progress func(facts.Event)

	dir      string
	provider *mailtest.POP3
	office   *mailtest.SMTP
	local    *Local
}

func (d *demo) stage(name string) {
	send(d.progress, facts.Event{Kind: facts.EventStage, Stage: name})
}

func (d *demo) run(ctx context.Context) (facts.DemoReport, error) {
	if err := d.servers(); err != nil {
		return facts.DemoReport{}, err
	}
	d.stage("servers")
	if err := d.open(ctx); err != nil {
		return facts.DemoReport{}, err
	}
	if err := d.fill(d.local.store.InstallationID()); err != nil {
		return facts.DemoReport{}, err
	}
	d.stage("collect")
	var rep facts.DemoReport
	_, err := d.local.Collect(ctx, nil, d.progress, func(en mail.Entry) error {
		rep.Messages = append(rep.Messages, en)
		return nil
	})
	if err != nil {
		return rep, err
	}
	st, err := d.local.Status(ctx)
	rep.Balance = st.Balance
	return rep, err
}

// servers starts the provider and the office server.
func (d *demo) servers() (err error) {
	d.provider, err = mailtest.NewPOP3(mailtest.POP3Options{Users: map[string]string{
		assets.DemoGlobal: assets.DemoPassword, assets.DemoAnne: assets.DemoPassword, assets.DemoBob: assets.DemoPassword,
	}})
	if err != nil {
		return fmt.Errorf("the provider of the demonstration: %w", err)
	}
	d.office, err = mailtest.NewSMTP(mailtest.SMTPOptions{Discard: true})
	if err != nil {
		return fmt.Errorf("the office server of the demonstration: %w", err)
	}
	return nil
}

// folder makes a folder with the provider's password in it.
func (d *demo) folder() (err error) {
	if d.dir, err = os.MkdirTemp("", "postbag-demo-"); err != nil {
		return fmt.Errorf("a folder for the demonstration: %w", err)
	}
	if err := os.WriteFile(filepath.Join(d.dir, "secret"), []byte(assets.DemoPassword+"\n"), 0o600); err != nil {
		return fmt.Errorf("the secret of the demonstration: %w", err)
	}
	return nil
}

func (d *demo) file() string { return filepath.Join(d.dir, "postbag.toml") }
func (d *demo) data() string { return filepath.Join(d.dir, "data") }

// open writes the configuration and opens the engine on it, as for a user.
func (d *demo) open(ctx context.Context) (err error) {
	if err := d.folder(); err != nil {
		return err
	}
	text := assets.DemoConfig(d.provider.Port(), d.office.Port())
	if err := os.WriteFile(d.file(), []byte(text), 0o600); err != nil {
		return fmt.Errorf("the configuration of the demonstration: %w", err)
	}
	d.local, err = d.app.OpenLocal(ctx, facts.Options{
		Config: d.file(), Data: d.data(), Lang: d.lang, Access: facts.AccessEngine,
	})
	return err
}

// fill puts the sample mail into the mailboxes at the provider.
func (d *demo) fill(installation string) error {
	list, err := assets.Demo(installation, time.Now())
	if err != nil {
		return err
	}
	for _, m := range list {
		d.provider.AddMessage(m.Mailbox, m.UID, m.Bytes)
	}
	return nil
}

func (d *demo) close() error {
	var errs []error
	if d.local != nil {
		errs = append(errs, d.local.Close())
	}
	if d.provider != nil {
		errs = append(errs, d.provider.Close())
	}
	if d.office != nil {
		errs = append(errs, d.office.Close())
	}
	if d.dir != "" {
		errs = append(errs, os.RemoveAll(d.dir))
	}
	return errors.Join(errs...)
}
