// Package deliver hands messages to one office server by SMTP (RFC 5321) or
// LMTP (RFC 2033) and tells for every recipient what became of it.
//
//	Queue.Claim -> Pool -> Conn.Send: MAIL RCPT.. DATA body | Settle(n-1) durable | "." -> reply -> Queue.Settle
//
// What holds, whatever fails where:
//   - A recipient is Accepted only after a positive reply to the final dot (or
//     LMTP's own reply for it). Everything else is tried again, refused for
//     good with the server's words, or not counted as an attempt.
//   - On one connection the outcome of a message is durable before the final
//     dot of the next one is sent: a crash can cause one duplicate per
//     connection at most (rules 46 and 50).
//   - A fault of the target (down, wrong password, relay denied) pauses the
//     target and costs no message an attempt (rules 44 and 45).
//
// The traffic goes through the client of emersion/go-smtp. What it lacks stands
// around it: wire.go (deadlines on every write, one line per read, replies that
// are bounded, writes that are coalesced), dial.go (STARTTLS, own mechanisms)
// and body.go (line ends, dots, Return-Path, in constant memory).
package deliver
