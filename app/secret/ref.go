// Package secret finds passwords and tokens by reference: the configuration
// names them, the operating system's keyring, a file, a variable of the
// environment or a systemd credential holds them.
//
// A value is never part of an error, of a log line or of an argument.
package secret

import (
	"errors"
	"path/filepath"
	"strings"
	"unicode"
)

// The schemes of a reference.
const (
	Keyring    = "keyring"    // keyring:REF, the user's keyring, service "postbag"
	Env        = "env"        // env:NAME, a variable of the environment
	File       = "file"       // file:PATH, relative to the configuration's folder
	Credential = "credential" // credential:NAME, a file in $CREDENTIALS_DIRECTORY (systemd.exec(5))
)

// Ref is a reference to a secret.
type Ref struct {
	Scheme string // one of the schemes
	Name   string // never empty
}

// String returns the reference as it stands in the configuration.
func (r Ref) String() string { return r.Scheme + ":" + r.Name }

// Errors of Parse. They do not hold the text: a password may stand there by
// mistake.
var (
	ErrScheme = errors.New("a reference begins with keyring:, env:, file: or credential: and a name")
	ErrName   = errors.New("the name in the reference is not valid")
)

// maxName bounds a name: keyrings take far less than a path may need.
const maxName = 1024

// Parse reads a reference. Its errors are ErrScheme and ErrName.
func Parse(ref string) (Ref, error) {
	scheme, name, found := strings.Cut(ref, ":")
	if !found {
		return Ref{}, ErrScheme
	}
	r := Ref{Scheme: scheme, Name: name}
	switch scheme {
	case Keyring, File:
	case Env:
		if strings.ContainsAny(name, "= ") {
			return Ref{}, ErrName
		}
	case Credential:
		// The name is one element of a path (systemd: valid as a file name).
		if name == "." || name == ".." || strings.ContainsAny(name, `/\`) || name != filepath.Base(name) {
			return Ref{}, ErrName
		}
	default:
		return Ref{}, ErrScheme
	}
	if strings.TrimSpace(name) == "" || len(name) > maxName || strings.ContainsFunc(name, unicode.IsControl) {
		return Ref{}, ErrName
	}
	return r, nil
}
