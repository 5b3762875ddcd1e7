package cli

import (
	"errors"
	"fmt"
	"testing"

	"postbag/app/facts"
	"postbag/engine/mail"
)

func failure(code mail.Code) error { return &mail.Failure{Code: code} }

func TestExitCode(t *testing.T) {
	usage := &usageError{text: "x"}
	cases := []struct {
		name string
		err  error
		want int
	}{
		{"done", nil, 0},
		{"usage", usage, 2},
		{"configuration", &facts.ConfigError{}, 2},
		{"no configuration", failure(facts.CodeConfigMissing), 2},
		{"unknown mailbox", failure(facts.CodeUnknownMailbox), 2},
		{"unknown message", failure(facts.CodeNotFound), 2},
		{"not available", failure(facts.CodeNotAvailable), 2},
		{"busy", failure(facts.CodeBusy), 5},
		{"damaged store", failure(mail.CodeStoreDamaged), 1},
		{"disk full", failure(mail.CodeDiskFull), 1},
		{"unclassified", errors.New("x"), 1},
		{"mailbox", outcome(3), 3},
		{"mail", outcome(4), 4},
		{"wrapped", fmt.Errorf("open: %w", failure(facts.CodeBusy)), 5},
		{"joined with nothing", errors.Join(failure(facts.CodeBusy), nil), 5},
		{"2 before 5", errors.Join(failure(facts.CodeBusy), usage), 2},
		{"5 before 1", errors.Join(errors.New("x"), failure(facts.CodeBusy)), 5},
		{"1 before 3", errors.Join(outcome(3), errors.New("x")), 1},
		{"3 before 4", errors.Join(outcome(4), outcome(3)), 3},
		{"joined in a join", errors.Join(errors.Join(outcome(4)), outcome(0)), 4},
		{"a part was done", &partial{errors.Join(failure(facts.CodeWrongState))}, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := exitCode(c.err); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestCollectCode(t *testing.T) {
	mailbox := func(result string) []facts.MailboxResult {
		return []facts.MailboxResult{{Result: facts.ResultOK}, {Result: result}}
	}
	cases := []struct {
		name string
		r    facts.CollectReport
		want int
	}{
		{"nothing to do", facts.CollectReport{}, 0},
		{"all well", facts.CollectReport{Mailboxes: mailbox(facts.ResultOK), Delivered: 5}, 0},
		{"paused", facts.CollectReport{Mailboxes: mailbox(facts.ResultSkipped)}, 0},
		{"temporary", facts.CollectReport{Mailboxes: mailbox(facts.ResultTemporary)}, 3},
		{"needs a person", facts.CollectReport{Mailboxes: mailbox(facts.ResultNeedsUser)}, 3},
		{"failed", facts.CollectReport{Mailboxes: mailbox(facts.ResultFailed)}, 3},
		{"mail waits", facts.CollectReport{Mailboxes: mailbox(facts.ResultOK), Queued: 1}, 4},
		{"quarantined now", facts.CollectReport{Quarantined: 1}, 4},
		{"set aside now", facts.CollectReport{Failed: 1}, 4},
		{"mailbox before mail", facts.CollectReport{Mailboxes: mailbox(facts.ResultTemporary), Queued: 1}, 3},
		{"stopped by a signal", facts.CollectReport{Interrupted: true}, 1},
		{"signal before mailbox", facts.CollectReport{Interrupted: true, Mailboxes: mailbox(facts.ResultFailed), Queued: 2}, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := collectCode(c.r); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestCheckCode(t *testing.T) {
	for _, c := range []struct {
		source, target bool
		want           int
	}{{false, false, 0}, {true, false, 3}, {false, true, 4}, {true, true, 3}} {
		if got := checkCode(c.source, c.target); got != c.want {
			t.Errorf("%v: got %d", c, got)
		}
	}
}
