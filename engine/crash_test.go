package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postbag/engine"
	"postbag/engine/deliver"
	"postbag/engine/mailtest"
	"postbag/engine/store"
)

// A child process is this test binary with crashDir set: it collects once and
// kills itself before the chosen transaction of the store.
const (
	crashDir    = "POSTBAG_ENGINE_CRASH_DIR"
	crashISP    = "POSTBAG_ENGINE_CRASH_ISP"    // port
	crashTarget = "POSTBAG_ENGINE_CRASH_TARGET" // port
	crashLMTP   = "POSTBAG_ENGINE_CRASH_LMTP"
	crashStep   = "POSTBAG_ENGINE_CRASH_STEP"
)

func TestMain(m *testing.M) {
	if os.Getenv(crashDir) != "" {
		if err := crashChild(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func number(name string) int {
	n, _ := strconv.Atoi(os.Getenv(name))
	return n
}

// crashChild collects. Whatever becomes durable asks the store's clock first,
// so the clock is where it dies.
func crashChild() error {
	var asked atomic.Int64
	step := int64(number(crashStep))
	now := func() time.Time {
		if asked.Add(1) == step {
			killSelf()
		}
		return time.Now()
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	st, err := store.Open(ctx, store.Options{Dir: os.Getenv(crashDir), Now: now})
	if err != nil {
		return err
	}
	router, err := officeRouter(st, nil, nil)
	if err != nil {
		return err
	}
	rules, err := rulesOf(router, global)
	if err != nil {
		return err
	}
	target := deliver.Target{Name: "office", Host: "127.0.0.1", Port: number(crashTarget), Connections: 2, HeloName: "postbag.test"}
	if os.Getenv(crashLMTP) != "" {
		target.Protocol = deliver.ProtocolLMTP
	}
	e := engine.New(engine.Settings{
		Targets: []deliver.Target{target}, QueueLifetime: 5 * 24 * time.Hour, Hostname: "postbag.test", Location: time.UTC,
		Route: router.Lookup, Unknown: router.Unknown(),
		Mailboxes: []engine.Mailbox{{ID: global, Name: global, Host: "isp.test", Rules: rules, Enabled: true,
			Dial: dialer("127.0.0.1", number(crashISP), global, password, slog.New(slog.DiscardHandler))}},
	}, engine.Deps{Store: st, Secret: func(context.Context, string) (string, error) { return "", nil }})
	_, err = e.CollectOnce(ctx, nil)
	return errors.Join(err, st.Close())
}

// killSelf ends this process without any chance to tidy up.
func killSelf() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill()
	}
	select {} // until it takes effect
}

// crash is one process that is killed, and what it worked between.
type crash struct {
	*world
	mu    sync.Mutex
	child *os.Process
	at    int // 0: not at a command of the servers
	count int
}

// step counts a command of either server and kills the child at the chosen one.
func (c *crash) step() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count++; c.count == c.at && c.child != nil {
		_ = c.child.Kill()
	}
}

// run has a child collect and tells whether it ended by itself.
func (c *crash) run(t *testing.T, lmtp bool, transaction int) bool {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), crashDir+"="+c.dir, crashISP+"="+strconv.Itoa(c.isp.Port()), crashTarget+"="+strconv.Itoa(c.office.Port()),
		crashStep+"="+strconv.Itoa(transaction))
	if lmtp {
		cmd.Env = append(cmd.Env, crashLMTP+"=1")
	}
	cmd.Stderr = os.Stderr
	c.mu.Lock()
	err = cmd.Start()
	c.child = cmd.Process
	c.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	c.mu.Lock()
	c.child, c.at = nil, 0
	c.mu.Unlock()
	if err != nil && cmd.ProcessState.Exited() && cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("the child failed by itself: %v", err)
	}
	return err == nil
}

// rule 50: killed at each transaction of the store, and at each command that a
// server hears, over SMTP and LMTP. Nothing is lost; at most one duplicate for
// each connection.
func TestRule50_Killed(t *testing.T) {
	for _, lmtp := range []bool{false, true} {
		for _, inside := range []bool{true, false} {
			t.Run(fmt.Sprintf("lmtp %v, transactions %v", lmtp, inside), func(t *testing.T) {
				t.Parallel()
				for step := 1; ; step++ {
					if killedAt(t, lmtp, inside, step) {
						break
					}
				}
			})
		}
	}
}

// killedAt walks the way once with a kill, and tells whether the way was too
// short for it.
func killedAt(t *testing.T, lmtp, inside bool, step int) (ended bool) {
	c := &crash{}
	transaction := 0
	if inside {
		transaction = step
	} else {
		c.at = step
	}
	w := newWorld(t, worldOptions{
		// Shared: the server may not have noticed yet that the dead one is gone.
		pop3: mailtest.POP3Options{Shared: true, Fault: func(mailtest.POP3Command) *mailtest.POP3Fault { c.step(); return nil }},
		smtp: mailtest.SMTPOptions{LMTP: lmtp, Script: func(mailtest.SMTPEvent) mailtest.SMTPAction { c.step(); return mailtest.SMTPAction{} }},
	})
	c.world = w
	defer w.close()
	w.post("a", anne)
	w.post("b", bob, anne)
	w.postRaw(global, "", "big", padded(letter("big", anne), 300<<10), anne)
	w.post("b", "carl@office.test", anne) // a copy, for somebody else too
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	ended = c.run(t, lmtp, transaction)
	connections, _ := w.office.Connections()
	w.store = nil
	w.open()
	w.rules()
	w.start()
	for range 2 {
		w.clock.add(2 * time.Hour)
		w.collect()
	}
	w.nothingLost(connections)
	w.atISP(0)
	if t.Failed() {
		t.Fatalf("killed at step %d", step)
	}
	return ended
}

// nothingLost: everybody has everything, and no more came twice than there
// were connections when the process died.
func (w *world) nothingLost(connections int) {
	w.t.Helper()
	twice := 0
	got := w.delivered()
	for id, want := range w.want {
		most := 0
		for _, to := range want {
			if n := got[id][to]; n == 0 {
				w.t.Errorf("<%s> does not have %s\n%s", to, id, w.storyOf(id))
			} else {
				most = max(most, n-1)
			}
		}
		twice += most
	}
	if twice > connections {
		w.t.Errorf("%d messages came twice over %d connections", twice, connections)
	}
	b := w.balance()
	if b["delivered"]+b["duplicate"] != int64(w.put) {
		w.t.Errorf("%d were put in: %s\n%s", w.put, w.states(), w.story())
	}
}
