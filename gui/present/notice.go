package present

import (
	"maps"
	"slices"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

// Notices decides what the desktop pops up: once per cause, in fixed sentences
// with numbers only. No text from mail or servers may get here: on Windows it
// would reach a shell.
type Notices struct {
	told     map[string]bool // causes that last
	setAside int64           // messages in quarantine when it was last told
	counted  bool            // setAside is known
}

// NewNotices returns the state in which nothing has been told.
func NewNotices() *Notices { return &Notices{told: make(map[string]bool)} }

// Know compares the state of the whole with what was told and returns what is
// to be told now: the keys of package notify's texts.
func (n *Notices) Know(st facts.Status) []Notice {
	var out []Notice
	open := make(map[string]bool)
	raise := func(cause, key string) {
		open[cause] = true
		if !n.told[cause] && !slices.Contains(out, Notice{key: key}) {
			out = append(out, Notice{key: key})
		}
	}
	for _, m := range st.Mailboxes {
		if tr, ok := mailboxTrouble(m); ok {
			raise("mailbox "+m.ID+" "+string(tr.fault.Code), noticeKey(tr.fault, false))
		}
	}
	for _, t := range st.Targets {
		if t.Fault != nil {
			raise("target "+t.Name+" "+string(t.Fault.Code), noticeKey(t.Fault, true))
		}
	}
	n.told = maps.Clone(open) // what is over may be told again when it comes back
	aside := st.Balance[mail.Quarantined]
	if n.counted && aside > n.setAside {
		out = append(out, Notice{key: "notify.begin.quarantine", count: aside - n.setAside})
	}
	n.setAside, n.counted = aside, true
	return out
}

// noticeKey chooses the sentence by the class of the fault alone.
func noticeKey(f *facts.Fault, target bool) string {
	switch {
	case f.Code == mail.CodeDiskFull || f.Code == mail.CodeSpoolFull:
		return "notify.begin.disk"
	case f.Code == mail.CodeStoreDamaged || f.Code == mail.CodeStoreNewer || f.Code == mail.CodeStore:
		return "notify.begin.store"
	case target && f.Class == mail.NeedsUser:
		return "notify.begin.target_settings"
	case target:
		return "notify.begin.target_down"
	case f.Class == mail.Internal:
		return "notify.begin.internal"
	}
	return "notify.begin.needs_user"
}

// Notice is one thing to pop up.
type Notice struct {
	key   string
	count int64 // of messages; 0: the sentence has no number
}

// Text is the sentence.
func (n Notice) Text(p *i18n.Printer) string {
	if n.count > 0 {
		return p.N(n.key, n.count)
	}
	return p.T(n.key)
}
