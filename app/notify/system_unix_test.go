//go:build !windows

package notify

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postbag/app/i18n"
	"postbag/engine/mail"
)

// socket listens for datagrams as journald and syslog do.
func socket(t *testing.T) (path string, next func() string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "pb") // short: a socket's path has 104 octets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path = filepath.Join(dir, "s")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return path, func() string {
		t.Helper()
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4096)
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		return string(buf[:n])
	}
}

func TestSystemWritesToJournald(t *testing.T) {
	path, next := socket(t)
	s, err := NewSystem(SystemOptions{Texts: i18n.New("en"), Journal: path})
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		alert Alert
		want  string
	}{
		{Alert{Cause: "x", Kind: TargetDown, Code: mail.CodeConnect},
			"MESSAGE=The office server takes no mail. No mail is lost: it waits here, and Postbag tries again by itself.\nPRIORITY=3\nSYSLOG_IDENTIFIER=postbag\nPOSTBAG_KIND=target_down\nPOSTBAG_STATE=begin\nPOSTBAG_CODE=connect\nPOSTBAG_COUNT=0\n"},
		{Alert{Cause: "x", Kind: Quarantine, Code: "bad\nFORGED=1", Count: 2},
			"MESSAGE=2 messages are set aside, because they could not be delivered. They are not lost: look at them in the queue.\nPRIORITY=4\nSYSLOG_IDENTIFIER=postbag\nPOSTBAG_KIND=quarantine\nPOSTBAG_STATE=begin\nPOSTBAG_CODE=none\nPOSTBAG_COUNT=2\n"},
		{Alert{Cause: "x", Kind: Disk, Over: true},
			"MESSAGE=There is room for mail again. Postbag collects as before.\nPRIORITY=5\nSYSLOG_IDENTIFIER=postbag\nPOSTBAG_KIND=disk\nPOSTBAG_STATE=over\nPOSTBAG_CODE=none\nPOSTBAG_COUNT=0\n"},
	}
	for _, c := range cases {
		if err := s.Tell(t.Context(), c.alert); err != nil {
			t.Fatal(err)
		}
		if got := next(); got != c.want {
			t.Errorf("got\n%s\nwant\n%s", got, c.want)
		}
	}
}

func TestSystemFallsBackToSyslog(t *testing.T) {
	path, next := socket(t)
	nowhere := filepath.Join(t.TempDir(), "none")
	s, err := NewSystem(SystemOptions{Texts: i18n.New("en"), Journal: nowhere, Syslog: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Tell(t.Context(), Alert{Kind: Disk, Code: mail.CodeDiskFull}); err != nil {
		t.Fatal(err)
	}
	// mail.err: facility 2, priority 3 (RFC 5424 section 6.2.1)
	if got := next(); !strings.HasPrefix(got, "<19>") || !strings.Contains(got, "postbag[") || !strings.Contains(got, "There is no room for more mail on this computer.") || !strings.HasSuffix(strings.TrimSpace(got), "(disk, disk_full)") {
		t.Errorf("got %q", got)
	}
}

func TestSystemSaysWhenThereIsNone(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "none")
	if _, err := NewSystem(SystemOptions{Texts: i18n.New("en"), Journal: nowhere, Syslog: nowhere}); err == nil {
		t.Error("no error")
	}
	path, _ := socket(t)
	s, err := NewSystem(SystemOptions{Texts: i18n.New("en"), Journal: path, Syslog: nowhere})
	if err != nil {
		t.Fatal(err)
	}
	s.o.Journal = nowhere
	if err := s.Tell(t.Context(), Alert{Kind: Disk}); err == nil {
		t.Error("a lost entry is no error")
	}
}
