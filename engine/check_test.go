package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"postbag/engine"
	"postbag/engine/mail"
	"postbag/engine/store"
)

// stop has everything happen at once between two calls of add.
func (c *clock) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.still = true
}

// limit is how long a collection of a test may take.
const limit = 60 * time.Second

// collect does one collection.
func (w *world) collect(ids ...string) engine.Report {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), limit)
	defer cancel()
	rep, err := w.e.CollectOnce(ctx, ids)
	if err != nil {
		w.t.Fatalf("collect: %v", err)
	}
	if rep.Interrupted {
		w.t.Fatal("the collection did not end by itself")
	}
	w.balanced()
	return rep
}

// balance is rule 49.
func (w *world) balance() map[mail.State]int64 {
	w.t.Helper()
	b, err := w.store.Balance(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// balanced: every line of the journal is in the state in which the balance
// counts it (rule 49).
func (w *world) balanced() {
	w.t.Helper()
	counted := make(map[mail.State]int64)
	err := w.store.Log(context.Background(), store.Filter{}, func(en mail.Entry) error {
		counted[en.State]++
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for s, n := range w.balance() {
		if counted[s] != n {
			w.t.Errorf("the balance counts %d %s, the journal has %d", n, s, counted[s])
		}
	}
}

// states tells the states that are not empty, as "delivered 3, queued 1".
func (w *world) states() string {
	w.t.Helper()
	var parts []string
	b := w.balance()
	for _, s := range mail.States() {
		if b[s] != 0 {
			parts = append(parts, fmt.Sprintf("%s %d", s, b[s]))
		}
	}
	return strings.Join(parts, ", ")
}

func (w *world) wantStates(want string) {
	w.t.Helper()
	if got := w.states(); got != want {
		w.t.Errorf("states: %q, want %q\n%s", got, want, w.story())
	}
}

// story prints the journal.
func (w *world) story() string {
	var b strings.Builder
	_ = w.store.Log(context.Background(), store.Filter{}, func(en mail.Entry) error {
		fmt.Fprintf(&b, "  %s uid=%q %s %s at_source=%s reason=%q", en.MailboxID, en.UID, en.MessageID, en.State, en.AtSource, en.Reason)
		for _, r := range en.Recipients {
			fmt.Fprintf(&b, " [%s %s %d %q]", r.Address, r.State, r.Attempts, r.Reply)
		}
		b.WriteString("\n")
		return nil
	})
	return b.String()
}

// exactly asserts that every letter is at the office once for each of its
// people, and nothing else is there. twice: those that may have come again.
func (w *world) exactly(twice ...string) {
	w.t.Helper()
	got := w.delivered()
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, want := range w.want {
		for _, to := range want {
			n := got[id][to]
			if n == 0 || n > 1 && !slices.Contains(twice, id) {
				w.t.Errorf("%s: <%s> has it %d times\n%s", id, to, n, w.storyOf(id))
			}
		}
	}
	for id, m := range got {
		for to := range m {
			if !slices.Contains(w.want[id], to) {
				w.t.Errorf("%s: <%s> has it and should not", id, to)
			}
		}
	}
}

func (w *world) atISP(want int) {
	w.t.Helper()
	n := 0
	for _, mb := range w.set.Mailboxes {
		n += len(w.isp.Messages(mb.ID))
	}
	if n != want {
		w.t.Errorf("%d messages lie at the provider, want %d\n%s", n, want, w.story())
	}
}

// count tells how often clients said a verb to the provider.
func (w *world) count(verb string) int {
	n := 0
	for _, c := range w.isp.Commands() {
		if c.Verb == verb {
			n++
		}
	}
	return n
}

// attention returns the codes of what needed a person, in order.
func (w *world) attention() []mail.Code {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []mail.Code
	for _, ev := range w.events {
		if ev.Kind == engine.EventAttention {
			out = append(out, ev.Failure.Code)
		}
	}
	return out
}

func (w *world) result(rep engine.Report, kind engine.ResultKind) {
	w.t.Helper()
	if len(rep.Results) != 1 || rep.Results[0].Kind != kind {
		w.t.Errorf("results %+v (%v), want %s", rep.Results, rep.Results[0].Failure, kind)
	}
}

// storyOf prints what the journal knows of one letter.
func (w *world) storyOf(id string) string {
	var b strings.Builder
	_ = w.store.Log(context.Background(), store.Filter{}, func(en mail.Entry) error {
		if idOf([]byte("Message-ID: "+en.MessageID)) == id {
			fmt.Fprintf(&b, "%+v\n", en)
		}
		return nil
	})
	for _, m := range w.office.Mails() {
		if idOf(m.Data) == id {
			fmt.Fprintf(&b, "office: conn %d to %v\n", m.Conn, m.Rcpts)
		}
	}
	return b.String()
}

// rows returns all messages of the journal in the order in which they were seen.
func (w *world) rows() []int64 {
	w.t.Helper()
	var rows []int64
	err := w.store.Log(context.Background(), store.Filter{}, func(en mail.Entry) error {
		rows = append(rows, en.Row)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(rows)
	return rows
}

// freeUID is the smallest number that no message of the mailbox has for UIDL.
func (w *world) freeUID(user string) string {
	used := make(map[string]bool)
	for _, m := range w.isp.Messages(user) {
		used[m.UID] = true
	}
	for n := 1; ; n++ {
		if uid := strconv.Itoa(n); !used[uid] {
			return uid
		}
	}
}
