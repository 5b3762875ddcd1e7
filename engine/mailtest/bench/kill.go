//go:build linux

package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

// maxTwice is how often a letter may arrive twice after a kill: once for each
// connection, between the answer of the office server and its durable note.
const maxTwice = 8

// kills kills the program at random moments and lets it finish; it returns
// what became of the letters each time.
func (st *stage) kills(p program, n int, whole time.Duration, random *rand.Rand) ([]verdict, error) {
	var out []verdict
	for range n {
		v, err := st.killOnce(p, time.Duration(random.Float64()*float64(whole)))
		if err != nil {
			return out, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (st *stage) killOnce(p program, after time.Duration) (v verdict, err error) {
	j, err := st.fresh()
	defer func() { err = errors.Join(err, os.RemoveAll(j.dir)) }()
	if err != nil {
		return v, err
	}
	command, err := p.prepare(j)
	if err == nil {
		err = st.post(st.ledger)
	}
	if err != nil {
		return v, err
	}
	if _, err := killed(j.dir, command, after); err != nil {
		return v, err
	}
	st.b.sink.hangUp() // as a server that finds its client gone
	const tries = 3    // the mailbox may still be in use for a moment
	for try := 1; ; try++ {
		_, err := measure(j.dir, command)
		left, lerr := st.b.isp.left(st.sc.boxes)
		if lerr != nil {
			return v, lerr
		}
		// Some programs say with their exit code that there was nothing to do.
		if left == 0 {
			return st.ledger.verdict(), nil
		}
		if try == tries {
			return v, fmt.Errorf("after a kill %d letters stay at the provider: %w", left, err)
		}
	}
}

// judgeKills tells the worst case; losses and too many duplicates of Postbag
// are errors.
func judgeKills(all []verdict) (text string, err error) {
	lost, twice, other := 0, 0, 0
	for _, v := range all {
		lost += v.lost
		twice = max(twice, v.twice)
		if v.altered+v.misdirected+v.unknown > 0 {
			other++
		}
	}
	text = fmt.Sprintf("%d lost, at most %d twice", lost, twice)
	if lost > 0 || twice > maxTwice || other > 0 {
		return text, fmt.Errorf("killed %d times: %s, %d runs with altered or misdirected mail", len(all), text, other)
	}
	return text, nil
}
