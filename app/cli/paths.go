package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// defaultConfig is where the configuration is looked for without --config: the
// folder that a service manager names (systemd.exec: CONFIGURATION_DIRECTORY),
// else the user's.
func defaultConfig(getenv func(string) string) string {
	if dir := firstOf(getenv("CONFIGURATION_DIRECTORY")); dir != "" {
		return filepath.Join(dir, "postbag.toml")
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "postbag.toml"
	}
	return filepath.Join(dir, "postbag", "postbag.toml")
}

// defaultData is the data folder without --data, beside the configuration's in
// the way of each operating system.
func defaultData(getenv func(string) string) string {
	if dir := firstOf(getenv("STATE_DIRECTORY")); dir != "" {
		return dir
	}
	return dataFolder(runtime.GOOS, getenv)
}

func dataFolder(goos string, getenv func(string) string) string {
	switch goos {
	case "windows":
		if dir := getenv("LocalAppData"); dir != "" {
			return filepath.Join(dir, "postbag")
		}
	case "darwin":
		if home := getenv("HOME"); home != "" {
			return filepath.Join(home, "Library", "Application Support", "postbag")
		}
	default:
		// XDG Base Directory Specification: a relative path is to be ignored.
		if dir := getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
			return filepath.Join(dir, "postbag")
		}
		if home := getenv("HOME"); home != "" {
			return filepath.Join(home, ".local", "share", "postbag")
		}
	}
	return "postbag-data"
}

// firstOf is the first of several folders; systemd parts them with a colon.
func firstOf(list string) string {
	if runtime.GOOS == "windows" {
		return list
	}
	first, _, _ := strings.Cut(list, ":")
	return first
}
