package digest

import (
	"testing"

	"postbag/engine/mail/header"
)

func TestRule47_NeverAboutABounceOrAMachinesMail(t *testing.T) {
	cases := []struct {
		name, header string
		want         bool
	}{
		{"an ordinary message", "Return-Path: <bob@isp.test>\r\nFrom: bob@isp.test\r\nContent-Type: text/plain\r\n", true},
		{"nothing at all", "", true},
		{"null sender", "Return-Path: <>\r\n", false},
		{"null sender with blanks", "return-path: < >\r\n", false},
		{"null sender written empty", "Return-Path:\r\n", false},
		{"auto-generated", "Auto-Submitted: auto-generated\r\n", false},
		{"auto-replied with parameters", "AUTO-SUBMITTED: Auto-Replied; owner-email=\"a@b.test\"\r\n", false},
		{"a keyword of the future", "Auto-Submitted: auto-notified\r\n", false},
		{"not automatic", "Auto-Submitted: no\r\n", true},
		{"not automatic, with a comment", "Auto-Submitted: (really) No (sir); x=y\r\n", true},
		{"an empty Auto-Submitted says nothing", "Auto-Submitted:\r\n", true},
		{"one of two says so", "Auto-Submitted: no\r\nAuto-Submitted: auto-replied\r\n", false},
		{"bulk", "Precedence: Bulk\r\n", false},
		{"junk", "Precedence: junk\r\n", false},
		{"a mailing list is written by people", "Precedence: list\r\nList-Id: <x.test>\r\n", true},
		{"a report", "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n", false},
		{"a report, folded", "Content-Type: Multipart/Report;\r\n\tboundary=x\r\n", false},
		{"a report with blanks", "Content-Type: multipart / report ; boundary=x\r\n", false},
		{"a receipt", "Content-Type: message/disposition-notification\r\n", false},
		{"the word in a parameter", "Content-Type: multipart/mixed; boundary=\"multipart/report\"\r\n", true},
		{"the mailer daemon", "From: Mail Delivery System <MAILER-DAEMON@isp.test>\r\n", false},
		{"Exim's list of addresses", "X-Failed-Recipients: a@b.test\r\n", false},
		{"only in the body", "From: bob@isp.test\r\n\r\nAuto-Submitted: auto-replied\r\n", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := Reportable(header.Parse([]byte(c.header))); got != c.want {
				t.Errorf("reportable %v, want %v", got, c.want)
			}
		})
	}
}

func FuzzReportable(f *testing.F) {
	f.Add("Auto-Submitted: ((no\r\n")
	f.Add("Content-Type: ;;\r\nFrom: <\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		h := header.Parse([]byte(s))
		h.Fields = append(h.Fields, header.Field{Name: "Auto-Submitted", Value: "auto-replied"})
		if Reportable(h) {
			t.Fatalf("%q hides Auto-Submitted", s)
		}
	})
}
