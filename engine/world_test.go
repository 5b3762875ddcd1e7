package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"postbag/engine"
	"postbag/engine/deliver"
	"postbag/engine/mailtest"
	"postbag/engine/route"
	"postbag/engine/schedule"
	"postbag/engine/source"
	"postbag/engine/source/pop3"
	"postbag/engine/store"
)

const (
	global   = "office-42" // login and id of the global mailbox
	password = "secret"
	unknown  = "postmaster@office.test"
)

// clock is a clock that tests set forward.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	own   bool // it is time.Now, of a bubble of testing/synctest
	still bool // but for add
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.own {
		return time.Now()
	}
	if !c.still {
		c.now = c.now.Add(time.Millisecond) // no two things happen at once
	}
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a provider, an engine with a real store, and an office server.
type world struct {
	t      testing.TB
	dir    string
	clock  *clock
	isp    *mailtest.POP3
	office *mailtest.SMTP
	store  *store.Store
	e      *engine.Engine
	set    engine.Settings
	log    *slog.Logger

	people []route.Person // all known when empty
	lists  []route.List

	mu     sync.Mutex
	events []engine.Event
	fault  func(mailtest.POP3Command) *mailtest.POP3Fault
	want   map[string][]string // who must have a message in the end; by its id
	copies map[string][]string // who must have it before it may be deleted at the provider; by UIDL and id
	noUIDL bool
	reuse  bool // UIDLs are the smallest numbers that are free
	loose  bool // DELE is not guarded
	put    int
	seen   int                       // mails of the office that are in got
	got    map[string]map[string]int // copies at the office, by message id and address
}

type worldOptions struct {
	pop3   mailtest.POP3Options
	smtp   mailtest.SMTPOptions
	boxes  []string // individual mailboxes besides the global one, for NAME@office.test
	policy source.Policy
	people []route.Person
	lists  []route.List
}

// newWorld starts the servers and opens the engine.
func newWorld(t testing.TB, o worldOptions) *world {
	t.Helper()
	w := newServers(t, o)
	w.begin(o)
	return w
}

// begin opens the engine.
func (w *world) begin(o worldOptions) {
	w.open()
	w.addMailbox(global, o.policy)
	for _, b := range o.boxes {
		w.addMailbox(b, o.policy)
	}
	w.start()
}

// newServers starts the servers.
func newServers(t testing.TB, o worldOptions) *world {
	t.Helper()
	w := &world{
		t: t, dir: t.TempDir(), clock: &clock{now: time.Now().Truncate(time.Second)}, people: o.people, lists: o.lists,
		want: make(map[string][]string), copies: make(map[string][]string), got: make(map[string]map[string]int), log: slog.New(slog.DiscardHandler),
	}
	if os.Getenv("POSTBAG_TEST_LOG") != "" {
		w.log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	o.pop3.Users = map[string]string{global: password}
	for _, b := range o.boxes {
		o.pop3.Users[b] = password
	}
	o.pop3.Now, o.pop3.Record = w.clock.Now, true
	w.fault, w.noUIDL = o.pop3.Fault, o.pop3.NoUIDL
	o.pop3.Fault = w.script
	var err error
	if w.isp, err = mailtest.NewPOP3(o.pop3); err != nil {
		t.Fatal(err)
	}
	if w.office, err = mailtest.NewSMTP(o.smtp); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	protocol := deliver.ProtocolSMTP
	if o.smtp.LMTP {
		protocol = deliver.ProtocolLMTP
	}
	w.set = engine.Settings{
		Targets:       []deliver.Target{{Name: "office", Host: w.office.Host(), Port: w.office.Port(), Protocol: protocol, HeloName: "postbag.test"}},
		QueueLifetime: 5 * 24 * time.Hour, SpoolQuota: 2e9, JournalKeep: 365 * 24 * time.Hour, Hostname: "postbag.test", Location: time.UTC,
	}
	return w
}

// open opens the store.
func (w *world) open() {
	w.t.Helper()
	var err error
	if w.store, err = store.Open(w.t.Context(), store.Options{Dir: w.dir, Now: w.clock.Now, Log: w.log}); err != nil {
		w.t.Fatal(err)
	}
}

// start makes an engine on the open store.
func (w *world) start() {
	w.e = engine.New(w.set, engine.Deps{
		Store: w.store, Log: w.log, Now: w.clock.Now, Jitter: func() float64 { return 0.5 },
		Secret: func(context.Context, string) (string, error) { return "", nil },
	})
	w.e.Subscribe(func(ev engine.Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.events = append(w.events, ev)
	})
}

// restart closes the store and begins anew, as after the end of the process.
func (w *world) restart() {
	w.t.Helper()
	if err := w.store.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.open()
	w.rules()
	w.start()
}

func (w *world) close() {
	if w.store != nil {
		_ = w.store.Close()
	}
	_ = w.isp.Close()
	_ = w.office.Close()
}

// officeRouter routes for the domain office.test.
func officeRouter(st *store.Store, people []route.Person, lists []route.List) (*route.Router, error) {
	return route.New(route.Office{
		Domains: []string{"office.test"}, UnknownRecipient: unknown, PlusAddresses: true, Recipients: people, Lists: lists,
		InstallationID: st.InstallationID(), Targets: []route.TargetDomain{{Name: "office"}},
	})
}

// rulesOf compiles the rules of one mailbox.
func rulesOf(r *route.Router, id string) (*route.Rules, error) {
	m := route.Mailbox{ID: id, Name: id, Kind: "global", Username: id, EnvelopeHeaders: []string{"X-Original-To"}}
	if id != global {
		m.Kind, m.DeliverTo = "individual", []string{id + "@office.test"}
	}
	return r.Compile(m)
}

// rules compiles the routing of all mailboxes.
func (w *world) rules() {
	w.t.Helper()
	r, err := officeRouter(w.store, w.people, w.lists)
	if err != nil {
		w.t.Fatal(err)
	}
	w.set.Route, w.set.Unknown = r.Lookup, r.Unknown()
	for i := range w.set.Mailboxes {
		if w.set.Mailboxes[i].Rules, err = rulesOf(r, w.set.Mailboxes[i].ID); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) addMailbox(id string, p source.Policy) {
	w.set.Mailboxes = append(w.set.Mailboxes, engine.Mailbox{
		ID: id, Name: id, Host: "isp.test", Policy: p, Enabled: true, Schedule: schedule.Default(), Dial: w.dial(id, password),
	})
	w.rules()
}

func (w *world) dial(user, password string) func(context.Context) (source.Session, error) {
	return dialer(w.isp.Host(), w.isp.Port(), user, password, w.log)
}

func dialer(host string, port int, user, password string, log *slog.Logger) func(context.Context) (source.Session, error) {
	return func(ctx context.Context) (source.Session, error) {
		s, err := pop3.Dial(ctx, pop3.Options{
			Host: host, Port: port, Security: pop3.SecurityNone, Username: user, Password: password, AllowPlaintextPassword: true,
			Log: log, Timeouts: pop3.Timeouts{Reply: 2 * time.Second, Data: 2 * time.Second, Quit: 2 * time.Second},
		})
		if err != nil {
			return nil, err
		}
		return s, nil
	}
}

// policy changes what all mailboxes allow, in a new engine.
func (w *world) policy(p source.Policy) {
	for i := range w.set.Mailboxes {
		w.set.Mailboxes[i].Policy = p
	}
	w.start()
}

// script guards what the engine deletes, and passes on to the test's script.
func (w *world) script(c mailtest.POP3Command) *mailtest.POP3Fault {
	if c.Verb == "DELE" {
		w.guard(c)
	}
	w.mu.Lock()
	f := w.fault
	w.mu.Unlock()
	if f == nil {
		return nil
	}
	return f(c)
}

// misbehave replaces the script of the provider.
func (w *world) misbehave(f func(mailtest.POP3Command) *mailtest.POP3Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = f
}

// guard is goal 1: nothing is deleted at the provider unless everybody whom it
// is for has it, or it lies in quarantine.
func (w *world) guard(c mailtest.POP3Command) {
	n, _ := strconv.Atoi(c.Arg)
	list := w.isp.Messages(c.User)
	if n < 1 || n > len(list) {
		w.t.Errorf("DELE %s: there are %d messages", c.Arg, len(list))
		return
	}
	if w.loose {
		return
	}
	id := idOf(list[n-1].Bytes)
	if why := w.unsafe(list[n-1].UID, id); why != "" {
		w.t.Errorf("DELE of %s (UIDL %s): %s", id, list[n-1].UID, why)
	}
}

// unsafe tells what a message still lacks before it may be deleted.
func (w *world) unsafe(uid, id string) string {
	got := w.delivered()
	w.mu.Lock()
	defer w.mu.Unlock()
	need, known := w.copies[uid+" "+id]
	if !known {
		return "nobody put it there"
	}
	if slices.ContainsFunc(need, func(to string) bool { return !slices.Contains(w.want[id], to) }) {
		need = w.want[id] // the test has other wishes
	}
	for _, to := range need {
		if got[id][to] == 0 && !w.quarantined(id) {
			return "<" + to + "> does not have it"
		}
	}
	return ""
}

// quarantined looks for the message among the files.
func (w *world) quarantined(id string) bool {
	names, _ := filepath.Glob(filepath.Join(w.dir, "quarantine", "*.eml"))
	return slices.ContainsFunc(names, func(name string) bool {
		b, err := os.ReadFile(name)
		return err == nil && idOf(b) == id
	})
}

// delivered counts the copies at the office by message and address.
func (w *world) delivered() map[string]map[string]int {
	mails := w.office.Mails()
	w.mu.Lock()
	defer w.mu.Unlock()
	// Another session may have looked later and counted sooner.
	for _, m := range mails[min(w.seen, len(mails)):] {
		id := idOf(m.Data)
		if w.got[id] == nil {
			w.got[id] = make(map[string]int)
		}
		for _, r := range m.Rcpts {
			w.got[id][r]++
		}
	}
	w.seen = max(w.seen, len(mails))
	out := make(map[string]map[string]int, len(w.got))
	for id, m := range w.got {
		out[id] = make(map[string]int, len(m))
		for a, n := range m {
			out[id][a] = n
		}
	}
	return out
}

// idOf is what stands in Message-ID before the @.
func idOf(raw []byte) string {
	_, rest, ok := bytes.Cut(raw, []byte("Message-ID: <"))
	if !ok {
		return ""
	}
	id, _, _ := bytes.Cut(rest, []byte("@"))
	return string(id)
}

// letter makes a message with an envelope header.
func letter(id string, to ...string) []byte {
	return fmt.Appendf(nil, "X-Original-To: %s\r\nMessage-ID: <%s@sender.test>\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\n"+
		"From: Zoe <zoe@sender.test>\r\nTo: somebody@elsewhere.test\r\nSubject: about %s\r\n\r\nDear all,\r\n.\r\n..%s\r\n", strings.Join(to, ", "), id, id, id)
}

// padded makes a letter longer by n octets or so.
func padded(raw []byte, n int) []byte {
	return append(slices.Clip(raw), strings.Repeat(strings.Repeat("x", 70)+"\r\n", n/72+1)...)
}

// post puts a letter into the global mailbox and says who must get it.
func (w *world) post(id string, to ...string) string {
	return w.postRaw(global, "", id, letter(id, to...), to...)
}

func (w *world) postRaw(user, uid, id string, raw []byte, want ...string) string {
	w.mu.Lock()
	for _, to := range want {
		if !slices.Contains(w.want[id], to) {
			w.want[id] = append(w.want[id], to)
		}
	}
	if w.want[id] == nil {
		w.want[id] = []string{}
	}
	w.put++
	if uid == "" {
		uid = fmt.Sprintf("%08x", w.put)
		if w.reuse {
			uid = w.freeUID(user)
		}
	}
	w.copies[uid+" "+id] = want
	w.mu.Unlock()
	return w.isp.AddMessage(user, uid, raw)
}
