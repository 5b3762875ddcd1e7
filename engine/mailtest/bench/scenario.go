//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// scenario is one amount of mail at one distance.
type scenario struct {
	id, title         string
	boxes, each, size int
	roundTrip         time.Duration
	delayed           bool // the sink acknowledges as ordinary servers do
	plain             bool // the sink knows no pipelining
	again             bool // the program has worked before: its folder is there
	runs              int  // at most; 0: as many as asked for
	times             int  // so many times as many: what is short, or near its goal, needs a better median; 0: once
	target            float64
	inverse           bool // the target is an upper bound of the time, not a lower one of the speed
	floors            bool // the least that any program must do is measured, too
	peak              float64
	cpu               bool // processor seconds no more than fetchmail's
}

func (s scenario) letters() int { return s.boxes * s.each }

// slowRuns is how often what takes a minute is measured.
const slowRuns = 3

// scenarios: short ones are for looking at, not for judging.
func scenarios(short bool) []scenario {
	if short {
		return []scenario{
			{id: "A", title: "one mailbox, 200 x 5 KB", boxes: 1, each: 200, size: 5000, floors: true},
			{id: "E", title: "20 x 5 KB, 20 ms round trip to both servers", boxes: 1, each: 20, size: 5000, roundTrip: 20 * time.Millisecond},
		}
	}
	return []scenario{
		{id: "A", title: "one mailbox, 2,000 x 5 KB", boxes: 1, each: 2000, size: 5000, floors: true, target: 3, peak: 64, cpu: true, times: 3},
		{id: "A'", title: "200 x 5 KB, the office server acknowledges as ordinary ones do", boxes: 1, each: 200, size: 5000, delayed: true, runs: slowRuns},
		{id: "B", title: "50 mailboxes, 100 x 5 KB each", boxes: 50, each: 100, size: 5000, floors: true, target: 3, peak: 64, cpu: true, times: 3},
		{id: "C", title: "one mailbox, 3 x 50 MB", boxes: 1, each: 3, size: 50_000_000, target: 5, peak: 64},
		{id: "D", title: "one poll, one 5 KB message, process start included", boxes: 1, each: 1, size: 5000, floors: true, target: 1.5, inverse: true, again: true, times: 5},
		{id: "D'", title: "as D, the very first start of the program", boxes: 1, each: 1, size: 5000, times: 5},
		{id: "E", title: "300 x 5 KB, 20 ms round trip to both servers", boxes: 1, each: 300, size: 5000, roundTrip: 20 * time.Millisecond, target: 15, runs: slowRuns},
		{id: "E'", title: "as E, the office server knows no PIPELINING", boxes: 1, each: 300, size: 5000, roundTrip: 20 * time.Millisecond, plain: true, runs: slowRuns},
	}
}

// bench has the servers and does runs.
type bench struct {
	isp  *provider
	sink *sink
}

// stage is one scenario, set up.
type stage struct {
	b      *bench
	sc     scenario
	ledger *ledger
	before [2]*ledger // what a program had done before it is measured: the first start is not the second
	job    job
	proxy  []*proxy
}

func (b *bench) stage(sc scenario) (*stage, error) {
	st := &stage{b: b, sc: sc, ledger: newLedger("letters", sc.boxes, sc.each, sc.size)}
	for i := range st.before {
		st.before[i] = newLedger(fmt.Sprintf("before%d", i), sc.boxes, 1, 1000)
	}
	st.job = job{boxes: sc.boxes, pop3: b.isp.port, smtp: b.sink.port()}
	b.sink.delayed.Store(sc.delayed)
	b.sink.plain.Store(sc.plain)
	if sc.roundTrip == 0 {
		return st, nil
	}
	for _, port := range []*int{&st.job.pop3, &st.job.smtp} {
		p, err := newProxy(*port, sc.roundTrip)
		if err != nil {
			st.close()
			return nil, err
		}
		st.proxy = append(st.proxy, p)
		*port = p.port()
	}
	return st, nil
}

func (st *stage) close() {
	for _, p := range st.proxy {
		p.close()
	}
}

// fresh makes mailboxes and folder as if nothing had ever happened.
func (st *stage) fresh() (job, error) {
	j := st.job
	var err error
	if j.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return j, err
	}
	return j, st.b.isp.empty(st.sc.boxes)
}

// post puts letters into the mailboxes and expects them at the sink.
func (st *stage) post(l *ledger) error {
	l.forget()
	st.b.sink.ledger.Store(l)
	return st.b.isp.fill(l)
}

// run measures one program once and verifies what arrived.
func (st *stage) run(p program) (f figures, err error) {
	j, err := st.fresh()
	defer func() { err = errors.Join(err, os.RemoveAll(j.dir)) }()
	if err != nil {
		return f, err
	}
	command, err := p.prepare(j)
	if err != nil {
		return f, err
	}
	for _, l := range st.before {
		if !st.sc.again {
			break
		}
		if _, err := st.measure(j, command, l); err != nil {
			return f, err
		}
	}
	return st.measure(j, command, st.ledger)
}

func (st *stage) measure(j job, command []string, l *ledger) (figures, error) {
	if err := st.post(l); err != nil {
		return figures{}, err
	}
	f, err := measure(j.dir, command)
	if err != nil {
		return f, err
	}
	return f, st.verify(l)
}

// verify demands each letter once, unaltered, at its recipient, and nothing
// left at the provider.
func (st *stage) verify(l *ledger) error {
	left, err := st.b.isp.left(st.sc.boxes)
	if err != nil {
		return err
	}
	if v := l.verdict(); !v.ok() || left > 0 {
		first := ""
		if d := l.first.Load(); d != nil {
			first = ": " + *d
		}
		return fmt.Errorf("not as it must be: %v, %d left at the provider%s", v, left, first)
	}
	return nil
}
