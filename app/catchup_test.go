package app

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"postbag/app/facts"
	"postbag/assets"
	"postbag/engine/mail"
	"postbag/engine/store"
)

// killed is a data folder as a collector that was killed leaves it: one message
// stands in the tables, and a later one only in the ledger. Both wait for the
// office server.
func killed(t *testing.T) facts.Options {
	t.Helper()
	dir, ctx := t.TempDir(), t.Context()
	o := facts.Options{Config: filepath.Join(dir, "postbag.toml"), Data: filepath.Join(dir, "data"), Lang: "en", Access: facts.AccessRead}
	for file, text := range map[string]string{"secret": assets.DemoPassword + "\n", "postbag.toml": assets.DemoConfig(1, 2)} {
		must(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600))
	}
	o.Access = facts.AccessChange
	l := open(t, o)
	box := l.config().Mailboxes[0].ID
	st := l.store
	keep := func(uid string) {
		_, err := st.RecordListing(ctx, box, []store.NewItem{{UID: uid, Size: 9}}, nil)
		must(t, err)
		d := st.NewDraft()
		_, err = io.WriteString(d, "Subject: x\r\n\r\n"+uid)
		must(t, err)
		to := mail.Recipient{Address: "anne@office.test", Person: "anne@office.test", For: "anne@office.test", Target: "office"}
		_, err = st.Keep(ctx, store.Kept{Mailbox: box, UID: uid, Draft: d, Fingerprint: fmt.Sprintf("%x", sha256.Sum256([]byte(uid))),
			Summary: mail.Summary{Subject: "about " + uid}, Decision: &mail.Decision{Route: mail.RouteToCc, Recipients: []mail.Recipient{to}}})
		must(t, err)
	}
	keep("early")
	_, err := st.Balance(ctx) // brings everything into the tables
	must(t, err)
	o.Access = facts.AccessRead
	for n := 0; ; n++ {
		// The copy is as a kill leaves the folder, unless the store was quicker.
		keep(fmt.Sprint("late", n))
		data := t.TempDir()
		must(t, os.CopyFS(filepath.Join(data, "store"), os.DirFS(storeDir(o.Data))))
		copied := o
		copied.Data = data
		if behind(t, copied) {
			must(t, l.Close())
			return copied
		}
		if n == 100 {
			t.Fatal("nothing stays in the ledger")
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, o facts.Options) *Local {
	t.Helper()
	l, err := New(facts.Build{}).OpenLocal(t.Context(), o)
	must(t, err)
	return l
}

// behind tells whether the tables of a data folder lack what the ledger has.
func behind(t *testing.T, o facts.Options) bool {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{Dir: storeDir(o.Data), ReadOnly: true})
	must(t, err)
	is, err := st.Behind(t.Context())
	must(t, err)
	must(t, st.Close())
	return is
}

// listed is what the log, the queue and the state tell.
func listed(t *testing.T, l *Local) (log, queue int, waiting int64) {
	t.Helper()
	ctx := context.Background()
	must(t, l.Log(ctx, facts.LogFilter{}, func(mail.Entry) error { log++; return nil }))
	must(t, l.Queued(ctx, func(mail.Entry) error { queue++; return nil }))
	st, err := l.Status(ctx)
	must(t, err)
	return log, queue, st.Balance[mail.Queued]
}

// What a killed collector had in its ledger is in the log, the queue and the
// state of the next process that only reads.
func TestReadingCatchesUp(t *testing.T) {
	o := killed(t)
	for range 2 { // the second finds nothing left to do
		l := open(t, o)
		log, queue, waiting := listed(t, l)
		must(t, l.Close())
		if log < 2 || queue != log || waiting != int64(log) {
			t.Errorf("%d in the log, %d in the queue, %d in the balance", log, queue, waiting)
		}
		if behind(t, o) {
			t.Error("the tables lack something still")
		}
	}
	o.Access = facts.AccessChange // the lock is free
	must(t, open(t, o).Close())
}

// Whoever works on the folder does it himself; reading waits for nobody and
// touches nothing.
func TestReadingLeavesAFolderAtWorkAlone(t *testing.T) {
	o := killed(t)
	lock, err := lockData(o.Data)
	must(t, err)
	l := open(t, o)
	log, queue, waiting := listed(t, l)
	must(t, l.Close())
	if log < 2 || queue != log-1 || waiting != int64(log-1) {
		t.Errorf("%d in the log, %d in the queue, %d in the balance", log, queue, waiting)
	}
	if !behind(t, o) {
		t.Error("something was changed")
	}
	must(t, lock.release())
}

// A folder that cannot be locked is read as it is.
func TestReadingWithoutALock(t *testing.T) {
	o := killed(t)
	must(t, os.Mkdir(filepath.Join(o.Data, "lock"), 0o700)) // no file can be made there
	l := open(t, o)
	log, queue, _ := listed(t, l)
	must(t, l.Close())
	if log < 2 || queue != log-1 || !behind(t, o) {
		t.Errorf("%d in the log, %d in the queue", log, queue)
	}
}
