package present

import (
	"context"
	"strings"

	"postbag/app/config"
	"postbag/app/facts"
)

// AddPeople puts people into the settings who are not there yet; who is there
// gets the further aliases. The problems say why nothing was changed.
func AddPeople(b Settings, people []WizardPerson) func(context.Context) ([]facts.Problem, error) {
	return func(ctx context.Context) ([]facts.Problem, error) {
		cfg, err := b.Config(ctx)
		if err != nil && !NoConfigYet(err) {
			return nil, err
		}
		for _, p := range people {
			addPerson(cfg, p)
		}
		return applied(b.Apply(ctx, cfg))
	}
}

func addPerson(cfg *config.Config, p WizardPerson) {
	for i := range cfg.Recipients {
		r := &cfg.Recipients[i]
		if config.Canonical(r.Address) != config.Canonical(p.Address) {
			continue
		}
		for _, alias := range p.Aliases {
			if !containsFold(r.Aliases, alias) {
				r.Aliases = append(r.Aliases, alias)
			}
		}
		return
	}
	cfg.Recipients = append(cfg.Recipients, config.Recipient{Address: p.Address, Aliases: p.Aliases})
}

// PeopleFile is what a file of contacts brought.
type PeopleFile struct {
	Text string // the whole list, as ParsePeople reads it
	WizardImport
}

// ReadPeople appends the people of a file, as address books export it, to a
// list. Who is outside the domains of the office is left out.
func ReadPeople(cfg *config.Config, text string, data []byte) (PeopleFile, error) {
	w := Wizard{}
	w.Office.Domains, w.Office.People = strings.Join(cfg.Office.Domains, " "), text
	got, err := w.Import(data)
	return PeopleFile{Text: w.Office.People, WizardImport: got}, err
}
