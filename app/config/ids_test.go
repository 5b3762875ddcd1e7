package config

import (
	"reflect"
	"strings"
	"testing"
)

func boxes(list ...Mailbox) *Config { return &Config{Mailboxes: list} }

func ids(c *Config) []string {
	var out []string
	for _, m := range c.Mailboxes {
		out = append(out, m.ID)
	}
	return out
}

func TestResolveIDs(t *testing.T) {
	known := []Identity{
		{ID: "anne", Name: "Anne", Host: "pop.isp.test", Username: "anne"},
		{ID: "bob", Name: "Bob", Host: "pop.isp.test", Username: "bob"},
		{ID: "gone", Name: "Gone", Host: "pop.isp.test", Username: "gone"},
	}
	box := func(name, host, user string) Mailbox { return Mailbox{Name: name, Host: host, Username: user} }
	for _, c := range []struct {
		name  string
		boxes []Mailbox
		want  []string
	}{
		{"as before", []Mailbox{box("Bob", "pop.isp.test", "bob"), box("Anne", "pop.isp.test", "anne")}, []string{"bob", "anne"}},
		{"renamed", []Mailbox{box("Anne Smith", "pop.isp.test", "anne")}, []string{"anne"}},
		{"names swapped", []Mailbox{box("Bob", "pop.isp.test", "anne"), box("Anne", "pop.isp.test", "bob")}, []string{"anne", "bob"}},
		{"other provider", []Mailbox{box("Anne", "pop.other.test", "a.smith")}, []string{"anne"}},
		{"new", []Mailbox{box("Carol", "pop.isp.test", "carol")}, []string{"carol"}},
		{"an id is never used again", []Mailbox{box("gone!", "pop.isp.test", "other")}, []string{"gone-2"}},
		{"comes back", []Mailbox{box("Gone", "pop.isp.test", "gone")}, []string{"gone"}},
		{"given", []Mailbox{{Name: "Anne", ID: "bob", IDGiven: true}, box("Bob", "x.test", "y")}, []string{"bob", "bob-2"}},
		{"two alike", []Mailbox{box("A-B", "x.test", "1"), box("a b", "x.test", "2")}, []string{"a-b", "a-b-2"}},
	} {
		cfg := boxes(c.boxes...)
		remembered := cfg.ResolveIDs(known)
		if got := ids(cfg); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		// What is remembered leads to the same answer.
		again := boxes(c.boxes...)
		if second := again.ResolveIDs(remembered); !reflect.DeepEqual(second, remembered) || !reflect.DeepEqual(ids(again), ids(cfg)) {
			t.Errorf("%s: not stable: %v", c.name, second)
		}
		if len(remembered) < len(known) {
			t.Errorf("%s: forgotten: %v", c.name, remembered)
		}
	}
}

func TestSlug(t *testing.T) {
	for name, want := range map[string]string{
		"Whole office": "whole-office", "Boîte d'Anne": "boite-d-anne", "  --x  ": "x", "ÉCOLE": "ecole", "office-42": "office-42",
	} {
		if got := slug(name); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
	seen := map[string]bool{}
	for _, name := range []string{"会社", "会議", "会社 1", "!!!", "", strings.Repeat("ß", 500)} {
		id := slug(name)
		if !validID(id) || seen[id] {
			t.Errorf("%q: %q", name, id)
		}
		seen[id] = true
	}
}
