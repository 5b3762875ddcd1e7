package tell

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"postbag/engine/mail"
)

// CSV writes the journal for a spreadsheet (RFC 4180), UTF-8 without a mark.
type CSV struct {
	w      *csv.Writer
	titled bool
}

// NewCSV returns a CSV that writes to w. Close must be called at the end.
func NewCSV(w io.Writer) *CSV {
	c := &CSV{w: csv.NewWriter(w)}
	c.w.UseCRLF = true
	return c
}

func (c *CSV) title() error {
	if c.titled {
		return nil
	}
	c.titled = true
	return c.w.Write([]string{"time", "id", "mailbox", "uid", "message_id", "from", "subject", "size", "state", "at_source", "route", "recipients", "attempts", "next_attempt", "reason"})
}

// Entry writes one line, the title before the first.
func (c *CSV) Entry(e mail.Entry) error {
	if err := c.title(); err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	size, next := "", ""
	if e.Size >= 0 {
		size = strconv.FormatInt(e.Size, 10)
	}
	if !e.NextAttempt.IsZero() {
		next = e.NextAttempt.UTC().Format(time.RFC3339)
	}
	recipients := make([]string, len(e.Recipients))
	for i, r := range e.Recipients {
		recipients[i] = r.Address + " " + string(r.State)
	}
	row := []string{
		e.Time.UTC().Format(time.RFC3339), e.ID, e.Mailbox, e.UID, e.MessageID, e.From, e.Subject, size,
		string(e.State), string(e.AtSource), e.Route, strings.Join(recipients, "; "), strconv.Itoa(e.Attempts), next, e.Reason,
	}
	for i := range row {
		row[i] = harmless(row[i])
	}
	if err := c.w.Write(row); err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	return nil
}

// Close writes what is still held back, at least the title. w stays open.
func (c *CSV) Close() error {
	if err := c.title(); err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	c.w.Flush()
	if err := c.w.Error(); err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	return nil
}

// harmless makes a cell that no spreadsheet takes for a formula: what begins
// with one of the signs that start one, in ASCII or full width, also after
// spaces or quotes, gets an apostrophe in front (OWASP, CSV injection). Tabs and
// line ends, which some programs split cells at, become spaces.
func harmless(text string) string {
	text = Line(text)
	first := strings.TrimLeft(text, " '\"\u00a0\u3000")
	if first != "" && strings.ContainsAny(first[:firstRune(first)], "=+-@|%＝＋－＠") {
		return "'" + text
	}
	return text
}

func firstRune(s string) int {
	for i := range s {
		if i > 0 {
			return i
		}
	}
	return len(s)
}
