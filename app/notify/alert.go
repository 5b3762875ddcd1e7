// Package notify tells a person when mail cannot: the command of the [alerts]
// table, the Windows Event Log, journald or syslog. Each cause is told once,
// and once more when it is over; what was told outlives a restart. What leaves
// this package are fixed words and numbers, never text from mail or servers.
package notify

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"postbag/engine/mail"
)

// Kind is what sort of thing happened. It is one of the fixed words that a
// command reads.
type Kind string

// The kinds.
const (
	NeedsUser      Kind = "needs_user"      // a mailbox waits for a person: password, certificate, settings
	SourceDown     Kind = "source_down"     // a mailbox could not be collected for long
	TargetDown     Kind = "target_down"     // an office server takes no mail
	TargetSettings Kind = "target_settings" // an office server refuses us, whatever the message
	Quarantine     Kind = "quarantine"      // messages are set aside
	Failed         Kind = "failed"          // messages that could not be fetched stay with the provider
	TooBig         Kind = "too_big"         // messages over the limit stay with the provider
	Disk           Kind = "disk"            // no room: the disk or the quota is full
	Store          Kind = "store"           // the store is damaged, or from a newer version
	Loop           Kind = "loop"            // messages go round in circles
	Renumbered     Kind = "renumbered"      // the provider numbered a mailbox anew
	Internal       Kind = "internal"        // a fault of this program
)

// Kinds lists every kind.
func Kinds() []Kind {
	return []Kind{NeedsUser, SourceDown, TargetDown, TargetSettings, Quarantine, Failed, TooBig, Disk, Store, Loop, Renumbered, Internal}
}

// Counted tells whether the kind counts messages. Such a cause grows; the
// others last.
func (k Kind) Counted() bool {
	switch k {
	case Quarantine, Failed, TooBig, Loop:
		return true
	}
	return false
}

// KindOf finds the kind of a failure. atTarget tells that it happened with an
// office server; otherwise it happened with a mailbox.
func KindOf(f *mail.Failure, atTarget bool) Kind {
	switch f.Code {
	case mail.CodeDiskFull, mail.CodeSpoolFull:
		return Disk
	case mail.CodeStoreDamaged, mail.CodeStoreNewer, mail.CodeStore:
		return Store
	case mail.CodeLoop:
		return Loop
	case mail.CodeTooBig:
		return TooBig
	case mail.CodeRenumbered:
		return Renumbered
	case mail.CodeInternal:
		return Internal
	case mail.CodeSuspended:
		return NeedsUser
	case mail.CodeTargetAuth, mail.CodeSender, mail.CodeRelay, mail.CodeTargetMissing:
		return TargetSettings
	}
	switch {
	case atTarget && f.Class == mail.NeedsUser:
		return TargetSettings
	case atTarget:
		return TargetDown
	case f.Class == mail.NeedsUser:
		return NeedsUser
	case f.Class == mail.Internal:
		return Internal
	}
	return SourceDown
}

// Alert is something that a person should know.
type Alert struct {
	// Cause is the key of what is told once: the caller's own word for "this
	// mailbox's password" or "this target", never shown to anybody.
	Cause string    `json:"cause"`
	Kind  Kind      `json:"kind"`
	Code  mail.Code `json:"code,omitempty"`  // what exactly; may be ""
	Count int       `json:"count,omitempty"` // of messages, for the kinds that count
	Since time.Time `json:"since"`           // when it began; zero: now
	Over  bool      `json:"over,omitempty"`  // it is over
}

// Translator finds the texts; *i18n.Printer is one.
type Translator interface {
	T(key string, args ...map[string]any) string
	N(key string, number int64, args ...map[string]any) string
}

// Text is the sentence that a person reads about the alert: which kind and how
// many, without a name of anybody or anything.
func (a Alert) Text(t Translator) string {
	state := "notify.begin."
	if a.Over {
		state = "notify.over."
	}
	kind := a.Kind.known()
	if kind.Counted() && !a.Over {
		return t.N(state+string(kind), int64(max(a.Count, 1)))
	}
	return t.T(state + string(kind))
}

// Keys lists the keys of the texts, for a test of the translations.
func Keys() []string {
	var keys []string
	for _, k := range Kinds() {
		keys = append(keys, "notify.begin."+string(k), "notify.over."+string(k))
	}
	return keys
}

func (k Kind) known() Kind {
	if slices.Contains(Kinds(), k) {
		return k
	}
	return Internal
}

// isWord tells whether a code looks like one: it comes from this program, but a
// mistake elsewhere must not carry a server's words into a shell script.
func isWord(code string) bool {
	for i, c := range []byte(code) {
		if (c < 'a' || c > 'z') && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return 0 < len(code) && len(code) <= 40
}

// report is what a command reads on its standard input: a line a fact, in this
// order, UTF-8, no other characters than the texts of the translations have.
func (a Alert) report(t Translator, now time.Time) string {
	since := a.Since
	if since.IsZero() {
		since = now
	}
	var b strings.Builder
	fmt.Fprintf(&b, "alert=1\nstate=%s\nkind=%s\ncode=%s\ncount=%d\n", a.state(), a.Kind.known(), a.code(), max(a.Count, 0))
	fmt.Fprintf(&b, "since=%s\nminutes=%d\n", since.UTC().Format(time.RFC3339), max(int64(now.Sub(since)/time.Minute), 0))
	fmt.Fprintf(&b, "text=%s\n", a.Text(t))
	return b.String()
}

// state is a fixed word.
func (a Alert) state() string {
	if a.Over {
		return "over"
	}
	return "begin"
}

// code is the alert's code as a fixed word, "none" without.
func (a Alert) code() string {
	if code := string(a.Code); isWord(code) {
		return code
	}
	return "none"
}
