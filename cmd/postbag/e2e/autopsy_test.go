//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// autopsy makes the program say what each of its goroutines does, for the log of
// a test that failed, and end. The whole goes beside the pictures.
func (p *program) autopsy() {
	p.clean()
	already := len(p.out.String())
	_ = p.cmd.Process.Signal(syscall.SIGQUIT)
	limit := time.NewTimer(effectLimit)
	defer limit.Stop()
	select {
	case <-p.done:
	case <-limit.C:
	}
	said := p.out.String()[already:]
	p.out.Reset()
	name := strings.NewReplacer("/", "-", " ", "-").Replace(p.d.t.Name())
	at := filepath.Join(shots(p.d.t), "autopsy-"+name+".txt")
	if err := os.WriteFile(at, []byte(said), 0o644); err != nil {
		p.d.t.Log(err)
	}
	p.d.t.Logf("the program when the test failed, all of it in %s:\n%s", at, telling(said))
}

// place is where a frame of a stack stands in memory: nothing for a reader.
var place = regexp.MustCompile(`(?m)( \+0x[0-9a-f]+)?( fp=\S+ sp=\S+ pc=\S+)?$`)

// telling leaves of a dump of all goroutines those that run code of somebody's,
// with the names of the functions and the lines.
func telling(dump string) string {
	var out []string
	for _, g := range strings.Split(dump, "\n\n") {
		head, stack, _ := strings.Cut(g, "\n")
		if !strings.HasPrefix(head, "goroutine ") {
			continue
		}
		theirs := false
		for _, line := range strings.Split(stack, "\n") {
			if !strings.HasPrefix(line, "\t") && !strings.HasPrefix(line, "runtime.") && !strings.HasPrefix(line, "created by runtime.") && strings.TrimSpace(line) != "" {
				theirs = true
			}
		}
		if theirs {
			out = append(out, head+"\n"+place.ReplaceAllString(stack, ""))
		}
	}
	return strings.Join(out, "\n\n")
}

// TestTelling proves that what matters is left of a dump.
func TestTelling(t *testing.T) {
	dump := "SIGQUIT: quit\n\ngoroutine 2 gp=0x1 m=nil [GC (idle)]:\nruntime.gopark(0x1)\n\t/go/proc.go:1 +0xce fp=0x1 sp=0x2 pc=0x3\ncreated by runtime.init\n\t/go/x.go:1 +0x1\n\n" +
		"goroutine 1 gp=0x1 m=nil [chan receive]:\nruntime.gopark(0x1)\n\t/go/proc.go:1 +0xce fp=0x1 sp=0x2 pc=0x3\nmain.main()\n\t/x/main.go:7 +0x1 fp=0x1 sp=0x2 pc=0x3\n"
	want := "goroutine 1 gp=0x1 m=nil [chan receive]:\nruntime.gopark(0x1)\n\t/go/proc.go:1\nmain.main()\n\t/x/main.go:7\n"
	if got := telling(dump); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
