//go:build linux

package floor

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"
)

// dial connects to a port on loopback and has h told what comes.
func (f *floor) dial(port int, h handler) (int, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("socket: %w", err)
	}
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, errors.Join(fmt.Errorf("connect to port %d: %w", port, err), syscall.Close(fd))
	}
	err = errors.Join(syscall.SetNonblock(fd, true), syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1), f.watch(fd, h))
	if err != nil {
		return 0, errors.Join(err, syscall.Close(fd))
	}
	return fd, nil
}

func (f *floor) watch(fd int, h handler) error {
	for fd >= len(f.handlers) {
		f.handlers = append(f.handlers, nil)
	}
	f.handlers[fd] = h
	return syscall.EpollCtl(f.epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)})
}

// close ends a connection; epoll forgets it with it.
func (f *floor) close(fd int) error {
	f.handlers[fd] = nil
	return syscall.Close(fd)
}

// hangUp closes what an error left open.
func (f *floor) hangUp() {
	for fd, h := range f.handlers {
		if h != nil {
			_ = syscall.Close(fd)
		}
	}
}

// read reads once; 0 octets and no error: nothing is there.
func read(fd int, p []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	switch {
	case errno == syscall.EAGAIN || errno == syscall.EINTR:
		return 0, nil
	case errno != 0:
		return 0, fmt.Errorf("read: %w", errno)
	case n == 0:
		return 0, errors.New("the server hung up")
	}
	return int(n), nil
}

// write writes everything. It is hardly ever more than the socket takes: one
// message, or a row of short commands.
func write(fd int, p []byte) error {
	for len(p) > 0 {
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		switch {
		case errno == syscall.EINTR:
		case errno == syscall.EAGAIN:
			return patiently(fd, p)
		case errno != 0:
			return fmt.Errorf("write: %w", errno)
		default:
			p = p[n:]
		}
	}
	return nil
}

// patiently writes what the socket does not take at once.
func patiently(fd int, p []byte) error {
	if err := syscall.SetNonblock(fd, false); err != nil {
		return err
	}
	for len(p) > 0 {
		n, err := syscall.Write(fd, p)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("write: %w", err)
		}
		p = p[max(n, 0):]
	}
	return syscall.SetNonblock(fd, true)
}
