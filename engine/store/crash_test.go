package store

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"postbag/engine/mail"
)

// crashDir tells a child process, which is this test binary, to work in a store
// until it is killed.
const crashDir = "POSTBAG_STORE_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := workUntilKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// workUntilKilled takes messages the whole way, many at once, and prints what
// the store has acknowledged.
func workUntilKilled(dir string) error {
	ctx := context.Background()
	s, err := Open(ctx, Options{Dir: dir})
	if err != nil {
		return err
	}
	var out sync.Mutex
	say := func(format string, args ...any) {
		out.Lock()
		defer out.Unlock()
		fmt.Printf(format+"\n", args...)
	}
	errs := make(chan error)
	prefix := randomName()[:6]
	for n := range 8 {
		go func() {
			for i := 0; ; i++ {
				if err := oneWay(ctx, s, fmt.Sprintf("%s-%d-%d", prefix, n, i), say); err != nil {
					errs <- err
				}
			}
		}()
	}
	return <-errs
}

// oneWay is the way of one message; each step is said once it is durable.
func oneWay(ctx context.Context, s *Store, uid string, say func(string, ...any)) error {
	rows, err := s.RecordListing(ctx, "box", []NewItem{{UID: uid, Size: 10}}, nil)
	if err != nil {
		return err
	}
	say("listed %s", uid)
	d := s.NewDraft()
	text := uid + strings.Repeat("x", 100)
	if strings.HasSuffix(uid, "3") {
		text += strings.Repeat("y", inline)
	}
	if _, err := io.WriteString(d, text); err != nil {
		return err
	}
	k := Kept{Row: rows[0].Row, Mailbox: "box", UID: uid, Draft: d, Fingerprint: fingerprint(text), Decision: decision("anne", "bob")}
	if strings.HasSuffix(uid, "7") {
		k.Decision.Loop = true
	}
	if _, err := s.Keep(ctx, k); err != nil {
		return err
	}
	say("kept %s", uid)
	jobs, err := s.Claim(ctx, "office", 2, func(n int) time.Time { return time.Now().Add(time.Hour) })
	if err != nil {
		return err
	}
	for _, j := range jobs {
		say("claimed %s", j.ID)
		var list []Settlement
		for i, c := range j.Copies {
			st := Settlement{Copy: c, State: mail.Delivered}
			if i > 0 && j.Message%5 == 0 {
				st.State, st.Code = mail.Quarantined, mail.CodePolicy
			}
			list = append(list, st)
		}
		out, err := s.Settle(ctx, j, list)
		if err != nil {
			return err
		}
		say("settled %s %s", j.ID, out.State)
		err = s.Confirm(ctx, "box", []int64{j.Message}, nil, func(m *MailboxState) { m.Collected++ })
		if err != nil {
			return err
		}
		say("deleted %s", j.ID)
	}
	return nil
}

// rule 50: killed at any step, nothing that was acknowledged is lost.
func TestRule50_KilledAtAnyStep(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() + "/store"
	random := rand.New(rand.NewPCG(1, 2))
	uids, byID := make(map[string]string), make(map[string]string)
	for range 6 {
		cmd := exec.Command(exe)
		cmd.Env = append(os.Environ(), crashDir+"="+dir)
		cmd.Stderr = os.Stderr
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(pipe)
		for left := 50 + random.IntN(200); left > 0 && lines.Scan(); left-- {
			note(lines.Text(), uids, byID)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what was acknowledged before the end
			note(lines.Text(), uids, byID)
		}
		_ = cmd.Wait() // "signal: killed"
		checkAfterCrash(t, dir, uids, byID)
	}
}

// note remembers the last thing said of a message.
func note(line string, uids, byID map[string]string) {
	f := strings.Fields(line)
	switch {
	case len(f) < 2:
	case f[0] == "listed" || f[0] == "kept":
		uids[f[1]] = f[0]
	default:
		byID[f[1]] = strings.Join(append(f[:1:1], f[2:]...), " ")
	}
}

func checkAfterCrash(t *testing.T, dir string, uids, byID map[string]string) {
	t.Helper()
	ctx := context.Background()
	s, err := Open(ctx, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := audit(ctx, s); err != nil {
		t.Error(err)
	}
	checkByID(t, s, byID)
	checkByUID(t, s, uids)
	names, err := filepath.Glob(filepath.Join(dir, dirSpool, "*"+draftSuffix))
	if err != nil || len(names) != 0 {
		t.Errorf("drafts: %v %v", names, err)
	}
}

// checkByID holds what was said after routing against the store.
func checkByID(t *testing.T, s *Store, byID map[string]string) {
	t.Helper()
	for id, said := range byID {
		e, err := s.Get(context.Background(), id)
		if err != nil {
			t.Fatalf("%s (%s): %v", id, said, err)
		}
		bad := false
		switch state, settled := strings.CutPrefix(said, "settled "); {
		case settled:
			bad = string(e.State) != state
		case said == "claimed":
			bad = e.State == mail.Queued && e.Attempts == 0
		case said == "deleted":
			bad = e.AtSource != mail.SourceDeleted
		}
		if bad {
			t.Errorf("%s was %q, is %s, %d attempts, %s", id, said, e.State, e.Attempts, e.AtSource)
		}
		if e.State == mail.Quarantined && !exists(s.emlPath(id)) {
			t.Errorf("%s is in quarantine without a file", id)
		}
	}
}

// checkByUID holds what was said of the collection against the store.
func checkByUID(t *testing.T, s *Store, uids map[string]string) {
	t.Helper()
	var list []string
	for uid := range uids {
		list = append(list, uid)
	}
	c, err := s.Compare(context.Background(), "box", list)
	if err != nil {
		t.Fatal(err)
	}
	for uid, said := range uids {
		k := c.Known[uid]
		if len(k) != 1 || said == "kept" && k[0].State == mail.Waiting {
			t.Errorf("%s was %s, is %+v", uid, said, k)
			continue
		}
		if k[0].State == mail.Queued || k[0].State == mail.Quarantined {
			checkOctets(t, s, k[0], uid)
		}
	}
}

func checkOctets(t *testing.T, s *Store, k Known, uid string) {
	t.Helper()
	m, size, err := s.OpenMessage(context.Background(), k.Row)
	if err != nil {
		t.Fatalf("%s: %v", uid, err)
	}
	defer m.Close()
	b, err := io.ReadAll(m)
	if err != nil || int64(len(b)) != size || size != k.Size || !strings.HasPrefix(string(b), uid+"x") {
		t.Errorf("%s: %d octets, %d told, %d known, %v", uid, len(b), size, k.Size, err)
	}
}

// A crash of the computer right after each step: what the disk has is the
// database and its log as they are.
func TestRule50_EveryStepIsDurableWhenItReturns(t *testing.T) {
	r := newRig(t)
	check := func(step string, row int64, want mail.State, more func(s *Store, e mail.Entry)) {
		t.Helper()
		s, err := Open(r.ctx, Options{Dir: r.image(), Now: r.clock.Now})
		if err != nil {
			t.Fatal(step, err)
		}
		defer s.Close()
		if err := audit(r.ctx, s); err != nil {
			t.Error(step, err)
		}
		e, err := s.Entry(r.ctx, row)
		if err != nil || e.State != want {
			t.Errorf("after %s: %s, want %s, %v", step, e.State, want, err)
		}
		if more != nil {
			more(s, e)
		}
	}
	for _, size := range []int{100, 2 * inline} {
		uid := fmt.Sprint("u", size)
		row := r.list("box", uid)[0].Row
		check("listing", row, mail.Waiting, nil)
		d := r.draft(strings.Repeat("x", size))
		check("fetching", row, mail.Waiting, nil)
		_, err := r.Keep(r.ctx, Kept{Row: row, Mailbox: "box", UID: uid, Draft: d, Fingerprint: fingerprint(uid)})
		r.ok(err)
		check("keeping", row, mail.Collected, func(s *Store, e mail.Entry) {
			if m, n, err := s.OpenMessage(r.ctx, row); err != nil || n != int64(size) {
				t.Error("octets", n, err)
			} else {
				r.ok(m.Close())
			}
		})
		_, err = r.Route(r.ctx, row, *decision("anne", "bob"))
		r.ok(err)
		check("routing", row, mail.Queued, nil)
		j := r.claim(1)[0]
		check("claiming", row, mail.Queued, func(s *Store, e mail.Entry) {
			if e.Attempts != 1 || !e.NextAttempt.After(r.clock.Now()) {
				t.Errorf("the attempt is not booked: %+v", e)
			}
		})
		_, err = r.Settle(r.ctx, j, []Settlement{{Copy: j.Copies[0], State: mail.Delivered}, {Copy: j.Copies[1], State: mail.Quarantined, Code: mail.CodeContent}})
		r.ok(err)
		check("settling", row, mail.Quarantined, func(s *Store, e mail.Entry) {
			if e.Recipients[0].State != mail.Delivered || fileSize(s.emlPath(e.ID)) != int64(size) {
				t.Errorf("%+v, .eml of %d octets", e, fileSize(s.emlPath(e.ID)))
			}
		})
		r.ok(r.SetAtSource(r.ctx, []int64{row}, mail.SourceDeleted))
		check("deleting", row, mail.Quarantined, func(s *Store, e mail.Entry) {
			if e.AtSource != mail.SourceDeleted {
				t.Error(e.AtSource)
			}
		})
	}
}
