package digest

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"postbag/app/i18n"
	"postbag/app/notify"
	"postbag/engine/mail"
	"postbag/engine/mail/header"
)

func paris() *time.Location { return time.FixedZone("CET", 3600) }

func input(lang string, causes ...Cause) Input {
	return Input{
		Causes: causes, Domain: "office.test", Administrator: "admin@office.test", Installation: "abc",
		Now:   time.Date(2026, 11, 20, 10, 30, 0, 0, paris()),
		Texts: i18n.New(lang).In(paris()),
	}
}

func quarantine(messages ...Message) Cause {
	return Cause{Key: "q", Kind: notify.Quarantine, Count: len(messages), Since: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC), Messages: messages}
}

func full() Message {
	return Message{ID: "01ab", Time: time.Date(2026, 11, 20, 9, 5, 0, 0, time.UTC), From: "Bob <bob@isp.test>", Subject: "Offre d'été", Size: 12_345, Code: mail.CodeMailboxFull, Reply: "552 5.2.2 mailbox full"}
}

func password() Cause {
	return Cause{
		Key: "anne", Kind: notify.NeedsUser, Since: time.Date(2026, 11, 19, 9, 0, 0, 0, time.UTC),
		Failure: &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeSuspended, Reply: "-ERR [AUTH] no"},
		Context: i18n.Context{Side: i18n.SideSource, Name: "Anne", Host: "pop.isp.test"},
	}
}

// read parses a letter with the standard library, which wrote none of it.
func read(t *testing.T, l Letter) (netmail.Header, string) {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(l.Data))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header, string(body)
}

func compose(t *testing.T, in Input) (Letter, netmail.Header, string) {
	t.Helper()
	l, ok := Compose(in)
	if !ok {
		t.Fatal("nothing was written")
	}
	h, body := read(t, l)
	return l, h, body
}

func TestRule47_DigestGoesInsideWithTheNullSender(t *testing.T) {
	l, h, _ := compose(t, input("en", quarantine(full())))
	if l.Sender != "" || l.Recipient != "admin@office.test" {
		t.Errorf("envelope %q -> %q", l.Sender, l.Recipient)
	}
	for name, want := range map[string]string{
		"Auto-Submitted":            "auto-generated",
		"From":                      "Postbag <postbag@office.test>",
		"To":                        "<admin@office.test>",
		"Date":                      "Fri, 20 Nov 2026 10:30:00 +0100",
		"Message-ID":                l.MessageID,
		"Content-Type":              "text/plain; charset=utf-8",
		"Content-Transfer-Encoding": "quoted-printable",
		"Mime-Version":              "1.0",
		"Content-Language":          "en",
		"Subject":                   "Postbag: 1 message is set aside",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if h.Get("Return-Path") != "" || !strings.HasPrefix(l.MessageID, "<digest.20261120093000.") || !strings.HasSuffix(l.MessageID, "@office.test>") {
		t.Errorf("message id %q", l.MessageID)
	}
	if Reportable(header.Parse(l.Data)) {
		t.Error("a digest about a digest would be possible")
	}
}

func TestDigestTellsWhatItMeansAndWhatToDo(t *testing.T) {
	_, h, body := compose(t, input("en", quarantine(full()), password()))
	if got := h.Get("Subject"); got != "Postbag: 1 message is set aside, and 1 more matter" {
		t.Errorf("subject %q", got)
	}
	want := []string{
		"1. 1 message is set aside\r\n-------------------------\r\n",
		"They are not lost", // replaced below: the singular
		"What to do: Look at each message in the queue",
		"Since: 2026-11-20 10:00\r\n",
		"  2026-11-20 10:05  Bob <bob@isp.test>  (12\u00a0KB, number 01ab)\r\n    Offre d'été\r\n    Why: The recipient's mailbox at the office server is full.",
		"    The server's words: 552 5.2.2 mailbox full\r\n",
		"2. A mailbox needs you\r\n----------------------\r\nMailbox: Anne (pop.isp.test)\r\nThe mailbox is suspended: the password was refused three times.\r\nWhat it means: No mail is lost",
		"What to do: Enter the right password, or resume the mailbox.\r\nSince: 2026-11-19 10:00\r\nThe server's words: -ERR [AUTH] no\r\n",
		"\r\n-- \r\nPostbag wrote this by itself",
	}
	want[1] = "It is not lost"
	rest := body
	for _, w := range want {
		_, after, ok := strings.Cut(rest, w)
		if !ok {
			t.Fatalf("%q is missing or out of order in\n%s", w, body)
		}
		rest = after
	}
}

func TestFromRecord(t *testing.T) {
	since := time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)
	r := notify.Record{Alert: notify.Alert{Cause: "office", Kind: notify.TargetSettings, Code: mail.CodeTLSPin, Since: since}}
	c := FromRecord(r)
	c.Context = i18n.Context{Side: i18n.SideTarget, Name: "office"}
	_, _, body := compose(t, input("en", c))
	for _, w := range []string{"The office server shows another certificate", "it waits here until this is settled", "Since: 2026-11-20 07:00"} {
		if !strings.Contains(body, w) {
			t.Errorf("%q is missing in\n%s", w, body)
		}
	}
	if c := FromRecord(notify.Record{Alert: notify.Alert{Cause: "d", Kind: notify.Disk}}); c.Failure != nil || c.Key != "d" {
		t.Errorf("%+v", c)
	}
}

func TestDigestInFrench(t *testing.T) {
	_, h, body := compose(t, input("fr", quarantine(full(), full()), password()))
	subject, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
	if err != nil || subject != "Postbag\u00a0: 2 messages sont mis de côté, et 1 autre point" {
		t.Errorf("subject %q, %v", subject, err)
	}
	for _, w := range []string{"20/11/2026 10:05  Bob <bob@isp.test>  (12\u00a0Ko, numéro 01ab)", "Ce qu'il faut faire\u00a0: ", "Boîte\u00a0: Anne (pop.isp.test)", "Réponse du serveur\u00a0: 552"} {
		if !strings.Contains(body, w) {
			t.Errorf("%q is missing in\n%s", w, body)
		}
	}
}

func TestDigestOfWhatIsOver(t *testing.T) {
	c := Cause{Key: "t", Kind: notify.TargetDown, Since: time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC), Ended: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC),
		Failure: &mail.Failure{Code: mail.CodeConnect}, Context: i18n.Context{Side: i18n.SideTarget, Name: "office", Host: "mail.office.test"}}
	_, _, body := compose(t, input("en", c))
	for _, w := range []string{"Office server: office (mail.office.test)\r\nThe office server takes mail again.", "It lasted from 2026-11-20 07:00 to 2026-11-20 09:00."} {
		if !strings.Contains(body, w) {
			t.Errorf("%q is missing in\n%s", w, body)
		}
	}
	if strings.Contains(body, "What to do") || strings.Contains(body, "Since:") {
		t.Errorf("advice about what is over:\n%s", body)
	}
}

// Each of these leaves nothing to tell.
func TestRule47_WhatADigestNeverTells(t *testing.T) {
	bounce, stranger := full(), full()
	bounce.Automatic = true
	stranger.Code = mail.CodeUnknownUser
	cases := map[string][]Cause{
		"nothing":                  nil,
		"a bounce":                 {quarantine(bounce)},
		"an unknown recipient":     {quarantine(stranger)},
		"both":                     {quarantine(bounce, stranger)},
		"a count without messages": {{Kind: notify.Quarantine, Count: 3}},
		"unknown users":            {{Kind: notify.TargetDown, Failure: &mail.Failure{Code: mail.CodeUnknownUser}}},
	}
	for name, causes := range cases {
		if l, ok := Compose(input("en", causes...)); ok {
			t.Errorf("%s: %s", name, l.Data)
		}
	}
	bounce.Subject = "Undelivered Mail"
	mixed := quarantine(bounce, full(), stranger)
	_, h, body := compose(t, input("en", mixed))
	if strings.Contains(body, "Undelivered") || h.Get("Subject") != "Postbag: 1 message is set aside" {
		t.Errorf("the bounce is told: %s\n%s", h.Get("Subject"), body)
	}
	if len(mixed.Messages) != 3 || mixed.Messages[0].Subject != "Undelivered Mail" {
		t.Error("the input was changed")
	}
}

func TestDigestCleansForeignText(t *testing.T) {
	m := full()
	m.From = "Evil\r\nBcc: all@office.test\x00\x1b[31m <e@x.test>"
	m.Subject = "a\u202eb\u200b  c\nd \xff" + strings.Repeat("x", 5000)
	m.Reply = "550 \x07no\r\n.\r\nMAIL FROM:<x>"
	m.ID = "id\nwith line"
	c := password()
	c.Context.Name = "An\r\nne"
	c.Failure.Reply = "-ERR\r\nX: y"
	in := input("en", quarantine(m), c)
	in.Administrator = "admin@office.test\r\nX-Evil: 1"
	l, h, body := compose(t, in)
	if len(h) != 11 || h.Get("X-Evil") != "" || h.Get("Bcc") != "" {
		t.Errorf("header %v", h)
	}
	for _, bad := range []string{"\x00", "\x1b", "\u202e", "\u200b", "\x07", "\r\nBcc", "\r\n.\r\n", "\r\nX: y", strings.Repeat("x", 200)} {
		if strings.Contains(body, bad) {
			t.Errorf("%q is in\n%s", bad, body)
		}
	}
	checkWire(t, l.Data)
}

// checkWire: 7 bit, CRLF only, short lines (RFC 5322 section 2.1.1).
func checkWire(t *testing.T, data []byte) {
	t.Helper()
	for i, line := range bytes.SplitAfter(data, []byte("\r\n")) {
		bare := bytes.TrimSuffix(line, []byte("\r\n"))
		if len(bare) > 78 || bytes.ContainsAny(bare, "\r\n\x00") || bytes.ContainsFunc(bare, func(r rune) bool { return r > 0x7e || r < 0x20 && r != '\t' }) {
			t.Fatalf("line %d: %q", i, line)
		}
	}
	if !bytes.HasSuffix(data, []byte("\r\n")) {
		t.Error("the last line has no end")
	}
}

func TestDigestIsFitForTheWire(t *testing.T) {
	for _, lang := range i18n.Languages() {
		for _, k := range notify.Kinds() {
			c := Cause{Key: string(k), Kind: k, Count: 2, Since: time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC), Messages: []Message{full(), full()}}
			l, ok := Compose(input(lang, c, c, password()))
			if !ok {
				t.Fatalf("%s %s: nothing", lang, k)
			}
			checkWire(t, l.Data)
			if _, body := read(t, l); strings.Contains(body, "digest.") || strings.Contains(body, "notify.") || strings.Contains(body, "<no value>") {
				t.Errorf("%s %s: a text is missing:\n%s", lang, k, body)
			}
		}
	}
}

func TestDigestListIsBounded(t *testing.T) {
	var many []Message
	for i := range 60 {
		m := full()
		m.Subject = fmt.Sprintf("number-%d.", i)
		many = append(many, m)
	}
	c := quarantine(many...)
	c.Count = 100
	_, h, body := compose(t, input("en", c))
	if strings.Count(body, "number-") != 50 || !strings.Contains(body, "and 50 more messages, see the queue") || h.Get("Subject") != "Postbag: 100 messages are set aside" {
		t.Errorf("%d listed, subject %q", strings.Count(body, "number-"), h.Get("Subject"))
	}
}

func TestDigestIsPureAndItsIdUnique(t *testing.T) {
	a, _ := Compose(input("en", quarantine(full())))
	b, _ := Compose(input("en", quarantine(full())))
	if !bytes.Equal(a.Data, b.Data) {
		t.Error("the same input made two letters")
	}
	later := input("en", quarantine(full()))
	later.Now = later.Now.Add(time.Second)
	c, _ := Compose(later)
	d, _ := Compose(input("en", password()))
	if a.MessageID == c.MessageID || a.MessageID == d.MessageID {
		t.Error("two letters have one id")
	}
}

func TestDigestWithForeignDomain(t *testing.T) {
	in := input("fr", password())
	in.Domain, in.Administrator = "bücher.test", "chef@Bücher.test"
	l, h, _ := compose(t, in)
	if h.Get("From") != "Postbag <postbag@xn--bcher-kva.test>" || h.Get("To") != "<chef@xn--bcher-kva.test>" || l.Recipient != "chef@Bücher.test" {
		t.Errorf("from %q to %q recipient %q", h.Get("From"), h.Get("To"), l.Recipient)
	}
	checkWire(t, l.Data)
}

// Nothing odd in an input may break the form of the letter.
func FuzzCompose(f *testing.F) {
	f.Add("Bob <bob@isp.test>", "Subject", "552 full", "admin@office.test", 3)
	f.Add("=?utf-8?q?x?=", "\r\n.\r\n", "\x00\xff\u2028", "a\r\nb", -1)
	f.Fuzz(func(t *testing.T, from, subject, reply, name string, count int) {
		m := full()
		m.From, m.Subject, m.Reply, m.ID = from, subject, reply, name
		q := quarantine(m)
		q.Count = count
		c := password()
		c.Context.Name, c.Failure.Reply = name, reply
		l, ok := Compose(input("fr", q, c))
		if !ok {
			t.Fatal("nothing")
		}
		checkWire(t, l.Data)
		if h, _ := read(t, l); len(h) != 11 {
			t.Fatalf("header %v", h)
		}
	})
}

// Every text stands in both languages.
func TestTexts(t *testing.T) {
	for _, lang := range i18n.Languages() {
		p := i18n.New(lang)
		for _, key := range Keys() {
			if !p.Has(key) {
				t.Errorf("%s: no text for %s", lang, key)
			}
		}
	}
}
