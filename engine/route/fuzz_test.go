package route

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"postbag/engine/mail"
	"postbag/engine/mail/header"
)

// boxes are rules that together use every setting.
func boxes(t testing.TB) []*Rules {
	t.Helper()
	full := office()
	full.ListRules = []ListRule{{ListID: "chess.club.test", DeliverTo: []string{"sales@office.test"}}, {ListPost: "chess@club.test", DeliverTo: []string{"bob@office.test"}}, {ToContains: "chess", DeliverTo: []string{"accountant@partner.test"}}}
	full.Lists[0].Members = append(full.Lists[0].Members, "accountant@partner.test", "sales@office.test")
	strict := global()
	strict.ISPHosts, strict.ReceivedFor, strict.ReceivedSkip, strict.StripSubdomains = []string{"isp.test", "192.0.2.1"}, true, 1, true
	loose := global()
	loose.ISPHosts, loose.UseBcc, loose.EnvelopePrefix, loose.EnvelopePattern, loose.EnvelopeOccurrence = []string{"*"}, true, "x-", `^(.*)$`, 2
	individual := Mailbox{Kind: "individual", DeliverTo: []string{"sales@office.test"}}
	var out []*Rules
	for _, o := range []Office{full, everybody()} {
		r, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []Mailbox{global(), strict, loose, individual} {
			if m.Kind == "individual" && len(o.Lists) == 0 {
				m.DeliverTo = []string{"anne@office.test"}
			}
			c, err := r.Compile(m)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, c)
		}
	}
	return out
}

// FuzzDecide: whatever a header holds, there is at least one recipient, each
// person once, inside the domains or allowed by name, and nothing of the header
// can break a line of SMTP or of our own header.
func FuzzDecide(f *testing.F) {
	for _, seed := range []string{
		"", "\r\n", "To: anne@office.test\r\n\r\nbody", "X-Original-To: ghost@office.test\nTo: a\n",
		"Received: " + postfixOutside + "\r\nTo: bob@x.office.test, anne+x@office.test\r\n",
		"Received: " + dovecotBare + "\r\nDelivered-To: office-42\r\nReceived: " + eximOutside + "\r\n",
		"Return-Path: <>\r\nReceived: " + qmailInvoked + "\r\nReceived: " + sendmailForged + "\r\nBcc: x@office.test\r\n",
		"List-Id: <chess.club.test>\r\nList-Post: <mailto:chess@club.test>\r\nCc: =?utf-8?q?chess?= <chess@club.test>\r\n",
		"Resent-To: \"a b\\\"\"@office.test\r\nResent-From: x\r\nResent-To: y\r\nResent-From: z\r\n",
		"X-Postbag-Loop: installation-1\r\nFrom: \"\x01\xff\"@office.test\r\n",
		"To: \xff@office.test, a@b@office.test, @office.test, +@office.test, x-@office.test",
		"Delivered-To: x-anne@office.test\r\nA: b\r\nDelivered-To: X-Bob@office.test,\r\n (\x1b$B\"\x1b(B)\r\n",
	} {
		f.Add([]byte(seed))
	}
	all := boxes(f)
	f.Fuzz(func(t *testing.T, block []byte) {
		h := header.Parse(block)
		for _, c := range all {
			d := c.Decide(h)
			checkDecision(t, c, d)
			if again := c.Decide(h); !reflect.DeepEqual(d, again) {
				t.Fatalf("not the same answer: %+v, %+v", d, again)
			}
		}
	})
}

func checkDecision(t *testing.T, c *Rules, d mail.Decision) {
	t.Helper()
	if len(d.Recipients) == 0 {
		t.Fatal("for nobody")
	}
	if d.Route == "" || (d.Route == mail.RouteUnknown && d.Reason == "") {
		t.Fatalf("route %q, reason %q", d.Route, d.Reason)
	}
	for _, s := range []string{d.Reason, d.Evidence, d.Sender, strings.Join(d.Notes, "")} {
		if control(s) || !utf8.ValidString(s) || len(s) > 20*maxEvidence {
			t.Fatalf("unfit text %q", s)
		}
	}
	if strings.IndexFunc(d.Reason, func(r rune) bool { return r > '~' }) >= 0 || len(d.Reason) > maxReason {
		t.Fatalf("reason %q", d.Reason)
	}
	persons := map[string]bool{}
	for _, r := range d.Recipients {
		if persons[r.Person] {
			t.Fatalf("%s twice", r.Person)
		}
		persons[r.Person] = true
		a, ok := header.ParseAddress(r.Address)
		if !ok || !writable(a) {
			t.Fatalf("unfit address %q", r.Address)
		}
		if !c.router.book.allowed(nameOf(a)) || r.Outside == c.router.book.inside(a) {
			t.Fatalf("outside: %+v", r)
		}
	}
}

func FuzzReceived(f *testing.F) {
	for _, s := range []string{postfixOutside, eximNoName, qmailHeloAddr, sendmailForged, gmailInside, ipv6Inside, tampered, "from (((\\", "by", "for <\"", "from [ ([ by ["} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r := parseReceived(line)
		addrs, host := r.origin()
		if len(addrs) > len(line) || len(host) > 3*len(line) {
			t.Errorf("%q: %v %q", line, addrs, host)
		}
		// Without isp_hosts a line from a public address never vouches for what is below.
		w := walker{}
		w.whose(r)
		public := false
		for _, a := range addrs {
			public = public || !internal(a)
		}
		if public && r.hasFrom && !r.local() && w.inside(r) {
			t.Errorf("%q is inside", line)
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	h := parseHeader(
		"Return-Path: <x@sender.test>", "X-Original-To: anne@office.test", "Delivered-To: office-42@isp.test",
		"Received: "+dovecotFull, "Received: "+amavis, "Received: "+postfixOutside, "Received: "+exchangeOut,
		"Message-ID: <1@sender.test>", "Date: Mon, 9 Nov 2026 10:00:00 +0100", "From: X <x@sender.test>",
		"To: Anne <anne@office.test>, Bob <bob@office.test>", "Cc: sales@office.test", "Subject: hello")
	for i, c := range boxes(b)[:3] {
		b.Run([]string{"plain", "strict", "loose"}[i], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if len(c.Decide(h).Recipients) == 0 {
					b.Fatal("nobody")
				}
			}
		})
	}
}
