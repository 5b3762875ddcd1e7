// Package mail holds the words that the stages of the engine share: the key of
// a message, its states, the decision for whom it is, and the one error type
// that says who can mend a fault. It does no I/O.
package mail
