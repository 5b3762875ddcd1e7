package engine

import (
	"strings"
	"time"

	"postbag/engine/mail"
	"postbag/engine/store"
)

// settlement is what the store records for one copy.
type settlement = store.Settlement

// verdicts turns the outcomes of one SMTP transaction into what the store is
// to record (rules 43 to 46). next gives the time of the next attempt after so
// many.
func verdicts(j mail.Job, outcomes []mail.Outcome, s Settings, now time.Time, next func(attempts int) time.Time) []settlement {
	out := make([]settlement, 0, len(outcomes))
	for _, o := range outcomes {
		set := settlement{Copy: o.Copy, Reply: o.Reply}
		if o.Failure != nil {
			set.Code = o.Failure.Code
			if set.Reply == "" {
				set.Reply = o.Failure.Reply
			}
		}
		switch o.Verdict {
		case mail.Accepted:
			set.State = mail.Delivered
		case mail.Refused:
			set.State, set.Transcript = mail.Quarantined, o.Transcript // rule 48
		case mail.NoSuchUser:
			noSuchUser(&set, j, s)
		case mail.NotAttempted:
			set.State, set.Uncount, set.Next = mail.Queued, true, now
		default:
			set.State, set.Next = mail.Queued, next(o.Copy.Attempts)
			set.PossibleDuplicate = set.Code == mail.CodeNoReply // rule 46
			// What a person must mend at the target never costs a message (rule 45).
			ours := o.Failure == nil || o.Failure.Class != mail.NeedsUser
			if ours && s.QueueLifetime > 0 && now.Sub(j.Queued) >= s.QueueLifetime {
				set.State, set.Code = mail.Quarantined, mail.CodeLifetime // rule 44
			}
		}
		out = append(out, set)
	}
	return out
}

// noSuchUser gives the copy of a person whom the target does not know to the
// unknown recipient (rule 45); refused there too it goes to quarantine and is
// never routed again.
func noSuchUser(set *settlement, j mail.Job, s Settings) {
	to := s.unknown(set.Copy.Address)
	if j.Unknown || len(to) == 0 {
		set.State = mail.Quarantined
		return
	}
	set.State, set.Reroute = mail.Queued, to
	set.RerouteReason = "the office server does not know <" + set.Copy.Address + ">"
}

// unknown are the copies that the unknown recipient gets of a message for the
// refused address; none when there is nobody else.
func (s Settings) unknown(refused string) []mail.Recipient {
	var out []mail.Recipient
	for _, to := range s.Unknown {
		if strings.EqualFold(to.Address, refused) {
			continue
		}
		to.Unknown, to.For = true, refused
		out = append(out, to)
	}
	return out
}
