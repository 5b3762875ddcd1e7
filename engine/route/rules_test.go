package route

import (
	"strings"
	"testing"

	"postbag/engine/mail"
)

func TestRule17_IndividualIgnoresHeaders(t *testing.T) {
	individual := func(to ...string) func(*Mailbox) {
		return func(m *Mailbox) { m.Kind, m.DeliverTo = "individual", to }
	}
	run(t, []kase{
		{"header has no say", nil, individual("anne@office.test"), []string{"X-Original-To: bob@office.test", "To: bob@office.test"}, "individual", "anne@office.test"},
		{"list", nil, individual("sales@office.test"), []string{"To: x@y.test"}, "individual", "anne@office.test bob@office.test"},
		{"alias and its person once", nil, individual("info@office.test", "anne@office.test"), nil, "individual", "anne@office.test"},
		{"spelling of the configuration", nil, individual("Bob@Office.test"), nil, "individual", "Bob@Office.test"},
		{"outside", nil, individual("accountant@partner.test"), nil, "individual", "accountant@partner.test!"},
		{"nobody left", nil, individual("nobody@office.test"), nil, unknown, nobodyKnown},
		{"nobody left and no unknown recipient", func(o *Office) { o.UnknownRecipient = "" }, individual("nobody@office.test"), nil, unknown, ""},
		{"not in the list of the people", nil, individual("guest@office.test"), nil, "individual", "guest@office.test"},
		{"the unknown recipient himself", nil, individual("postmaster@office.test"), nil, "individual", "postmaster@office.test"},
	})
}

func TestRule18_FirstStepThatYieldsAnAddressDecides(t *testing.T) {
	allSteps := func(m *Mailbox) { m.ReceivedFor = true }
	lists := func(o *Office) {
		o.ListRules = []ListRule{{ListID: "chess.club.test", DeliverTo: []string{"bob@office.test"}}}
	}
	received := "Received: from s.test (s.test [198.51.100.7]) by mx.isp.test (Postfix) with ESMTP id 1 for <%s>; Mon, 9 Nov 2026 10:00:00 +0100"
	mx := func(to string) string { return strings.Replace(received, "%s", to, 1) }
	run(t, []kase{
		{"envelope before all", lists, allSteps, []string{"X-Original-To: anne@office.test", mx("bob@office.test"), "List-Id: <chess.club.test>", "To: bob@office.test"}, xot, "anne@office.test"},
		{"received before list", lists, allSteps, []string{mx("anne@office.test"), "List-Id: <chess.club.test>", "To: bob@office.test"}, "received", "anne@office.test"},
		{"list before resent", lists, allSteps, []string{mx("x@else.test"), "List-Id: Chess <chess.club.test>", "Resent-To: anne@office.test"}, "list", "bob@office.test"},
		{"resent before to", lists, allSteps, []string{mx("x@else.test"), "Resent-To: anne@office.test", "To: bob@office.test"}, "resent", "anne@office.test"},
		{"to and cc", lists, allSteps, []string{mx("x@else.test"), "To: bob@office.test", "Cc: anne@office.test"}, toCc, "anne@office.test bob@office.test"},
		{"foreign envelope does not decide", nil, nil, []string{"X-Original-To: x@else.test", "Delivered-To: anne@office.test", "To: bob@office.test"}, dt, "anne@office.test"},
		{"foreign only", nil, nil, []string{"X-Original-To: x@else.test", "To: y@else.test"}, unknown, nobodyKnown},
		{"stranger in the envelope decides", nil, nil, []string{"X-Original-To: ghost@office.test", "To: bob@office.test"}, unknown, nobodyKnown},
		{"stranger in the envelope beside a known one", nil, nil, []string{"X-Original-To: ghost@office.test, anne@office.test"}, xot, "anne@office.test postmaster@office.test?"},
		{"stranger in to beside a known one", nil, nil, []string{"To: ghost@office.test", "Cc: anne@office.test"}, toCc, "anne@office.test"},
		{"stranger in resent beside a known one", nil, nil, []string{"Resent-To: ghost@office.test, anne@office.test", "To: bob@office.test"}, "resent", "anne@office.test"},
		{"stranger in resent alone decides", nil, nil, []string{"Resent-To: ghost@office.test", "To: bob@office.test"}, unknown, nobodyKnown},
		{"strangers only in to", nil, nil, []string{"To: ghost@office.test, other@office.test"}, unknown, nobodyKnown},
		{"no header at all", nil, nil, nil, unknown, nobodyKnown},
	})
}

func TestStrangersAreNoted(t *testing.T) {
	d := decide(t, office(), global(), "To: anne@office.test, ghost@office.test")
	if d.Reason != "" || len(d.Notes) != 1 || d.Notes[0] != "ghost@office.test is unknown" {
		t.Errorf("reason %q, notes %q", d.Reason, d.Notes)
	}
	if d.Evidence != "To: anne@office.test, ghost@office.test" {
		t.Errorf("evidence %q", d.Evidence)
	}
}

func TestRule19_EnvelopeExcludesToCc(t *testing.T) {
	run(t, []kase{
		{"known", nil, nil, []string{"Envelope-To: bob@office.test", "To: anne@office.test", "Cc: sales@office.test"}, "envelope:Envelope-To", "bob@office.test"},
		{"known beside strangers", nil, nil, []string{"Envelope-To: bob@office.test, ghost@office.test", "To: anne@office.test"}, "envelope:Envelope-To", "bob@office.test postmaster@office.test?"},
		{"unknown", nil, nil, []string{"Envelope-To: ghost@office.test", "To: anne@office.test"}, unknown, nobodyKnown},
	})
}

func TestRule20_OrderAndOccurrence(t *testing.T) {
	nth := func(n int, names ...string) func(*Mailbox) {
		return func(m *Mailbox) {
			m.EnvelopeOccurrence, m.EnvelopeHeaders, m.ISPHosts = n, names, []string{"*"}
		}
	}
	run(t, []kase{
		{"default order", nil, nil, []string{"Delivered-To: bob@office.test", "X-Real-To: bob@office.test", "X-RCPT-TO: anne@office.test"}, "envelope:X-RCPT-TO", "anne@office.test"},
		{"own order, name as configured", nil, nth(1, "delivered-TO", "X-Original-To"), []string{"X-Original-To: bob@office.test", "Delivered-To: anne@office.test"}, "envelope:delivered-TO", "anne@office.test"},
		{"none configured", nil, nth(1), []string{"X-Original-To: bob@office.test", "To: anne@office.test"}, toCc, "anne@office.test"},
		{"second occurrence", nil, nth(2, "Delivered-To"), []string{"Delivered-To: bob@office.test", "X: y", "Delivered-To: anne@office.test"}, dt, "anne@office.test"},
		{"fewer than asked for", nil, nth(2, "Delivered-To", "X-Original-To"), []string{"Delivered-To: bob@office.test", "To: anne@office.test"}, toCc, "anne@office.test"},
		{"lines that follow each other are one", nil, nth(1, "Delivered-To"), []string{"Delivered-To: bob@office.test", "delivered-to: anne@office.test"}, dt, "anne@office.test bob@office.test"},
		{"and count once", nil, nth(2, "Delivered-To"), []string{"Delivered-To: bob@office.test", "Delivered-To: bob@office.test", "To: anne@office.test"}, toCc, "anne@office.test"},
		{"only the occurrence asked for", nil, nth(1, "Delivered-To"), []string{"Delivered-To: x@else.test", "X: y", "Delivered-To: bob@office.test", "To: anne@office.test"}, toCc, "anne@office.test"},
	})
}

func TestRule20_Pattern(t *testing.T) {
	pattern := func(p string) func(*Mailbox) { return func(m *Mailbox) { m.EnvelopePattern = p } }
	run(t, []kase{
		{"group 1", nil, pattern(`for (\S+) via`), []string{"X-Original-To: mail for anne@office.test via x@y.test"}, xot, "anne@office.test"},
		{"folded", nil, pattern(`for (\S+) via`), []string{"X-Original-To: mail for", " anne@office.test via x@y.test"}, xot, "anne@office.test"},
		{"no match: the next header", nil, pattern(`^<(.*)>$`), []string{"X-Original-To: bob@office.test", "Delivered-To: <anne@office.test>"}, dt, "anne@office.test"},
		{"empty group", nil, pattern(`^x()`), []string{"X-Original-To: x", "To: anne@office.test"}, toCc, "anne@office.test"},
		{"group that took no part", nil, pattern(`^x|(y)`), []string{"X-Original-To: x", "To: anne@office.test"}, toCc, "anne@office.test"},
		{"own login that does not match", nil, pattern(`^<(.*)>$`), []string{"Delivered-To: office-42@isp.test", "X: y", "Delivered-To: <anne@office.test>", "Received: by mx.isp.test"}, dt, "anne@office.test"},
	})
}

func TestRule22_OwnLoginCarriesNoInformation(t *testing.T) {
	user := func(u string) func(*Mailbox) { return func(m *Mailbox) { m.Username = u } }
	hop := "Received: by mx.isp.test with LMTP id 1"
	run(t, []kase{
		{"next occurrence", nil, user("office-42@isp.test"), []string{"Delivered-To: office-42@isp.test", hop, "Delivered-To: anne@office.test", "To: bob@office.test"}, dt, "anne@office.test"},
		{"next name", nil, user("catchall@office.test"), []string{"X-Original-To: catchall@office.test", "Delivered-To: anne@office.test", hop}, dt, "anne@office.test"},
		{"case", nil, user("Catchall@Office.test"), []string{"X-Original-To: catchALL@OFFICE.test", "To: anne@office.test"}, toCc, "anne@office.test"},
		{"even a known person's", nil, user("bob@office.test"), []string{"X-Original-To: bob@office.test", "To: anne@office.test"}, toCc, "anne@office.test"},
		{"login without domain, bare", nil, user("office-42"), []string{"Delivered-To: <office-42>", hop, "Delivered-To: anne@office.test"}, dt, "anne@office.test"},
		{"login without domain, foreign", nil, user("office-42"), []string{"Delivered-To: office-42@isp.test", hop, "Delivered-To: anne@office.test"}, dt, "anne@office.test"},
		{"login without domain, ours", nil, user("office-42"), []string{"Delivered-To: office-42@office.test", "To: anne@office.test"}, toCc, "anne@office.test"},
		{"login without domain that a person has", nil, user("bob"), []string{"Delivered-To: bob@office.test", "To: anne@office.test"}, dt, "bob@office.test"},
		{"login with domain, bare", nil, user("office-42@isp.test"), []string{"Delivered-To: office-42", hop, "Delivered-To: anne@office.test"}, dt, "anne@office.test"},
		{"login with percent", nil, user("office-42%office.test"), []string{"Delivered-To: office-42@office.test", "To: anne@office.test"}, toCc, "anne@office.test"},
		{"compared before the prefix is cut", nil, func(m *Mailbox) { m.Username, m.EnvelopePrefix = "anne@office.test", "x-" }, []string{"X-Original-To: x-anne@office.test"}, xot, "anne@office.test"},
		{"compared before the tag is cut", nil, user("anne@office.test"), []string{"X-Original-To: anne+x@office.test"}, xot, "anne@office.test"},
		{"beside another", nil, user("catchall@office.test"), []string{"X-Original-To: catchall@office.test, anne@office.test"}, xot, "anne@office.test"},
		{"not below the trusted block", nil, user("office-42@isp.test"), []string{"Delivered-To: office-42@isp.test", "Received: from s.test (s.test [198.51.100.7]) by mx.isp.test", "Delivered-To: bob@office.test", "To: anne@office.test"}, toCc, "anne@office.test"},
		{"no login", nil, user(""), []string{"X-Original-To: @office.test", "To: anne@office.test"}, toCc, "anne@office.test"},
	})
}

func TestRule23_EnvelopeIsAnAddressList(t *testing.T) {
	run(t, []kase{
		{"several", nil, nil, []string{"Envelope-To: anne@office.test, x@else.test,", "\tbob@office.test"}, "envelope:Envelope-To", "anne@office.test bob@office.test"},
		{"one person by two names", nil, nil, []string{"Envelope-To: anne@office.test, info@office.test, ANNE@office.test"}, "envelope:Envelope-To", "anne@office.test"},
	})
}

func TestRule24_ReceivedFor(t *testing.T) {
	on := func(hosts ...string) func(*Mailbox) {
		return func(m *Mailbox) { m.ReceivedFor, m.ISPHosts = true, hosts }
	}
	skip := func(n int, hosts ...string) func(*Mailbox) {
		return func(m *Mailbox) { m.ReceivedFor, m.ReceivedSkip, m.ISPHosts = true, n, hosts }
	}
	outside := "Received: from s.test (s.test [198.51.100.7]) by mx.isp.test with ESMTP id 1 for "
	to := "To: bob@office.test"
	run(t, []kase{
		{"off by default", nil, nil, []string{outside + "<anne@office.test>; x", to}, toCc, "bob@office.test"},
		{"topmost", nil, on(), []string{outside + "<anne@office.test>; Mon, 9 Nov 2026 10:00:00 +0100", to}, "received", "anne@office.test"},
		{"without brackets", nil, on(), []string{outside + "anne@office.test; Mon, 9 Nov 2026 10:00:00 +0100", to}, "received", "anne@office.test"},
		{"stranger goes to the unknown recipient", nil, on(), []string{outside + "<ghost@office.test>; x", to}, unknown, nobodyKnown},
		{"host is the provider's", nil, on("isp.test"), []string{outside + "<anne@office.test>; x", to}, "received", "anne@office.test"},
		{"host is not the provider's", nil, on("provider.test"), []string{outside + "<anne@office.test>; x", to}, toCc, "bob@office.test"},
		{"any host", nil, on("*"), []string{outside + "<anne@office.test>; x", to}, "received", "anne@office.test"},
		{"two addresses", nil, on(), []string{outside + "<anne@office.test>, <info@office.test>; x", to}, toCc, "bob@office.test"},
		{"two clauses", nil, on(), []string{outside + "<anne@office.test> for <anne@office.test>; x", to}, toCc, "bob@office.test"},
		{"in a comment only", nil, on(), []string{"Received: from s.test (for <anne@office.test>) by mx.isp.test; x", to}, toCc, "bob@office.test"},
		{"never deeper lines", nil, on(), []string{"Received: by mx.isp.test with LMTP id 1; x", outside + "<anne@office.test>; x", to}, toCc, "bob@office.test"},
		{"skip one", nil, skip(1), []string{"Received: by mx.isp.test with LMTP id 1; x", outside + "<anne@office.test>; x", to}, "received", "anne@office.test"},
		{"skip to a line of the sender", nil, skip(1), []string{outside + "<x@else.test>; x", outside + "<anne@office.test>; x", to}, toCc, "bob@office.test"},
		{"skip beyond the last", nil, skip(5), []string{outside + "<anne@office.test>; x", to}, toCc, "bob@office.test"},
		{"prefix is for envelope headers", nil, func(m *Mailbox) { m.ReceivedFor, m.EnvelopePrefix = true, "an" }, []string{outside + "<anne@office.test>; x"}, "received", "anne@office.test"},
		{"own login", nil, on(), []string{outside + "<office-42@office.test>; x", to}, toCc, "bob@office.test"},
	})
}

func TestRule25_PrefixSubdomainTag(t *testing.T) {
	box := func(prefix string, sub bool) func(*Mailbox) {
		return func(m *Mailbox) { m.EnvelopePrefix, m.StripSubdomains = prefix, sub }
	}
	none := func(o *Office) { *o = everybody() }
	run(t, []kase{
		{"prefix", nil, box("mbox-userstr-", false), []string{"Delivered-To: mbox-userstr-anne@office.test"}, dt, "anne@office.test"},
		{"prefix without case", nil, box("mbox-userstr-", false), []string{"Delivered-To: MBOX-UserStr-Anne@office.test"}, dt, "Anne@office.test"},
		{"without the prefix", nil, box("mbox-userstr-", false), []string{"Delivered-To: anne@office.test"}, dt, "anne@office.test"},
		{"nothing but the prefix", nil, box("anne", false), []string{"Delivered-To: anne@office.test"}, dt, "anne@office.test"},
		{"prefix not in to", nil, box("mbox-", false), []string{"To: mbox-anne@office.test"}, unknown, nobodyKnown},
		{"subdomain", nil, box("", true), []string{"To: anne@pc.Room1.Office.test"}, toCc, "anne@Office.test"},
		{"subdomain not asked for", nil, nil, []string{"To: anne@pc.office.test"}, unknown, nobodyKnown},
		{"whole labels", nil, box("", true), []string{"To: anne@notoffice.test"}, unknown, nobodyKnown},
		{"subdomain accepted by itself", func(o *Office) { o.Domains = append(o.Domains, "lab.office.test") }, box("", true), []string{"To: anne@lab.office.test"}, unknown, nobodyKnown},
		{"all three", nil, box("box-", true), []string{"X-Original-To: box-bob+a+b@x.office.test"}, xot, "bob@office.test"},
		{"tag", nil, nil, []string{"To: anne+shop@office.test"}, toCc, "anne@office.test"},
		{"tags from the right", nil, nil, []string{"To: carol+lab+shop@office.test"}, toCc, "carol+lab@office.test"},
		{"full address known", nil, nil, []string{"To: carol+lab@office.test"}, toCc, "carol+lab@office.test"},
		{"until somebody is known", nil, nil, []string{"To: carol+x+y@office.test"}, unknown, nobodyKnown},
		{"tag of a list", nil, nil, []string{"To: sales+x@office.test"}, toCc, "anne@office.test bob@office.test"},
		{"only a tag", nil, nil, []string{"To: +anne@office.test"}, unknown, nobodyKnown},
		{"switched off", func(o *Office) { o.PlusAddresses = false }, nil, []string{"To: anne+shop@office.test"}, unknown, nobodyKnown},
		{"without a list of people", none, nil, []string{"To: anne+shop@office.test, anybody@office.test"}, toCc, "anne+shop@office.test anybody@office.test"},
		{"person and tag are one", nil, nil, []string{"To: anne+shop@office.test, anne@office.test"}, toCc, "anne@office.test"},
	})
}

func TestRule27_SpellingAndCase(t *testing.T) {
	idn := func(o *Office) {
		o.Domains = []string{"b\u00fcro.test"}
		o.UnknownRecipient = "postmaster@b\u00fcro.test"
		o.Recipients = []Person{{Address: "anne@b\u00fcro.test", Aliases: []string{"info@b\u00fcro.test"}}}
		o.Lists = nil
	}
	run(t, []kase{
		{"spelling kept", nil, nil, []string{"To: Anne@OFFICE.Test"}, toCc, "Anne@OFFICE.Test"},
		{"tag cut, spelling kept", nil, nil, []string{"To: Anne+x@OFFICE.Test"}, toCc, "Anne@OFFICE.Test"},
		{"alias by the configuration", nil, nil, []string{"To: INFO@OFFICE.Test"}, toCc, "anne@office.test"},
		{"list by the configuration", nil, nil, []string{"To: Sales@OFFICE.Test"}, toCc, "anne@office.test bob@office.test"},
		{"A-form in the header", idn, nil, []string{"To: anne@xn--bro-hoa.test"}, toCc, "anne@xn--bro-hoa.test"},
		{"U-form in the header", idn, nil, []string{"To: Info@B\u00dcRO.test"}, toCc, "anne@b\u00fcro.test"},
		{"trailing dot", nil, nil, []string{"To: anne@office.test."}, toCc, "anne@office.test"},
		{"quoted local part", nil, nil, []string{`To: "anne"@office.test`}, toCc, "anne@office.test"},
	})
}

func TestRule28_AcceptedDomains(t *testing.T) {
	run(t, []kase{
		{"typed with @", func(o *Office) { o.Domains = []string{"@office.test"} }, nil, []string{"To: anne@office.test"}, toCc, "anne@office.test"},
		{"whole label", nil, nil, []string{"To: anne@notoffice.test, anne@office.test.evil.test"}, unknown, nobodyKnown},
		{"allowed outside is no recipient of the header", nil, nil, []string{"To: accountant@partner.test"}, unknown, nobodyKnown},
		{"listed in full", func(o *Office) {
			o.OutsideAllowed = append(o.OutsideAllowed, "anne@old.test")
			o.Recipients[0].Aliases = append(o.Recipients[0].Aliases, "anne@old.test")
		}, nil, []string{"To: anne@old.test, bob@old.test"}, toCc, "anne@office.test"},
	})
}

func TestRule29_ResentBlock(t *testing.T) {
	run(t, []kase{
		{"most recent", nil, nil, []string{"Resent-From: x@y.test", "Resent-To: anne@office.test", "Resent-Date: d", "Resent-From: z@y.test", "Resent-To: bob@office.test"}, "resent", "anne@office.test"},
		{"cc counts", nil, nil, []string{"Resent-To: x@else.test", "Resent-Cc: anne@office.test", "To: bob@office.test"}, "resent", "anne@office.test"},
		{"ends at a Received line", nil, nil, []string{"Resent-To: x@else.test", "Received: by a.test", "Resent-Cc: bob@office.test", "To: anne@office.test"}, toCc, "anne@office.test"},
		{"ends at the second date", nil, nil, []string{"Resent-Date: d", "Resent-To: x@else.test", "Resent-Date: e", "Resent-Cc: bob@office.test", "To: anne@office.test"}, toCc, "anne@office.test"},
		{"older block that begins with its To", nil, nil, []string{"Resent-To: anne@office.test", "Resent-From: x@y.test", "Resent-To: bob@office.test", "Resent-From: z@y.test"}, "resent", "anne@office.test"},
		{"two lines of one block", nil, nil, []string{"Resent-From: x@y.test", "Resent-To: anne@office.test", "Resent-To: bob@office.test", "Resent-Date: d"}, "resent", "anne@office.test bob@office.test"},
		{"other fields between", nil, nil, []string{"Resent-From: x@y.test", "X-Spam: no", "Resent-To: anne@office.test", "To: bob@office.test"}, "resent", "anne@office.test"},
		{"ignored fields", nil, nil, []string{"From: anne@office.test", "Reply-To: anne@office.test", "Subject: anne@office.test", "Bcc: anne@office.test", "Sender: anne@office.test"}, unknown, nobodyKnown},
		{"bcc by request", nil, func(m *Mailbox) { m.UseBcc = true }, []string{"To: bob@office.test", "Bcc: anne@office.test"}, toCc, "anne@office.test bob@office.test"},
		{"resent-bcc ignored", nil, nil, []string{"Resent-Bcc: bob@office.test", "To: anne@office.test"}, toCc, "anne@office.test"},
	})
}

func TestRule30_NothingLeftGoesToTheUnknownRecipient(t *testing.T) {
	for _, c := range []struct{ header, reason string }{
		{"To: undisclosed-recipients:;", "no accepted address in the header"},
		{"X: y", "no accepted address in the header"},
		{"X-Original-To: ghost@office.test", "unknown: ghost@office.test"},
		{"To: nobody@office.test", "nobody behind: nobody@office.test"},
		{"To: \"gh o\u00dfst\"@office.test", "unknown: \"gh o?st\"@office.test"},
		{"To: " + strings.Repeat("a", 300) + "@office.test", "unknown: " + strings.Repeat("a", 171) + "..."},
		{"To: a@office.test, b@office.test", "unknown: a@office.test, b@office.test"},
	} {
		d := decide(t, office(), global(), c.header)
		if summary(d.Recipients) != nobodyKnown || d.Reason != c.reason || d.Route != unknown {
			t.Errorf("%.60q: %s, %q, %s; want %q", c.header, summary(d.Recipients), d.Reason, d.Route, c.reason)
		}
	}
}

func TestUnknownRecipient(t *testing.T) {
	const one = "postmaster@office.test"
	run(t, []kase{
		{"addressed himself", nil, nil, []string{"X-Original-To: Postmaster@office.test"}, xot, "Postmaster@office.test"},
		{"one copy, himself and a stranger", nil, nil, []string{"X-Original-To: postmaster@office.test, ghost@office.test"}, xot, one},
		{"one copy, many strangers", nil, nil, []string{"X-Original-To: a@office.test, b@office.test, c@office.test"}, unknown, nobodyKnown},
		{"an alias", func(o *Office) { o.UnknownRecipient = "info@office.test" }, nil, []string{"To: ghost@office.test"}, unknown, "anne@office.test?"},
		{"a list", func(o *Office) { o.UnknownRecipient = "sales@office.test" }, nil, []string{"To: ghost@office.test"}, unknown, "anne@office.test? bob@office.test?"},
		{"an empty list", func(o *Office) { o.UnknownRecipient = "nobody@office.test" }, nil, []string{"To: ghost@office.test"}, unknown, "nobody@office.test?"},
		{"a person", func(o *Office) {
			o.Recipients = append(o.Recipients, Person{Address: one, DeliverAs: "pm@pop.office.test", Target: "office"})
		}, nil, []string{"To: ghost@office.test"}, unknown, "pm@pop.office.test?"},
		{"beside himself as a known person", func(o *Office) { o.UnknownRecipient = "anne@office.test" }, nil, []string{"X-Original-To: anne@office.test, ghost@office.test"}, xot, "anne@office.test"},
	})
}

func TestRule36_Loops(t *testing.T) {
	hops := func(n int) []string {
		out := []string{"To: anne@office.test"}
		for range n {
			out = append(out, "Received: by mx.isp.test")
		}
		return out
	}
	for _, c := range []struct {
		name   string
		header []string
		loop   bool
	}{
		{"our id", []string{"X-Postbag-Loop: installation-1", "To: anne@office.test"}, true},
		{"our id below", []string{"To: anne@office.test", "x-postbag-loop:  installation-1 "}, true},
		{"another's id", []string{"X-Postbag-Loop: installation-2", "To: anne@office.test"}, false},
		{"100 hops", hops(100), false},
		{"101 hops", hops(101), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := decide(t, office(), global(), c.header...)
			if d.Loop != c.loop || (d.Route == mail.RouteLoop) != c.loop || summary(d.Recipients) != "anne@office.test" {
				t.Errorf("loop %t, route %s, to %s", d.Loop, d.Route, summary(d.Recipients))
			}
		})
	}
	o := office()
	o.MaxReceived = 2
	if d := decide(t, o, global(), hops(3)...); !d.Loop {
		t.Error("configured limit of Received lines was not kept")
	}
	m := global()
	m.Kind, m.DeliverTo = "individual", []string{"anne@office.test"}
	if d := decide(t, office(), m, "X-Postbag-Loop: installation-1"); !d.Loop || len(d.Recipients) != 1 {
		t.Errorf("individual mailbox: %+v", d)
	}
}

func TestRule41_Sender(t *testing.T) {
	mx := "Received: from s.test (s.test [198.51.100.7]) by mx.isp.test"
	for _, c := range []struct {
		name   string
		header []string
		want   string
	}{
		{"return-path", []string{"Return-Path: <Ann@Sender.test>", mx, "From: other@sender.test"}, "Ann@Sender.test"},
		{"null", []string{"Return-Path: <>", mx, "From: other@sender.test"}, ""},
		{"bad", []string{"Return-Path: <nonsense>", mx, "From: other@sender.test"}, ""},
		{"control character", []string{"Return-Path: <\"a\rb\"@sender.test>", mx}, ""},
		{"topmost", []string{"Return-Path: <a@s.test>", "Return-Path: <b@s.test>", mx}, "a@s.test"},
		{"below the trusted block", []string{mx, "Return-Path: <forged@s.test>", "From: x@s.test"}, "x@s.test"},
		{"no received", []string{"Return-Path: <a@s.test>", "From: x@s.test"}, "a@s.test"},
		{"sender before from", []string{mx, "From: x@s.test", "Sender: y@s.test"}, "y@s.test"},
		{"first of several", []string{mx, "From: broken, Xi <x@s.test>, z@s.test"}, "x@s.test"},
		{"bad sender", []string{mx, "Sender: root", "From: x@s.test"}, "x@s.test"},
		{"none", []string{mx}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := decide(t, office(), global(), c.header...); d.Sender != c.want {
				t.Errorf("sender %q, want %q", d.Sender, c.want)
			}
		})
	}
}
