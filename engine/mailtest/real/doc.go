// Package real starts private instances of real mail servers for tests:
// Dovecot as the provider (POP3, POP3S, IMAP, LMTP) and Postfix as the office
// server that delivers into Maildirs. They run on loopback, on free ports, with
// folders of their own, and nothing of the system's own servers is touched.
//
// Both need root (they change to unprivileged users by themselves) and the
// Debian packages named in the errors. What is missing fails the test: a
// skipped test would check nothing.
//
// The package is for Linux only; elsewhere it is empty.
package real
