//go:build linux

package main_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// object is one line of JSON.
type object map[string]any

// shape says what the fields of an object hold: "text", "number", "bool",
// "time" (RFC 3339, UTC with Z), "list", "object", or words in brackets, one of
// which it must be: "(ok|failed)". With "?" at the end null is allowed. Further
// fields may stand beside these, none may be missing.
type shape map[string]string

// The objects of the contract.
func shapes() map[string]shape {
	return map[string]shape{
		"entry": {
			"time": "time", "id": "text", "mailbox": "text", "uid": "text", "message_id": "text?", "from": "text?", "subject": "text?",
			"size": "number?", "state": states, "at_source": "(present|deleted|kept|gone)", "route": "text", "recipients": "list",
			"attempts": "number", "next_attempt": "time?", "reason": "text?",
		},
		"recipient": {"address": "text", "state": states, "reply": "text?"},
		"result":    {"mailbox": "text", "result": "(ok|temporary|needs_user|failed|skipped)", "error": "text?"},
		"status":    {"engine": "(running|stopped)", "mailboxes": "list", "balance": "object"},
		"mailbox":   {"name": "text", "last": "time?", "next": "time?", "result": "(ok|temporary|needs_user|failed|skipped)?", "error": "text?"},
		"preview":   {"uid": "text", "from": "text?", "subject": "text?", "size": "number?", "recipients": "list", "route": "text"},
		"previewed": {"address": "text", "state": "()", "reply": "()"},
		"verdict":   {"verdict": "(bcc_works|bcc_goes_to_unknown)", "envelope_header": "text?"},
		"check": {
			"subject": "text", "step": "(dns|connect|tls|login|stat|uidl|ehlo|starttls|auth|rcpt)", "ok": "bool",
			"detail": "text?", "advice": "text?",
		},
		"problem": {"field": "text", "line": "number?", "code": "text", "message": "text"},
	}
}

const states = "(waiting|too_big|failed|collected|queued|quarantined|filtered|delivered|duplicate|deleted)"

// fault says what is wrong with an object, "" when it has the shape.
func (s shape) fault(o object) string {
	for _, name := range slices.Sorted(maps.Keys(s)) {
		v, there := o[name]
		if !there {
			return "has no field " + name
		}
		kind, null := strings.CutSuffix(s[name], "?")
		if v == nil && null {
			continue
		}
		if !fits(v, kind) {
			return "has in " + name + " no " + s[name]
		}
	}
	return ""
}

func fits(v any, kind string) bool {
	switch v := v.(type) {
	case string:
		if kind == "time" {
			_, err := time.Parse("2006-01-02T15:04:05Z", v)
			return err == nil
		}
		if words, ok := strings.CutPrefix(kind, "("); ok {
			return slices.Contains(strings.Split(strings.TrimSuffix(words, ")"), "|"), v)
		}
		return kind == "text"
	case float64:
		return kind == "number"
	case bool:
		return kind == "bool"
	case []any:
		return kind == "list"
	case map[string]any:
		return kind == "object"
	}
	return false
}

// objects parses standard output, which must be JSON Lines and nothing else.
func (r result) objects() []object {
	r.t.Helper()
	var all []object
	for line := range strings.Lines(r.out) {
		var o object
		if err := json.Unmarshal([]byte(line), &o); err != nil || o == nil || !strings.HasSuffix(line, "\n") {
			r.t.Fatalf("postbagd %q: standard output has a line that is no JSON object: %v\n%s", r.args, err, line)
		}
		all = append(all, o)
	}
	return all
}

// of demands that an object has the shape of the contract.
func (r result) of(name string, o object) object {
	r.t.Helper()
	if fault := shapes()[name].fault(o); fault != "" {
		r.t.Errorf("postbagd %q: the %s object %v: %s", r.args, name, o, fault)
	}
	return o
}

// entries returns the messages of log, queue or collect.
func (r result) entries() []object {
	r.t.Helper()
	var all []object
	for _, o := range r.objects() {
		if _, ok := o["result"]; ok && o["id"] == nil {
			continue
		}
		r.of("entry", o)
		for _, rcpt := range o.list("recipients") {
			r.of("recipient", rcpt)
		}
		if id := o.text("id"); id == "" || strings.ContainsAny(id, " \t\r\n") {
			r.t.Errorf("postbagd %q: the id %q cannot be an argument", r.args, id)
		}
		all = append(all, o)
	}
	return all
}

// results returns the mailbox lines of collect by the mailbox's name.
func (r result) results() map[string]object {
	r.t.Helper()
	all := map[string]object{}
	for _, o := range r.objects() {
		if _, ok := o["result"]; ok && o["id"] == nil {
			all[o.text("mailbox")] = r.of("result", o)
		}
	}
	return all
}

func (o object) text(name string) string {
	s, _ := o[name].(string)
	return s
}

func (o object) number(name string) int {
	n, _ := o[name].(float64)
	return int(n)
}

func (o object) list(name string) []object {
	var all []object
	items, _ := o[name].([]any)
	for _, v := range items {
		if m, ok := v.(map[string]any); ok {
			all = append(all, object(m))
		}
	}
	return all
}

// bySubject returns the entries by their subject.
func bySubject(entries []object) map[string]object {
	all := map[string]object{}
	for _, e := range entries {
		all[e.text("subject")] = e
	}
	return all
}

// status asks for the status and proves that the balance sheet balances. rule 49
func (s *site) status() object {
	s.t.Helper()
	r := s.want(0, "status", "--json")
	all := r.objects()
	if len(all) != 1 {
		s.t.Fatalf("status --json wrote %d objects", len(all))
	}
	r.of("status", all[0])
	for _, m := range all[0].list("mailboxes") {
		r.of("mailbox", m)
	}
	balance := object(all[0]["balance"].(map[string]any))
	sum := 0
	for _, state := range strings.Split(strings.Trim(states, "()"), "|") {
		if _, ok := balance[state].(float64); !ok {
			s.t.Errorf("the balance sheet lacks %s: %v", state, balance)
		}
		sum += balance.number(state)
	}
	if sum != balance.number("seen") {
		s.t.Errorf("seen is not the sum: %v", balance)
	}
	return all[0]
}

// wantBalance demands these states, and no message in another one.
func (s *site) wantBalance(want map[string]int) {
	s.t.Helper()
	balance := object(s.status()["balance"].(map[string]any))
	for state := range balance {
		if state != "seen" && balance.number(state) != want[state] {
			s.t.Errorf("the balance sheet has %d %s, want %d: %v", balance.number(state), state, want[state], balance)
		}
	}
}
