package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/app/secret"
	"postbag/engine/mail"
)

// Application opens the parts that a command or a window asks for.
type Application struct {
	build facts.Build
}

// New returns the application; build says what this program is.
func New(build facts.Build) *Application { return &Application{build: build} }

// Build says what this program is.
func (a *Application) Build() facts.Build { return a.build }

// storeDir is the folder of the store inside the data folder.
func storeDir(data string) string { return filepath.Join(data, "store") }

// load reads the configuration for use: one with faults is an error, and
// nothing was touched.
func load(o facts.Options) (*config.Config, error) {
	cfg, problems, err := config.Load(o.Config)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeConfigMissing, Op: o.Config, Err: err}
	case err != nil:
		return nil, &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeConfigRead, Op: o.Config, Err: err}
	}
	if len(config.Faults(problems)) > 0 {
		return nil, &facts.ConfigError{Path: o.Config, Problems: explain(problems, o.Lang)}
	}
	return cfg, nil
}

// explain writes each problem in the reader's language.
func explain(problems []config.Problem, lang string) []facts.Problem {
	p := i18n.New(lang)
	out := make([]facts.Problem, len(problems))
	for i, pr := range problems {
		out[i] = facts.Problem{
			Field: pr.Field, Line: pr.Line, Code: string(pr.Code), Warning: pr.Warning,
			Message: p.T("config."+string(pr.Code), pr.Args),
		}
	}
	return out
}

// resolverFor reads secrets for the configuration file at path.
func resolverFor(path string) *secret.Resolver {
	return secret.New(secret.Options{Dir: filepath.Dir(path)})
}

// ConfigFile is the configuration file of the options.
type ConfigFile struct{ o facts.Options }

// Config returns the configuration file of the options.
func (a *Application) Config(o facts.Options) *ConfigFile { return &ConfigFile{o: o} }

// Init writes a commented sample, never over a file.
func (c *ConfigFile) Init(context.Context) error {
	if err := os.MkdirAll(filepath.Dir(c.o.Config), 0o700); err != nil {
		return &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeConfigRead, Op: c.o.Config, Err: err}
	}
	err := config.Init(c.o.Config, config.Sample(c.o.Lang))
	switch {
	case errors.Is(err, fs.ErrExist):
		return &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeConfigExists, Op: c.o.Config}
	case err != nil:
		return &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeConfigRead, Op: c.o.Config, Err: err}
	}
	return nil
}

// Validate returns every fault and warning.
func (c *ConfigFile) Validate(context.Context) ([]facts.Problem, error) {
	_, problems, err := config.Load(c.o.Config)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeConfigMissing, Op: c.o.Config, Err: err}
	case err != nil:
		return nil, &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeConfigRead, Op: c.o.Config, Err: err}
	}
	return explain(problems, c.o.Lang), nil
}

// Show returns the effective settings as TOML, without secrets.
func (c *ConfigFile) Show(context.Context) (string, error) {
	cfg, err := load(c.o)
	if err != nil {
		return "", err
	}
	return string(config.Show(cfg)), nil
}
