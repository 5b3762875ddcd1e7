package route

import (
	"strings"

	"postbag/engine/mail"
	"postbag/engine/mail/header"
)

// toCc is step (f): To and Cc, and Bcc when the user wants it (rule 29). A
// stranger beside known people gets no copy (rule 18).
func (c *Rules) toCc(m message) finding {
	f := finding{route: mail.RouteToCc}
	c.author(&f, m.Fields, "To", "Cc", "Bcc")
	return f
}

// resent is step (e): the most recent Resent block (rule 29).
func (c *Rules) resent(m message) finding {
	f := finding{route: mail.RouteResent}
	c.author(&f, resentBlock(m.Fields), "Resent-To", "Resent-Cc", "Resent-Bcc")
	return f
}

func (c *Rules) author(f *finding, fields []header.Field, to, cc, bcc string) {
	for _, l := range fields {
		if !l.Is(to) && !l.Is(cc) && (!c.bcc || !l.Is(bcc)) {
			continue
		}
		before := len(f.known)
		c.judge(f, header.Addresses(l.Value), "")
		if f.evidence == "" && f.decides() || before == 0 && len(f.known) > 0 {
			f.evidence = l.Name + ": " + l.Value
		}
	}
}

// resentBlock is the topmost block of Resent fields (RFC 5322 section 3.6.6):
// it ends at a Received line, or where Resent-From or Resent-Date comes again.
// A line of the older block that stands before its Resent-From or Resent-Date
// shows itself by coming a second time, too.
func resentBlock(fields []header.Field) []header.Field {
	start := -1
	seen := map[string]int{} // name -> index of its last line
	again := -1              // the first line that may begin the older block
	for i, f := range fields {
		name := strings.ToLower(f.Name)
		if !strings.HasPrefix(name, "resent-") {
			if start >= 0 && name == "received" {
				return fields[start:i]
			}
			continue
		}
		if start < 0 {
			start = i
		}
		last, twice := seen[name]
		seen[name] = i
		if !twice {
			continue
		}
		if again < 0 && last != i-1 {
			again = i
		}
		if name == "resent-from" || name == "resent-date" {
			if again < 0 {
				again = i
			}
			return fields[start:again]
		}
	}
	if start < 0 {
		return nil
	}
	return fields[start:]
}
