package attend

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"postbag/app/config"
	"postbag/app/digest"
	"postbag/engine/deliver"
	"postbag/engine/mail"
)

// DelivererDeps are what a Deliverer works with; Log and Options may be zero.
type DelivererDeps struct {
	Lookup  func(address string) []mail.Recipient // the router's
	Unknown func() string                         // address of the unknown recipient; "" without one
	Targets func() []deliver.Target
	Secret  func(ctx context.Context, target string) (string, error)
	Options deliver.Options
	Now     func() time.Time
	Log     *slog.Logger
}

// Deliverer hands digests to the office server that takes the administrator's
// mail, with MAIL FROM <>. They do not pass the queue and are no part of the
// balance.
type Deliverer struct{ d DelivererDeps }

var _ Mailer = (*Deliverer)(nil)

// NewDeliverer returns a Deliverer.
func NewDeliverer(d DelivererDeps) *Deliverer {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Deliverer{d: d}
}

// Reach connects to the first office server of the recipient.
func (d *Deliverer) Reach(ctx context.Context, recipient string) (string, error) {
	groups := d.groups(recipient)
	if len(groups) == 0 {
		return "", noTarget(recipient)
	}
	name := groups[0].target
	conn, err := d.dial(ctx, name)
	if err != nil {
		return name, err
	}
	_ = conn.Close() // nothing was sent
	return name, nil
}

// Deliver hands the letter over to each person that the recipient's address
// means; it has succeeded when one of them has it. Whom the office server does
// not know is replaced by the unknown recipient (rule 45).
func (d *Deliverer) Deliver(ctx context.Context, l digest.Letter) error {
	err := d.deliver(ctx, l, l.Recipient)
	if err == nil || mail.AsFailure(err).Code != mail.CodeUnknownUser || d.d.Unknown == nil {
		return err
	}
	other := d.d.Unknown()
	if other == "" || strings.EqualFold(other, l.Recipient) {
		return err
	}
	d.d.Log.Warn("the office server does not know the administrator's address; the unknown recipient gets the digest", "error", err)
	return d.deliver(ctx, l, other)
}

func (d *Deliverer) deliver(ctx context.Context, l digest.Letter, recipient string) error {
	groups := d.groups(recipient)
	if len(groups) == 0 {
		return noTarget(recipient)
	}
	var first error
	accepted := false
	for _, g := range groups {
		ok, err := d.send(ctx, l, g)
		accepted = accepted || ok
		if err != nil {
			d.d.Log.Warn("a digest was not taken", "target", g.target, "error", err)
			if first == nil {
				first = err
			}
		}
	}
	if accepted {
		return nil
	}
	return first
}

// send makes one transaction; ok when the server took the letter for somebody.
// A reply that never came says more than a refusal: it comes back then.
func (d *Deliverer) send(ctx context.Context, l digest.Letter, g group) (ok bool, err error) {
	conn, err := d.dial(ctx, g.target)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	now := d.d.Now()
	job := mail.Job{
		ID: l.MessageID, Target: g.target, Sender: "", // rule 47: MAIL FROM <>
		Copies: g.copies, Size: int64(len(l.Data)), Received: now, Queued: now,
	}
	outcomes, err := conn.Send(ctx, deliver.Letter{Job: job, Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(l.Data)), nil
	}})
	var why *mail.Failure
	for _, o := range outcomes {
		switch {
		case o.Verdict == mail.Accepted:
			ok = true
		case o.Failure != nil && (why == nil || o.Failure.Code == mail.CodeNoReply):
			why = o.Failure
		}
	}
	switch {
	case why != nil:
		return ok, why
	case ok:
		return true, nil // that the connection ended after it does not matter
	case err == nil:
		err = errors.New("the digest has no recipient")
	}
	return false, err
}

func (d *Deliverer) dial(ctx context.Context, name string) (*deliver.Conn, error) {
	targets := d.d.Targets()
	i := slices.IndexFunc(targets, func(t deliver.Target) bool { return t.Name == name })
	if i < 0 {
		return nil, noTarget(name)
	}
	t := targets[i]
	if d.d.Secret != nil {
		secret, err := d.d.Secret(ctx, name)
		if err != nil {
			return nil, err
		}
		t.Secret = secret
	}
	return deliver.Dial(ctx, t, d.d.Options)
}

// group is the people of one target.
type group struct {
	target string
	copies []mail.Copy
}

// groups finds who the address means, by target.
func (d *Deliverer) groups(address string) []group {
	var out []group
	for _, r := range d.d.Lookup(address) {
		i := slices.IndexFunc(out, func(g group) bool { return g.target == r.Target })
		if i < 0 {
			i = len(out)
			out = append(out, group{target: r.Target})
		}
		out[i].copies = append(out[i].copies, mail.Copy{Address: r.Address, Attempts: 1})
	}
	return out
}

func noTarget(name string) error {
	return &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeTargetMissing, Op: name}
}

func targetNamed(name string) func(config.Target) bool {
	return func(t config.Target) bool { return t.Name == name }
}
