// Package mailtest holds POP3 and SMTP servers that fail on command and the
// certificates they need, for tests and for the demo only. The servers listen
// on loopback, on a free port each.
package mailtest
