package present

import (
	"time"

	"postbag/app/config"
	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/app/tell"
)

func signsIn(get func(string) string) bool { return get("auth") != config.AuthNone }
func clearSignIn(get func(string) string) bool {
	return signsIn(get) && get("security") == config.SecurityNone
}

// TargetItems are the office servers.
func TargetItems() *Collection[config.Target] {
	return &Collection[config.Target]{
		Table: "target",
		Items: func(c *config.Config) *[]config.Target { return &c.Targets },
		Name:  func(t config.Target) string { return t.Name },
		New: func(*config.Config) config.Target {
			t := config.NewTarget()
			t.Port = config.TargetPort(t.Protocol, t.Security)
			return t
		},
		Fields: func(*config.Config) []Field { return targetSettings() },
		Follow: func(c *config.Config, old, now config.Target) {
			for i := range c.Recipients {
				if c.Recipients[i].Target == old.Name {
					c.Recipients[i].Target = now.Name
				}
			}
		},
	}
}

func targetSettings() []Field {
	return []Field{
		{Key: "name", Label: "main.target.name", Hint: "main.hint.target_name"},
		{Key: "host", Label: "main.target.host"},
		{Key: "port", Label: "main.field.port", Kind: FieldNumber},
		{Key: "security", Label: "main.field.security", Kind: FieldChoice, Choices: securities()},
		{Key: "auth", Label: "main.field.auth", Kind: FieldChoice, Choices: choices(config.AuthNone, "main.auth.none", config.AuthPlain, "main.auth.plain",
			config.AuthLogin, "main.auth.login", config.AuthCRAMMD5, "main.auth.cram_md5", config.AuthXOAUTH2, "main.auth.xoauth2")},
		{Key: "username", Label: "main.target.username", When: signsIn},
		{Key: "password", Label: "main.field.password", Kind: FieldSecret, When: signsIn},
		{Key: "allow_plaintext_password", Label: "main.field.allow_plaintext", Hint: "main.hint.allow_plaintext", Kind: FieldSwitch, When: clearSignIn},
		{Key: "domains", Label: "main.target.domains", Hint: "main.hint.target_domains", Kind: FieldWords},
		{Key: "protocol", Label: "main.field.protocol", Kind: FieldChoice, Choices: choices(config.SMTP, "main.protocol.smtp", config.LMTP, "main.protocol.lmtp"), More: true},
		{Key: "secret", Label: "main.field.secret", Hint: "main.hint.secret", More: true, When: signsIn},
		{Key: "server_name", Label: "main.field.server_name", Hint: "main.hint.server_name", More: true, When: encrypted},
		{Key: "ca_file", Label: "main.field.ca_file", Hint: "main.hint.ca_file", More: true, When: encrypted},
		{Key: "tls_pin", Label: "main.field.tls_pin", Hint: "main.hint.tls_pin", More: true, When: encrypted},
		{Key: "connections", Label: "main.target.connections", Hint: "main.hint.connections", Kind: FieldNumber, More: true},
		{Key: "sender", Label: "main.target.sender", Hint: "main.hint.sender", More: true},
	}
}

// TargetSentence says what is the matter with an office server, "" when
// nothing is.
func TargetSentence(p *i18n.Printer, t facts.TargetStatus, now time.Time) (string, Mark) {
	if t.Fault == nil {
		return "", MarkNone
	}
	f := t.Fault.Failure()
	e := p.Fault(f, i18n.Context{Side: i18n.SideTarget, Name: t.Name, Host: t.Host})
	text := tell.Sentence(e.What) + " " + e.Meaning + " " + e.Advice
	if !t.PausedUntil.IsZero() {
		text += " " + p.T("status.target_until", i18n.Args{"Until": p.When(t.PausedUntil, now)})
	}
	if e.Detail != "" {
		text += "\n" + tell.Line(e.Detail)
	}
	if needsUser(f) {
		return text, MarkTrouble
	}
	return text, MarkWaits
}
