package present

import "postbag/app/config"

// ScheduleFields are the settings of [schedule] and [mailbox.schedule].
func ScheduleFields() []Field {
	return []Field{
		{Key: "every", Label: "main.schedule.every", Kind: FieldSpan},
		{Key: "days", Label: "main.schedule.days", Kind: FieldDays},
		{Key: "from", Label: "main.schedule.from", Hint: "main.hint.clock", Kind: FieldClock},
		{Key: "to", Label: "main.schedule.to", Hint: "main.hint.clock_to", Kind: FieldClock},
	}
}

// ScheduleSheet says when to collect.
func ScheduleSheet(cfg *config.Config) Sheet {
	return newSingle(cfg, "schedule", ScheduleFields(), func(c *config.Config) *config.Schedule { return &c.Schedule })
}

// ConnectionSheet says how this computer gets to the internet.
func ConnectionSheet(cfg *config.Config) Sheet {
	return newSingle(cfg, "connection", []Field{
		{Key: "kind", Label: "main.connection.kind", Hint: "main.hint.connection", Kind: FieldChoice,
			Choices: choices(config.Permanent, "main.connection.permanent", config.Router, "main.connection.router")},
	}, func(c *config.Config) *config.Connection { return &c.Connection })
}

// OfficeSheet is what belongs to the office as a whole.
func OfficeSheet(cfg *config.Config) Sheet {
	return newSingle(cfg, "office", []Field{
		{Key: "domains", Label: "main.office.domains", Hint: "main.hint.domains", Kind: FieldWords},
		{Key: "unknown_recipient", Label: "main.office.unknown_recipient", Hint: "main.hint.unknown_recipient"},
		{Key: "administrator", Label: "main.office.administrator", Hint: "main.hint.administrator"},
		{Key: "plus_addresses", Label: "main.office.plus_addresses", Hint: "main.hint.plus_addresses", Kind: FieldSwitch},
		{Key: "outside_allowed", Label: "main.office.outside_allowed", Hint: "main.hint.outside_allowed", Kind: FieldWords},
	}, func(c *config.Config) *config.Office { return &c.Office })
}

// DeliverySheet is what holds for all office servers.
func DeliverySheet(cfg *config.Config) Sheet {
	return newSingle(cfg, "delivery", []Field{
		{Key: "queue_lifetime", Label: "main.delivery.queue_lifetime", Hint: "main.hint.queue_lifetime", Kind: FieldSpan},
		{Key: "duplicate_window", Label: "main.delivery.duplicate_window", Hint: "main.hint.duplicate_window", Kind: FieldSpan},
		{Key: "spool_quota", Label: "main.delivery.spool_quota", Hint: "main.hint.spool_quota", Kind: FieldSize},
	}, func(c *config.Config) *config.Delivery { return &c.Delivery })
}

// JournalSheet says how long the delivery log is kept.
func JournalSheet(cfg *config.Config) Sheet {
	return newSingle(cfg, "journal", []Field{
		{Key: "keep", Label: "main.journal.keep", Hint: "main.hint.journal_keep", Kind: FieldSpan},
	}, func(c *config.Config) *config.Journal { return &c.Journal })
}

// LogSheet says what the technical log holds.
func LogSheet(cfg *config.Config) Sheet {
	return newSingle(cfg, "log", []Field{
		{Key: "level", Label: "main.logging.level", Kind: FieldChoice, Choices: choices("error", "main.logging.error", "warn", "main.logging.warn", "info", "main.logging.info", "debug", "main.logging.debug")},
		{Key: "max_size", Label: "main.logging.max_size", Kind: FieldSize},
		{Key: "transcripts", Label: "main.logging.transcripts", Hint: "main.hint.transcripts", Kind: FieldSwitch},
	}, func(c *config.Config) *config.Log { return &c.Log })
}

// AlertsSheet is what to run when something needs the administrator.
func AlertsSheet(cfg *config.Config) Sheet {
	return newSingle(cfg, "alerts", []Field{
		{Key: "command", Label: "main.alerts.command", Hint: "main.hint.alert_command", Kind: FieldLines},
	}, func(c *config.Config) *config.Alerts { return &c.Alerts })
}
