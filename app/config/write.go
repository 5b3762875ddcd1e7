package config

// WriteFile replaces a private file at once or not at all: temporary file,
// fsync, rename, fsync of the folder; mode 0600.
func WriteFile(path string, data []byte) error { return writeAtomic(path, data) }
