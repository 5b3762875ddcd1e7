//go:build linux || darwin

package store

import "syscall"

// diskFree is what this user may still write to the disk of a folder, in octets.
func diskFree(dir string) (int64, bool) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true
}
