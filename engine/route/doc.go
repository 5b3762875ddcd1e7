// Package route decides for whom a message is: a pure function of the rules of
// the office, the rules of a mailbox and the header of the message (rules 17 to
// 33 and 36). It does no I/O, keeps no state and gives the same answer each
// time, so that a message may be routed again after a crash.
//
// New builds the Router of an office, Compile the Rules of one mailbox, Decide
// applies them to a header.
package route
