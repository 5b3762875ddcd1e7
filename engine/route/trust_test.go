package route

import (
	"strings"
	"testing"

	"postbag/engine/mail"
	"postbag/engine/mail/header"
)

// Received lines as real servers write them.
const (
	postfixOutside = "from mail.sender.test (mail.sender.test [198.51.100.7])\r\n" +
		"\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\r\n\t key-exchange X25519)\r\n" +
		"\t(No client certificate requested)\r\n\tby mx.isp.test (Postfix) with ESMTPS id 4XyZ\r\n" +
		"\tfor <anne@office.test>; Mon,  9 Nov 2026 10:00:00 +0100 (CET)"
	postfixInside  = "from mx.isp.test (mx.isp.test [10.1.2.3]) by store.isp.test (Postfix) with ESMTP id 1; d"
	postfixLocal   = "by mx.isp.test (Postfix, from userid 110) id 1F2E; d"
	eximOutside    = "from mail.sender.test ([198.51.100.7] helo=localhost) by mx.isp.test with esmtps (TLS1.3) tls TLS_AES_256 (Exim 4.98) (envelope-from <x@sender.test>) id 1abc for anne@office.test; d"
	eximNoName     = "from [198.51.100.7] (port=4711 helo=mx.isp.test) by mx.isp.test with esmtp (Exim 4.98) id 1abc; d"
	eximNoNameIn   = "from [10.0.0.7] (helo=x) by mx.isp.test with esmtp (Exim 4.98) id 1abc; d"
	eximLocal      = "from mail by mx.isp.test with local (Exim 4.98) id 1abc; d"
	eximInside     = "from relay.isp.test ([192.168.1.1]:2525 helo=relay) by mx.isp.test with esmtp id 1abc; d"
	qmailInvoked   = "(qmail 12345 invoked by uid 89); 9 Nov 2026 10:00:00 -0000"
	qmailOutside   = "from unknown (HELO mx.isp.test) (198.51.100.7)\r\n  by mx.isp.test with SMTP; 9 Nov 2026 10:00:00 -0000"
	qmailHeloAddr  = "from unknown (HELO 10.0.0.1) (198.51.100.7) by mx.isp.test with SMTP; d"
	qmailInside    = "from unknown (HELO x) (ident@10.0.0.9) by mx.isp.test with SMTP; d"
	sendmailForged = "from mx.isp.test (mx.isp.test [198.51.100.7] (may be forged)) by mx.isp.test (8.17.1/8.17.1) with ESMTP id 1; d"
	sendmailName   = "from x (relay.isp.test (may be forged)) by mx.isp.test (8.17.1/8.17.1) with ESMTP id 1; d"
	sendmailSubmit = "(from apache@localhost) by mx.isp.test (8.17.1/8.17.1/Submit) id 1; d"
	sendmailInside = "from relay (root@relay.isp.test [127.0.0.1]) by mx.isp.test (8.17.1/8.17.1) with ESMTP id 1; d"
	exchangeIn     = "from EX1.isp.test (10.1.2.3) by EX2.isp.test (10.1.2.4) with Microsoft SMTP Server (version=TLS1_2, cipher=X) id 15.1.2507.6; d"
	exchangeOut    = "from smtp.sender.test (198.51.100.7) by EX1.isp.test (10.1.2.3) with Microsoft SMTP Server id 15.1.2507.6 via Frontend Transport; d"
	gmailInside    = "by 2002:a05:6102:3a10:b0:5a1:1:2 with SMTP id a1b2; Mon, 09 Nov 2026 01:00:00 -0800 (PST)"
	gmailOutside   = "from mail.sender.test (mail.sender.test. [198.51.100.7]) by mx.isp.test with ESMTPS id a1 for <anne@office.test> (version=TLS1_3 cipher=X bits=128/128); d"
	dovecotBare    = "from mx.isp.test by store7 with LMTP id abc (envelope-from <x@y.test>) for <anne@office.test>; d"
	dovecotFull    = "from mx.isp.test ([203.0.113.9]) by store.isp.test with LMTP id abc; d"
	ipv6Inside     = "from localhost (localhost [IPv6:::1]) by mx.isp.test (Postfix) with ESMTP id 1; d"
	ipv6Unique     = "from relay (unknown [IPv6:fd00:12::5]) by mx.isp.test (Postfix) with ESMTP id 1; d"
	ipv6Outside    = "from relay (unknown [IPv6:2001:db8::5]) by mx.isp.test (Postfix) with ESMTP id 1; d"
	amavis         = "from mx.isp.test ([127.0.0.1]) by localhost (mx.isp.test [127.0.0.1]) (amavis, port 10024) with ESMTP id 1; d"
	heloOnly       = "from mx.isp.test by mx.isp.test with SMTP; d"
	nameOnly       = "from x (relay.isp.test) by mx.isp.test with SMTP; d"
	publicRelay    = "from relay.isp.test (relay.isp.test [203.0.113.9]) by mx.isp.test (Postfix) with ESMTP id 1; d"
	yahooOutside   = "from 198.51.100.7 (EHLO mail.sender.test) by 10.217.1.1 with SMTPs; d"
	tampered       = "from x by mx.isp.test with LMTP (mail.sender.test [198.51.100.7]) by mx.isp.test with ESMTP id 1; d"
	tamperedDate   = "from x by mx.isp.test with LMTP id 1; (mail.sender.test [198.51.100.7]) by mx.isp.test with ESMTP id 1; d"
	foreignBy      = "from a (a [10.0.0.1]) by mail.sender.test with ESMTP id 1; d"
	noBy           = "from a (a [198.51.100.7]) with ESMTP id 1; d"
)

// rule 21: does the block go on below this line, when it stands on top?
func TestRule21_EachLineSaysInsideOrOutside(t *testing.T) {
	isp := []string{"isp.test"}
	for _, c := range []struct {
		name, line string
		unset, set bool // goes on without isp_hosts, and with isp.test
	}{
		{"postfix outside", postfixOutside, false, false},
		{"postfix inside", postfixInside, true, true},
		{"postfix pickup", postfixLocal, true, true},
		{"exim outside", eximOutside, false, false},
		{"exim without a name", eximNoName, false, false},
		{"exim without a name, private", eximNoNameIn, true, true},
		{"exim local", eximLocal, true, true},
		{"exim inside", eximInside, true, true},
		{"qmail outside", qmailOutside, false, false},
		{"qmail HELO with an address", qmailHeloAddr, false, false},
		{"qmail inside", qmailInside, true, true},
		{"sendmail may be forged", sendmailForged, false, false},
		{"sendmail name may be forged", sendmailName, false, false},
		{"sendmail submission", sendmailSubmit, true, true},
		{"sendmail inside", sendmailInside, true, true},
		{"exchange inside", exchangeIn, true, true},
		{"exchange outside", exchangeOut, false, false},
		{"gmail outside", gmailOutside, false, false},
		{"dovecot lmtp", dovecotFull, true, true},
		{"ipv6 loopback", ipv6Inside, true, true},
		{"ipv6 unique local", ipv6Unique, true, true},
		{"ipv6 outside", ipv6Outside, false, false},
		{"a HELO name alone proves nothing", heloOnly, false, false},
		{"a name in parentheses", nameOnly, true, true},
		{"an address decides over a name", publicRelay, false, false},
		{"from and with come twice", tampered, false, false},
		{"a second by after the date", tamperedDate, false, false},
		{"another site's line", foreignBy, true, false}, // unset: whoever is on top is the provider
		{"no by", noBy, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := parseHeader("Received: "+c.line, "Delivered-To: anne@office.test")
			for _, v := range []struct {
				hosts []string
				want  bool
			}{{nil, c.unset}, {isp, c.set}, {[]string{"*"}, true}} {
				if got := hostsOf(v.hosts).walk(h.Fields).end == 2; got != v.want {
					t.Errorf("isp_hosts %v: goes on %t, want %t", v.hosts, got, v.want)
				}
			}
		})
	}
}

func TestRule21_Chains(t *testing.T) {
	above, between, below := "X-Original-To: anne@office.test", "X-Original-To: anne@office.test", "X-Original-To: anne@office.test"
	chain := func(parts ...string) []string {
		for i, p := range parts {
			if !strings.HasPrefix(p, "X-") {
				parts[i] = "Received: " + p
			}
		}
		return append(parts, "To: bob@office.test")
	}
	for _, c := range []struct {
		name   string
		hosts  []string
		header []string
		read   bool // the envelope header is believed
	}{
		{"above the topmost", nil, chain(above, postfixOutside), true},
		{"forged below the first outside line", nil, chain(postfixOutside, below), false},
		{"forged with a line of its own", nil, chain(postfixOutside, postfixInside, below), false},
		{"between inside and outside", nil, chain(dovecotFull, between, postfixOutside), true},
		{"below both", nil, chain(dovecotFull, postfixOutside, below), false},
		{"two hops inside", nil, chain(dovecotFull, amavis, between, postfixOutside), true},
		{"amavis on top", nil, chain(amavis, between, postfixOutside), true},
		{"bare LMTP store, then the provider", nil, chain(dovecotBare, between, postfixOutside), true},
		{"bare LMTP store, below the provider's line", nil, chain(dovecotBare, postfixOutside, below), false},
		{"gmail, by a private 6to4 address", nil, chain(gmailInside, between, gmailOutside), true},
		{"gmail with isp_hosts", []string{"isp.test"}, chain(above, gmailInside, gmailOutside), true},
		{"gmail with isp_hosts, below", []string{"isp.test"}, chain(gmailInside, gmailOutside, below), false},
		{"qmail", nil, chain(above, qmailInvoked, qmailOutside), true},
		{"qmail, below the delivery", nil, chain(qmailInvoked, between, qmailOutside), true},
		{"qmail forged", nil, chain(qmailInvoked, qmailOutside, qmailInvoked, below), false},
		{"qmail with isp_hosts", []string{"isp.test"}, chain(above, qmailInvoked, qmailOutside), true},
		{"yahoo", nil, chain(above, yahooOutside), true},
		{"yahoo below", nil, chain(yahooOutside, below), false},
		{"ends inside: all of it", nil, chain(postfixLocal, below), true},
		{"no Received: topmost", nil, []string{above, "To: bob@office.test"}, true},
		{"no Received: not the second", nil, []string{"X-Original-To: x@else.test", "X: y", above, "To: bob@office.test"}, false},
		{"no Received, isp_hosts set", []string{"isp.test"}, []string{above, "To: bob@office.test"}, false},
		{"other provider on top, isp_hosts set", []string{"provider.test"}, chain(above, postfixOutside), false},
		{"only lines that prove nothing, isp_hosts set", []string{"isp.test"}, chain(above, qmailInvoked), false},
		{"isp_hosts by whole labels", []string{"sp.test"}, chain(above, postfixOutside), false},
		{"isp_hosts by the host itself", []string{"MX.isp.test"}, chain(above, postfixOutside), true},
		{"relay named by its address", []string{"isp.test", "203.0.113.9"}, chain(publicRelay, between, postfixOutside), true},
		{"relay not named", []string{"isp.test"}, chain(publicRelay, between, postfixOutside), false},
		{"check switched off", []string{"*"}, chain(postfixOutside, foreignBy, below), true},
		{"check switched off, no Received", []string{"*"}, []string{above, "To: bob@office.test"}, true},
		{"other site below an inside line", nil, chain(postfixInside, foreignBy, below), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := global()
			m.ISPHosts, m.EnvelopeOccurrence = c.hosts, 1
			if c.name == "no Received: not the second" {
				m.EnvelopeOccurrence = 2
			}
			d := decide(t, office(), m, c.header...)
			want, to := toCc, "bob@office.test"
			if c.read {
				want, to = xot, "anne@office.test"
			}
			if d.Route != want || summary(d.Recipients) != to {
				t.Errorf("%s: %s, want %s", d.Route, summary(d.Recipients), want)
			}
		})
	}
}

// What the trust check passed over is said, so that the user can see why Bcc
// does not work.
func TestIgnoredEnvelopeHeaderIsNoted(t *testing.T) {
	d := decide(t, office(), global(), "Received: "+postfixOutside, "X-Original-To: anne@office.test")
	if len(d.Notes) != 1 || !strings.HasPrefix(d.Notes[0], "X-Original-To was ignored") {
		t.Errorf("notes %q", d.Notes)
	}
}

func TestParseReceived(t *testing.T) {
	for _, c := range []struct{ line, from, by, with, to string }{
		{postfixOutside, "mail.sender.test", "mx.isp.test", "esmtps", "anne@office.test"},
		{eximOutside, "mail.sender.test", "mx.isp.test", "esmtps", "anne@office.test"},
		{qmailInvoked, "", "", "", ""},
		{gmailInside, "", "2002:a05:6102:3a10:b0:5a1:1:2", "smtp", ""},
		{"from a by b. with ESMTP for +INBOX; d", "a", "b", "esmtp", ""},
		{"from a by b for <\"a ; b\"@x.test>; d", "a", "b", "", `"a ; b"@x.test`},
		{"from a by b for <a@x.test> <b@x.test>; d", "a", "b", "", ""},
		{"from a (unbalanced by b for <a@x.test>; d", "a", "", "", ""},
		{"FROM a BY b WITH LMTP FOR <a@x.test>;", "a", "b", "lmtp", "a@x.test"},
		{"", "", "", "", ""},
		{"from", "", "", "", ""},
		{"by (comment \\", "", "", "", ""},
	} {
		r := parseReceived(header.Parse([]byte("R: " + c.line + "\r\n")).Get("R"))
		to := ""
		if a, ok := r.recipient(); ok {
			to = a.String()
		}
		if r.from != c.from || r.by != c.by || r.with != c.with || to != c.to {
			t.Errorf("%q: from %q by %q with %q for %q", c.line, r.from, r.by, r.with, to)
		}
	}
}

// rule 24 stands on rule 21: a line that the sender wrote is never read.
func TestRule24_OnlyTheProvidersLines(t *testing.T) {
	m := global()
	m.ReceivedFor, m.ReceivedSkip = true, 1
	d := decide(t, office(), m, "Received: "+qmailOutside, "Received: from x by mx.isp.test for <anne@office.test>; d", "To: bob@office.test")
	if d.Route != toCc {
		t.Errorf("route %s", d.Route)
	}
	m.ISPHosts = []string{"isp.test"}
	d = decide(t, office(), m, "Received: "+dovecotFull, "Received: "+postfixOutside, "To: bob@office.test")
	if d.Route != mail.RouteReceived || summary(d.Recipients) != "anne@office.test" {
		t.Errorf("route %s to %s", d.Route, summary(d.Recipients))
	}
}
