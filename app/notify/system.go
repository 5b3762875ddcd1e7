package notify

// SystemSource is the name under which the operating system's log shows our
// entries.
const SystemSource = "postbag"

// SystemOptions describe the log of the operating system.
type SystemOptions struct {
	Texts Translator

	// Journal and Syslog are the sockets of journald and syslog; "" are the
	// usual places. Not used on Windows.
	Journal, Syslog string
}

// serious tells the kinds that stop mail for the whole office.
func (k Kind) serious() bool {
	switch k {
	case TargetDown, TargetSettings, Disk, Store, Loop, Internal:
		return true
	}
	return false
}
