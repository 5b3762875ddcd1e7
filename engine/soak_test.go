package engine_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"postbag/engine/mail"
	"postbag/engine/mailtest"
	"postbag/engine/store"
)

// chaos makes the provider and the office server fail at random, but always
// the same way for the same seed and order of commands.
type chaos struct {
	reuse bool // the provider numbers what it has, so that UIDLs come again
	sizes bool // LIST tells sizes that are estimates
	deaf  bool // many answers to QUIT get lost, and many lines cannot be read

	mu  sync.Mutex
	rnd *rand.Rand
	on  bool
}

func (c *chaos) hit(p float64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.on && c.rnd.Float64() < p
}

func (c *chaos) n(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rnd.IntN(n)
}

func (c *chaos) behave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.on = false
}

// provider fails at one command in fifty.
func (c *chaos) provider(cmd mailtest.POP3Command) *mailtest.POP3Fault {
	if c.deaf && cmd.Verb == "QUIT" && c.hit(0.3) {
		return mailtest.POP3Cut(0)
	}
	if !c.hit(0.02) {
		return nil
	}
	switch c.n(6) {
	case 0:
		return mailtest.POP3Drop()
	case 1:
		return mailtest.POP3Reply("-ERR [SYS/TEMP] not now")
	case 2:
		return mailtest.POP3Cut(int64(c.n(400)))
	case 3:
		return mailtest.POP3Cut(0) // carried out, and nobody hears of it
	case 4:
		return says("+OK\r\nso much\r\n")
	}
	return says("-ERR idle too long\r\n")
}

// says answers with text and hangs up.
func says(text string) *mailtest.POP3Fault {
	return mailtest.POP3Stream(func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}

// line spoils a line of a list now and then.
func (c *chaos) line(verb string, number int, line string) string {
	if c.sizes && verb == "LIST" {
		return fmt.Sprintf("%d %d", number, 300+100*(number%5))
	}
	bad := 0.01
	if c.deaf {
		bad = 0.05
	}
	if !c.hit(bad) {
		return line
	}
	return [...]string{"", "x", fmt.Sprint(number), fmt.Sprintf("%d \x01\x02", number)}[c.n(4)]
}

// target fails at one step in twenty-five.
func (c *chaos) target(mailtest.SMTPEvent) mailtest.SMTPAction {
	if !c.hit(0.04) {
		return mailtest.SMTPAction{}
	}
	switch c.n(5) {
	case 0:
		return mailtest.SMTPAction{Drop: true}
	case 1:
		return mailtest.SMTPAction{Drop: true, Keep: true} // at the dot: taken, and nobody hears of it
	case 2:
		return mailtest.SMTPAction{Reply: "451 4.3.0 later"}
	case 3:
		return mailtest.SMTPAction{Reply: "421 4.3.2 shutting down"}
	}
	return mailtest.SMTPAction{Reply: "452 4.2.2 over quota for now"}
}

// Both servers fail at random steps of many collections, and the process ends
// between them; then they behave. Every message is where it belongs (rule 50).
func TestSoak(t *testing.T) {
	seeds := 2
	if n, err := strconv.Atoi(os.Getenv("POSTBAG_SOAK_SEEDS")); err == nil {
		seeds = n
	}
	kinds := map[string]func(*worldOptions, *chaos){
		"smtp":         func(*worldOptions, *chaos) {},
		"lmtp":         func(o *worldOptions, _ *chaos) { o.smtp.LMTP = true },
		"no UIDL":      func(o *worldOptions, _ *chaos) { o.pop3.NoUIDL = true },
		"wrong size":   func(_ *worldOptions, c *chaos) { c.sizes = true },
		"reused":       func(_ *worldOptions, c *chaos) { c.reuse = true },
		"deaf":         func(_ *worldOptions, c *chaos) { c.deaf = true },
		"deaf, reused": func(_ *worldOptions, c *chaos) { c.deaf, c.reuse = true, true },
		"few":          func(o *worldOptions, _ *chaos) { o.policy.MaxMessages, o.policy.MaxBytes = 7, 100<<10 },
	}
	for kind, set := range kinds {
		for seed := range seeds {
			t.Run(fmt.Sprintf("%s-%d", kind, seed), func(t *testing.T) {
				t.Parallel()
				c := &chaos{rnd: rand.New(rand.NewPCG(uint64(seed), 1)), on: true}
				o := worldOptions{pop3: mailtest.POP3Options{NoPipelining: seed%2 == 1}}
				set(&o, c)
				soak(t, c, o)
			})
		}
	}
}

func soak(t *testing.T, c *chaos, o worldOptions) {
	o.pop3.Fault, o.pop3.Line, o.smtp.Script = c.provider, c.line, c.target
	o.boxes = []string{"anne"}
	w := newWorld(t, o)
	w.reuse = c.reuse
	people := []string{"anne@office.test", "bob@office.test", "carl@office.test"}
	for round := range 8 {
		for i := range 12 {
			id := fmt.Sprintf("r%dm%d", round, i)
			switch {
			case i%4 == 0:
				w.postRaw("anne", "", id, letter(id, "carl@office.test"), "anne@office.test")
			case i == 7: // two copies of one message
				w.post(id, people[0])
				w.post(id, people[0])
			case i == 9:
				w.postRaw(global, "", id, padded(letter(id, people[1]), 300<<10), people[1])
			default:
				w.post(id, people[i%3], people[(i+1)%3])
			}
		}
		w.collect()
		w.clock.add(time.Duration(c.n(90)) * time.Minute)
		if round%3 == 2 {
			w.restart()
		}
	}
	c.behave()
	w.retryFailed()
	for i := 0; i < 20 && w.waits(); i++ {
		w.clock.add(2 * time.Hour)
		w.collect()
	}
	w.soaked()
}

// waits tells whether anything lies at the provider or is queued.
func (w *world) waits() bool {
	b := w.balance()
	n := b[mail.Queued] + b[mail.Waiting]
	for _, mb := range w.set.Mailboxes {
		n += int64(len(w.isp.Messages(mb.ID)))
	}
	return n > 0
}

// retryFailed is what a person does with messages that were set aside.
func (w *world) retryFailed() {
	w.t.Helper()
	var ids []string
	err := w.store.Queue(context.Background(), func(en mail.Entry) error {
		if en.State == mail.Failed {
			ids = append(ids, en.ID)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, id := range ids {
		if _, err := w.store.Retry(context.Background(), id); err != nil {
			w.t.Fatal(err)
		}
	}
}

// soaked asserts the end: no message is missing, and what came twice is marked
// as a possible duplicate.
func (w *world) soaked() {
	w.t.Helper()
	var twice []string
	err := w.store.Log(context.Background(), store.Filter{}, func(en mail.Entry) error {
		for _, r := range en.Recipients {
			if r.PossibleDuplicate {
				twice = append(twice, idOf([]byte("Message-ID: "+en.MessageID)))
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.exactly(twice...)
	w.atISP(0)
	b := w.balance()
	sum, put := b[mail.Delivered]+b[mail.Duplicate], int64(w.put)
	if w.noUIDL {
		// A copy cannot be told from one of which it was not heard whether it was
		// deleted, and what was confirmed to be deleted and was not is seen anew.
		sum, put = b[mail.Delivered], int64(len(w.want))
	}
	if sum != put {
		w.t.Errorf("%d messages were put in, the balance says %s\n%s", put, w.states(), w.story())
	}
}
