package attend

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"postbag/app/config"
	"postbag/app/digest"
	"postbag/app/i18n"
	"postbag/app/notify"
	"postbag/engine"
	"postbag/engine/mail"
)

// office is all that an Attendant sees of the program.
type office struct {
	t      *testing.T
	ledger *notify.Memory
	person *person
	post   *postman
	cfg    *config.Config

	mu        sync.Mutex
	listeners []func(engine.Event)
	queue     []mail.Entry
	headers   map[int64]string
	fault     error // of the queue
}

func newOffice(t *testing.T) *office {
	cfg := config.Defaults()
	cfg.Office.Domains = []string{"office.test"}
	cfg.Office.Administrator = "admin@office.test"
	m := config.NewMailbox(cfg.Schedule)
	m.ID, m.Name, m.Host = "anne", "Anne at the provider", "pop.isp.test"
	other := config.NewMailbox(cfg.Schedule)
	other.ID, other.Name, other.Host = "bob", "Bob", "pop.isp.test"
	cfg.Mailboxes = []config.Mailbox{m, other}
	target := config.NewTarget()
	target.Name, target.Host = "office", "mail.office.test"
	cfg.Targets = []config.Target{target}
	return &office{t: t, ledger: new(notify.Memory), person: &person{}, post: &postman{}, cfg: cfg, headers: map[int64]string{}}
}

// run is one life of the program, from start to end.
func (o *office) run(life func()) {
	o.t.Helper()
	a, err := New(o.t.Context(), Deps{
		Subscribe: o.subscribe, Config: o.config,
		Queue: o.each, Balance: o.balance, Open: o.open,
		Ledger: o.ledger, Sinks: []notify.Sink{o.person}, Mailer: o.post,
		Texts: i18n.New("en").In(time.UTC), Installation: "test", Now: time.Now,
	})
	if err != nil {
		o.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(o.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); a.Run(ctx) }()
	synctest.Wait()
	life()
	stop()
	<-done
}

// config is the configuration in force; a change makes a new one.
func (o *office) config() *config.Config {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.cfg
}

func (o *office) configure(change func(*config.Config)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	cfg := *o.cfg
	cfg.Mailboxes = slices.Clone(cfg.Mailboxes)
	change(&cfg)
	o.cfg = &cfg
}

func (o *office) subscribe(f func(engine.Event)) func() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.listeners = append(o.listeners, f)
	i := len(o.listeners) - 1
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.listeners[i] = nil
	}
}

func (o *office) happen(events ...engine.Event) {
	for _, ev := range events {
		ev.Time = time.Now()
		o.mu.Lock()
		listeners := slices.Clone(o.listeners)
		o.mu.Unlock()
		for _, f := range listeners {
			if f != nil {
				f(ev)
			}
		}
	}
	synctest.Wait()
}

func (o *office) each(_ context.Context, each func(mail.Entry) error) error {
	o.mu.Lock()
	queue, fault := slices.Clone(o.queue), o.fault
	o.mu.Unlock()
	for _, e := range queue {
		if err := each(e); err != nil {
			return err
		}
	}
	return fault
}

func (o *office) balance(context.Context) (map[mail.State]int64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := map[mail.State]int64{}
	for _, e := range o.queue {
		out[e.State]++
	}
	return out, nil
}

func (o *office) open(_ context.Context, row int64) (io.ReadCloser, int64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	h, ok := o.headers[row]
	if !ok {
		return nil, 0, &mail.Failure{Class: mail.Permanent, Code: mail.CodeNotFound}
	}
	return io.NopCloser(strings.NewReader(h + "\r\nX-Not-Header: Precedence: bulk\r\n")), int64(len(h)), nil
}

// aside puts a message into quarantine and tells as the engine does.
func (o *office) aside(row int64, code mail.Code, header string) {
	o.mu.Lock()
	o.queue = append(o.queue, mail.Entry{
		Row: row, ID: fmt.Sprintf("K%d", row), Time: time.Now(), State: mail.Quarantined, MailboxID: "anne", Code: code,
		From: "carl@far.test", Subject: fmt.Sprintf("subject %d", row), Size: 1000, Route: "to_cc", Reason: "552 5.2.2 no room",
		Recipients: []mail.EntryRecipient{{Address: "anne@office.test", State: mail.Quarantined, Code: code, Reply: "552 5.2.2 no room"}},
	})
	o.headers[row] = header
	o.mu.Unlock()
	o.happen(engine.Event{Kind: engine.EventAttention, Mailbox: "anne", Failure: &mail.Failure{Class: mail.NeedsUser, Code: code, Op: "deliver"}})
}

func (o *office) remove(row int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = slices.DeleteFunc(o.queue, func(e mail.Entry) bool { return e.Row == row })
}

// ended is a collection of a mailbox that ended with f; nil: it went well.
func (o *office) ended(id string, f *mail.Failure) {
	res := engine.Result{Mailbox: id, Kind: engine.ResultOK, Failure: f}
	if f != nil {
		res.Kind = engine.ResultTemporary
		if f.Class == mail.NeedsUser {
			res.Kind = engine.ResultNeedsUser
		}
	}
	o.happen(engine.Event{Kind: engine.EventEnded, Mailbox: id, Result: res}, engine.Event{Kind: engine.EventIdle, Mailbox: id})
}

func (o *office) target(f *mail.Failure) {
	o.happen(engine.Event{Kind: engine.EventTarget, Target: "office", Failure: f})
}

func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// person is the alert command.
type person struct {
	mu    sync.Mutex
	heard []string
}

func (p *person) Name() string { return "command" }

func (p *person) Tell(_ context.Context, a notify.Alert) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	word := "begin"
	if a.Over {
		word = "over"
	}
	p.heard = append(p.heard, strings.TrimSpace(fmt.Sprintf("%s %s %s %d", a.Cause, a.Kind, word, a.Count)))
	return nil
}

func (p *person) check(t *testing.T, want ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Equal(p.heard, want) {
		t.Errorf("the command heard\n  %s\nwant\n  %s", strings.Join(p.heard, "\n  "), strings.Join(want, "\n  "))
	}
}

// postman is the office server for digests.
type postman struct {
	mu      sync.Mutex
	down    error
	refuse  error // of Deliver only
	reached int
	letters []digest.Letter
}

func (p *postman) Reach(context.Context, string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reached++
	return "office", p.down
}

func (p *postman) Deliver(_ context.Context, l digest.Letter) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down == nil && (p.refuse == nil || mail.AsFailure(p.refuse).Code == mail.CodeNoReply) {
		p.letters = append(p.letters, l)
	}
	if p.down != nil {
		return p.down
	}
	return p.refuse
}

func (p *postman) be(down, refuse error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down, p.refuse = down, refuse
}

// counts tells how often the server was asked and how many letters it has.
func (p *postman) counts() (reached, letters int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reached, len(p.letters)
}

// subjects checks what the letters are about.
func (p *postman) subjects(t *testing.T, want ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	var got []string
	for _, l := range p.letters {
		got = append(got, l.Subject)
	}
	if !slices.Equal(got, want) {
		t.Errorf("digests\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func (p *postman) first(t *testing.T) digest.Letter {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.letters) == 0 {
		t.Fatal("no digest was delivered")
	}
	return p.letters[0]
}

func (p *postman) last(t *testing.T) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.letters) == 0 {
		t.Fatal("no digest was delivered")
	}
	return strings.ReplaceAll(string(p.letters[len(p.letters)-1].Data), "=\r\n", "")
}

func failure(class mail.Class, code mail.Code) *mail.Failure {
	return &mail.Failure{Class: class, Code: code, Op: "login", Reply: "the server's words"}
}

func noLog() *slog.Logger { return slog.New(slog.DiscardHandler) }
