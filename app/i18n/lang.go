package i18n

import (
	"os"
	"slices"
	"strings"
)

// The languages.
const (
	English = "en"
	French  = "fr"
)

// Languages lists the languages that Postbag speaks.
func Languages() []string { return []string{English, French} }

// Supported tells whether Postbag speaks the language.
func Supported(lang string) bool { return slices.Contains(Languages(), lang) }

// FromEnv is the language that the environment asks for, in the order of
// POSIX.1 section 8.2: LC_ALL, LC_MESSAGES, LANG; the first that is set
// decides. Without one of ours it is English. ok is false when nothing is set.
func FromEnv(getenv func(string) string) (lang string, ok bool) {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			return languageOf(v), true
		}
	}
	return English, false
}

// languageOf cuts a locale name such as fr_CA.UTF-8 or fr-CH to its language.
func languageOf(locale string) string {
	lang, _, _ := strings.Cut(strings.ToLower(locale), ".")
	if i := strings.IndexAny(lang, "_-@"); i >= 0 {
		lang = lang[:i]
	}
	if Supported(lang) {
		return lang
	}
	return English
}

func systemLanguage() string {
	if lang, ok := FromEnv(os.Getenv); ok {
		return lang
	}
	return languageOf(desktopLocale())
}

// areaOf splits the name of a locale file, "cli.en.toml" into "cli" and "en".
func areaOf(file string) (area, lang string, ok bool) {
	parts := strings.Split(file, ".")
	if len(parts) != 3 || parts[2] != "toml" {
		return "", "", false
	}
	return parts[0], parts[1], true
}
