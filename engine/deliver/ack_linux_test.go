package deliver

import (
	"net"
	"testing"
	"time"
)

// QUIRK: replies in packets of their own under Nagle's algorithm. Each message
// would wait 40 ms for an acknowledgement.
func TestReplyInPacketsOfTheirOwn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_ = c.(*net.TCPConn).SetNoDelay(false)
		oddServer(c)
	}()
	const many = 100
	c := dial(t, Target{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}, Options{})
	began := time.Now()
	for range many {
		if outcomes, err := c.Send(t.Context(), letter(sample, "anne@office.test", "bob@office.test")); err != nil || verdicts(outcomes) != "accepted accepted" {
			t.Fatalf("%v %s", err, verdicts(outcomes))
		}
	}
	if took := time.Since(began); took > many*20*time.Millisecond {
		t.Errorf("%v for %d messages", took, many)
	}
	_ = c.Close()
	<-done
}
