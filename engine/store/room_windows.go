package store

import (
	"syscall"
	"unsafe"
)

// diskFree is what this user may still write to the disk of a folder, in octets.
func diskFree(dir string) (int64, bool) {
	name, err := syscall.UTF16PtrFromString(dir)
	if err != nil {
		return 0, false
	}
	proc := syscall.NewLazyDLL("kernel32.dll").NewProc("GetDiskFreeSpaceExW")
	if proc.Find() != nil {
		return 0, false
	}
	var free uint64
	r, _, _ := proc.Call(uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(&free)), 0, 0)
	return int64(free), r != 0
}
