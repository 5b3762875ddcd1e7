package attend

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"postbag/app/notify"
	"postbag/engine/mail"
	"postbag/engine/mail/header"
)

func TestHeaderBlockEndsAtTheFirstEmptyLine(t *testing.T) {
	long := "X-Long: " + strings.Repeat("a", 4096-8-2) + "\r\n" // fills the reader's buffer
	for name, c := range map[string]struct{ message, want string }{
		"CRLF":                     {"From: a\r\n\r\nPrecedence: bulk\r\n", "From: a\r\n\r\n"},
		"LF":                       {"From: a\n\nPrecedence: bulk\n", "From: a\n\n"},
		"no body":                  {"From: a\r\n", "From: a\r\n"},
		"nothing":                  {"", ""},
		"no header":                {"\r\nbody", "\r\n"},
		"a line as long as a read": {long + "From: a\r\n\r\nbody", long + "From: a\r\n\r\n"},
		"one octet longer":         {"X" + long + "From: a\r\n\r\nbody", "X" + long + "From: a\r\n\r\n"},
		"two octets longer":        {"XX" + long + "From: a\r\n\r\nbody", "XX" + long + "From: a\r\n\r\n"},
	} {
		got, err := headerBlock(strings.NewReader(c.message))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := headerBlock(iotest.ErrReader(errors.New("the disk"))); err == nil {
		t.Error("a fault of the disk passed for a header")
	}
}

// The header read from a message is the one that the whole message has.
func FuzzHeaderBlock(f *testing.F) {
	f.Add([]byte("From: a\r\n\r\nbody"))
	f.Add([]byte("A: b\n\r\n\n"))
	f.Add([]byte("A: " + strings.Repeat("b", 5000) + "\r\n c\r\n\r\nD: e"))
	f.Fuzz(func(t *testing.T, message []byte) {
		block, err := headerBlock(bytes.NewReader(message))
		if err != nil || !bytes.HasPrefix(message, block) {
			t.Fatalf("%q, %v", block, err)
		}
		want, got := header.Parse(message).Fields, header.Parse(block).Fields
		if len(want) != len(got) {
			t.Fatalf("%d fields, want %d", len(got), len(want))
		}
	})
}

func TestSetAside(t *testing.T) {
	full := mail.EntryRecipient{State: mail.Quarantined, Code: mail.CodeMailboxFull, Reply: "552 full"}
	nobody := mail.EntryRecipient{State: mail.Quarantined, Code: mail.CodeUnknownUser, Reply: "550 nobody"}
	for name, c := range map[string]struct {
		entry mail.Entry
		kind  notify.Kind // "": not set aside
		code  mail.Code
	}{
		"waits":                        {mail.Entry{State: mail.Queued, Code: mail.CodeDeferred}, "", ""},
		"collected":                    {mail.Entry{State: mail.Collected}, "", ""},
		"for one of two":               {mail.Entry{State: mail.Queued, Recipients: []mail.EntryRecipient{{State: mail.Queued}, full}}, notify.Quarantine, mail.CodeMailboxFull},
		"for both":                     {mail.Entry{State: mail.Quarantined, Code: mail.CodeUnknownUser, Recipients: []mail.EntryRecipient{nobody, full}}, notify.Quarantine, mail.CodeMailboxFull},
		"unknown beside one who waits": {mail.Entry{State: mail.Queued, Recipients: []mail.EntryRecipient{nobody, {State: mail.Queued}}}, notify.Quarantine, mail.CodeUnknownUser},
		"lifetime":                     {mail.Entry{State: mail.Quarantined, Code: mail.CodeLifetime}, notify.Quarantine, mail.CodeLifetime},
		"loop":                         {mail.Entry{State: mail.Quarantined, Route: mail.RouteLoop, Recipients: []mail.EntryRecipient{{State: mail.Quarantined, Code: mail.CodeLoop}}, Code: mail.CodeLoop}, notify.Loop, mail.CodeLoop},
		"too big":                      {mail.Entry{State: mail.TooBig, Code: mail.CodeTooBig}, notify.TooBig, mail.CodeTooBig},
		"failed":                       {mail.Entry{State: mail.Failed, Code: mail.CodeTimeout}, notify.Failed, mail.CodeTimeout},
	} {
		kind, m, ok := setAside(c.entry)
		if ok != (c.kind != "") || ok && (kind != c.kind || m.Code != c.code) {
			t.Errorf("%s: %v, %q, code %q", name, ok, kind, m.Code)
		}
	}
}

// rule 47: what cannot be read now might be a bounce.
func TestRule47_WhatCannotBeReadIsNotToldOf(t *testing.T) {
	fault := error(&mail.Failure{Class: mail.Internal, Code: mail.CodeStore})
	a := &asides{automatic: map[int64]bool{}, d: Deps{
		Queue: func(_ context.Context, each func(mail.Entry) error) error {
			return each(mail.Entry{Row: 1, ID: "K1", State: mail.Quarantined, From: "carl@far.test"})
		},
		Open: func(context.Context, int64) (io.ReadCloser, int64, error) {
			return io.NopCloser(strings.NewReader("From: carl@far.test\r\n\r\n")), 0, fault
		},
	}}
	for _, want := range []string{string(notify.Quarantine) + automatic, string(notify.Quarantine)} {
		list, err := a.look(t.Context())
		if err != nil || len(list.ids[want]) != 1 {
			t.Errorf("%+v, %v: want it under %q", list.ids, err, want)
		}
		fault = nil // the next time it can be read
	}
}
