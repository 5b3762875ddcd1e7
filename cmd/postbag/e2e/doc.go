// Package e2e holds only tests: they start the real desktop program on a
// virtual display with a session bus and a keyring of its own, and act as a
// person does, with keyboard and mouse and the icon near the clock. "make e2e"
// runs them; they need root for the real mail servers.
package e2e
