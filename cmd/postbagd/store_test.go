//go:build linux

package main_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postbag/engine/mailtest"
)

// damage overwrites a part of each file of the store's database.
func (s *site) damage(seed uint64, part float64) {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.data(), "store", "*.db*"))
	if err != nil || len(files) == 0 {
		s.t.Fatalf("no database: %v %v", files, err)
	}
	rnd := rand.New(rand.NewPCG(seed, seed))
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			s.t.Fatal(err)
		}
		for page := 0; page < len(b); page += 4096 {
			if rnd.Float64() < part || page == 0 {
				for i := page; i < min(page+4096, len(b)); i++ {
					b[i] = byte(rnd.Uint32())
				}
			}
		}
		if err := os.WriteFile(file, b, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

// TestDamagedStore: it is said, nothing is collected, nothing is thrown away,
// and repair brings the store back.
func TestDamagedStore(t *testing.T) {
	t.Parallel()
	for name, part := range map[string]float64{"the first page": 0, "a third": 0.34, "everything": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, mailtest.POP3Options{}, rcptSays("bob@office.test", "550 5.2.1 closed"))
			s.add("anne@office.test", "one", "two", "three")
			s.add("bob@office.test", "set aside")
			s.configure("after_delivery = \"keep\"\n")
			s.want(4, "collect")
			before, sessions := s.left(), s.isp.Sessions()
			s.damage(1, part)
			s.want(1, "collect").says("damaged", "nothing is collected and nothing is deleted", "Repair the store")
			s.want(1, "collect", "--json").says("damaged")
			for _, args := range []string{"status", "log", "queue", "run", "queue retry --all", "mailbox pause Whole"} {
				r := s.run(strings.Fields(args)...)
				if r.code == 0 && strings.HasPrefix(args, "run") {
					t.Errorf("%s works on a damaged store", args)
				}
			}
			if s.left() != before || s.isp.Sessions() != sessions {
				t.Error("the provider was asked although the store is damaged")
			}
			s.add("anne@office.test", "new")
			s.want(0, "repair")
			s.office.Script(nil)
			s.want(0, "collect") // what was set aside before does not count
			s.status()
			again := 0
			if part == 1 {
				again = 1 // nobody knows any more what was delivered, and it is kept at the provider
			}
			s.wantNothingLost(again, "one", "two", "three", "new")
			if n := len(s.quarantined()); n != 1 {
				t.Errorf("%d files in the quarantine", n)
			}
			if aside, err := filepath.Glob(filepath.Join(s.data(), "store", "damaged-*", "*.db")); err != nil || len(aside) != 1 {
				t.Errorf("the damaged files are in %q, %v", aside, err)
			}
			s.want(0, "repair").says("in order")
			// rule 48: it can be sent again, also when nobody knows any more for whom it was.
			s.want(0, "queue", "retry", "--all").says("will be tried again")
			s.want(0, "collect")
			s.wantNothingLost(again, "set aside")
			if n := len(s.quarantined()); n != 0 {
				t.Errorf("%d files in the quarantine after they were sent again", n)
			}
		})
	}
}

// wantNothingLost demands each subject at the office server once; it may have
// come again so often.
func (s *site) wantNothingLost(again int, subjects ...string) {
	s.t.Helper()
	there := map[string]int{}
	for _, m := range s.office.Mails() {
		there[subjectOf(m.Data)]++
	}
	for _, subject := range subjects {
		if n := there[subject]; n < 1 || n > 1+again {
			s.t.Errorf("%s came %d times", subject, there[subject])
		}
	}
}

// rule 50: killed while the store was made, before anything was collected.
func TestRule50_KilledAtFirstStart(t *testing.T) {
	t.Parallel()
	for name, files := range map[string][]string{"folder only": nil, "empty database": {"postbag.db"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
			s.add("anne@office.test", "one")
			s.configure("")
			if err := os.MkdirAll(filepath.Join(s.data(), "store", "spool"), 0o700); err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if err := os.WriteFile(filepath.Join(s.data(), "store", f), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, args := range []string{"status --json", "log --json", "queue --json", "mailbox list"} {
				s.want(0, strings.Fields(args)...)
			}
			s.wantBalance(map[string]int{})
			s.want(0, "collect")
			s.wantGot("anne@office.test one")
		})
	}
}
