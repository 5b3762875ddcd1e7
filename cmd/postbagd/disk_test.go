//go:build linux

package main_test

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"postbag/engine/mailtest"
)

// smallDisk gives the site a data folder that holds so many KB, and returns
// how to make room: a file system of its own where that may be mounted, else a
// limit for the size of files.
func (s *site) smallDisk(kb int) (room func()) {
	s.t.Helper()
	if err := os.MkdirAll(s.data(), 0o700); err != nil {
		s.t.Fatal(err)
	}
	size := func(kb int) string { return "size=" + strconv.Itoa(kb) + "k" }
	if err := syscall.Mount("tmpfs", s.data(), "tmpfs", 0, size(kb)); err != nil {
		s.t.Logf("no file system of an own: %v", err)
		s.fileLimit = kb
		return func() { s.fileLimit = 0 }
	}
	s.t.Cleanup(func() {
		if err := syscall.Unmount(s.data(), syscall.MNT_DETACH); err != nil {
			s.t.Error(err)
		}
	})
	return func() {
		if err := syscall.Mount("tmpfs", s.data(), "tmpfs", syscall.MS_REMOUNT, size(100_000)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// limited makes a command run with a limit for the size of its files.
func (s *site) limited(cmd *exec.Cmd) *exec.Cmd {
	if s.fileLimit > 0 {
		cmd.Args = append([]string{"/bin/bash", "-c", "ulimit -f " + strconv.Itoa(s.fileLimit) + `; exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
		cmd.Path = "/bin/bash"
	}
	return cmd
}

// bulky adds n messages of so many KB.
func (s *site) bulky(n, kb int) {
	for _, subject := range subjects(n) {
		s.isp.AddMessage(login, "", append(message("anne@office.test", subject), strings.Repeat(strings.Repeat("x", 62)+"\r\n", kb*16)...))
	}
}

// TestFullDisk: when the disk is full it is said, what cannot be kept stays at
// the provider, and everything arrives once there is room again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		disk, n, kb int
		down        bool // the office server is down, so that all must be kept
		limit       bool // of files, not of the disk
	}{
		"small messages":              {disk: 1200, n: 150, kb: 20, down: true},
		"messages as files":           {disk: 3000, n: 20, kb: 500, down: true},
		"limit of files":              {disk: 1200, n: 150, kb: 20, down: true, limit: true},
		"limit of files, large ones":  {disk: 400, n: 6, kb: 900, limit: true},
		"limit of files, hardly any":  {disk: 300, n: 150, kb: 2, limit: true},
		"one message fills it":        {disk: 1500, n: 3, kb: 4000},
		"no room for an empty store":  {disk: 40, n: 3, kb: 2},
		"hardly room for the journal": {disk: 350, n: 150, kb: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
			s.bulky(c.n, c.kb)
			up := s.head
			if c.down {
				s.head = head(closedPort(t))
				s.configure("")
			}
			var room func()
			if c.limit {
				s.fileLimit = c.disk
				room = func() { s.fileLimit = 0 }
			} else {
				room = s.smallDisk(c.disk)
			}
			r := s.run("collect") // it comes to an end, whatever cannot be kept
			if r.code != 3 && r.code != 1 {
				t.Errorf("exit code %d\n%s\n%s", r.code, r.out, r.err)
			}
			if !c.limit {
				r.says("disk of this computer is full", "No mail is lost")
			}
			s.safe(c.n)
			s.run("collect")
			s.safe(c.n)
			room()
			s.head = up
			s.configure("")
			s.want(0, "collect")
			again := 0
			if c.limit {
				again = 8 // one per connection whose outcome found no room
			}
			s.wantEachOnce(c.n, again)
			s.wantBalance(map[string]int{"delivered": c.n})
			if s.left() != 0 {
				t.Errorf("%d left", s.left())
			}
		})
	}
}

// TestSpoolQuota: past the quota the collection stops, and goes on when there
// is room. rule 44
func TestSpoolQuota(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	s.bulky(40, 300)
	up := s.head
	quota := "[delivery]\nspool_quota = \"1MB\"\n"
	s.head = head(closedPort(t)) + quota
	s.configure("")
	s.want(3, "collect").says("the limit for it is reached")
	s.safe(40)
	if n := object(s.status()["balance"].(map[string]any)).number("queued"); n == 0 || n > 10 {
		t.Errorf("%d are queued", n)
	}
	s.want(3, "collect")
	s.head = up + quota
	s.configure("")
	for range 12 {
		if r := s.run("collect"); r.code == 0 {
			break
		}
	}
	s.wantEachOnce(40, 0)
	if s.left() != 0 {
		t.Errorf("%d left", s.left())
	}
}
