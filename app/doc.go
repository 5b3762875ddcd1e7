// Package app puts the parts of the engine together: folders, log, lock,
// configuration, secrets, store, engine. It knows no window and no command
// line; both drive it through the methods of Application and Local.
package app
