package mail

// State is where a message, or its copy for one recipient, has got to. Every
// UIDL ever seen is in exactly one state (rule 49).
type State string

// The states of a message; a recipient knows only queued, quarantined,
// delivered, duplicate and deleted.
const (
	Waiting     State = "waiting"     // listed at the provider, not collected yet
	TooBig      State = "too_big"     // over max_message_size, stays at the provider
	Failed      State = "failed"      // set aside after three failed fetches, stays at the provider
	Collected   State = "collected"   // durable here, not routed yet
	Queued      State = "queued"      // at least one recipient is still to be served
	Quarantined State = "quarantined" // set aside here, also as an .eml file
	Filtered    State = "filtered"    // not wanted, by a setting of the user
	Delivered   State = "delivered"   // accepted by the office server for all recipients
	Duplicate   State = "duplicate"   // every recipient already has it
	Deleted     State = "deleted"     // by a person, here or at the provider
)

// States lists every state in the order of the balance sheet.
func States() []State {
	return []State{Waiting, TooBig, Failed, Collected, Queued, Quarantined, Filtered, Delivered, Duplicate, Deleted}
}

// Settled tells whether nothing remains to be done for the message here, so
// that the policy of its mailbox may delete it at the provider (rule 12).
func (s State) Settled() bool {
	switch s {
	case Quarantined, Filtered, Delivered, Duplicate, Deleted:
		return true
	}
	return false
}

// Worst is the state of a message whose recipients are in the given states:
// queued, quarantined, delivered, duplicate, in this order. Recipients that a
// person deleted count only when nothing else is left.
func Worst(recipients []State) State {
	for _, s := range []State{Queued, Quarantined, Delivered, Duplicate, Deleted} {
		for _, r := range recipients {
			if r == s {
				return s
			}
		}
	}
	return Collected
}

// AtSource is what is known about the provider's copy of a message.
type AtSource string

// The states of the provider's copy.
const (
	SourcePresent AtSource = "present" // listed in the last session
	SourceDeleted AtSource = "deleted" // DELE and QUIT were answered +OK
	SourceKept    AtSource = "kept"    // settled and left there by policy
	SourceGone    AtSource = "gone"    // vanished by itself
)
