package deliver

import (
	"net"
	"syscall"
)

// acknowledger makes the system acknowledge at once what comes next (tcp(7),
// TCP_QUICKACK; it holds until we send again). QUIRK: a server that answers each
// command of a group with a packet of its own, under Nagle's algorithm, keeps
// the second one back until the first is acknowledged: 40 ms for every message.
func acknowledger(c net.Conn) func() {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return func() {}
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return func() {}
	}
	ask := func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1) }
	return func() { _ = raw.Control(ask) } // without it the mail is slower, no more
}
