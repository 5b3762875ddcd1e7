package config

import (
	"path/filepath"
	"slices"
)

// Config is the whole configuration with every default filled in.
type Config struct {
	Version    int         `toml:"version"`
	Office     Office      `toml:"office"`
	Schedule   Schedule    `toml:"schedule"`
	Connection Connection  `toml:"connection"`
	Targets    []Target    `toml:"target"`
	Delivery   Delivery    `toml:"delivery"`
	Recipients []Recipient `toml:"recipient"`
	Lists      []List      `toml:"list"`
	ListRules  []ListRule  `toml:"list_rule"`
	Mailboxes  []Mailbox   `toml:"mailbox"`
	Log        Log         `toml:"log"`
	Journal    Journal     `toml:"journal"`
	Alerts     Alerts      `toml:"alerts"`

	// Dir is the folder of the file: relative paths start here.
	Dir string `toml:"-"`
}

// Office is what belongs to the office as a whole.
type Office struct {
	Domains          []string `toml:"domains"`           // lower case, without "@" and trailing dot, spelling (U- or A-form) kept
	UnknownRecipient string   `toml:"unknown_recipient"` // "" only without a global mailbox
	Administrator    string   `toml:"administrator"`     // default: UnknownRecipient
	PlusAddresses    bool     `toml:"plus_addresses"`
	OutsideAllowed   []string `toml:"outside_allowed"` // rule 33
}

// Schedule says when to collect. The window is [From, To) in local time; when
// To <= From it ends on the following day and belongs to the day it starts on.
type Schedule struct {
	Every Duration `toml:"every"`
	Days  []Day    `toml:"days"`
	From  Clock    `toml:"from"`
	To    Clock    `toml:"to"`
}

// Kinds of Connection.
const (
	Permanent = "permanent"
	Router    = "router"
	Dialup    = "dialup"
	Commands  = "commands"
)

// Connection says how this computer gets to the internet.
type Connection struct {
	Kind     string          `toml:"kind"`
	Dialup   *DialupEntry    `toml:"dialup"`
	Commands *DialupCommands `toml:"commands"`
}

// DialupEntry is an entry of the Windows phone book.
type DialupEntry struct {
	Entry    string `toml:"entry"`
	Username string `toml:"username"`
	Domain   string `toml:"domain"`
	Secret   string `toml:"secret"`
}

// DialupCommands are the programs that bring the line up and down.
type DialupCommands struct {
	Up   []string `toml:"up"`
	Down []string `toml:"down"`
}

// Words of Target and Mailbox.
const (
	SMTP = "smtp"
	LMTP = "lmtp"
	POP3 = "pop3"
	IMAP = "imap"

	SecurityTLS      = "tls" // implicit, RFC 8314
	SecurityStartTLS = "starttls"
	SecurityNone     = "none"

	AuthNone    = "none"
	AuthAuto    = "auto"
	AuthUser    = "user"
	AuthAPOP    = "apop"
	AuthPlain   = "plain"
	AuthLogin   = "login"
	AuthCRAMMD5 = "cram-md5"
	AuthXOAUTH2 = "xoauth2"

	Global     = "global"
	Individual = "individual"
)

// Target is an office server.
type Target struct {
	Name           string   `toml:"name"`    // default: Host
	Domains        []string `toml:"domains"` // like Office.Domains; empty: the default target
	Host           string   `toml:"host"`    // a name in A-form, or an address without brackets
	Port           int      `toml:"port"`    // 1-65535
	Protocol       string   `toml:"protocol"`
	Security       string   `toml:"security"`
	Auth           string   `toml:"auth"`
	Username       string   `toml:"username"`
	Secret         string   `toml:"secret"`      // a reference
	ServerName     string   `toml:"server_name"` // "": Host
	CAFile         string   `toml:"ca_file"`     // as written, see Config.Path
	TLSPin         string   `toml:"tls_pin"`     // "" or "sha256:" + 64 lower case hex digits
	AllowPlaintext bool     `toml:"allow_plaintext_password"`
	Connections    int      `toml:"connections"` // 0: adapts between 2 and 8
	Sender         string   `toml:"sender"`      // "" or an address, rule 41
}

// Delivery is what holds for all targets.
type Delivery struct {
	QueueLifetime   Duration `toml:"queue_lifetime"`
	SpoolQuota      Size     `toml:"spool_quota"`
	DuplicateWindow Duration `toml:"duplicate_window"`
}

// Recipient is a person (or role) of the office.
type Recipient struct {
	Address   string   `toml:"address"`
	Aliases   []string `toml:"aliases"`
	Target    string   `toml:"target"`     // "" or the name of a Target
	DeliverAs string   `toml:"deliver_as"` // "" or the address for RCPT TO
}

// List is a distribution list.
type List struct {
	Address string   `toml:"address"`
	Members []string `toml:"members"`
}

// ListRule routes a mailing list (rule 18d). Exactly one of the first three is set.
type ListRule struct {
	ListID     string   `toml:"list_id"`
	ListPost   string   `toml:"list_post"`
	ToContains string   `toml:"to_contains"`
	DeliverTo  []string `toml:"deliver_to"`
}

// Mailbox is one mailbox at the provider.
type Mailbox struct {
	Name            string          `toml:"name"`
	ID              string          `toml:"id"` // the key of its state; see ResolveIDs
	Enabled         bool            `toml:"enabled"`
	Kind            string          `toml:"kind"`
	Protocol        string          `toml:"protocol"`
	Host            string          `toml:"host"` // like Target.Host
	Port            int             `toml:"port"`
	Security        string          `toml:"security"`
	Username        string          `toml:"username"`
	Secret          string          `toml:"secret"`
	Auth            string          `toml:"auth"`
	AllowPlaintext  bool            `toml:"allow_plaintext_password"`
	ServerName      string          `toml:"server_name"`
	CAFile          string          `toml:"ca_file"`
	TLSPin          string          `toml:"tls_pin"`
	DeliverTo       []string        `toml:"deliver_to"`
	FirstCollection FirstCollection `toml:"first_collection"`
	AfterDelivery   AfterDelivery   `toml:"after_delivery"`

	MaxMessageSize Size `toml:"max_message_size"`         // 0: no limit
	MaxMessages    int  `toml:"max_messages_per_session"` // 0: no limit
	MaxBytes       Size `toml:"max_bytes_per_session"`    // 0: no limit

	EnvelopeHeaders    []string `toml:"envelope_headers"`
	EnvelopeOccurrence int      `toml:"envelope_occurrence"` // 1 = topmost
	EnvelopePrefix     string   `toml:"envelope_prefix"`
	EnvelopePattern    string   `toml:"envelope_pattern"` // "" or RE2 with a group 1
	StripSubdomains    bool     `toml:"strip_subdomains"`
	ISPHosts           []string `toml:"isp_hosts"` // lower case, A-form; ["*"] switches the check off
	ReceivedFor        bool     `toml:"received_for"`
	ReceivedSkip       int      `toml:"received_skip"`
	UseBcc             bool     `toml:"use_bcc"`

	// Schedule is the effective one; OwnSchedule tells whether the mailbox
	// has a [mailbox.schedule] of its own.
	Schedule    Schedule `toml:"schedule"`
	OwnSchedule bool     `toml:"-"`
	// IDGiven tells that ID stands in the file; otherwise Load made it from
	// the name and ResolveIDs puts the remembered one in its place.
	IDGiven bool `toml:"-"`
}

// Log is what the log file holds.
type Log struct {
	Level       string `toml:"level"`
	Transcripts bool   `toml:"transcripts"`
	MaxSize     Size   `toml:"max_size"`
}

// Journal is how long the delivery log is kept.
type Journal struct {
	Keep Duration `toml:"keep"`
}

// Alerts is what to run when something needs the administrator.
type Alerts struct {
	Command []string `toml:"command"`
}

// Path returns p as an absolute path when it is relative to the file.
func (c *Config) Path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.Dir, p)
}

// Mailbox returns the mailbox with the given name, nil when there is none.
func (c *Config) Mailbox(name string) *Mailbox {
	for i := range c.Mailboxes {
		if c.Mailboxes[i].Name == name {
			return &c.Mailboxes[i]
		}
	}
	return nil
}

// HasGlobal tells whether a global mailbox is configured, enabled or not.
func (c *Config) HasGlobal() bool {
	return slices.ContainsFunc(c.Mailboxes, func(m Mailbox) bool { return m.Kind == Global })
}

// SecretRefs returns the references that the configuration names, each once,
// in the order of the file.
func (c *Config) SecretRefs() []string {
	var refs []string
	add := func(ref string) {
		if ref != "" && !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
	}
	if c.Connection.Dialup != nil {
		add(c.Connection.Dialup.Secret)
	}
	for _, t := range c.Targets {
		add(t.Secret)
	}
	for _, m := range c.Mailboxes {
		add(m.Secret)
	}
	return refs
}
