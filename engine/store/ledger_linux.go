package store

import (
	"os"
	"syscall"
)

// syncOctets makes what was written to a file durable, its times aside.
func syncOctets(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); err != syscall.EINTR {
			return err
		}
	}
}
