package present

import (
	"context"

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
