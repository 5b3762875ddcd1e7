package present

import (
	"slices"
	"strings"
	"testing"
	"time"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

func TestStory(t *testing.T) {
	at := time.Date(2026, 11, 3, 14, 5, 2, 0, time.UTC)
	s := facts.Story{
		Entry: mail.Entry{
			ID: "K7", Subject: "Order", From: "c@shop.test", Size: 12_000, State: mail.Quarantined, AtSource: mail.SourceDeleted, Code: mail.CodeMailboxFull,
			Reason: "552 5.2.2 full", Route: "envelope:Envelope-To", Recipients: []mail.EntryRecipient{{Address: "a@office.test", State: mail.Quarantined, Reply: "552 5.2.2 full"}},
		},
		Steps: []facts.Step{
			{Time: at, Kind: facts.StepFetched, Host: "pop.isp.test", Size: 12_000},
			{Time: at, Kind: facts.StepRouted, Route: "envelope:Envelope-To", Address: "a@office.test", Detail: "Envelope-To: a@office.test"},
			{Time: at.Add(24 * time.Hour), Kind: facts.StepRefused, Address: "a@office.test", Reply: "552 5.2.2 full"},
		},
	}
	for lang, want := range map[string][]string{
		"en": {
			"14:05:02 Fetched from pop.isp.test (12\u00a0KB)",
			`14:05:02 For a@office.test: the provider wrote "Envelope-To: a@office.test"`,
			"2026-11-04 ",
			"14:05:02 For a@office.test: set aside, 552 5.2.2 full",
		},
		"fr": {
			"14:05:02 Relevé chez pop.isp.test (12\u00a0Ko)",
			"14:05:02 Pour a@office.test\u00a0: le fournisseur a écrit «\u00a0Envelope-To: a@office.test\u00a0»",
			"04/11/2026 ",
			"14:05:02 Pour a@office.test\u00a0: mis de côté, 552 5.2.2 full",
		},
	} {
		v := NewStory(i18n.New(lang).In(time.UTC), s, at)
		var got []string
		for _, step := range v.Steps {
			got = append(got, step.Time+" "+step.Text)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\ngot  %q\nwant %q", lang, got, want)
		}
		if v.Steps[3].Mark != MarkTrouble || v.Fault.What == "" || v.Fault.Detail != "552 5.2.2 full" {
			t.Errorf("%s: %+v", lang, v)
		}
		if v.Actions != (QueueActions{Retry: true, SendTo: true, Save: true, Delete: true}) {
			t.Errorf("%+v", v.Actions)
		}
	}
}

func TestActions(t *testing.T) {
	for state, want := range map[mail.State]QueueActions{
		mail.Queued:    {Retry: true, SendTo: true, Save: true, Delete: true},
		mail.TooBig:    {Retry: true, Delete: true},
		mail.Failed:    {Retry: true, Delete: true},
		mail.Delivered: {},
		mail.Collected: {Save: true},
	} {
		if got := ActionsFor(mail.Entry{State: state}); got != want {
			t.Errorf("%s: %+v", state, got)
		}
	}
}

func TestRetryAllLeavesTheBigOnes(t *testing.T) {
	got := RetryAll([]mail.Entry{{ID: "1", State: mail.Queued}, {ID: "2", State: mail.TooBig}, {ID: "3", State: mail.Failed}, {ID: "4", State: mail.Quarantined}})
	if !slices.Equal(got, []string{"1", "3", "4"}) {
		t.Error(got)
	}
}

func TestFileName(t *testing.T) {
	for subject, want := range map[string]string{
		"Order 4": "Order 4.eml", "../../etc/passwd": "etc_passwd.eml", `a\b:c`: "a_b_c.eml", "": "K1.eml", " .. ": "K1.eml",
		strings.Repeat("x", 300): strings.Repeat("x", 61) + ".eml",
	} {
		if got := FileName(mail.Entry{ID: "K1", Subject: subject}); got != want {
			t.Errorf("%q: %q, want %q", subject, got, want)
		}
	}
}

func TestLooksLikeAddress(t *testing.T) {
	for text, want := range map[string]bool{
		"anne@office.test": true, " anne@office.test ": true, "anne": false, "anne@": false, "@office.test": false,
		"a@x.test, b@x.test": false, "Anne <anne@office.test>": false,
	} {
		if got := LooksLikeAddress(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestQueueCount(t *testing.T) {
	p := i18n.New("en")
	if got := QueueCount(p, nil); got != "The queue is empty." {
		t.Error(got)
	}
	got := QueueCount(p, []mail.Entry{{State: mail.Quarantined}, {State: mail.Queued}, {State: mail.Queued}})
	if got != "3 messages: waits\u00a02, set aside\u00a01" {
		t.Error(got)
	}
}

func TestTranscriptForTheWindow(t *testing.T) {
	got := TranscriptText(facts.Transcript{Text: "C: USER a\r\nS: +OK\x1b[2J\r\n"})
	if got != "C: USER a\nS: +OK\ufffd[2J\n" {
		t.Errorf("%q", got)
	}
	long := TranscriptText(facts.Transcript{Text: strings.Repeat("é", transcriptShown)})
	if len(long) > transcriptShown+20 || !strings.Contains(long, "[...]") {
		t.Errorf("%d octets", len(long))
	}
	if name := TranscriptFile(facts.Transcript{Time: time.Date(2026, 11, 3, 14, 5, 2, 0, time.UTC), Name: "pop3-a/b c"}); name != "postbag-20261103-140502-pop3-a-b-c.txt" {
		t.Error(name)
	}
}
