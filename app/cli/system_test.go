package cli

import (
	"os"
	"sync/atomic"
	"testing"
)

// What is written waits for the signals to be taken over: a pipe that nobody
// reads must be an error of the write, not the end of the process.
func TestNothingIsWrittenBeforeSignalsAreTaken(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	taken := make(chan struct{})
	var done atomic.Bool
	go func() {
		done.Store(true)
		close(taken)
	}()
	if _, err := afterwards(taken, w).Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if !done.Load() {
		t.Error("it was written before")
	}
}
