package route

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"postbag/engine/mail"
)

func TestRule18d_ListRules(t *testing.T) {
	rules := func(l ...ListRule) func(*Office) { return func(o *Office) { o.ListRules = l } }
	bob := []string{"bob@office.test"}
	run(t, []kase{
		{"list id", rules(ListRule{ListID: "Chess.Club.test", DeliverTo: bob}), nil, []string{"List-Id: \"The <chess> club\" <chess.CLUB.test>", "To: anne@office.test"}, "list", "bob@office.test"},
		{"id in brackets in the rule", rules(ListRule{ListID: "<chess.club.test>", DeliverTo: bob}), nil, []string{"List-Id: <chess.club.test>"}, "list", "bob@office.test"},
		{"id without brackets in the header", rules(ListRule{ListID: "chess.club.test", DeliverTo: bob}), nil, []string{"List-Id: chess.club.test"}, "list", "bob@office.test"},
		{"the whole id", rules(ListRule{ListID: "club.test", DeliverTo: bob}), nil, []string{"List-Id: <chess.club.test>"}, unknown, nobodyKnown},
		{"list post", rules(ListRule{ListPost: "Chess@club.test", DeliverTo: bob}), nil, []string{"List-Post: <https://club.test/p>, <mailto:chess@Club.test?subject=x>"}, "list", "bob@office.test"},
		{"list post with mailto, escaped", rules(ListRule{ListPost: "mailto:chess+x@club.test", DeliverTo: bob}), nil, []string{"List-Post: <MAILTO:chess%2Bx@club.test>"}, "list", "bob@office.test"},
		{"list post NO", rules(ListRule{ListPost: "chess@club.test", DeliverTo: bob}), nil, []string{"List-Post: NO (closed)"}, unknown, nobodyKnown},
		{"to contains", rules(ListRule{ToContains: "CHESS@", DeliverTo: bob}), nil, []string{"To: chess@club.test"}, "list", "bob@office.test"},
		{"cc contains, decoded", rules(ListRule{ToContains: "z\u00fcge", DeliverTo: bob}), nil, []string{"Cc: =?UTF-8?Q?Alle_Z=C3=BCge?= <x@club.test>"}, "list", "bob@office.test"},
		{"subject does not count", rules(ListRule{ToContains: "chess", DeliverTo: bob}), nil, []string{"Subject: chess"}, unknown, nobodyKnown},
		{"all that match", rules(ListRule{ListID: "chess.club.test", DeliverTo: bob}, ListRule{ToContains: "chess", DeliverTo: []string{"sales@office.test"}}), nil, []string{"List-Id: <chess.club.test>", "To: chess@club.test"}, "list", "anne@office.test bob@office.test"},
		{"nobody behind", rules(ListRule{ListID: "chess.club.test", DeliverTo: []string{"nobody@office.test"}}), nil, []string{"List-Id: <chess.club.test>"}, unknown, nobodyKnown},
		{"somebody and nobody", rules(ListRule{ListID: "chess.club.test", DeliverTo: []string{"nobody@office.test", "bob@office.test"}}), nil, []string{"List-Id: <chess.club.test>"}, "list", "bob@office.test"},
	})
}

func TestRule26_BrokenAddressLists(t *testing.T) {
	run(t, []kase{
		{"comments, groups, quotes", nil, nil, []string{`To: "Smith, A" <anne@office.test> (x@office.test), Team: bob@office.test;`}, toCc, "anne@office.test bob@office.test"},
		{"the good ones", nil, nil, []string{"To: anne@office.test, a@b@office.test, <bob@office.test"}, toCc, "anne@office.test bob@office.test"},
		{"bracketed one", nil, nil, []string{"To: anne@office.test <bob@office.test>"}, toCc, "bob@office.test"},
		{"encoded words are not decoded in an address", nil, nil, []string{"To: =?utf-8?q?anne?=@office.test"}, unknown, nobodyKnown},
		{"undisclosed", nil, nil, []string{"To: undisclosed-recipients:;"}, unknown, nobodyKnown},
		{"several To fields, folded", nil, nil, []string{"To: anne@office.test,", "To:", " bob@office.test"}, toCc, "anne@office.test bob@office.test"},
	})
}

// rule 16: a message to a hundred thousand made-up names keeps nobody waiting.
// Compared with each other they would take minutes.
func TestRule16_ManyStrangers(t *testing.T) {
	var to strings.Builder
	const many = 100_000
	for i := range many {
		fmt.Fprintf(&to, "x%d@office.test, X%d@office.test,\r\n ", i, i)
	}
	began := time.Now()
	d := decide(t, office(), global(), "To: "+to.String()+"anne@office.test")
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("%v", took)
	}
	if len(d.Recipients) != 1 || d.Recipients[0].Person != "anne@office.test" || len(d.Notes) != maxNotes+1 ||
		d.Notes[maxNotes] != fmt.Sprintf("and %d more is unknown", many-maxNotes) {
		t.Errorf("%v %q", d.Recipients, d.Notes)
	}
}

// chain is a list of n lists, each a member of the one before; the last has
// anne and info, her alias with bob's name.
func chain(n int) func(*Office) {
	return func(o *Office) {
		o.Recipients[1].Aliases = []string{"bobby@office.test"}
		for i := 1; i < n; i++ {
			o.Lists = append(o.Lists, List{Address: fmt.Sprintf("l%d@office.test", i), Members: []string{fmt.Sprintf("l%d@office.test", i+1)}})
		}
		o.Lists = append(o.Lists, List{Address: fmt.Sprintf("l%d@office.test", n), Members: []string{"anne@office.test", "bobby@office.test"}})
	}
}

func TestRule31_Expansion(t *testing.T) {
	cycle := func(o *Office) {
		o.Lists = []List{
			{Address: "a@office.test", Members: []string{"b@office.test", "anne@office.test"}},
			{Address: "b@office.test", Members: []string{"a@office.test", "b@office.test", "info@office.test", "bob@office.test"}},
			{Address: "c@office.test", Members: []string{"d@office.test"}},
			{Address: "d@office.test", Members: []string{"c@office.test"}},
		}
	}
	deepAndFlat := func(o *Office) {
		chain(11)(o)
		o.Lists = append(o.Lists, List{Address: "both@office.test", Members: []string{"l1@office.test", "l11@office.test"}})
	}
	run(t, []kase{
		{"alias", nil, nil, []string{"To: info@office.test"}, toCc, "anne@office.test"},
		{"list and member once", nil, nil, []string{"To: sales@office.test, bob@office.test"}, toCc, "anne@office.test bob@office.test"},
		{"cycle", cycle, nil, []string{"To: a@office.test"}, toCc, "anne@office.test bob@office.test"},
		{"only a cycle", cycle, nil, []string{"To: c@office.test"}, unknown, nobodyKnown},
		{"nine lists and an alias", chain(9), nil, []string{"To: l1@office.test"}, toCc, "anne@office.test bob@office.test"},
		{"ten lists, the alias is the eleventh", chain(10), nil, []string{"To: l1@office.test"}, toCc, "anne@office.test"},
		{"eleven lists", chain(11), nil, []string{"To: l1@office.test"}, unknown, nobodyKnown},
		{"other branches stay", deepAndFlat, nil, []string{"To: both@office.test"}, toCc, "anne@office.test bob@office.test"},
		{"empty list in the envelope", nil, nil, []string{"X-Original-To: nobody@office.test, bob@office.test"}, xot, "bob@office.test postmaster@office.test?"},
		{"empty list in to beside a known one", nil, nil, []string{"To: nobody@office.test, bob@office.test"}, toCc, "bob@office.test"},
		{"member with a tag", func(o *Office) {
			o.Lists = []List{{Address: "x@office.test", Members: []string{"anne+list@office.test"}}}
		}, nil, []string{"To: x@office.test"}, toCc, "anne@office.test"},
		{"member that nobody knows", func(o *Office) {
			o.Lists = []List{{Address: "x@office.test", Members: []string{"Guest@office.test"}}}
		}, nil, []string{"To: x@office.test"}, toCc, "Guest@office.test"},
	})
	o := office()
	chain(11)(&o)
	d := decide(t, o, global(), "To: l1@office.test, bob@office.test")
	if !slices.ContainsFunc(d.Notes, func(n string) bool { return strings.HasPrefix(n, "l11@office.test was not opened") }) {
		t.Errorf("notes %q", d.Notes)
	}
}

// Lists that contain each other many times over must not take for ever.
func TestRule31_ExpansionIsBounded(t *testing.T) {
	o := office()
	var all []string
	for i := range 60 {
		all = append(all, fmt.Sprintf("x%d@office.test", i))
	}
	for _, a := range all {
		o.Lists = append(o.Lists, List{Address: a, Members: append([]string{"anne@office.test"}, all...)})
	}
	if d := decide(t, o, global(), "To: x0@office.test"); summary(d.Recipients) != "anne@office.test" {
		t.Error(summary(d.Recipients))
	}
}

func TestLargeListServesEachOnce(t *testing.T) {
	o := everybody()
	l := List{Address: "all@office.test"}
	for i := range 3000 {
		l.Members = append(l.Members, fmt.Sprintf("p%d@office.test", i%1500))
	}
	o.Lists = []List{l}
	d := decide(t, o, global(), "To: all@office.test, p7@office.test")
	if len(d.Recipients) != 1500 {
		t.Errorf("%d recipients", len(d.Recipients))
	}
}

func TestRule32_GlobalNeedsAnUnknownRecipient(t *testing.T) {
	o := office()
	o.UnknownRecipient = ""
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Compile(global()); err == nil {
		t.Error("compiled without an unknown recipient")
	}
	if len(r.Unknown()) != 0 {
		t.Error("there is an unknown recipient")
	}
	o.UnknownRecipient = "postmaster@else.test"
	if _, err := New(o); err == nil {
		t.Error("an unknown recipient outside the domains was taken")
	}
}

func TestRule33_OutsideOnlyByName(t *testing.T) {
	for name, spoil := range map[string]func(o *Office){
		"recipient":  func(o *Office) { o.Recipients[0].Address = "x@else.test" },
		"alias":      func(o *Office) { o.Recipients[0].Aliases = []string{"x@else.test"} },
		"list":       func(o *Office) { o.Lists[0].Address = "x@else.test" },
		"member":     func(o *Office) { o.Lists[0].Members = []string{"x@else.test"} },
		"list rule":  func(o *Office) { o.ListRules = []ListRule{{ListID: "x", DeliverTo: []string{"x@else.test"}}} },
		"subdomain":  func(o *Office) { o.Lists[0].Members = []string{"x@a.office.test"} },
		"unreadable": func(o *Office) { o.Lists[0].Members = []string{"x"} },
		"twice":      func(o *Office) { o.Lists[0].Address = "ANNE@office.test" },
		"two aliases": func(o *Office) {
			o.Recipients[1].Aliases = []string{"info@office.test"}
		},
		"bad deliver_as": func(o *Office) { o.Recipients[0].DeliverAs = "anne" },
		"bad outside":    func(o *Office) { o.OutsideAllowed = []string{"partner.test"} },
		"bad unknown":    func(o *Office) { o.UnknownRecipient = "a@office.test, b@office.test" },
	} {
		t.Run(name, func(t *testing.T) {
			o := office()
			spoil(&o)
			if _, err := New(o); err == nil {
				t.Error("was taken")
			}
		})
	}
	o := office()
	o.Lists[0].Members = []string{"Accountant@Partner.test", "anne@office.test"}
	if d := decide(t, o, global(), "To: sales@office.test"); summary(d.Recipients) != "Accountant@Partner.test! anne@office.test" {
		t.Error(summary(d.Recipients))
	}
}

func TestCompileRefusesWhatItCannotUse(t *testing.T) {
	r, err := New(office())
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(m *Mailbox){
		"kind":        func(m *Mailbox) { m.Kind = "" },
		"pattern":     func(m *Mailbox) { m.EnvelopePattern = "(" },
		"no group":    func(m *Mailbox) { m.EnvelopePattern = "x" },
		"occurrence":  func(m *Mailbox) { m.EnvelopeOccurrence = -1 },
		"skip":        func(m *Mailbox) { m.ReceivedSkip = -1 },
		"nobody":      func(m *Mailbox) { m.Kind = "individual" },
		"outside":     func(m *Mailbox) { m.Kind, m.DeliverTo = "individual", []string{"x@else.test"} },
		"not address": func(m *Mailbox) { m.Kind, m.DeliverTo = "individual", []string{"x"} },
	} {
		m := global()
		spoil(&m)
		if _, err := r.Compile(m); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestTargets(t *testing.T) {
	o := Office{
		Domains: []string{"office.test", "lab.test"}, UnknownRecipient: "postmaster@office.test",
		OutsideAllowed: []string{"x@partner.test", "dora@home.test"},
		Recipients: []Person{
			{Address: "anne@office.test"},
			{Address: "bob@office.test", Target: "second"},
			{Address: "carol@office.test", DeliverAs: "Carol@pop.office.test"},
			{Address: "dora@office.test", DeliverAs: "dora@home.test"},
			{Address: "emil@office.test", DeliverAs: "emil@inner.office.test"},
			{Address: "fred@office.test", DeliverAs: "emil@inner.office.test"},
		},
		Targets: []TargetDomain{
			{Name: "second", Domains: []string{"@Lab.test"}}, {Name: "office", Domains: []string{"office.test", "lab.test"}},
			{Name: "rest"}, {Name: "more"}, {Name: "inner", Domains: []string{"inner.office.test"}},
		},
	}
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		asked string
		want  mail.Recipient
	}{
		{"anne@office.test", mail.Recipient{Address: "anne@office.test", Person: "anne@office.test", Target: "office"}},
		{"bob@office.test", mail.Recipient{Address: "bob@office.test", Person: "bob@office.test", Target: "second"}},
		{"Carol@office.test", mail.Recipient{Address: "Carol@pop.office.test", Person: "carol@office.test", Target: "office"}},
		{"dora@office.test", mail.Recipient{Address: "dora@home.test", Person: "dora@office.test", Target: "office", Outside: true}},
		{"emil@office.test", mail.Recipient{Address: "emil@inner.office.test", Person: "emil@office.test", Target: "inner"}},
		{"Guest@LAB.test", mail.Recipient{Address: "Guest@LAB.test", Person: "guest@lab.test", Target: "second"}},
		{"x@partner.test", mail.Recipient{Address: "x@partner.test", Person: "x@partner.test", Target: "rest", Outside: true}},
	} {
		c.want.For = c.asked
		if got := r.Lookup(c.asked); len(got) != 1 || got[0] != c.want {
			t.Errorf("%s: %+v, want %+v", c.asked, got, c.want)
		}
	}
	d := decide(t, o, global(), "To: emil@office.test, fred@office.test")
	if summary(d.Recipients) != "emil@inner.office.test" {
		t.Errorf("one mailbox behind two people: %s", summary(d.Recipients))
	}
}

func TestLookup(t *testing.T) {
	r, err := New(office())
	if err != nil {
		t.Fatal(err)
	}
	for asked, want := range map[string]string{
		"sales@office.test":           "anne@office.test bob@office.test",
		"Anne <info@office.test>":     "anne@office.test",
		"anne+x@office.test":          "anne@office.test",
		"guest@office.test":           "guest@office.test",
		"accountant@partner.test":     "accountant@partner.test!",
		"stranger@partner.test":       "",
		"nobody@office.test":          "",
		"":                            "",
		"x":                           "",
		"a@office.test b@office.test": "",
		"postmaster@office.test":      "postmaster@office.test",
	} {
		if got := summary(r.Lookup(asked)); got != want {
			t.Errorf("%q: %q, want %q", asked, got, want)
		}
	}
	if got := summary(r.Unknown()); got != nobodyKnown {
		t.Errorf("unknown: %s", got)
	}
}
