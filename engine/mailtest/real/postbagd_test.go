//go:build linux

package real_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postbag/engine/mailtest/real"
	"postbag/engine/mailtest/sample"
)

const startLimit = time.Minute

// site is one office with a provider, an office server, and the built program.
type site struct {
	t       *testing.T
	program string
	dir     string
	office  sample.Office
	isp     *real.Dovecot
	server  *real.Postfix
}

// newSite starts both servers and writes the configuration.
func newSite(t *testing.T, program string) *site {
	t.Helper()
	s := &site{t: t, program: program, dir: t.TempDir(), office: sample.Default()}
	s.isp = real.StartDovecot(t, real.DovecotOptions{Users: map[string]string{s.office.Login: "secret"}})
	s.server = real.StartPostfix(t, real.PostfixOptions{Users: s.office.Addresses()})
	s.write("secret", "secret\n")
	s.write("postbag.toml", s.config())
	return s
}

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) config() string {
	o := s.office
	_, pop3, _ := net.SplitHostPort(s.isp.POP3SAddr)
	_, smtp, _ := net.SplitHostPort(s.server.Addr)
	var b strings.Builder
	fmt.Fprintf(&b, "version = 1\n[office]\ndomains = [%q]\nunknown_recipient = %q\n", o.Domain, o.Address(o.Unknown))
	fmt.Fprintf(&b, "[[target]]\nname = \"office\"\nhost = \"127.0.0.1\"\nport = %s\n", smtp)
	for _, p := range o.People {
		var aliases []string
		for alias, owner := range o.Aliases {
			if owner == p {
				aliases = append(aliases, fmt.Sprintf("%q", o.Address(alias)))
			}
		}
		fmt.Fprintf(&b, "[[recipient]]\naddress = %q\naliases = [%s]\n", o.Address(p), strings.Join(aliases, ", "))
	}
	for list, members := range o.Lists {
		var all []string
		for _, m := range members {
			all = append(all, fmt.Sprintf("%q", o.Address(m)))
		}
		fmt.Fprintf(&b, "[[list]]\naddress = %q\nmembers = [%s]\n", o.Address(list), strings.Join(all, ", "))
	}
	for id, owner := range o.ListIDs {
		fmt.Fprintf(&b, "[[list_rule]]\nlist_id = %q\ndeliver_to = [%q]\n", id, o.Address(owner))
	}
	fmt.Fprintf(&b, "[[mailbox]]\nname = \"Whole office\"\nkind = \"global\"\nhost = \"127.0.0.1\"\nport = %s\nsecurity = \"tls\"\n"+
		"server_name = \"pop.isp.test\"\nca_file = %q\nusername = %q\nsecret = \"file:secret\"\n", pop3, s.isp.CAFile, o.Login)
	return b.String()
}

// command prepares the program for this site.
func (s *site) command(args ...string) *exec.Cmd {
	return exec.CommandContext(s.t.Context(), s.program, append(args,
		"--config", filepath.Join(s.dir, "postbag.toml"), "--data", filepath.Join(s.dir, "data"), "--lang", "en")...)
}

// run runs a command and returns its standard output; another exit code than
// the wanted one fails the test.
func (s *site) run(want int, args ...string) []byte {
	s.t.Helper()
	var out, errs bytes.Buffer
	cmd := s.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != want) || err == nil && want != 0 {
		s.t.Fatalf("postbagd %v: %v, want exit code %d\n%.3000s\n%.3000s", args, err, want, out.Bytes(), errs.Bytes())
	}
	return out.Bytes()
}

// balance asks for the balance sheet and proves that it balances. rule 49
func (s *site) balance() map[string]int {
	s.t.Helper()
	var status struct {
		Balance map[string]int `json:"balance"`
	}
	if err := json.Unmarshal(s.run(0, "status", "--json"), &status); err != nil {
		s.t.Fatal(err)
	}
	sum := 0
	for state, n := range status.Balance {
		if state != "seen" {
			sum += n
		}
	}
	if sum != status.Balance["seen"] {
		s.t.Errorf("seen is not the sum: %v", status.Balance)
	}
	return status.Balance
}

// delivered reads all Maildirs of the office server.
func (s *site) delivered() map[string][][]byte {
	s.t.Helper()
	s.server.Settle()
	got := map[string][][]byte{}
	for _, a := range s.office.Addresses() {
		got[a] = s.server.Maildir(a)
	}
	return got
}

// check demands that every Maildir holds exactly what it should.
func (s *site) check(messages []sample.Message) {
	s.t.Helper()
	faults := sample.Check(messages, s.delivered())
	for i, f := range faults {
		if i == 20 {
			s.t.Errorf("... and %d more", len(faults)-i)
			return
		}
		s.t.Errorf("%.600s", f)
	}
}

func (s *site) fill(messages []sample.Message) {
	s.t.Helper()
	for _, m := range messages {
		s.isp.AddMessage(s.office.Login, m.Bytes)
	}
}

// built builds the program once for a test.
func built(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "postbagd")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", file, "postbag/cmd/postbagd")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build postbagd: %v\n%s", err, out)
	}
	return file
}

// TestThousand is the main job: a thousand mixed messages in a global mailbox,
// one collection, every message in exactly the right Maildirs, unaltered, and
// the mailbox empty. rules 12, 17 to 31, 34, 35, 38, 39, 49
func TestThousand(t *testing.T) {
	t.Parallel()
	s := newSite(t, built(t))
	messages := sample.Generate(1, 1000, s.office)
	s.fill(messages)
	s.run(0, "collect")
	if n := s.isp.Count(s.office.Login); n != 0 {
		t.Errorf("%d messages still lie at the provider", n)
	}
	s.check(messages)
	if b := s.balance(); b["seen"] != len(messages) || b["queued"]+b["quarantined"]+b["waiting"]+b["failed"] != 0 {
		t.Errorf("balance %v", b)
	}
}

// TestOfficeServerDown collects while the office server is down, and once more
// when it is back: nothing lost, nothing twice. rules 44 and 49
func TestOfficeServerDown(t *testing.T) {
	t.Parallel()
	s := newSite(t, built(t))
	messages := sample.Generate(2, 300, s.office)
	s.fill(messages)
	s.server.Stop()
	s.run(4, "collect")
	if b := s.balance(); b["seen"] != len(messages) || b["quarantined"] != 0 || b["delivered"] != 0 {
		t.Errorf("balance while the office server is down: %v", b)
	}
	if n := s.isp.Count(s.office.Login); n == 0 {
		t.Error("deleted at the provider before the office server had anything")
	}
	s.run(4, "collect")
	s.server.Start()
	s.run(0, "collect")
	if n := s.isp.Count(s.office.Login); n != 0 {
		t.Errorf("%d messages still lie at the provider", n)
	}
	s.check(messages)
	if b := s.balance(); b["seen"] != len(messages) || b["queued"]+b["quarantined"] != 0 {
		t.Errorf("balance %v", b)
	}
}

// TestKilled kills the program again and again in the middle of the work:
// nothing is lost, and at most one message per SMTP connection comes twice.
// rule 50
func TestKilled(t *testing.T) {
	t.Parallel()
	const connections = 8 // at most, for each run that was killed
	s := newSite(t, built(t))
	messages := sample.Generate(3, 600, s.office)
	s.fill(messages)
	kills := 0
	for _, least := range []int{1, 60, 200, 400} {
		cmd := s.command("collect")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = cmd.Wait()
		}()
		real.Eventually(t, startLimit, "some deliveries", func() bool {
			select {
			case <-ended:
				return true
			default:
				return s.server.Count() >= least
			}
		})
		if cmd.Process.Kill() == nil {
			kills++
		}
		<-ended
	}
	if kills < 2 {
		t.Errorf("the program was too fast: killed %d times only", kills)
	}
	s.run(0, "collect")
	if n := s.isp.Count(s.office.Login); n != 0 {
		t.Errorf("%d messages still lie at the provider", n)
	}
	again := make(map[int]int) // how often a message came again, whoever it is for
	for _, f := range sample.Check(messages, s.delivered()) {
		// A message that was on its way at two kills may come three times.
		if message, n := timesCome(f); n > 1 && n <= kills+1 {
			again[message] = max(again[message], n-1)
			continue
		}
		t.Errorf("%.600s", f)
	}
	twice := 0
	for _, n := range again {
		twice += n
	}
	t.Logf("killed %d times, %d messages came twice", kills, twice)
	if twice > kills*connections {
		t.Errorf("%d messages came twice after %d kills", twice, kills)
	}
	if b := s.balance(); b["seen"] != len(messages) || b["queued"]+b["quarantined"]+b["collected"] != 0 {
		t.Errorf("balance %v", b)
	}
}

// timesCome reads from a finding of sample.Check which message came how often.
func timesCome(finding string) (message, n int) {
	_, rest, _ := strings.Cut(finding, ": message ")
	_, times, found := strings.Cut(rest, " came ")
	if !found {
		return 0, 0
	}
	if _, err := fmt.Sscanf(rest, "%d ", &message); err != nil {
		return 0, 0
	}
	if _, err := fmt.Sscanf(times, "%d times", &n); err != nil {
		return 0, 0
	}
	return message, n
}

// TestMemory collects three messages of 50 MB and looks at the most memory that
// the program ever had.
func TestMemory(t *testing.T) {
	t.Parallel()
	const limit = 64 << 10 // KB
	s := newSite(t, built(t))
	var messages []sample.Message
	for i := range 3 {
		head := fmt.Sprintf("X-Original-To: anne@office.test\r\nFrom: <a@b.test>\r\nSubject: large %d\r\n\r\n", i)
		line := strings.Repeat("0123456789", 7) + "\r\n"
		messages = append(messages, sample.Message{
			Kind: "large", First: i, For: []string{"anne@office.test"}, Bytes: []byte(head + strings.Repeat(line, 50_000_000/len(line))),
		})
	}
	s.fill(messages)
	cmd := s.command("collect")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	peak := 0
	real.Eventually(t, startLimit, "the end of the collection", func() bool {
		peak = max(peak, highWater(cmd.Process.Pid))
		return len(ended) > 0
	})
	if err := <-ended; err != nil {
		t.Fatalf("collect: %v", err)
	}
	t.Logf("peak memory %d KB", peak)
	if peak == 0 || peak > limit {
		t.Errorf("peak memory %d KB, at most %d", peak, limit)
	}
	s.check(messages)
}

// highWater is the peak memory of a running process in KB, 0 when it has ended.
// What wait(2) tells would count the test program, too, from which the process
// was forked.
func highWater(pid int) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		var kb int
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kb); err == nil {
			return kb
		}
	}
	return 0
}
