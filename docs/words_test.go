package docs

import (
	"slices"
	"strings"
	"testing"

	"postbag/app/i18n"
	"postbag/app/notify"
	"postbag/engine/mail"
)

// TestWordsAreExplained holds the lists of words to the program.
func TestWordsAreExplained(t *testing.T) {
	var states, kinds []string
	for _, s := range mail.States() {
		states = append(states, string(s))
	}
	for _, k := range notify.Kinds() {
		kinds = append(kinds, string(k))
	}
	known := map[string][]string{
		"states":      states,
		"at-source":   constants(t, "engine/mail", "Source"),
		"results":     constants(t, "app/facts", "Result"),
		"routes":      constants(t, "engine/mail", "Route"),
		"verdicts":    constants(t, "app/facts", "Verdict"),
		"alert-kinds": kinds,
		"exit-codes":  constants(t, "app/cli", "exit"),
		"faults":      faultCodes(t),
	}
	eachPage(t, func(t *testing.T, p page) {
		for id, words := range known {
			documented := p.codes(t, id)
			for i, d := range documented {
				if id == "routes" && strings.HasPrefix(d, mail.RouteEnvelope) {
					documented[i] = mail.RouteEnvelope
				}
			}
			same(t, p.path+", "+id, documented, words)
		}
	})
}

// TestShownWordsAreThoseOfTheProgram compares the column "shown as".
func TestShownWordsAreThoseOfTheProgram(t *testing.T) {
	eachPage(t, func(t *testing.T, p page) {
		printer := i18n.New(p.lang)
		for id, area := range map[string]string{"states": "state.", "results": "result."} {
			for _, r := range rows(p.section(t, id)) {
				if want := printer.T(area + r.code()); len(r) != 3 || r[1] != want {
					t.Errorf("%s: the program shows %s as %q, documented is %q", p.path, r.code(), want, r[1:])
				}
			}
		}
	})
}

// TestCheckStepsAreExplained: the steps are those that have a word of their own.
func TestCheckStepsAreExplained(t *testing.T) {
	eachPage(t, func(t *testing.T, p page) {
		printer := i18n.New(p.lang)
		steps := p.codes(t, "check-steps")
		for _, step := range steps {
			if !printer.Has("check.step." + step) {
				t.Errorf("%s: there is no step %q", p.path, step)
			}
		}
		// The contract names ten.
		same(t, p.path, steps, []string{"dns", "connect", "tls", "login", "stat", "uidl", "ehlo", "starttls", "auth", "rcpt"})
	})
}

// TestJSONFieldsAreExplained compares the tables with the objects themselves.
func TestJSONFieldsAreExplained(t *testing.T) {
	objects := map[string][2]string{
		"json-message":   {"engine/mail", "entryJSON"},
		"json-recipient": {"engine/mail", "recipientJSON"},
		"json-story":     {"app/cli", "storyLine"},
		"json-collect":   {"app/cli", "resultLine"},
		"json-status":    {"app/cli", "statusLine"},
		"json-mailbox":   {"app/cli", "mailboxLine"},
		"json-target":    {"app/cli", "targetLine"},
		"json-check":     {"app/cli", "checkLine"},
		"json-preview":   {"app/cli", "previewLine"},
		"json-verdict":   {"app/cli", "verdictLine"},
		"json-validate":  {"app/cli", "problemObject"},
	}
	eachPage(t, func(t *testing.T, p page) {
		for id, object := range objects {
			same(t, p.path+", "+id, p.codes(t, id), jsonFields(t, object[0], object[1]))
		}
	})
}

func TestStepsOfAStoryAreExplained(t *testing.T) {
	kinds := constants(t, "app/facts", "Step")
	eachPage(t, func(t *testing.T, p page) {
		for _, r := range rows(p.section(t, "json-story")) {
			if r.code() == "kind" {
				same(t, p.path, codeIn(r[1]), kinds)
			}
		}
	})
}

// TestFilesOfTheStoreAreExplained: what the program keeps under a name of its
// own is in the table of the files.
func TestFilesOfTheStoreAreExplained(t *testing.T) {
	var names []string
	for _, prefix := range []string{"file", "dir"} {
		for name, file := range constantNames(t, "engine/store", prefix) {
			// What exists only while a repair works is nobody's business.
			if !slices.Contains([]string{"dirRepair", "fileDone", "fileSource"}, name) {
				names = append(names, "store/"+file)
			}
		}
	}
	names = append(names, "logs/postbag.log", "transcripts", "control", "mailboxes.json", "lock")
	eachPage(t, func(t *testing.T, p page) {
		var documented []string
		for _, f := range p.codes(t, "data-files") {
			if !strings.Contains(f, "<") {
				documented = append(documented, strings.TrimSuffix(f, "/"))
			}
		}
		same(t, p.path, documented, names)
	})
}

// TestSecretSchemesAreExplained: every way to name a password is in the table.
func TestSecretSchemesAreExplained(t *testing.T) {
	eachPage(t, func(t *testing.T, p page) {
		var schemes []string
		for _, code := range p.codes(t, "security") {
			scheme, _, _ := strings.Cut(code, ":")
			schemes = append(schemes, scheme)
		}
		same(t, p.path, schemes, []string{"keyring", "env", "file", "credential"})
	})
}
