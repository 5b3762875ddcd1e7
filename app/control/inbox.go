package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"sync"
)

// inbox reads an answer ahead of who wants it: a person who pages through the
// journal must not hold up the engine.
type inbox struct {
	more  chan struct{} // something came
	ended chan struct{} // nothing more comes
	stop  chan struct{} // nobody wants more

	mu    sync.Mutex
	lines [][]byte
	size  int
	room  chan struct{} // closed when lines were taken
	err   error         // set before ended is closed
}

// readAhead begins to read. close must be called, and r be closed before.
func readAhead(r io.Reader) *inbox {
	in := &inbox{more: make(chan struct{}, 1), ended: make(chan struct{}), stop: make(chan struct{}), room: make(chan struct{})}
	go in.read(r)
	return in
}

func (in *inbox) read(r io.Reader) {
	defer close(in.ended)
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, maxFrame+1)
	for sc.Scan() {
		if !in.put(slices.Clone(sc.Bytes())) {
			return
		}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.err = sc.Err(); in.err == nil {
		in.err = io.ErrUnexpectedEOF // the last line was not there, or next would not ask
	}
}

func (in *inbox) put(line []byte) bool {
	for {
		in.mu.Lock()
		if in.size < maxUnread {
			in.lines = append(in.lines, line)
			in.size += len(line)
			in.mu.Unlock()
			select {
			case in.more <- struct{}{}:
			default:
			}
			return true
		}
		room := in.room
		in.mu.Unlock()
		select {
		case <-room:
		case <-in.stop:
			return false
		}
	}
}

// take returns what came since the last time.
func (in *inbox) take() [][]byte {
	in.mu.Lock()
	defer in.mu.Unlock()
	lines := in.lines
	if len(lines) > 0 {
		in.lines, in.size = nil, 0
		close(in.room)
		in.room = make(chan struct{})
	}
	return lines
}

// each hands over the lines in order until the last one, which it returns. The
// error is the callback's own, or a broken answer (broken is true), or of ctx.
func (in *inbox) each(ctx context.Context, on func(frame) error) (last *done, broken bool, err error) {
	for {
		ended := false
		select {
		case <-ctx.Done():
			return nil, true, context.Cause(ctx)
		case <-in.more:
		case <-in.ended:
			ended = true
		}
		for _, line := range in.take() {
			if ctx.Err() != nil {
				return nil, true, context.Cause(ctx)
			}
			var f frame
			if err := json.Unmarshal(line, &f); err != nil {
				return nil, true, errors.Join(io.ErrUnexpectedEOF, err)
			}
			if f.Done != nil {
				return f.Done, false, nil
			}
			if err := on(f); err != nil {
				return nil, false, err
			}
		}
		if ended {
			in.mu.Lock()
			defer in.mu.Unlock()
			return nil, true, in.err
		}
	}
}

// close waits until nothing is read any more.
func (in *inbox) close() {
	close(in.stop)
	<-in.ended
}
