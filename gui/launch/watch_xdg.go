//go:build !windows && !darwin

package launch

import (
	"log"

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
