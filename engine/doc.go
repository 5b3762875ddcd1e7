// Package engine runs the stages and publishes what happens:
//
//	source ──▶ store ──▶ route ──▶ store ──▶ deliver ──▶ store ──▶ source
//	 RETR     draft    for whom?   bytes,      SMTP     outcome    DELE
//	                               envelopes                       QUIT
//
// fetch.go reads a message into a draft, asks route for whom it is and keeps
// bytes, fact and envelopes in one durable commit. A deliver.Pool per target
// works off the queue through queue.go, which books each attempt before it is
// made and records each outcome. session.go deletes at the provider only what
// the store calls settled. Whatever dies in between is found again at the next
// start: every step leaves the store in a state that the next run goes on from.
//
// Which message is it? Its UIDL says so, as long as it can be believed.
// identify.go goes by the content, together with the people whom it is for,
// where there is no UIDL, where several messages share one, and where messages
// may have got new ones. same.go looks at what is listed under the UIDL of a
// message that is gone before it is deleted unread. arrival.go holds a message
// whose size is not the one listed until the session proves to be in step.
// suspect.go tells bad messages from bad providers.
//
// Goals, in order: lose no mail, show the fate of every message, make no
// duplicates, give each message to the right person, be pleasant, be fast.
package engine
