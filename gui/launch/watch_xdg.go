//go:build !windows && !darwin

package launch

import (
	"context"
	"log"
	"runtime"
	"slices"
	"time"

	"github.com/godbus/dbus/v5"
)

// trayName is who shows icons near the clock (StatusNotifierWatcher).
const trayName = "org.kde.StatusNotifierWatcher"

// WatchTray calls told now and whenever it changes that the desktop shows icons
// near the clock. stop ends that.
func WatchTray(wanted bool, told func(there bool)) (stop func()) {
	if !wanted {
		told(false)
		return func() {}
	}
	conn, err := dbus.ConnectSessionBus()
	if err != nil {
		log.Println("session bus:", err)
		told(false)
		return func() {}
	}
	changes := make(chan *dbus.Signal, 8)
	conn.Signal(changes)
	err = conn.AddMatchSignal(dbus.WithMatchInterface("org.freedesktop.DBus"),
		dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, trayName))
	if err != nil {
		log.Println("session bus:", err)
	}
	go func() {
		var there bool
		if err := conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, trayName).Store(&there); err != nil {
			log.Println("session bus:", err)
		}
		told(there)
		for s := range changes {
			// The three words are the name, its old and its new owner.
			if len(s.Body) == 3 && s.Body[0] == trayName {
				told(s.Body[2] != "")
			}
		}
	}()
	return func() { _ = conn.Close() } // closes the channel too
}

// portalName says whether the desktop is light or dark, among much else.
const portalName = "org.freedesktop.portal.Desktop"

// asking is how long the session bus may take; a window waits for it.
const asking = 500 * time.Millisecond

// HasPortal tells that somebody says whether the desktop is light or dark.
func HasPortal(ctx context.Context, getenv func(string) string) bool {
	if !Bus(runtime.GOOS, getenv) {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	conn, err := dbus.ConnectSessionBus(dbus.WithContext(ctx))
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	for _, list := range []string{"ListNames", "ListActivatableNames"} {
		var names []string
		err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus."+list, 0).Store(&names)
		if err == nil && slices.Contains(names, portalName) {
			return true
		}
	}
	return false
}
