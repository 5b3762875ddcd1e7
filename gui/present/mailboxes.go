package present

import (
	"strconv"
	"strings"
	"unicode"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

func choices(pairs ...string) []Choice {
	var out []Choice
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, Choice{Value: pairs[i], Label: pairs[i+1]})
	}
	return out
}

func securities() []Choice {
	return choices(config.SecurityTLS, "main.security.tls", config.SecurityStartTLS, "main.security.starttls", config.SecurityNone, "main.security.none")
}

func isGlobal(get func(string) string) bool     { return get("kind") == config.Global }
func isIndividual(get func(string) string) bool { return get("kind") == config.Individual }
func ownSchedule(get func(string) string) bool  { return get("OwnSchedule") == "true" }
func encrypted(get func(string) string) bool    { return get("security") != config.SecurityNone }
func inClear(get func(string) string) bool      { return get("security") == config.SecurityNone }

// MailboxItems are those at the provider.
func MailboxItems() *Collection[config.Mailbox] {
	return &Collection[config.Mailbox]{
		Table: "mailbox",
		Items: func(c *config.Config) *[]config.Mailbox { return &c.Mailboxes },
		Name:  func(m config.Mailbox) string { return m.Name },
		New: func(c *config.Config) config.Mailbox {
			m := config.NewMailbox(c.Schedule)
			m.Port = config.MailboxPort(m.Protocol, m.Security)
			if c.HasGlobal() {
				m.Kind = config.Individual
			}
			return m
		},
		Fields: func(*config.Config) []Field {
			return append(append(mailboxSettings(), mailboxPolicy()...), mailboxEnvelope()...)
		},
	}
}

func mailboxSettings() []Field {
	return []Field{
		{Key: "name", Label: "main.mailbox.name"},
		{Key: "enabled", Label: "main.mailbox.enabled", Kind: FieldSwitch},
		{Key: "kind", Label: "main.mailbox.kind", Kind: FieldChoice, Choices: choices(config.Global, "main.mailbox.kind_global", config.Individual, "main.mailbox.kind_individual")},
		{Key: "deliver_to", Label: "main.mailbox.deliver_to", Hint: "main.hint.one_a_line", Kind: FieldWords, When: isIndividual},
		{Key: "host", Label: "main.mailbox.host"},
		{Key: "port", Label: "main.field.port", Kind: FieldNumber},
		{Key: "security", Label: "main.field.security", Kind: FieldChoice, Choices: securities()},
		{Key: "allow_plaintext_password", Label: "main.field.allow_plaintext", Hint: "main.hint.allow_plaintext", Kind: FieldSwitch, When: inClear},
		{Key: "username", Label: "main.mailbox.username"},
		{Key: "password", Label: "main.field.password", Kind: FieldSecret},
	}
}

func mailboxPolicy() []Field {
	fields := []Field{
		{Key: "after_delivery", Label: "main.mailbox.after_delivery", Kind: FieldAfter},
		{Key: "first_collection", Label: "main.mailbox.first_collection", Hint: "main.hint.first_collection", Kind: FieldFirst},
		{Key: "OwnSchedule", Label: "main.mailbox.own_schedule", Kind: FieldSwitch},
	}
	for _, f := range ScheduleFields() {
		f.Key, f.When = "schedule."+f.Key, ownSchedule
		fields = append(fields, f)
	}
	return append(fields,
		Field{Key: "max_message_size", Label: "main.mailbox.max_message_size", Hint: "main.hint.no_limit", Kind: FieldSize},
		Field{Key: "max_messages_per_session", Label: "main.mailbox.max_messages", Hint: "main.hint.no_limit", Kind: FieldNumber, More: true},
		Field{Key: "max_bytes_per_session", Label: "main.mailbox.max_bytes", Hint: "main.hint.no_limit", Kind: FieldSize, More: true},
		Field{Key: "auth", Label: "main.field.auth", Kind: FieldChoice, Choices: choices(config.AuthAuto, "main.auth.auto", config.AuthUser, "main.auth.user",
			config.AuthAPOP, "main.auth.apop", config.AuthPlain, "main.auth.plain", config.AuthLogin, "main.auth.login",
			config.AuthCRAMMD5, "main.auth.cram_md5", config.AuthXOAUTH2, "main.auth.xoauth2"), More: true},
		Field{Key: "secret", Label: "main.field.secret", Hint: "main.hint.secret", More: true},
		Field{Key: "server_name", Label: "main.field.server_name", Hint: "main.hint.server_name", More: true, When: encrypted},
		Field{Key: "ca_file", Label: "main.field.ca_file", Hint: "main.hint.ca_file", More: true, When: encrypted},
		Field{Key: "tls_pin", Label: "main.field.tls_pin", Hint: "main.hint.tls_pin", More: true, When: encrypted},
		Field{Key: "protocol", Label: "main.field.protocol", Kind: FieldChoice, Choices: choices(config.POP3, "main.protocol.pop3"), More: true},
		Field{Key: "id", Label: "main.mailbox.key", Hint: "main.hint.key", More: true},
	)
}

func mailboxEnvelope() []Field {
	return []Field{
		{Key: "envelope_headers", Label: "main.mailbox.envelope_headers", Hint: "main.hint.envelope_headers", Kind: FieldWords, More: true, When: isGlobal},
		{Key: "envelope_occurrence", Label: "main.mailbox.envelope_occurrence", Hint: "main.hint.envelope_occurrence", Kind: FieldNumber, More: true, When: isGlobal},
		{Key: "envelope_prefix", Label: "main.mailbox.envelope_prefix", Hint: "main.hint.envelope_prefix", More: true, When: isGlobal},
		{Key: "envelope_pattern", Label: "main.mailbox.envelope_pattern", Hint: "main.hint.envelope_pattern", More: true, When: isGlobal},
		{Key: "isp_hosts", Label: "main.mailbox.isp_hosts", Hint: "main.hint.isp_hosts", Kind: FieldWords, More: true, When: isGlobal},
		{Key: "strip_subdomains", Label: "main.mailbox.strip_subdomains", Kind: FieldSwitch, More: true, When: isGlobal},
		{Key: "received_for", Label: "main.mailbox.received_for", Kind: FieldSwitch, More: true, When: isGlobal},
		{Key: "received_skip", Label: "main.mailbox.received_skip", Kind: FieldNumber, More: true, When: isGlobal},
		{Key: "use_bcc", Label: "main.mailbox.use_bcc", Hint: "main.hint.use_bcc", Kind: FieldSwitch, More: true, When: isGlobal},
	}
}

// MailboxPorts are those that follow from the security when a person has not
// typed another one.
func MailboxPorts(security string) int { return config.MailboxPort(config.POP3, security) }

// NewSecretRef makes a reference to the keyring for a mailbox or a target, from
// its name, that no other one uses.
func NewSecretRef(cfg *config.Config, name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(r)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
	}
	base := "keyring:" + strings.Trim(b.String(), "-")
	if base == "keyring:" {
		base = "keyring:postbag"
	}
	ref, taken := base, cfg.SecretRefs()
	for n := 2; containsFold(taken, ref); n++ {
		ref = base + "-" + strconv.Itoa(n)
	}
	return ref
}

func containsFold(list []string, s string) bool {
	for _, x := range list {
		if strings.EqualFold(x, s) {
			return true
		}
	}
	return false
}

// MailboxMark says how a mailbox stands out in a list.
func MailboxMark(m facts.MailboxStatus) Mark {
	switch {
	case m.Name == "" || !m.Enabled:
		return MarkNone
	case m.Suspended || m.Fault != nil && !m.Paused && m.Fault.Class == mail.NeedsUser:
		return MarkTrouble
	case m.Paused || m.Fault != nil:
		return MarkWaits
	}
	return MarkNone
}

// MailboxSentence says what is the matter with a mailbox, "" when nothing is.
func MailboxSentence(p *i18n.Printer, m facts.MailboxStatus) (string, Mark) {
	switch {
	case m.Name == "" || !m.Enabled:
		return "", MarkNone
	case m.Paused:
		return p.T("fault.paused"), MarkWaits
	}
	a, ok := ofMailbox(p, m)
	if !ok {
		return "", MarkNone
	}
	_, what, _ := strings.Cut(a.What, p.T("main.colon"))
	text := what + " " + a.Meaning + " " + a.Advice
	if a.Detail != "" {
		text += "\n" + a.Detail
	}
	return text, MailboxMark(m)
}

// NeedsPassword tells whether another password mends a mailbox.
func NeedsPassword(m facts.MailboxStatus) bool {
	return m.Suspended || m.Fault != nil && needsPassword(m.Fault.Code)
}
