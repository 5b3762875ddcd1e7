package sample_test

import (
	"slices"
	"testing"

	"postbag/engine/mail/header"
	"postbag/engine/mailtest/sample"
	"postbag/engine/route"
)

// TestRouteSample asks routing about two thousand messages whose right answer
// is known from the way they were made. rules 18, 19, 20, 21, 22, 23, 25, 29, 30 and 34
func TestRouteSample(t *testing.T) {
	office := sample.Default()
	o := route.Office{
		Domains: []string{office.Domain}, UnknownRecipient: office.Address(office.Unknown), PlusAddresses: true, InstallationID: "1",
	}
	for _, p := range office.People {
		person := route.Person{Address: office.Address(p)}
		for alias, owner := range office.Aliases {
			if owner == p {
				person.Aliases = append(person.Aliases, office.Address(alias))
			}
		}
		o.Recipients = append(o.Recipients, person)
	}
	for name, members := range office.Lists {
		l := route.List{Address: office.Address(name)}
		for _, m := range members {
			l.Members = append(l.Members, office.Address(m))
		}
		o.Lists = append(o.Lists, l)
	}
	for id, owner := range office.ListIDs {
		o.ListRules = append(o.ListRules, route.ListRule{ListID: id, DeliverTo: []string{office.Address(owner)}})
	}
	router, err := route.New(o)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := router.Compile(route.Mailbox{
		ID: "whole-office", Name: "Whole office", Kind: "global", Username: office.Login,
		EnvelopeHeaders: []string{"X-Original-To", "Envelope-To", "X-Envelope-To", "X-RCPT-TO", "X-Real-To", "Delivered-To"},
	})
	if err != nil {
		t.Fatal(err)
	}
	type copyFor struct{ fingerprint, person string }
	has := map[copyFor]bool{} // rule 35, as the store does it
	for i, m := range sample.Generate(5, 2000, office) {
		c := header.NewCollector()
		if _, err := c.Write(m.Bytes); err != nil {
			t.Fatal(err)
		}
		d := rules.Decide(c.Header())
		var got []string
		for _, r := range d.Recipients {
			key := copyFor{c.Fingerprint(), r.Person}
			if !has[key] {
				got = append(got, r.Person)
			}
			has[key] = true
		}
		slices.Sort(got)
		if !slices.Equal(got, m.For) || d.Route != m.Route || d.Loop {
			t.Errorf("message %d (%s): for %v by %q (%s), want %v by %q\n%.700q", i, m.Kind, got, d.Route, d.Evidence, m.For, m.Route, m.Bytes)
		}
	}
}
