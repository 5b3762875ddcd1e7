package attend

import (
	"log/slog"
	"time"

	"postbag/app/config"
	"postbag/app/i18n"
	"postbag/app/notify"
	"postbag/app/secret"
)

// SinkOptions say how the administrator is reached beside the digests.
type SinkOptions struct {
	Config *config.Config
	Texts  *i18n.Printer
	Now    func() time.Time
	Env    []string // os.Environ()
	Log    *slog.Logger
	// System describes the operating system's log; nil: do not use it.
	System *notify.SystemOptions
}

// Sinks returns the command of the [alerts] table, if there is one, and the log
// of the operating system, if it answers.
func Sinks(o SinkOptions) []notify.Sink {
	var out []notify.Sink
	if command := o.Config.Alerts.Command; len(command) > 0 {
		sink, err := notify.NewCommand(notify.CommandOptions{
			Command: command, Dir: o.Config.Dir, Texts: o.Texts, Now: o.Now, Env: o.Env, Secret: secretNames(o.Config),
		})
		if err != nil {
			o.Log.Error("the alert command cannot be used", "error", err)
		} else {
			out = append(out, sink)
		}
	}
	if o.System == nil {
		return out
	}
	options := *o.System
	options.Texts = o.Texts
	sink, err := notify.NewSystem(options)
	if err != nil {
		o.Log.Info("alerts do not go to the system's log", "reason", err) // containers have none
		return out
	}
	return append(out, sink)
}

// secretNames lists the variables of the environment that hold secrets: no
// child sees them.
func secretNames(cfg *config.Config) []string {
	var out []string
	for _, ref := range cfg.SecretRefs() {
		if r, err := secret.Parse(ref); err == nil && r.Scheme == secret.Env {
			out = append(out, r.Name)
		}
	}
	return out
}
