package deliver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"postbag/engine/mail"
	"postbag/engine/mailtest"
)

const sample = "Return-Path: <bounce@sender.test>\r\nFrom: a@sender.test\r\nSubject: hi\r\n\r\nbody\r\n.dot\r\n"
const sampleSent = "From: a@sender.test\r\nSubject: hi\r\n\r\nbody\r\n.dot\r\n"

func startSMTP(t testing.TB, o mailtest.SMTPOptions) (*mailtest.SMTP, Target) {
	t.Helper()
	s, err := mailtest.NewSMTP(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	target := Target{Name: "office", Host: s.Host(), Port: s.Port(), HeloName: "postbag.office.test"}
	if o.LMTP {
		target.Protocol = ProtocolLMTP
	}
	return s, target
}

func certificate(t testing.TB, o mailtest.CertificateOptions) (cfg *tls.Config, caFile string, cert tls.Certificate) {
	t.Helper()
	cert, roots, err := mailtest.NewCertificate(o)
	if err != nil {
		t.Fatal(err)
	}
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, roots, 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}}, caFile, cert
}

func dial(t testing.TB, target Target, o Options) *Conn {
	t.Helper()
	c, err := Dial(t.Context(), target, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func letter(message string, rcpts ...string) Letter {
	j := mail.Job{Message: 1, ID: "M1", Sender: "a@sender.test", Size: int64(len(message)), Target: "office"}
	for i, r := range rcpts {
		j.Copies = append(j.Copies, mail.Copy{ID: int64(i + 1), Address: r, Attempts: 1})
	}
	return Letter{Job: j, Trace: []byte("X-Trace: 1\r\n"), Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(message)), nil
	}}
}

// verdicts writes outcomes as "accepted refused:too_large ...".
func verdicts(outcomes []mail.Outcome) string {
	names := map[mail.Verdict]string{mail.Deferred: "deferred", mail.Accepted: "accepted",
		mail.NoSuchUser: "nosuchuser", mail.Refused: "refused", mail.NotAttempted: "notattempted"}
	var words []string
	for _, o := range outcomes {
		w := names[o.Verdict]
		if o.Failure != nil {
			w += ":" + string(o.Failure.Code)
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

func codeOf(err error) mail.Code {
	if f, ok := errors.AsType[*mail.Failure](err); ok {
		return f.Code
	}
	if err != nil {
		return "not a failure: " + mail.Code(err.Error())
	}
	return ""
}

// fakeQueue is a queue in memory with the promises of Queue.
type fakeQueue struct {
	mu       sync.Mutex
	due      []mail.Job
	settled  map[string][]mail.Outcome
	order    []string // "claim", "book", "up", "pause:<code>", "settle:<id>", "release:<n>"
	target   TargetState
	failing  int           // that many calls of Settle fail
	gate     chan struct{} // Settle waits for it
	released int
	onClaim  func() // once
	onSettle func() // once, before the outcome counts as recorded
}

func newFakeQueue() *fakeQueue { return &fakeQueue{settled: make(map[string][]mail.Outcome)} }

func (q *fakeQueue) add(n int, rcpts ...string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for range n {
		id := len(q.due) + len(q.settled) + 1
		l := letter(sample, rcpts...)
		l.Job.Message, l.Job.ID = int64(id), fmt.Sprintf("M%d", id)
		for i := range l.Job.Copies {
			l.Job.Copies[i].ID = int64(id*1000 + i)
			l.Job.Copies[i].Attempts = 0
		}
		q.due = append(q.due, l.Job)
	}
}

func (q *fakeQueue) Claim(_ context.Context, max int) ([]mail.Job, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.order = append(q.order, "claim")
	if q.onClaim != nil {
		q.onClaim()
		q.onClaim = nil
	}
	n := min(max, len(q.due))
	jobs := append([]mail.Job(nil), q.due[:n]...)
	q.due = q.due[n:]
	for _, j := range jobs {
		for i := range j.Copies {
			j.Copies[i].Attempts++
		}
	}
	return jobs, nil
}

func (q *fakeQueue) Settle(ctx context.Context, job mail.Job, outcomes []mail.Outcome) error {
	if q.gate != nil {
		select {
		case <-q.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if q.onSettle != nil {
		then := q.onSettle
		q.onSettle = nil
		then()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.failing > 0 {
		q.failing--
		return &mail.Failure{Class: mail.Internal, Code: mail.CodeDiskFull}
	}
	q.order = append(q.order, "settle:"+job.ID)
	q.settled[job.ID] = append(q.settled[job.ID], outcomes...)
	return nil
}

func (q *fakeQueue) Release(_ context.Context, jobs []mail.Job) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.released += len(jobs)
	q.order = append(q.order, fmt.Sprintf("release:%d", len(jobs)))
	for _, j := range jobs {
		for i := range j.Copies {
			j.Copies[i].Attempts--
		}
	}
	q.due = append(append([]mail.Job(nil), jobs...), q.due...)
	return nil
}

func (q *fakeQueue) Target(context.Context) (TargetState, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.target, nil
}

func (q *fakeQueue) SetTarget(_ context.Context, s TargetState) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	word := "book"
	switch {
	case s.Attempts == 0:
		word = "up"
	case s.Failure != nil && s.Failure != q.target.Failure:
		word = "pause:" + string(s.Failure.Code)
	}
	q.order = append(q.order, word)
	q.target = s
	return nil
}

func (q *fakeQueue) verdict(id string) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return verdicts(q.settled[id])
}

func (q *fakeQueue) log() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]string(nil), q.order...)
}

func (q *fakeQueue) counts() (due, settled, released int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.due), len(q.settled), q.released
}

type poolRig struct {
	t      testing.TB
	q      *fakeQueue
	p      *Pool
	cancel context.CancelFunc
	ended  chan error
}

// startPool runs a pool until the test ends.
func startPool(t testing.TB, target Target, q *fakeQueue, change ...func(*Deps)) *poolRig {
	t.Helper()
	d := Deps{
		Queue:  q,
		Random: func() float64 { return 0 },
		Open: func(context.Context, int64) (io.ReadCloser, int64, error) {
			return io.NopCloser(strings.NewReader(sample)), int64(len(sample)), nil
		},
		Trace: func(j mail.Job) []byte { return []byte("X-Trace: " + j.ID + "\r\n") },
	}
	for _, f := range change {
		f(&d)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &poolRig{t: t, q: q, p: NewPool(target, d), cancel: cancel, ended: make(chan error, 1)}
	go func() { r.ended <- r.p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		r.p.Abort()
		<-r.p.ended
	})
	return r
}

func (r *poolRig) quiet() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	if err := r.p.WaitQuiet(ctx); err != nil {
		r.t.Fatalf("not quiet: %v; %+v %v", err, r.p.State(), r.q.log())
	}
}
