package app

import (
	"context"
	"errors"
	"os"

	"postbag/app/facts"
	"postbag/app/secret"
	"postbag/engine/mail"
)

// Secrets keeps passwords in the keyring of the operating system.
type Secrets struct {
	a *Application
	o facts.Options
	r *secret.Resolver
}

// Secrets returns the secrets of the options' configuration.
func (a *Application) Secrets(o facts.Options) *Secrets {
	return &Secrets{a: a, o: o, r: resolverFor(o.Config)}
}

// Set stores a secret under a name, and gives the mailboxes that use it another
// chance when wrong passwords had suspended them (rule 8).
func (s *Secrets) Set(ctx context.Context, ref, value string) error {
	if err := s.r.Set(ctx, keyringRef(ref), value); err != nil {
		return err
	}
	return s.lift(ctx, keyringRef(ref))
}

// lift ends the suspension of the mailboxes that use the secret, here or in the
// engine that runs. Without a usable configuration there is none to lift.
func (s *Secrets) lift(ctx context.Context, ref string) error {
	o := s.o
	o.Access = facts.AccessChange
	cfg, err := load(o)
	if err != nil {
		return nil //nolint:nilerr // the secret is stored, which was the wish
	}
	if _, err := os.Stat(storeDir(o.Data)); err != nil {
		return nil //nolint:nilerr // nothing was collected yet
	}
	b, err := s.a.Open(ctx, o)
	if err != nil {
		return err
	}
	states, err := b.Mailboxes(ctx)
	for _, st := range states {
		if st.Suspended && cfg.Mailbox(st.Name) != nil && cfg.Mailbox(st.Name).Secret == ref {
			if err == nil {
				_, err = b.Resume(ctx, st.Name)
			}
			if err == nil && st.Paused {
				_, err = b.Pause(ctx, st.Name) // by hand it stays
			}
		}
	}
	return errors.Join(err, b.Close())
}

// Delete removes a secret from the keyring.
func (s *Secrets) Delete(ctx context.Context, ref string) error {
	return s.r.Delete(ctx, keyringRef(ref))
}

// List tells of each reference that the configuration names whether it can be read.
func (s *Secrets) List(ctx context.Context) ([]facts.SecretState, error) {
	cfg, err := load(s.o)
	if err != nil {
		return nil, err
	}
	var out []facts.SecretState
	for _, st := range s.r.List(ctx, cfg.SecretRefs()) {
		state := facts.SecretState{Ref: st.Ref, Readable: st.Err == nil}
		if st.Err != nil {
			state.Fault = facts.FaultOf(mail.AsFailure(st.Err))
		}
		out = append(out, state)
	}
	return out, nil
}

// keyringRef is a name as the configuration writes it.
func keyringRef(name string) string {
	p, err := secret.Parse(name)
	if err == nil {
		return p.String()
	}
	return secret.Keyring + ":" + name
}
