package control

import "time"

// timing holds how long one side waits for the other.
type timing struct {
	Beat  time.Duration // the engine gives a sign of life this often
	Quiet time.Duration // and is given up when none came for this long
	Hello time.Duration // to open the line and name the version
	Body  time.Duration // to send the arguments
	Write time.Duration // for a client to take what is written
	Idle  time.Duration // for a connection that asks nothing
	Order time.Duration // for the engine to take an order to cancel
	Grace time.Duration // for running calls to end when the engine stops
}

// timings are the usual ones. Signs of life come much more often than they
// must: the computer may be busy.
func timings() timing {
	return timing{
		Beat: 2 * time.Second, Quiet: 20 * time.Second, Hello: 10 * time.Second, Body: 5 * time.Second,
		Write: 30 * time.Second, Idle: 30 * time.Second, Order: time.Second,
		// A reply to a final dot is awaited up to 20 s (rule 9).
		Grace: 25 * time.Second,
	}
}
