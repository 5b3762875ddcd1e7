//go:build !windows

package attend

import (
	"net"
	"path/filepath"
	"testing"
	"time"

	"postbag/app/config"
	"postbag/app/i18n"
	"postbag/app/notify"
)

// The absence of the system's log is no error; where it answers it is used.
func TestSystemLogIsUsedWhereThereIsOne(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "journal")
	o := SinkOptions{Config: config.Defaults(), Texts: i18n.New("en"), Now: time.Now, Log: noLog(),
		System: &notify.SystemOptions{Journal: socket, Syslog: socket}}
	if n := len(Sinks(o)); n != 0 {
		t.Errorf("%d sinks without a system log", n)
	}
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if n := len(Sinks(o)); n != 1 {
		t.Errorf("%d sinks with a system log", n)
	}
}
