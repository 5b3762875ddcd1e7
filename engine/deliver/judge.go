package deliver

import (
	"regexp"
	"sync"

	"postbag/engine/mail"
)

const (
	streakLimit = 3  // rule 45: messages refused running without a success between
	strikeLimit = 3  // connections lost running without a success between
	busyLimit   = 10 // messages put off by the server itself without a success between
)

// settlement is a job with its outcomes, on its way to Queue.Settle.
type settlement struct {
	job      mail.Job
	outcomes []mail.Outcome
}

// judge sees the outcomes of all connections of a target in their order and
// tells the fault of one message from the fault of the target (rule 45): a
// refusal by policy (5.7.x) or of the sender is held back until a success, or
// the third refusal running, tells which one it is.
type judge struct {
	mu      sync.Mutex
	held    []settlement
	success bool // since the pool was quiet
	strikes int
	busy    int
}

// add takes the outcomes of one message. now is what is to be settled, the
// given job or earlier ones; pause is the fault of the target, if it has one.
func (j *judge) add(s settlement) (now []settlement, pause *mail.Failure) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case has(s.outcomes, accepted):
		j.success, j.strikes, j.busy = true, 0, 0
		// Others pass: what was refused was refused for its own sake.
		now, j.held = append(j.held, s), nil
		return now, nil
	case has(s.outcomes, suspicious):
		j.held = append(j.held, s)
		if len(j.held) < streakLimit {
			return nil, nil
		}
		return j.blameTarget()
	case busyTarget(s.outcomes):
		if j.busy++; j.busy >= busyLimit {
			j.busy = 0
			f := *s.outcomes[0].Failure
			f.Class, f.Code = mail.Transient, mail.CodeTargetBusy
			pause = &f
		}
	}
	return []settlement{s}, pause
}

// blameTarget turns everything held into a fault of the target's settings:
// nothing goes to quarantine. The attempt counts (MAIL was said), so that when
// the target is tried again others come first.
func (j *judge) blameTarget() (now []settlement, pause *mail.Failure) {
	for _, s := range j.held {
		for i := range s.outcomes {
			o := &s.outcomes[i]
			if !suspicious(*o) {
				continue
			}
			f := *o.Failure
			f.Class = mail.NeedsUser
			if f.Code == mail.CodePolicy {
				f.Code = mail.CodeRelay
			}
			o.Verdict, o.Failure = mail.Deferred, &f
			pause = &f
		}
	}
	now, j.held = j.held, nil
	return now, pause
}

// flush decides what is held when nothing else is left to compare with. A
// refused sender is the target's fault then. A policy refusal is believed if
// another message passed, or if it came after the data and speaks of nothing
// that a setting could mend; else it is tried again later.
func (j *judge) flush() (now []settlement, pause *mail.Failure) {
	j.mu.Lock()
	defer j.mu.Unlock()
	success := j.success
	j.success, j.busy = false, 0
	if success || len(j.held) == 0 {
		now, j.held = j.held, nil
		return now, nil
	}
	for _, s := range j.held {
		if has(s.outcomes, func(o mail.Outcome) bool { return suspicious(o) && o.Failure.Code == mail.CodeSender }) {
			return j.blameTarget()
		}
	}
	return j.putOff(aboutMessage), nil
}

// abandon gives up what is held at the end of a run: tried again later.
func (j *judge) abandon() []settlement {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.putOff(func(*mail.Failure) bool { return false })
}

// putOff defers what is held, save what is believed.
func (j *judge) putOff(believed func(*mail.Failure) bool) []settlement {
	for _, s := range j.held {
		for i := range s.outcomes {
			if o := &s.outcomes[i]; suspicious(*o) && !believed(o.Failure) {
				f := *o.Failure
				if f.Code == mail.CodePolicy {
					f.Class = mail.Transient
				}
				o.Verdict, o.Failure = mail.Deferred, &f
			}
		}
	}
	now := j.held
	j.held = nil
	return now
}

// strike counts a lost connection; the result is the fault of the target, or nil.
func (j *judge) strike(f *mail.Failure) *mail.Failure {
	j.mu.Lock()
	defer j.mu.Unlock()
	if f.Class == mail.Internal || f.Code == mail.CodeCancelled {
		return nil
	}
	j.strikes++
	silent := f.Code == mail.CodeTimeout && f.Op == OpMAIL
	if j.strikes < strikeLimit && f.Class != mail.NeedsUser && !silent {
		return nil
	}
	j.strikes = 0
	return f
}

func (j *judge) waiting() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.held)
}

func has(outcomes []mail.Outcome, what func(mail.Outcome) bool) bool {
	for _, o := range outcomes {
		if what(o) {
			return true
		}
	}
	return false
}

func all(outcomes []mail.Outcome, what func(mail.Outcome) bool) bool {
	return !has(outcomes, func(o mail.Outcome) bool { return !what(o) })
}

func accepted(o mail.Outcome) bool { return o.Verdict == mail.Accepted }

// suspicious outcomes may be the fault of the target's settings.
func suspicious(o mail.Outcome) bool {
	return o.Failure != nil && o.Verdict != mail.NotAttempted &&
		(o.Failure.Code == mail.CodePolicy || o.Failure.Code == mail.CodeSender)
}

// busyTarget: every recipient was put off, and not at RCPT, where greylisting
// and full mailboxes speak.
func busyTarget(outcomes []mail.Outcome) bool {
	for _, o := range outcomes {
		if o.Verdict != mail.Deferred || o.Failure == nil || o.Failure.Op == OpRCPT ||
			o.Failure.Code != mail.CodeDeferred && o.Failure.Code != mail.CodeTargetBusy {
			return false
		}
	}
	return len(outcomes) > 0
}

// Words by which servers speak of who may send, not of what was sent. QUIRK:
// Exchange says "5.7.60 Client does not have permissions to send as this
// sender" only after the data.
var aboutSettings = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)relay|send as|sender|permission|authenticat|not allowed`)
})

// aboutMessage tells that a policy refusal is about the content.
func aboutMessage(f *mail.Failure) bool {
	return f.Code == mail.CodePolicy && f.Op != OpRCPT && !aboutSettings().MatchString(f.Reply)
}
