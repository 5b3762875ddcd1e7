package engine

import "context"

type sessionKey struct{}

// SessionID is the id of the session that a Dial is for, "" without one: each
// line of the log that belongs to it carries it.
func SessionID(ctx context.Context) string {
	id, _ := ctx.Value(sessionKey{}).(string)
	return id
}
