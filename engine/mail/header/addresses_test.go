package header

import (
	"strings"
	"testing"
)

func TestRule26_Addresses(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"bare", "anne@office.test", "anne@office.test"},
		{"name and brackets", "Anne A <anne@office.test>", "anne@office.test"},
		{"list", "a@x.test, B <b@x.test>,c@x.test", "a@x.test b@x.test c@x.test"},
		{"semicolons", "a@x.test;b@x.test", "a@x.test b@x.test"},
		{"comment before and after", "(one) a@x.test (two (deep))", "a@x.test"},
		{"comment beside the at sign", "a(c)@(d)x.test", "a@x.test"},
		{"comment inside an atom", "jo(c)hn@x.test, b@x.test", "b@x.test"},
		{"comment inside the domain", "a@of(c)fice.test", ""},
		{"quoted local part", `"anne b"@x.test`, `"anne b"@x.test`},
		{"quoted local part in brackets", `X <"a,b"@x.test>`, `"a,b"@x.test`},
		{"quoted that needs no quotes", `"anne"@x.test`, "anne@x.test"},
		{"quote glued to an atom", `"a"b@x.test`, ""},
		{"comma in a quoted name", `"B, Anne" <anne@x.test>, b@x.test`, "anne@x.test b@x.test"},
		{"address in a quoted name", `"evil@x.test" <anne@x.test>`, "anne@x.test"},
		{"group", "Sales: a@x.test, b@x.test;", "a@x.test b@x.test"},
		{"empty group", "undisclosed-recipients:;", ""},
		{"group then more", "none:;, a@x.test", "a@x.test"},
		{"single quotes", "'anne@x.test'", "anne@x.test"},
		{"single quotes in brackets", "<'anne@x.test'>", "anne@x.test"},
		{"apostrophe", "o'neil@x.test", "o'neil@x.test"},
		{"mailto", "mailto:a@x.test, <mailto:b@x.test>", "a@x.test b@x.test"},
		{"doubled brackets", "<<a@x.test>>, b@x.test", "a@x.test b@x.test"},
		{"trailing dot", "a@x.test., <b@x.test.>", "a@x.test b@x.test"},
		{"bracketed wins", "a@x.test <b@y.test>", "b@y.test"},
		{"two at signs", "a@x.test@y.test, b@x.test", "b@x.test"},
		{"two dots", "a..b@x.test", "a..b@x.test"},
		{"missing bracket", "Bob <bob@x.test", "bob@x.test"},
		{"missing bracket then more", "Bob <bob@x.test, Ann <ann@x.test>", "bob@x.test ann@x.test"},
		{"bracket opens twice", "Bob <bob@x.test <ann@x.test>", "bob@x.test ann@x.test"},
		{"unbalanced quote", `"Bob <bob@x.test>, ann@x.test`, "bob@x.test"},
		{"unbalanced comment", `(Bob <bob@x.test>, ann@x.test`, "bob@x.test"},
		{"unbalanced after a good one", `a@x.test, "Bob <bob@x.test>`, "a@x.test bob@x.test"},
		{"route", "<@a.test,@b.test:c@x.test>", "c@x.test"},
		{"empty brackets", "<>", ""},
		{"nothing", "", ""},
		{"blank inside brackets", "<bob smith@x.test>", ""},
		{"blanks around the at sign", "a @ x.test", "a@x.test"},
		{"two by a blank", "a@x.test b@x.test", "a@x.test b@x.test"},
		{"name without brackets", "Bob bob@x.test", "bob@x.test"},
		{"encoded word is no address", "=?utf-8?Q?bob@x.test?=, a@x.test", "a@x.test"},
		{"encoded name", "=?utf-8?Q?B=40x=2Etest?= <a@x.test>", "a@x.test"},
		{"escaped quote in a name", `"B \"x\" <evil@x.test>" <a@x.test>`, "a@x.test"},
		{"ISO-2022 parenthesis", "\x1b$B$\"(B\x1b(B <a@x.test>", "a@x.test"},
		{"ISO-2022 in quotes", "\"\x1b$B$\"<x@y.test>\x1b(B\" <a@x.test>, b@x.test", "a@x.test b@x.test"},
		{"ISO-2022 single byte", "\x1b(Ja\x1b(B <a@x.test>", "a@x.test"},
		{"literal", "a@[192.0.2.1]", "a@[192.0.2.1]"},
		{"no domain", "anne, bob@, @x.test", ""},
		{"empty label", "a@x..test", ""},
		{"NUL", "a\x00b@x.test, c@x.test", "c@x.test"},
		{"8-bit local part", "andr\xc3\xa9@x.test", "andr\xc3\xa9@x.test"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, a := range Addresses(tt.in) {
				got = append(got, a.String())
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("%q: %q, want %q", tt.in, s, tt.want)
			}
		})
	}
}

func TestRule27_KeyFoldsCaseAndIDNA(t *testing.T) {
	a := Address{Local: "Anne", Domain: "Bücher.Test"}
	if got, want := a.Key(), "anne@xn--bcher-kva.test"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := a.String(), "Anne@Bücher.Test"; got != want {
		t.Errorf("the spelling changed: %q, want %q", got, want)
	}
}

func FuzzAddresses(f *testing.F) {
	for _, s := range []string{"a@b.test", `"x" <a@b.test>, (c) d@e.test;`, "<<a@b>>", "\x1b$B(\"\x1b(B", "g:a@b;", "<@a,@b:c@d>", `"`, "(", "<"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, a := range Addresses(s) {
			if a.Local == "" || a.Domain == "" || strings.ContainsAny(a.String(), "\r\n\x00") {
				t.Fatalf("%q gives %q", s, a)
			}
			again, ok := ParseAddress("<" + a.String() + ">")
			if !ok || again != a {
				t.Fatalf("%q gives %+v, which reads back as %+v", s, a, again)
			}
		}
	})
}
