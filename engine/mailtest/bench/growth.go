//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	idleMailboxes = 200
	idleLimit     = 30.0 // MB
	nothingNew    = 200 * time.Millisecond
	idleSettle    = 3 * time.Second
)

// growth measures what must not grow with what has piled up: a session that
// finds nothing new in a full mailbox, and an engine that waits.
func (b *bench) growth(o options, w io.Writer) error {
	fmt.Fprintf(w, "\n### A mailbox whose mail stays there, nothing new\n\n| messages | the server's own time | postbag | more than the server |\n|--:|--:|--:|--:|\n")
	sizes := []int{100, 1000, 10_000, 100_000}
	if o.short {
		sizes = []int{100, 1000}
	}
	var errs []error
	for _, n := range sizes {
		if err := b.fullMailbox(o, w, n); err != nil {
			errs = append(errs, fmt.Errorf("%d messages: %w", n, err))
		}
	}
	return errors.Join(append(errs, idle(o, w))...)
}

// fullMailbox fills a mailbox, lets Postbag remember what lies there, and then
// measures a session in which nothing has changed.
func (b *bench) fullMailbox(o options, w io.Writer, n int) (err error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := b.isp.empty(1); err != nil {
		return err
	}
	if err := b.isp.fill(newLedger("growth", 1, n, 300)); err != nil {
		return err
	}
	command, err := postbag(o.postbagd, job{dir: dir, boxes: 1, pop3: b.isp.port, smtp: b.sink.port()})
	if err != nil {
		return err
	}
	config := filepath.Join(dir, "postbag.toml")
	text, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	if err := write(dir, "postbag.toml", string(text)+"first_collection = \"new\"\nafter_delivery = \"keep\"\n"); err != nil {
		return err
	}
	if _, err := measure(dir, command); err != nil { // remembers all
		return err
	}
	var own, ours series
	for range o.runs {
		d, err := b.isp.list()
		if err != nil {
			return err
		}
		own = append(own, figures{wall: d})
		f, err := measure(dir, command)
		if err != nil {
			return err
		}
		ours = append(ours, f)
	}
	_, server, _ := own.column(wall)
	_, all, _ := ours.column(wall)
	fmt.Fprintf(w, "| %d | %.3f s | %.3f s | %.3f s |\n", n, server, all, all-server)
	if o.check && n <= 10_000 && all-server > nothingNew.Seconds() {
		return fmt.Errorf("%.3f s more than the server, %v is the goal", all-server, nothingNew)
	}
	return nil
}

// list asks for what every session must ask, and tells how long the server took.
func (p *provider) list() (time.Duration, error) {
	start := time.Now()
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
	if err != nil {
		return 0, err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(runLimit))
	r := bufio.NewReaderSize(c, 1<<16)
	for _, say := range []string{"", "USER " + user(0), "PASS " + password, "STAT", "LIST", "UIDL", "QUIT"} {
		if say != "" {
			if _, err := io.WriteString(c, say+"\r\n"); err != nil {
				return 0, err
			}
		}
		for line := ""; ; {
			if line, err = r.ReadString('\n'); err != nil {
				return 0, fmt.Errorf("%s: %w", say, err)
			}
			if strings.HasPrefix(line, "-ERR") {
				return 0, fmt.Errorf("%s: %s", say, line)
			}
			if say != "LIST" && say != "UIDL" || line == ".\r\n" {
				break
			}
		}
	}
	return time.Since(start), nil
}

// idle runs the engine with many mailboxes that are due much later.
func idle(o options, w io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	command, err := postbag(o.postbagd, job{dir: dir, boxes: idleMailboxes, pop3: 1, smtp: 2})
	if err != nil {
		return err
	}
	config := filepath.Join(dir, "postbag.toml")
	text, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	// A quarter of an hour that was over a while ago: nothing is due for hours.
	from := time.Now().Add(-2 * time.Hour)
	plan := fmt.Sprintf("[mailbox.schedule]\nevery = \"15m\"\ndays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]\nfrom = \"%s\"\nto = \"%s\"\n",
		from.Format("15:04"), from.Add(15*time.Minute).Format("15:04"))
	// Behind each mailbox, so not before the first.
	boxes := strings.Replace(strings.ReplaceAll(string(text), "[[mailbox]]", plan+"[[mailbox]]"), plan, "", 1) + plan
	if err := write(dir, "postbag.toml", boxes); err != nil {
		return err
	}
	args := append([]string{"run"}, command[2:]...)
	cmd := exec.Command(command[0], args...)
	cmd.Dir, cmd.Env = dir, environment(dir)
	if err := cmd.Start(); err != nil {
		return err
	}
	<-time.After(idleSettle)
	rss, err := memory(cmd.Process.Pid)
	_ = cmd.Process.Signal(os.Interrupt)
	if werr := cmd.Wait(); werr != nil {
		return errors.Join(err, fmt.Errorf("run: %w", werr))
	}
	fmt.Fprintf(w, "\n### The engine at rest\n\n%d mailboxes, each with a schedule of its own: %.1f MB\n", idleMailboxes, rss)
	if err == nil && o.check && rss >= idleLimit {
		err = fmt.Errorf("%.1f MB at rest, less than %.0f is the goal", rss, idleLimit)
	}
	return err
}

// memory is what a process holds now, in MB.
func memory(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			var kb float64
			_, err := fmt.Sscan(rest, &kb)
			return kb * 1024 / 1e6, err
		}
	}
	return 0, errors.New("no VmRSS")
}
