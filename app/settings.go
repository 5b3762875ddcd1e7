package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"postbag/app/config"
	"postbag/app/logging"
	"postbag/engine"
	"postbag/engine/deliver"
	"postbag/engine/mail"
	"postbag/engine/route"
	"postbag/engine/schedule"
	"postbag/engine/source"
	"postbag/engine/source/pop3"
)

// secrets reads a secret by its reference.
type secrets interface {
	Read(ctx context.Context, ref string) (string, error)
}

// builder turns the configuration into what the engine works by.
type builder struct {
	cfg          *config.Config
	router       *route.Router
	secrets      secrets
	log          *slog.Logger
	installation string
	transcripts  *logging.Transcripts // nil: none are kept
	early        *early
}

// settings builds the engine's settings. The configuration is valid, so an
// error is a fault of this program.
func (b *builder) settings() (engine.Settings, error) {
	router, err := route.New(b.office())
	if err != nil {
		return engine.Settings{}, fmt.Errorf("routing rules: %w", err)
	}
	b.router = router
	s := engine.Settings{
		Route:         router.Lookup,
		Unknown:       router.Unknown(),
		OwnSender:     b.ownSender(),
		QueueLifetime: b.cfg.Delivery.QueueLifetime.D(),
		SpoolQuota:    int64(b.cfg.Delivery.SpoolQuota),
		JournalKeep:   b.cfg.Journal.Keep.D(),
		Hostname:      hostname(),
		Location:      time.Local,
	}
	for i := range b.cfg.Targets {
		s.Targets = append(s.Targets, b.target(&b.cfg.Targets[i]))
	}
	for i := range b.cfg.Mailboxes {
		mb, err := b.mailbox(&b.cfg.Mailboxes[i])
		if err != nil {
			return engine.Settings{}, err
		}
		s.Mailboxes = append(s.Mailboxes, mb)
	}
	return s, nil
}

// ownSender is the envelope sender for copies that leave the office's domains.
func (b *builder) ownSender() string {
	if b.cfg.Office.Administrator != "" {
		return b.cfg.Office.Administrator
	}
	return b.cfg.Office.UnknownRecipient
}

func (b *builder) office() route.Office {
	o := route.Office{
		Domains:          b.cfg.Office.Domains,
		UnknownRecipient: b.cfg.Office.UnknownRecipient,
		PlusAddresses:    b.cfg.Office.PlusAddresses,
		OutsideAllowed:   b.cfg.Office.OutsideAllowed,
		InstallationID:   b.installation,
	}
	for _, r := range b.cfg.Recipients {
		o.Recipients = append(o.Recipients, route.Person{
			Address: r.Address, Aliases: r.Aliases, Target: r.Target, DeliverAs: r.DeliverAs,
		})
	}
	for _, l := range b.cfg.Lists {
		o.Lists = append(o.Lists, route.List{Address: l.Address, Members: l.Members})
	}
	for _, l := range b.cfg.ListRules {
		o.ListRules = append(o.ListRules, route.ListRule{
			ListID: l.ListID, ListPost: l.ListPost, ToContains: l.ToContains, DeliverTo: l.DeliverTo,
		})
	}
	for _, t := range b.cfg.Targets {
		o.Targets = append(o.Targets, route.TargetDomain{Name: t.Name, Domains: t.Domains})
	}
	return o
}

func (b *builder) target(t *config.Target) deliver.Target {
	return deliver.Target{
		Name: t.Name, Host: t.Host, Port: t.Port, Protocol: t.Protocol, Security: t.Security,
		Auth: t.Auth, Username: t.Username, ServerName: t.ServerName, CAFile: b.cfg.Path(t.CAFile),
		TLSPin: t.TLSPin, AllowPlaintextPassword: t.AllowPlaintext, Connections: t.Connections,
		Sender: t.Sender, HeloName: hostname(),
	}
}

// lookup finds the recipients that an address means.
func (b *builder) lookup(address string) []mail.Recipient {
	if address == "" {
		return nil
	}
	return b.router.Lookup(address)
}

// rules compiles the routing rules of a mailbox.
func (b *builder) rules(m *config.Mailbox) (*route.Rules, error) {
	rules, err := b.router.Compile(route.Mailbox{
		ID: m.ID, Name: m.Name, Kind: m.Kind, DeliverTo: m.DeliverTo, Username: m.Username,
		EnvelopeHeaders: m.EnvelopeHeaders, EnvelopeOccurrence: m.EnvelopeOccurrence,
		EnvelopePrefix: m.EnvelopePrefix, EnvelopePattern: m.EnvelopePattern,
		StripSubdomains: m.StripSubdomains, ISPHosts: m.ISPHosts,
		ReceivedFor: m.ReceivedFor, ReceivedSkip: m.ReceivedSkip, UseBcc: m.UseBcc,
	})
	if err != nil {
		return nil, fmt.Errorf("mailbox %q: %w", m.Name, err)
	}
	return rules, nil
}

func (b *builder) mailbox(m *config.Mailbox) (engine.Mailbox, error) {
	rules, err := b.rules(m)
	if err != nil {
		return engine.Mailbox{}, err
	}
	digest, err := signIn(m)
	if err != nil {
		return engine.Mailbox{}, err
	}
	return engine.Mailbox{
		ID: m.ID, Name: m.Name, Host: m.Host, SignIn: digest, Rules: rules, Enabled: m.Enabled,
		Since:    m.FirstCollection.Since,
		Schedule: rule(m.Schedule),
		Policy: source.Policy{
			After:          source.After{Keep: m.AfterDelivery.Keep, Delay: time.Duration(m.AfterDelivery.Days) * 24 * time.Hour},
			MaxMessageSize: int64(m.MaxMessageSize), MaxMessages: m.MaxMessages, MaxBytes: int64(m.MaxBytes),
			SkipFirst: m.FirstCollection.New,
		},
		Dial: func(ctx context.Context) (source.Session, error) { return b.dial(ctx, m, nil) },
	}, nil
}

// dial signs in to a mailbox; step, when not nil, hears each step that begins.
func (b *builder) dial(ctx context.Context, m *config.Mailbox, step func(string)) (source.Session, error) {
	password, err := b.secrets.Read(ctx, m.Secret)
	if err != nil {
		return nil, err
	}
	session := engine.SessionID(ctx)
	if session == "" {
		session = logging.NewSessionID() // of a check or a preview
	}
	options := pop3.Options{
		Host: m.Host, Port: m.Port, Security: m.Security, ServerName: m.ServerName,
		CAFile: b.cfg.Path(m.CAFile), TLSPin: m.TLSPin, Username: m.Username, Password: password,
		Auth: m.Auth, AllowPlaintextPassword: m.AllowPlaintext,
		Log: logging.WithSession(logging.WithMailbox(b.log, m.ID), session), Step: step,
	}
	if line := b.early.take(m.Name); line != nil {
		options.Dial = func(context.Context, string, string) (net.Conn, error) { return line, nil }
	}
	if b.transcripts == nil {
		return noNil(pop3.Dial(ctx, options))
	}
	paper := b.transcripts.Session("pop3", m.Name, session)
	options.Transcript = paper
	conn, err := pop3.Dial(ctx, options)
	if err != nil {
		return nil, errors.Join(err, paper.Close())
	}
	return transcribed{conn, paper}, nil
}

// noNil keeps a nil *pop3.Session from becoming an interface that is not nil.
func noNil(s *pop3.Session, err error) (source.Session, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// transcript keeps what is said with a target while the engine runs.
func (b *builder) transcript(protocol, name string) io.Writer {
	if b.transcripts == nil {
		return nil
	}
	return b.transcripts.Session(protocol, name, logging.NewSessionID())
}

// targetSecret reads the secret of a target by its name.
func (b *builder) targetSecret(ctx context.Context, name string) (string, error) {
	for _, t := range b.cfg.Targets {
		if t.Name == name {
			if t.Secret == "" {
				return "", nil
			}
			return b.secrets.Read(ctx, t.Secret)
		}
	}
	return "", &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeTargetMissing, Op: name}
}

func rule(s config.Schedule) schedule.Rule {
	r := schedule.Rule{Every: s.Every.D(), From: int(s.From), To: int(s.To)}
	for _, d := range s.Days {
		r.Days[time.Weekday(d)] = true
	}
	return r
}

// hostname is the name of this computer for trace headers and EHLO.
func hostname() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "localhost"
	}
	return name
}
