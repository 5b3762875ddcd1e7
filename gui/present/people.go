package present

import (
	"strings"

	"postbag/app/config"
)

// PeopleItems are the recipients of the office.
func PeopleItems() *Collection[config.Recipient] {
	return &Collection[config.Recipient]{
		Table: "recipient",
		Items: func(c *config.Config) *[]config.Recipient { return &c.Recipients },
		Name:  func(r config.Recipient) string { return r.Address },
		New:   func(*config.Config) config.Recipient { return config.Recipient{} },
		Fields: func(c *config.Config) []Field {
			targets := choices("", "main.person.target_default")
			for _, t := range c.Targets {
				targets = append(targets, Choice{Value: t.Name, Label: t.Name})
			}
			return []Field{
				{Key: "address", Label: "main.person.address"},
				{Key: "aliases", Label: "main.person.aliases", Hint: "main.hint.aliases", Kind: FieldWords},
				{Key: "target", Label: "main.person.target", Kind: FieldChoice, Choices: targets, More: true},
				{Key: "deliver_as", Label: "main.person.deliver_as", Hint: "main.hint.deliver_as", More: true},
			}
		},
		Follow: func(c *config.Config, old, now config.Recipient) { renameAddress(c, old.Address, now.Address) },
	}
}

// ListItems are addresses that stand for several people.
func ListItems() *Collection[config.List] {
	return &Collection[config.List]{
		Table: "list",
		Items: func(c *config.Config) *[]config.List { return &c.Lists },
		Name:  func(l config.List) string { return l.Address },
		New:   func(*config.Config) config.List { return config.List{} },
		Fields: func(*config.Config) []Field {
			return []Field{
				{Key: "address", Label: "main.list.address"},
				{Key: "members", Label: "main.list.members", Hint: "main.hint.one_a_line", Kind: FieldWords},
			}
		},
		Follow: func(c *config.Config, old, now config.List) { renameAddress(c, old.Address, now.Address) },
	}
}

// RuleItems give the mail of a mailing list to those who read it (rule 18d).
func RuleItems() *Collection[config.ListRule] {
	return &Collection[config.ListRule]{
		Table: "list_rule",
		Items: func(c *config.Config) *[]config.ListRule { return &c.ListRules },
		Name: func(r config.ListRule) string {
			for _, s := range []string{r.ListID, r.ListPost, r.ToContains} {
				if s != "" {
					return s
				}
			}
			return strings.Join(r.DeliverTo, ", ")
		},
		New: func(*config.Config) config.ListRule { return config.ListRule{} },
		Fields: func(*config.Config) []Field {
			return []Field{
				{Key: "list_id", Label: "main.rule.list_id", Hint: "main.hint.list_id"},
				{Key: "list_post", Label: "main.rule.list_post"},
				{Key: "to_contains", Label: "main.rule.to_contains"},
				{Key: "deliver_to", Label: "main.rule.deliver_to", Hint: "main.hint.one_a_line", Kind: FieldWords},
			}
		},
	}
}

// renameAddress puts a changed address in the place of the old one wherever
// the settings name it, so that mail does not go to nobody.
func renameAddress(c *config.Config, old, now string) {
	if old == now || old == "" {
		return
	}
	swap := func(s *string) {
		if config.Canonical(*s) == config.Canonical(old) {
			*s = now
		}
	}
	swapAll := func(list []string) {
		for i := range list {
			swap(&list[i])
		}
	}
	swap(&c.Office.UnknownRecipient)
	swap(&c.Office.Administrator)
	for i := range c.Lists {
		swapAll(c.Lists[i].Members)
	}
	for i := range c.ListRules {
		swapAll(c.ListRules[i].DeliverTo)
	}
	for i := range c.Mailboxes {
		swapAll(c.Mailboxes[i].DeliverTo)
	}
}
