package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// lines of good where a test puts its own text.
const (
	inOffice  = "unknown_recipient = \"postmaster@office.test\"\n"
	inTarget  = "host = \"mail.office.test\"\n"
	inMailbox = "secret = \"keyring:whole-office\"\n"
)

// added returns good with text behind one of its lines.
func added(where, text string) string {
	return strings.Replace(good, where, where+text+"\n", 1)
}

// swapped returns good with one text in place of another.
func swapped(from, to string) string { return strings.Replace(good, from, to, 1) }

// checks are configurations and all their problems, "line field code" each.
var checks = []struct {
	name, text string
	want       []string
}{
	{"no version", swapped("version = 1", ""), []string{"1 version version_missing"}},
	{"version as text", swapped("version = 1", `version = "1"`), []string{"1 version type_number"}},
	{"at sign forgiven", swapped(`["office.test"]`, `["@Office.TEST."]`), nil},
	{"no domains", swapped(`domains = ["office.test"]`, ""), []string{
		"2 office.domains required", "4 office.unknown_recipient unknown_recipient_outside"}},
	{"domain syntax", swapped(`["office.test"]`, `["office.test", "127.0.0.1", "a b.test", "*.x.test", "-x.test", ""]`), []string{
		"3 office.domains[1] domain", "3 office.domains[2] domain", "3 office.domains[3] domain", "3 office.domains[4] domain",
		"3 office.domains[5] domain"}},
	{"domain twice, two spellings", swapped(`["office.test"]`, `["office.test", "bücher.test", "XN--bcher-kva.test"]`), []string{
		"3 office.domains[2] duplicate_entry (warning)"}},
	{"rule 32: none", swapped(inOffice, ""), []string{"2 office.unknown_recipient unknown_recipient_missing"}},
	{"rule 32: outside", swapped("postmaster@office.test", "postmaster@other.test"), []string{
		"4 office.unknown_recipient unknown_recipient_outside"}},
	{"rule 32: not even when allowed by name", strings.Replace(added(inOffice, `outside_allowed = ["p@other.test"]`),
		"postmaster@office.test", "p@other.test", 1), []string{"4 office.unknown_recipient unknown_recipient_outside"}},
	{"rule 28: whole labels", swapped("postmaster@office.test", "postmaster@notoffice.test"), []string{
		"4 office.unknown_recipient unknown_recipient_outside"}},
	{"address syntax", swapped("postmaster@office.test", "Post <postmaster@office.test>"), []string{
		"4 office.unknown_recipient address"}},
	{"administrator outside", added(inOffice, `administrator = "a@other.test"`), []string{"5 office.administrator outside"}},
	{"administrator allowed", added(inOffice, "administrator = \"a@other.test\"\noutside_allowed = [\"A@other.test\"]"), nil},

	{"target: no host", swapped(inTarget, ""), []string{"5 target[0].host required"}},
	{"target: none", strings.Replace(good, "[[target]]\n"+inTarget, "", 1), []string{"1 target no_target"}},
	{"target: single brackets", swapped("[[target]]", "[target]"), []string{"5 target type_tables"}},
	{"target: bad host", swapped("mail.office.test", "smtp://mail.office.test"), []string{"6 target[0].host host"}},
	{"target: IPv6 in brackets", swapped("mail.office.test", "[2001:db8::1]"), nil},
	{"target: choices", added(inTarget, "protocol = \"esmtp\"\nsecurity = \"ssl\"\nauth = \"digest\""), []string{
		"7 target[0].protocol choice", "8 target[0].security choice", "9 target[0].auth choice"}},
	{"target: auth needs more", added(inTarget, "security = \"tls\"\nauth = \"plain\""), []string{
		"5 target[0].secret auth_incomplete", "5 target[0].username auth_incomplete"}},
	{"target: password in clear", added(inTarget, "auth = \"plain\"\nusername = \"u\"\nsecret = \"env:P\""), []string{
		"7 target[0].auth plaintext (warning)"}},
	{"target: allowed in clear", added(inTarget, "auth = \"plain\"\nusername = \"u\"\nsecret = \"env:P\"\nallow_plaintext_password = true"), nil},
	{"target: username unused", added(inTarget, `username = "u"`), []string{"5 target[0].auth auth_unused (warning)"}},
	{"target: numbers and sender", added(inTarget, "connections = -1\nport = 70000\nsender = \"office\""), []string{
		"7 target[0].connections range", "8 target[0].port range", "9 target[0].sender address"}},
	{"target: two defaults", added(inTarget, "[[target]]\nhost = \"b.office.test\""), []string{
		"7 target[1].domains target_default_twice"}},
	{"target: second by name", added(inTarget, "[[target]]\nhost = \"b.office.test\"\n[[recipient]]\naddress = \"anne@office.test\"\ntarget = \"b.office.test\""), nil},
	{"target: same name", added(inTarget, "[[target]]\nhost = \"mail.office.test\"\ndomains = [\"office.test\"]"), []string{
		"7 target[1].name duplicate_name"}},
	{"target: no way for a domain", added(inTarget, `domains = ["offce.test"]`), []string{
		"3 office.domains[0] target_no_domain", "7 target[0].domains[0] target_domain_foreign (warning)"}},
	{"target: domain taken already", added(inTarget, "domains = [\"office.test\"]\n[[target]]\nhost = \"b.office.test\"\ndomains = [\"@office.test\"]"), []string{
		"10 target[1].domains[0] target_domain_twice (warning)"}},
	{"rule 37: same host and port", swapped("host = \"mail.office.test\"", "host = \"POP.isp.test\"\nport = 995"), []string{
		"6 target[0].host target_is_source"}},
	{"rule 37: same host", swapped("mail.office.test", "pop.isp.test."), []string{"6 target[0].host target_same_host (warning)"}},
	{"rule 37: this computer", strings.Replace(swapped("mail.office.test", "127.0.0.1"), "\"pop.isp.test\"", "\"localhost\"\nport = 25", 1), []string{
		"6 target[0].host target_is_source"}},

	{"mailbox: obligatory", good + "[[mailbox]]\n", []string{
		"12 mailbox[1].host required", "12 mailbox[1].name required", "12 mailbox[1].secret required", "12 mailbox[1].username required"}},
	{"mailbox: none", good[:strings.Index(good, "[[mailbox]]")], []string{"1 mailbox no_mailbox (warning)"}},
	{"mailbox: imap not yet", added(inMailbox, `protocol = "imap"`), []string{"12 mailbox[0].protocol not_available"}},
	{"mailbox: unknown protocol", added(inMailbox, `protocol = "pop"`), []string{"12 mailbox[0].protocol choice"}},
	{"mailbox: no reference", swapped("keyring:whole-office", "letmein"), []string{"11 mailbox[0].secret secret_ref"}},
	{"mailbox: clear text by choice", added(inMailbox, "security = \"none\"\nauth = \"plain\""), []string{
		"13 mailbox[0].auth plaintext (warning)"}},
	{"mailbox: clear text, auto", added(inMailbox, `security = "none"`), nil},
	{"mailbox: individual without recipient", added(inMailbox, `kind = "individual"`), []string{
		"7 mailbox[0].deliver_to required"}},
	{"mailbox: individual", added(inMailbox, "kind = \"individual\"\ndeliver_to = [\"anne@office.test\"]"), nil},
	{"mailbox: global with deliver_to", added(inMailbox, `deliver_to = ["anne@office.test"]`), []string{
		"12 mailbox[0].deliver_to deliver_to_global"}},
	{"rule 33: deliver_to", added(inMailbox, "kind = \"individual\"\ndeliver_to = [\n  \"anne@office.test\",\n  \"anne@gmail.test\",\n]"), []string{
		"15 mailbox[0].deliver_to[1] outside"}},
	{"mailbox: names and ids", good + strings.Replace(good[strings.Index(good, "[[mailbox]]"):], "Whole office", "whole OFFICE", 1) +
		"id = \"a b\"\n", []string{
		"13 mailbox[1].name duplicate_name", "15 mailbox[1].username duplicate_account (warning)", "17 mailbox[1].id mailbox_id"}},
	{"mailbox: limits", added(inMailbox, "envelope_occurrence = 0\nreceived_skip = -1\nmax_messages_per_session = -1\nmax_message_size = \"-5\""), []string{
		"12 mailbox[0].envelope_occurrence minimum", "13 mailbox[0].received_skip minimum", "14 mailbox[0].max_messages_per_session minimum",
		"15 mailbox[0].max_message_size size"}},
	{"mailbox: headers", added(inMailbox, `envelope_headers = ["X-To:", "X-A", "x-a", "X B"]`), []string{
		"12 mailbox[0].envelope_headers[0] header_name", "12 mailbox[0].envelope_headers[2] duplicate_entry (warning)",
		"12 mailbox[0].envelope_headers[3] header_name"}},
	{"mailbox: pattern", added(inMailbox, `envelope_pattern = "("`), []string{"12 mailbox[0].envelope_pattern pattern"}},
	{"mailbox: pattern without group", added(inMailbox, `envelope_pattern = "(?:a)"`), []string{"12 mailbox[0].envelope_pattern pattern_group"}},
	{"mailbox: pattern without headers", added(inMailbox, "envelope_pattern = \"(a)\"\nenvelope_headers = []"), []string{
		"12 mailbox[0].envelope_pattern envelope_pattern_no_header (warning)"}},
	{"mailbox: isp_hosts", added(inMailbox, `isp_hosts = ["*", "mx one"]`), []string{
		"12 mailbox[0].isp_hosts[0] isp_hosts_any (warning)", "12 mailbox[0].isp_hosts[1] host"}},
	{"mailbox: any host", added(inMailbox, `isp_hosts = ["*"]`), nil},
	{"mailbox: pin", added(inMailbox, `tls_pin = "sha256:abcd"`), []string{"12 mailbox[0].tls_pin pin"}},
	{"mailbox: pin without TLS", added(inMailbox, "security = \"none\"\ntls_pin = \"sha256:"+strings.Repeat("ab", 32)+"\""), []string{
		"13 mailbox[0].tls_pin pin_unused (warning)"}},
	{"mailbox: ca_file", added(inMailbox, `ca_file = "nowhere.pem"`), []string{"12 mailbox[0].ca_file ca_file"}},
	{"mailbox: server name", added(inMailbox, `server_name = "a b"`), []string{"12 mailbox[0].server_name host"}},
	{"line end in a user name", swapped("office-42", `office\r\nDELE 1`), []string{"10 mailbox[0].username control"}},

	{"people: in the list twice", good + "[[recipient]]\naddress = \"anne@office.test\"\naliases = [\"info@office.test\"]\n" +
		"[[recipient]]\naddress = \"Anne@Office.test\"\naliases = [\"info@office.test\", \"bob@office.test\"]\n" +
		"[[list]]\naddress = \"bob@office.test\"\nmembers = [\"anne@office.test\"]\n", []string{
		"16 recipient[1].address duplicate_address", "17 recipient[1].aliases[0] duplicate_address", "19 list[0].address duplicate_address"}},
	{"people: target and deliver_as", good + "[[recipient]]\naddress = \"anne@office.test\"\ntarget = \"x\"\ndeliver_as = \"anne\"\n", []string{
		"14 recipient[0].target target_unknown", "15 recipient[0].deliver_as address"}},
	{"rule 33: alias, list, list rule", good + "[[recipient]]\naddress = \"anne@office.test\"\naliases = [\"a@x.test\"]\n" +
		"[[list]]\naddress = \"l@office.test\"\nmembers = [\"b@x.test\"]\n[[list_rule]]\nlist_post = \"p\"\ndeliver_to = [\"c@x.test\"]\n", []string{
		"14 recipient[0].aliases[0] outside", "17 list[0].members[0] outside", "20 list_rule[0].deliver_to[0] outside"}},
	{"people: nobody", good + "[[recipient]]\naddress = \"anne@office.test\"\n[[list]]\naddress = \"l@office.test\"\n" +
		"members = [\"carol@office.test\", \"anne+x@office.test\", \"postmaster@office.test\"]\n", []string{
		"16 list[0].members[0] nobody (warning)"}},
	{"rule 31: empty list", good + "[[list]]\naddress = \"l@office.test\"\nmembers = []\n", []string{
		"14 list[0].members list_empty (warning)"}},
	{"rule 31: cycle", good + "[[list]]\naddress = \"a@office.test\"\nmembers = [\"b@office.test\"]\n" +
		"[[list]]\naddress = \"b@office.test\"\nmembers = [\"A@office.test\", \"x@office.test\"]\n", []string{
		"14 list[0].members list_cycle (warning)", "17 list[1].members list_cycle (warning)"}},
	{"list rule: conditions", good + "[[list_rule]]\ndeliver_to = [\"a@office.test\"]\n[[list_rule]]\nlist_id = \"x\"\nto_contains = \"y\"\n", []string{
		"12 list_rule[0] list_rule_one", "14 list_rule[1] list_rule_one", "14 list_rule[1].deliver_to required"}},

	{"schedule", good + "[schedule]\nevery = \"30s\"\ndays = []\nfrom = \"24:00\"\nto = \"25:00\"\n", []string{
		"13 schedule.every minimum", "14 schedule.days schedule_days (warning)", "15 schedule.from clock", "16 schedule.to clock"}},
	{"schedule: empty window", good + "[mailbox.schedule]\nfrom = \"08:00\"\nto = \"08:00\"\ndays = [\"mon\", \"lun\", \"mon\"]\n", []string{
		"14 mailbox[0].schedule.to schedule_window", "15 mailbox[0].schedule.days[1] day", "15 mailbox[0].schedule.days[2] duplicate_entry (warning)"}},
	{"connection", good + "[connection]\nkind = \"dialup\"\ndialup = { entry = \"ISP\", secret = \"pw\", phone = 5 }\n", []string{
		"13 connection.kind not_available", "14 connection.dialup.phone unknown_key", "14 connection.dialup.secret secret_ref"}},
	{"connection: commands", good + "[connection]\nkind = \"commands\"\n", []string{"13 connection.kind not_available"}},
	{"small tables", good + "[delivery]\nqueue_lifetime = \"0\"\nspool_quota = \"none\"\n[log]\nlevel = \"loud\"\nmax_size = \"1\"\n" +
		"[journal]\nkeep = 5\n[alerts]\ncommand = [\"\"]\n", []string{
		"13 delivery.queue_lifetime minimum", "14 delivery.spool_quota size", "16 log.level choice", "17 log.max_size minimum",
		"19 journal.keep type_text", "21 alerts.command[0] required"}},
}

// rules 5, 28, 31, 32, 33, 37
func TestCheck(t *testing.T) {
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			_, problems := Parse([]byte(c.text), t.TempDir())
			got := briefs(problems)
			if c.want == nil {
				c.want = []string{}
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
}

func TestRule31_ListTooDeep(t *testing.T) {
	var b strings.Builder
	b.WriteString(good)
	for i := range 12 {
		name, next := string(rune('a'+i)), string(rune('b'+i))
		b.WriteString("[[list]]\naddress = \"" + name + "@office.test\"\nmembers = [\"" + next + "@office.test\"]\n")
	}
	_, problems := Parse([]byte(b.String()), "")
	want := []string{"14 list[0].members list_deep (warning)", "17 list[1].members list_deep (warning)"}
	if got := briefs(problems); !reflect.DeepEqual(got, want) {
		t.Error(got)
	}
}

func TestCAFileRelativeToTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, problems := Parse([]byte(added(inTarget, `ca_file = "ca.pem"`)), dir)
	if got := briefs(problems); !reflect.DeepEqual(got, []string{"7 target[0].ca_file ca_file_none"}) {
		t.Error(got)
	}
}

func TestAddressSyntax(t *testing.T) {
	for address, want := range map[string]bool{
		"anne@office.test": true, "a..b@office.test": true, `"a b"@office.test`: true, `"a\"b"@office.test`: true,
		"zoë@büro.test": true, "o'neil+x@office.test": true, "a/b=c@office.test": true,
		"": false, "@office.test": false, "anne": false, "anne@": false, "an ne@office.test": false, "a@b@c.test": false,
		"a@@b.test": false, "<a@b.test>": false, "a,b@c.test": false, `"a"b"@c.test`: false, `"@c.test`: false, " a@c.test": false,
		"a@c.test.": false, "a@[127.0.0.1]": false, "a@127.0.0.1": false, strings.Repeat("x", 65) + "@c.test": false,
		`"a\"@c.test`: false, "a@c test": false,
	} {
		if got := validAddress(address); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
}

func TestDomainSyntax(t *testing.T) {
	for text, want := range map[string]string{
		"Office.Test": "office.test", "@office.test.": "office.test", "Bücher.test": "xn--bcher-kva.test", "r3---x.test": "r3---x.test",
		"a_b.test": "a_b.test", "office": "office", "straße.test": "xn--strae-oqa.test",
		"": "", "@": "", ".": "", "a..b": "", "10.0.0.1": "", "a b": "", "-a.test": "", "a-.test": "", "*.a.test": "", "a/b.test": "",
		"xn--\x00.test": "", strings.Repeat("x", 64) + ".test": "", strings.Repeat("x.", 130) + "test": "",
	} {
		if got, ok := ASCIIDomain(text); got != want || ok != (want != "") {
			t.Errorf("%q: %q %v", text, got, ok)
		}
	}
}

func TestCanonical(t *testing.T) {
	for _, c := range []struct{ a, b string }{
		{"Anne@OFFICE.test", "anne@office.test"}, {`"anne"@office.test`, "anne@office.test"},
		{"x@Bücher.test", "x@xn--bcher-kva.test"}, {`"a b"@x.test`, `"a b"@x.test`},
	} {
		if got := Canonical(c.a); got != c.b {
			t.Errorf("%q: %q", c.a, got)
		}
	}
}
