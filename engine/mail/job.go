package mail

import "time"

// Copy is one recipient of a Job.
type Copy struct {
	ID       int64  // of the recipient's row in the store
	Address  string // for RCPT TO
	Attempts int    // including the one that is booked now
}

// Job is one SMTP transaction to be made: one message, one target, the
// recipients that may share it.
type Job struct {
	Message  int64  // row of the message in the store
	ID       string // public id of the message
	Mailbox  string // id of the mailbox
	Source   string // host of the provider, for the trace header
	Target   string // name of the target
	Sender   string // envelope sender, "" = <>
	Copies   []Copy
	Unknown  bool   // the unknown recipient's copy
	Outside  bool   // rule 33
	Reason   string // X-Postbag-Reason, only when Unknown
	Size     int64  // octets of the stored message
	Received time.Time
	Queued   time.Time // when the message was kept: the queue's lifetime counts from here
}

// Verdict is what became of one Copy in one attempt.
type Verdict int

// The verdicts. Deferred is the zero value: what nobody judged is tried again.
const (
	Deferred     Verdict = iota // 4xx, no reply, connection lost: try this one again
	Accepted                    // 250 after the final dot (or LMTP's own reply): never sent again
	NoSuchUser                  // rule 45: give it to the unknown recipient
	Refused                     // 5xx that concerns this message or mailbox: quarantine
	NotAttempted                // nothing was said about this copy: the attempt does not count
)

// Outcome is the result for one Copy. Failure is nil when Accepted; Reply is
// the server's words, for Accepted the line with its queue id.
type Outcome struct {
	Copy       Copy
	Verdict    Verdict
	Reply      string
	Failure    *Failure
	Transcript string // of a Refused one: what was said in its transaction, without the data (rule 48)
}
