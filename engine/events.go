package engine

import (
	"sync"
	"time"

	"postbag/engine/mail"
)

// EventKind names what happened.
type EventKind string

// The kinds of events.
const (
	EventSession   EventKind = "session"   // a session with a mailbox begins
	EventListed    EventKind = "listed"    // Total and TotalBytes are to be fetched
	EventFetched   EventKind = "fetched"   // one more message is here; Done, DoneBytes
	EventSettled   EventKind = "settled"   // an attempt at a message ended; State
	EventEnded     EventKind = "ended"     // the session with the mailbox ended; Failure or nil
	EventTarget    EventKind = "target"    // a target went down (Failure) or came back (nil)
	EventAttention EventKind = "attention" // something needs a person; Failure
	EventIdle      EventKind = "idle"      // a collection ended
)

// Event is a fact that left the engine. Fields that do not belong to its kind
// are zero.
type Event struct {
	Kind       EventKind
	Time       time.Time
	Mailbox    string // id
	Target     string
	Row        int64
	State      mail.State
	Total      int
	TotalBytes int64
	Done       int
	DoneBytes  int64
	Failure    *mail.Failure
	Result     Result    // of EventEnded
	Until      time.Time // of EventTarget: when it is tried again
}

// bus hands events to whoever listens. A listener is called on the goroutine
// that publishes and must not block.
type bus struct {
	mu        sync.Mutex
	next      int
	listeners map[int]func(Event)
}

func (b *bus) subscribe(f func(Event)) (cancel func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.listeners == nil {
		b.listeners = make(map[int]func(Event))
	}
	id := b.next
	b.next++
	b.listeners[id] = f
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.listeners, id)
	}
}

func (b *bus) publish(e Event) {
	b.mu.Lock()
	listeners := make([]func(Event), 0, len(b.listeners))
	for _, f := range b.listeners {
		listeners = append(listeners, f)
	}
	b.mu.Unlock()
	for _, f := range listeners {
		f(e)
	}
}
