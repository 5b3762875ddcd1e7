package deliver

import (
	"strings"
	"testing"

	"postbag/engine/mail"
)

// rules 44 and 45
func TestRule45_Classify(t *testing.T) {
	tests := []struct {
		op   string
		code int
		text string
		v    mail.Verdict
		c    mail.Code
		cl   mail.Class
	}{
		{OpMAIL, 250, "2.1.0 Ok", mail.Accepted, "", 0},
		{OpMAIL, 421, "4.3.2 closing", mail.NotAttempted, mail.CodeTargetBusy, mail.Transient},
		{OpMAIL, 451, "4.3.0 later", mail.Deferred, mail.CodeDeferred, mail.Transient},
		{OpMAIL, 452, "4.3.1 disk", mail.Deferred, mail.CodeDeferred, mail.Transient},
		{OpMAIL, 530, "5.7.0 sign in", mail.NotAttempted, mail.CodeTargetAuth, mail.NeedsUser},
		{OpMAIL, 535, "5.7.8 no", mail.NotAttempted, mail.CodeTargetAuth, mail.NeedsUser},
		{OpMAIL, 550, "5.7.1 may not send as", mail.Deferred, mail.CodeSender, mail.NeedsUser},
		{OpMAIL, 553, "no", mail.Deferred, mail.CodeSender, mail.NeedsUser},
		{OpMAIL, 501, "5.1.7 bad sender", mail.Deferred, mail.CodeSender, mail.NeedsUser},
		{OpMAIL, 552, "5.3.4 too big", mail.Refused, mail.CodeTooLarge, mail.Permanent},
		{OpMAIL, 552, "too big", mail.Refused, mail.CodeTooLarge, mail.Permanent},
		{OpRCPT, 251, "will forward", mail.Accepted, "", 0},
		{OpRCPT, 421, "bye", mail.Deferred, mail.CodeTargetBusy, mail.Transient},
		{OpRCPT, 450, "4.2.0 greylisted", mail.Deferred, mail.CodeDeferred, mail.Transient},
		{OpRCPT, 452, "4.2.2 mailbox full", mail.Deferred, mail.CodeDeferred, mail.Transient},
		{OpRCPT, 550, "5.1.1 unknown", mail.NoSuchUser, mail.CodeUnknownUser, mail.Permanent},
		{OpRCPT, 550, "no such user", mail.NoSuchUser, mail.CodeUnknownUser, mail.Permanent},
		{OpRCPT, 551, "user not local", mail.NoSuchUser, mail.CodeUnknownUser, mail.Permanent},
		{OpRCPT, 553, "5.1.3 odd", mail.NoSuchUser, mail.CodeUnknownUser, mail.Permanent},
		{OpRCPT, 550, "5.1.10 RESOLVER.ADR.RecipientNotFound", mail.NoSuchUser, mail.CodeUnknownUser, mail.Permanent},
		{OpRCPT, 550, "5.1.1", mail.NoSuchUser, mail.CodeUnknownUser, mail.Permanent},
		{OpRCPT, 550, "sorry, no mailbox here by that name (#5.1.1)", mail.NoSuchUser, mail.CodeUnknownUser, mail.Permanent},
		{OpRCPT, 554, "5.1.1 odd code", mail.Refused, mail.CodeRejected, mail.Permanent},
		{OpRCPT, 550, "5.2.1 disabled", mail.Refused, mail.CodeRejected, mail.Permanent},
		{OpRCPT, 552, "5.2.2 full", mail.Refused, mail.CodeMailboxFull, mail.Permanent},
		{OpRCPT, 552, "full", mail.Refused, mail.CodeMailboxFull, mail.Permanent},
		{OpRCPT, 552, "5.3.4 too big for him", mail.Refused, mail.CodeTooLarge, mail.Permanent},
		{OpRCPT, 554, "5.7.1 relay access denied", mail.Refused, mail.CodePolicy, mail.Permanent},
		{OpRCPT, 550, "5.7.54 SMTP; Unable to relay", mail.Refused, mail.CodePolicy, mail.Permanent},
		{OpRCPT, 550, "Relaying denied", mail.Refused, mail.CodePolicy, mail.Permanent},
		{OpRCPT, 550, "5.1.8 sender domain not found", mail.Deferred, mail.CodeSender, mail.NeedsUser},
		{OpRCPT, 503, "5.5.1 MAIL first", mail.Deferred, mail.CodeProtocol, mail.Transient},
		{OpDATA, 451, "later", mail.Deferred, mail.CodeDeferred, mail.Transient},
		{OpDATA, 554, "no valid recipients", mail.Refused, mail.CodeContent, mail.Permanent},
		{OpDot, 250, "2.0.0 queued", mail.Accepted, "", 0},
		{OpDot, 452, "4.3.1 disk", mail.Deferred, mail.CodeDeferred, mail.Transient},
		{OpDot, 550, "5.7.1 spam", mail.Refused, mail.CodePolicy, mail.Permanent},
		{OpDot, 552, "5.3.4 too big", mail.Refused, mail.CodeTooLarge, mail.Permanent},
		{OpDot, 552, "5.2.2 full", mail.Refused, mail.CodeMailboxFull, mail.Permanent},
		{OpDot, 554, "5.6.0 bare LF", mail.Refused, mail.CodeContent, mail.Permanent},
		{OpDot, 554, "virus", mail.Refused, mail.CodeContent, mail.Permanent},
		{OpDot, 550, "no", mail.Refused, mail.CodeRejected, mail.Permanent},
		{OpDot, 550, "5.1.1 no", mail.Refused, mail.CodeRejected, mail.Permanent},
		{OpDot, 354, "what?", mail.Deferred, mail.CodeProtocol, mail.Transient},
		{OpLMTP, 550, "5.1.1 no", mail.NoSuchUser, mail.CodeUnknownUser, mail.Permanent},
		{OpLMTP, 452, "4.2.2 quota", mail.Deferred, mail.CodeDeferred, mail.Transient},
	}
	for _, tt := range tests {
		v, f := Classify(tt.op, makeReply(tt.code, tt.text))
		if v != tt.v {
			t.Errorf("%s %d %s: verdict %d, want %d", tt.op, tt.code, tt.text, v, tt.v)
		}
		if tt.c == "" {
			if f != nil {
				t.Errorf("%s %d: %v", tt.op, tt.code, f)
			}
			continue
		}
		if f == nil || f.Code != tt.c || f.Class != tt.cl || f.Op != tt.op || !strings.Contains(f.Reply, tt.text) {
			t.Errorf("%s %d %s: %v, want %s %v", tt.op, tt.code, tt.text, f, tt.c, tt.cl)
		}
	}
}

func TestReplyWords(t *testing.T) {
	tests := []struct{ text, want string }{
		{"2.0.0 Ok:\nqueued  as\tX", "250 2.0.0 Ok: queued as X"},
		{"\x1b[31mred\x00\x7f", "250 [31mred"},
		{"", "250"},
		{strings.Repeat("é", 400), "250 " + strings.Repeat("é", 250)},
		{"\xff\xfe", "250 ?"},
	}
	for _, tt := range tests {
		if got := (Reply{Code: 250, Text: tt.text}).String(); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
}

func FuzzClassify(f *testing.F) {
	f.Add(OpRCPT, 550, "5.1.1 no")
	f.Add(OpDot, 999, "")
	f.Fuzz(func(t *testing.T, op string, code int, text string) {
		r := makeReply(code, text)
		v, fault := Classify(op, r)
		if (v == mail.Accepted) != (fault == nil) || (v == mail.Accepted) != (code/100 == 2) {
			t.Fatalf("%d %q: %v %v", code, text, v, fault)
		}
		if v == mail.Refused && code/100 != 5 {
			t.Fatalf("refused for good by %d", code) // what nobody classified is tried again
		}
	})
}
