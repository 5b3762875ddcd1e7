//go:build !linux

package store

import "os"

// syncOctets makes what was written to a file durable.
func syncOctets(f *os.File) error { return f.Sync() }
