package digest

import (
	"slices"
	"strings"

	"postbag/engine/mail/header"
)

// Reportable tells whether a digest may tell of a message with this header. It
// may not when the message is itself a bounce or was sent by a machine: two
// machines that report to each other never end (rule 47; RFC 3834 section 2,
// RFC 3464). Signs of it are a null sender, Auto-Submitted other than "no",
// Precedence bulk or junk, a report as the content, the mailer daemon as the
// author, or the addresses that a bounce names.
func Reportable(h header.Header) bool { // rule 47
	if slices.ContainsFunc(h.Values("Return-Path"), nullPath) || h.Has("X-Failed-Recipients") {
		return false
	}
	for _, v := range h.Values("Auto-Submitted") {
		if w := keyword(v); w != "" && w != "no" {
			return false // RFC 3834 section 5: also keywords that are not known yet
		}
	}
	for _, v := range h.Values("Precedence") {
		if w := keyword(v); w == "bulk" || w == "junk" {
			return false
		}
	}
	for _, v := range h.Values("Content-Type") {
		switch keyword(v) {
		case "multipart/report", "message/delivery-status", "message/disposition-notification":
			return false
		}
	}
	return !slices.ContainsFunc(header.Addresses(h.Get("From")), func(a header.Address) bool {
		return strings.EqualFold(a.Local, "mailer-daemon")
	})
}

// nullPath recognises "<>", also with blanks inside, and a Return-Path that is
// empty: some servers write the null sender so.
func nullPath(value string) bool {
	return strings.Trim(value, " \t<>") == ""
}

// keyword is the first word of a field, or the two of a media type: before its
// parameters, without comments, in lower case.
func keyword(value string) string {
	var parts []string
	for part := range strings.SplitSeq(uncommented(value), "/") {
		if words := strings.Fields(part); len(words) > 0 {
			parts = append(parts, words[0])
		}
	}
	return strings.ToLower(strings.Join(parts, "/"))
}

// uncommented returns what stands before the first semicolon, comments left
// out (RFC 5322 section 3.2.2).
func uncommented(value string) string {
	var b strings.Builder
	depth := 0
	for _, r := range value {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth = max(depth-1, 0)
		case depth > 0:
		case r == ';':
			return b.String()
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
