package attend

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"postbag/app/config"
	"postbag/app/notify"
	"postbag/engine"
	"postbag/engine/mail"
)

const (
	someone = "From: carl@far.test\r\nSubject: hello\r\n"
	bounce  = "Return-Path: <>\r\nFrom: MAILER-DAEMON@far.test\r\n"
	holiday = "From: dora@far.test\r\nAuto-Submitted: auto-replied\r\n"
)

func TestAlertsOnePerCauseAndOneOver(t *testing.T) {
	auth := failure(mail.NeedsUser, mail.CodeAuth)
	for name, c := range map[string]struct {
		life func(o *office)
		want []string
	}{
		"a wrong password, then suspended, then mended": {func(o *office) {
			for range 3 {
				o.ended("anne", auth)
				pass(time.Hour)
			}
			o.happen(engine.Event{Kind: engine.EventAttention, Mailbox: "anne", Failure: failure(mail.NeedsUser, mail.CodeSuspended)})
			o.ended("anne", auth)
			o.ended("bob", nil)
			o.ended("anne", nil)
			o.ended("anne", nil)
		}, []string{"mailbox/anne needs_user begin 0", "mailbox/anne needs_user over 0"}},
		"a provider that is down for long": {func(o *office) {
			for range 6 {
				o.ended("anne", failure(mail.Transient, mail.CodeConnect))
				pass(time.Hour)
			}
			o.ended("anne", nil)
		}, []string{"mailbox/anne source_down begin 0", "mailbox/anne source_down over 0"}},
		"a provider that is down for a moment": {func(o *office) {
			for range 6 {
				o.ended("anne", failure(mail.Transient, mail.CodeConnect))
				o.ended("anne", failure(mail.Transient, mail.CodeConnect))
				pass(time.Hour)
				o.ended("anne", nil)
			}
			for range 9 {
				o.ended("anne", failure(mail.Transient, mail.CodeConnect))
				pass(time.Minute)
			}
		}, nil},
		"what is no fault": {func(o *office) {
			for range 9 {
				o.ended("anne", failure(mail.NeedsUser, mail.CodePaused))
				o.ended("bob", failure(mail.Transient, mail.CodeLoginDelay))
				o.ended("bob", failure(mail.Transient, mail.CodeCancelled))
				o.target(failure(mail.Transient, mail.CodeCancelled))
				pass(time.Hour)
			}
		}, nil},
		"the office server": {func(o *office) {
			o.target(failure(mail.Transient, mail.CodeConnect))
			pass(time.Minute)
			o.target(failure(mail.Transient, mail.CodeTimeout))
			o.target(nil)
			o.target(nil)
		}, []string{"target/office target_down begin 0", "target/office target_down over 0"}},
		"the settings of the office server": {func(o *office) {
			o.target(failure(mail.NeedsUser, mail.CodeRelay))
			o.target(nil)
		}, []string{"target/office target_settings begin 0", "target/office target_settings over 0"}},
		"a full disk is over when no mailbox meets it any more": {func(o *office) {
			o.ended("anne", failure(mail.Transient, mail.CodeSpoolFull))
			o.ended("bob", failure(mail.Transient, mail.CodeDiskFull))
			o.ended("anne", nil)
			o.person.check(o.t, "disk disk begin 0")
			o.ended("bob", nil)
		}, []string{"disk disk begin 0", "disk disk over 0"}},
		"the store": {func(o *office) {
			o.ended("anne", failure(mail.Internal, mail.CodeStore))
			o.ended("anne", nil)
		}, []string{"store store begin 0", "store store over 0"}},
		"messages set aside": {func(o *office) {
			o.aside(1, mail.CodeMailboxFull, someone)
			o.aside(2, mail.CodeMailboxFull, someone)
			pass(time.Minute)
			o.remove(1)
			pass(hourly)
			o.remove(2)
			pass(hourly)
		}, []string{"quarantine quarantine begin 2", "quarantine quarantine over 1"}},
		"one is gone and another one came": {func(o *office) {
			o.aside(1, mail.CodeMailboxFull, someone)
			pass(time.Minute)
			o.remove(1)
			o.aside(2, mail.CodeMailboxFull, someone)
			pass(time.Minute)
		}, []string{"quarantine quarantine begin 1", "quarantine quarantine over 1", "quarantine quarantine begin 1"}},
		"numbered anew, for a day": {func(o *office) {
			o.happen(engine.Event{Kind: engine.EventAttention, Mailbox: "anne", Failure: failure(mail.NeedsUser, mail.CodeRenumbered)})
			o.ended("anne", nil)
			pass(23 * time.Hour)
			o.person.check(o.t, "renumbered/anne renumbered begin 0")
			pass(3 * time.Hour)
		}, []string{"renumbered/anne renumbered begin 0", "renumbered/anne renumbered over 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t)
				o.run(func() { c.life(o) })
				o.person.check(t, c.want...)
			})
		})
	}
}

// rule 36, rule 15, rule 16: loops, messages that are too big and those that
// cannot be fetched are alerts of their own.
func TestKindsOfWhatIsSetAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.queue = []mail.Entry{
			{Row: 1, ID: "K1", State: mail.Quarantined, Route: mail.RouteLoop, Code: mail.CodeLoop},
			{Row: 2, ID: "K2", State: mail.TooBig, Code: mail.CodeTooBig, Size: 9e9, From: "carl@far.test"},
			{Row: 3, ID: "K3", State: mail.Failed, Code: mail.CodeRefused, Reason: "-ERR no"},
			{Row: 4, ID: "K4", State: mail.Queued}, // merely waits
			{Row: 5, ID: "K5", State: mail.Queued, Recipients: []mail.EntryRecipient{
				{State: mail.Queued, Code: mail.CodeDeferred}, {State: mail.Quarantined, Code: mail.CodeMailboxFull}}},
			{Row: 6, ID: "K6", State: mail.TooBig, Code: mail.CodeTooBig, From: "Mail Delivery <MAILER-DAEMON@far.test>"},
		}
		o.run(func() { pass(time.Minute) })
		o.person.check(t, "quarantine quarantine begin 1", "failed failed begin 1", "too_big too_big begin 1", "too_big/automatic too_big begin 1", "loop loop begin 1")
		o.post.subjects(t, "Postbag: 1 message cannot be fetched, and 3 more matters")
		if text := o.post.last(t); !strings.Contains(text, "-ERR no") || !strings.Contains(text, "number K2") || strings.Contains(text, "number K6") {
			t.Errorf("the digest:\n%s", text)
		}
	})
}

func TestRule47_OneDigestPerCauseInADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.run(func() {
			for range 47 { // until an hour before the second day ends
				o.ended("anne", failure(mail.NeedsUser, mail.CodeTLSExpired))
				pass(time.Hour)
			}
			o.post.subjects(t, "Postbag: A mailbox needs you", "Postbag: A mailbox needs you")
			text := o.post.last(t)
			for _, want := range []string{"Anne at the provider (pop.isp.test)", "The server's words: the server's words", "Auto-Submitted: auto-generated"} {
				if !strings.Contains(text, want) {
					t.Errorf("the digest lacks %q:\n%s", want, text)
				}
			}
			if l := o.post.first(t); l.Sender != "" || l.Recipient != "admin@office.test" {
				t.Errorf("from <%s> to <%s>", l.Sender, l.Recipient)
			}
			o.ended("anne", nil)
			pass(48 * time.Hour)
		})
		o.post.subjects(t, "Postbag: A mailbox needs you", "Postbag: A mailbox needs you")
	})
}

func TestRule47_NeverAboutBouncesMachinesAndUnknownRecipients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.run(func() {
			o.aside(1, mail.CodeMailboxFull, bounce)
			o.aside(2, mail.CodeMailboxFull, holiday)
			o.aside(3, mail.CodeUnknownUser, someone)
			// A copy that went to the unknown recipient is delivered: nobody is told.
			o.happen(engine.Event{Kind: engine.EventSettled, State: mail.Delivered, Target: "office"})
			pass(72 * time.Hour)
			o.post.subjects(t)
			o.aside(4, mail.CodeMailboxFull, someone)
			pass(time.Minute)
			o.post.subjects(t, "Postbag: 1 message is set aside")
			text := o.post.last(t)
			for _, id := range []string{"K1", "K2", "K3"} {
				if strings.Contains(text, "number "+id) {
					t.Errorf("the digest tells of %s:\n%s", id, text)
				}
			}
			if !strings.Contains(text, "number K4") {
				t.Errorf("the digest does not tell of K4:\n%s", text)
			}
			// More of the kind that is not told make no digest either.
			o.aside(5, mail.CodeMailboxFull, bounce)
			pass(72 * time.Hour)
		})
		o.post.subjects(t, "Postbag: 1 message is set aside")
		o.person.check(t, "quarantine/automatic quarantine begin 3", "quarantine quarantine begin 1")
	})
}

func TestRestartTellsNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		life := func() {
			o.ended("anne", failure(mail.NeedsUser, mail.CodeAuth))
			o.target(failure(mail.NeedsUser, mail.CodeTargetAuth))
			o.aside(1, mail.CodeMailboxFull, someone)
			pass(3 * time.Hour)
			o.remove(1)
		}
		o.run(life)
		o.aside(1, mail.CodeMailboxFull, someone) // still there when it starts again
		o.run(func() {
			o.ended("anne", failure(mail.NeedsUser, mail.CodeAuth))
			o.target(failure(mail.NeedsUser, mail.CodeTargetAuth))
			pass(3 * time.Hour)
		})
		o.person.check(t, "mailbox/anne needs_user begin 0", "target/office target_settings begin 0", "quarantine quarantine begin 1")
		o.post.subjects(t, "Postbag: A mailbox needs you, and 2 more matters")
		// What is over after a restart is told as well.
		o.remove(1)
		o.run(func() { o.ended("anne", nil); o.target(nil); pass(time.Hour) })
		o.person.check(t, "mailbox/anne needs_user begin 0", "target/office target_settings begin 0", "quarantine quarantine begin 1",
			"quarantine quarantine over 1", "mailbox/anne needs_user over 0", "target/office target_settings over 0")
	})
}

func TestOfficeServerDownTheCommandIsToldTheDigestComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		down := failure(mail.Transient, mail.CodeConnect)
		o.post.be(down, nil)
		o.run(func() {
			o.target(down)
			o.ended("anne", failure(mail.NeedsUser, mail.CodeAuth))
			pass(30 * time.Minute)
			o.person.check(t, "target/office target_down begin 0", "mailbox/anne needs_user begin 0")
			for range 5 {
				o.target(down)
				pass(time.Hour)
			}
			o.post.subjects(t)
			o.post.be(nil, nil)
			o.target(nil)
			pass(time.Minute) // not an hour: the office is back
			o.post.subjects(t, "Postbag: A mailbox needs you, and 1 more matter")
			if text := o.post.last(t); !strings.Contains(text, "It lasted from") {
				t.Errorf("the digest:\n%s", text)
			}
			if n, _ := o.post.counts(); n > 15 {
				t.Errorf("a server that is down was asked %d times in six hours", n)
			}
			pass(48 * time.Hour)
		})
		o.post.subjects(t, "Postbag: A mailbox needs you, and 1 more matter", "Postbag: A mailbox needs you", "Postbag: A mailbox needs you")
	})
}

// After a restart with nothing to deliver the engine never learns that the
// office server is back: the desk's own connection tells.
func TestTargetThatIsBackUnnoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.post.be(failure(mail.Transient, mail.CodeConnect), nil)
		o.run(func() {
			o.target(failure(mail.Transient, mail.CodeConnect))
			pass(3 * time.Hour)
		})
		o.post.be(nil, nil)
		o.run(func() {
			pass(30 * time.Minute)
			o.post.subjects(t) // no digest says by way of the server that it is down
			pass(4 * time.Hour)
		})
		o.person.check(t, "target/office target_down begin 0", "target/office target_down over 0")
		if _, n := o.post.counts(); n != 1 {
			t.Errorf("%d digests", n)
		}
		if text := o.post.last(t); !strings.Contains(text, "It lasted from") {
			t.Errorf("the digest:\n%s", text)
		}
	})
}

// rule 46: no reply to the final dot counts as told; a refusal does not.
func TestRule46_DigestWithoutReplyIsNotSentTwice(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want int
	}{
		"no reply": {failure(mail.Transient, mail.CodeNoReply), 1},
		"refused":  {failure(mail.Transient, mail.CodeDeferred), 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t)
				o.post.be(nil, c.err)
				o.run(func() {
					o.ended("anne", failure(mail.NeedsUser, mail.CodeAuth))
					pass(12 * time.Hour)
					if _, n := o.post.counts(); n != c.want {
						t.Errorf("%d digests, want %d", n, c.want)
					}
					o.post.be(nil, nil)
					pass(2 * time.Hour)
				})
				if _, n := o.post.counts(); n != 1 {
					t.Errorf("%d digests in the end, want 1", n)
				}
			})
		})
	}
}

func TestNoDigestAboutWhatIsPausedOrNoLongerConfigured(t *testing.T) {
	for name, change := range map[string]func(o *office){
		"paused by hand": func(o *office) { o.ended("anne", failure(mail.NeedsUser, mail.CodePaused)) },
		"switched off":   func(o *office) { o.configure(func(c *config.Config) { c.Mailboxes[0].Enabled = false }) },
		"removed":        func(o *office) { o.configure(func(c *config.Config) { c.Mailboxes = c.Mailboxes[1:] }) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t)
				o.run(func() {
					o.ended("anne", failure(mail.NeedsUser, mail.CodeAuth))
					change(o)
					pass(72 * time.Hour)
				})
				o.post.subjects(t)
			})
		})
	}
}

func TestNewsOfABacklogMakeOneDigest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.run(func() {
			for row := range int64(100) {
				o.aside(row+1, mail.CodeMailboxFull, someone)
				pass(time.Second)
			}
			pass(20 * time.Second)
			o.post.subjects(t, "Postbag: 100 messages are set aside")
			pass(12 * time.Hour)
		})
		o.post.subjects(t, "Postbag: 100 messages are set aside")
	})
}

func TestFaultOfTheStoreIsToldAndStopsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.fault = errors.New("no queue today")
		o.run(func() {
			o.ended("anne", failure(mail.NeedsUser, mail.CodeAuth))
			pass(time.Minute)
			o.person.check(t, "mailbox/anne needs_user begin 0")
			o.post.subjects(t)
			o.mu.Lock()
			o.fault = nil
			o.mu.Unlock()
			pass(2 * time.Hour)
		})
		o.post.subjects(t, "Postbag: A mailbox needs you")
	})
}

func TestNewWantsItsDependencies(t *testing.T) {
	if _, err := New(t.Context(), Deps{Ledger: new(notify.Memory)}); err == nil {
		t.Error("New did not miss anything")
	}
}
