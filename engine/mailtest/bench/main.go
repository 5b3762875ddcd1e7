//go:build linux

// Bench measures Postbag beside the programs that a user would pick instead,
// with the same mail on the same machine, in turn. Every message of every run
// is verified: once, unaltered, at the right recipient.
//
//	go run ./engine/mailtest/bench --postbagd bin/postbagd
//
// It needs root, Dovecot, fetchmail, mpop, getmail6, msmtp and GNU time; `make
// bench` installs them. It exits with 1 when mail was lost, altered, given to
// the wrong person or given twice, and, with --check, when a goal was missed.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	postbagd  string
	runs      int
	slowRuns  int
	short     bool
	check     bool
	kills     int
	peerKills int
	seed      uint64
	only      string
	without   string
	floors    bool
}

func main() {
	if len(os.Args) == 6 && os.Args[1] == floorCommand {
		if err := runFloor(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "floor:", err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.StringVar(&o.postbagd, "postbagd", "bin/postbagd", "the program to measure")
	flag.IntVar(&o.runs, "runs", 5, "runs of each program in each scenario")
	flag.IntVar(&o.slowRuns, "slow-runs", 1, "runs of the programs that start a process for each message; 0: without them")
	flag.BoolVar(&o.short, "short", false, "a short form that shows figures and judges only correctness")
	flag.BoolVar(&o.check, "check", false, "fail when a goal is missed")
	flag.IntVar(&o.kills, "kills", 10, "how often Postbag is killed at a random moment")
	flag.IntVar(&o.peerKills, "peer-kills", 0, "how often each other program is")
	flag.Uint64Var(&o.seed, "seed", 1, "of the moments at which programs are killed")
	flag.StringVar(&o.only, "only", "", "scenarios to run, for example A,D,growth")
	flag.StringVar(&o.without, "without", "", "programs to leave out, separated by commas")
	flag.BoolVar(&o.floors, "floors", true, "in A, B and D also the least that any program must do")
	flag.Parse()
	if err := run(o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(o options, w io.Writer) (err error) {
	if o.postbagd, err = filepath.Abs(o.postbagd); err != nil {
		return err
	}
	for _, tool := range []string{o.postbagd, dovecot, gnuTime} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%w (make bench installs what is missing)", err)
		}
	}
	remove, err := o.install()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	told := make(chan os.Signal, 1)
	signal.Notify(told, os.Interrupt, syscall.SIGTERM)
	b := &bench{}
	if b.isp, err = startProvider(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.isp.stop()) }()
	go func() {
		<-told
		// The server is in a session of its own and would outlive the terminal.
		_ = errors.Join(b.isp.stop(), remove())
		os.Exit(1)
	}()
	if b.sink, err = newSink(); err != nil {
		return err
	}
	defer b.sink.close()
	if o.short {
		o.runs, o.slowRuns, o.kills = min(o.runs, 2), min(o.slowRuns, 1), min(o.kills, 2)
	}
	return b.all(o, w)
}

// all runs every scenario and prints each table as soon as it is known. A fault
// does not keep the other scenarios from running.
func (b *bench) all(o options, w io.Writer) error {
	about(w)
	var errs []error
	for _, sc := range scenarios(o.short) {
		if o.only != "" && !strings.Contains(","+o.only+",", ","+sc.id+",") {
			continue
		}
		if err := b.scenario(o, sc, w); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", sc.id, err))
		}
	}
	if o.only == "" || strings.Contains(","+o.only+",", ",growth,") {
		errs = append(errs, b.growth(o, w))
	}
	return errors.Join(errs...)
}

func (b *bench) scenario(o options, sc scenario, w io.Writer) error {
	st, err := b.stage(sc)
	if err != nil {
		return err
	}
	defer st.close()
	var errs []error
	results := make(map[string]series)
	taken := o.taken(sc)
	runs := o.runs * max(sc.times, 1)
	if sc.runs > 0 {
		runs = min(runs, sc.runs)
	}
	for i := range runs {
		for _, p := range taken { // in turn: the machine's mood is the same for all
			if p.slow && i >= o.slowRuns {
				continue
			}
			f, err := st.run(p)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
				continue
			}
			results[p.name] = append(results[p.name], f)
		}
	}
	missed := table(w, sc, taken, results)
	if o.check {
		errs = append(errs, missed...)
	}
	if sc.id == "A" {
		errs = append(errs, st.killTable(o, w, taken, results)...)
	}
	return errors.Join(errs...)
}

// killTable kills the programs in the scenario and tells what that did.
func (st *stage) killTable(o options, w io.Writer, taken []program, results map[string]series) (errs []error) {
	if o.kills == 0 {
		return nil
	}
	random := rand.New(rand.NewPCG(o.seed, 0))
	fmt.Fprintf(w, "\n### Killed (SIGKILL) at a random moment of %s, then run again\n\n| program | kills | letters |\n|---|--:|---|\n", st.sc.id)
	for i, p := range taken {
		n := o.peerKills
		if i == 0 {
			n = o.kills
		}
		_, whole, _ := results[p.name].column(wall)
		if n == 0 || whole == 0 || p.floor {
			continue
		}
		all, err := st.kills(p, n, time.Duration(whole*float64(time.Second)), random)
		text, bad := judgeKills(all)
		fmt.Fprintf(w, "| %s | %d | %s |\n", p.name, len(all), text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
		}
		if bad != nil && i == 0 {
			errs = append(errs, bad)
		}
	}
	return errs
}
