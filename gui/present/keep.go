package present

import (
	"context"
	"errors"
	"strings"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/engine/mail"
)

// Keeper is what saving a sheet needs of the backend.
type Keeper interface {
	Settings
	Secrets
}

// Draft is the configuration with a sheet in its place, not saved.
type Draft struct {
	Config   *config.Config
	Prefix   string            // path of the sheet's table
	Password string            // typed, "" when it stays as it is
	Secrets  map[string]string // the same by its reference
}

// NewDraft reads the settings and puts the sheet into them. A password that was
// typed gets a reference to the keyring when the table has none. Settings that
// cannot be read are an error: what is damaged is not written over.
func NewDraft(ctx context.Context, b Settings, sheet Sheet, password string) (*Draft, error) {
	cfg, err := b.Config(ctx)
	if err != nil && mail.AsFailure(err).Code != facts.CodeConfigMissing {
		return nil, err
	}
	d := &Draft{Config: cfg, Password: password, Secrets: map[string]string{}}
	if hasSecret(sheet) {
		ref := ReadField(sheet.Table(), "secret")
		if password != "" && !strings.HasPrefix(ref, "keyring:") || ref == "" && obligatorySecret(sheet) {
			ref = NewSecretRef(cfg, ReadField(sheet.Table(), "name"))
			WriteField(sheet.Table(), Field{Key: "secret"}, ref)
		}
		if password != "" {
			d.Secrets[ref] = password
		}
	}
	d.Prefix, err = sheet.Place(cfg)
	if err != nil {
		return nil, err
	}
	return d, nil
}

func hasSecret(sheet Sheet) bool {
	for _, f := range sheet.Fields() {
		if f.Kind == FieldSecret {
			return true
		}
	}
	return false
}

// obligatorySecret tells whether the table cannot do without a reference, so
// that a new one is given its own at once.
func obligatorySecret(sheet Sheet) bool {
	_, mailbox := sheet.Table().(*config.Mailbox)
	return mailbox
}

// Keep saves a sheet and applies it without a restart. With faults that are no
// warnings nothing was changed, neither the settings nor a password.
func Keep(ctx context.Context, b Keeper, sheet Sheet, password string) ([]FieldFault, error) {
	d, err := NewDraft(ctx, b, sheet, password)
	if err != nil {
		return nil, err
	}
	found := FieldProblems(sheet.Fields(), d.Prefix, b.Validate(ctx, d.Config))
	if faulty(found) {
		return found, nil
	}
	for ref, value := range d.Secrets {
		if err := b.SetSecret(ctx, ref, value); err != nil {
			return nil, err
		}
	}
	problems, err := b.Apply(ctx, d.Config)
	if c, ok := errors.AsType[*facts.ConfigError](err); ok {
		return FieldProblems(sheet.Fields(), d.Prefix, c.Problems), nil
	}
	if err != nil {
		return nil, err
	}
	return FieldProblems(sheet.Fields(), d.Prefix, problems), nil
}

func faulty(found []FieldFault) bool {
	for _, f := range found {
		if !f.Warning {
			return true
		}
	}
	return false
}

// Removable is a sheet whose table can be taken out of the settings.
type Removable interface{ Remove(*config.Config) error }

// Remove takes a table out of the settings. The problems say why it must stay.
func Remove(ctx context.Context, b Settings, item Removable) ([]facts.Problem, error) {
	cfg, err := b.Config(ctx)
	if err != nil {
		return nil, err
	}
	if err := item.Remove(cfg); err != nil {
		return nil, err
	}
	return applied(b.Apply(ctx, cfg))
}

// applied keeps the problems that stood in the way; warnings did not.
func applied(_ []facts.Problem, err error) ([]facts.Problem, error) {
	if c, ok := errors.AsType[*facts.ConfigError](err); ok {
		return c.Problems, nil
	}
	return nil, err
}
