package deliver

import (
	"time"

	"postbag/engine/mail"
)

// backoffSteps are those of rule 44.
var backoffSteps = [...]time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}

const (
	jitter       = 0.2            // at most so much is added
	userPause    = time.Hour      // a person must act; looking again costs the server little
	authPause    = 24 * time.Hour // after authAttempts wrong passwords: never hammer (rule 8)
	authAttempts = 3
)

// Backoff is the time to wait after so many attempts (1 = the first one was
// made): 1, 5, 15, 30, 60 minutes and so on hourly, plus up to a fifth that
// random, a number in [0,1), chooses (rule 44).
func Backoff(attempts int, random func() float64) time.Duration {
	i := min(max(attempts, 1), len(backoffSteps)) - 1
	d := backoffSteps[i]
	return d + time.Duration(float64(d)*jitter*random())
}

// PauseFor is the time for which a target rests after so many attempts in a
// row that ended with f.
func PauseFor(f *mail.Failure, attempts int, random func() float64) time.Duration {
	if f == nil || f.Class != mail.NeedsUser {
		return Backoff(attempts, random)
	}
	d := userPause
	if f.Code == mail.CodeTargetAuth && attempts >= authAttempts {
		d = authPause
	}
	return d + time.Duration(float64(d)*jitter*random())
}
