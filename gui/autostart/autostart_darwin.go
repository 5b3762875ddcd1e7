package autostart

// Entry switches the start at sign-in.
type Entry struct{ fileEntry }

// New returns the entry of this user.
func New(o Options) *Entry { return &Entry{agentEntry(o)} }
