package present

import (
	"path/filepath"

	"postbag/app/facts"
	"postbag/app/i18n"
)

// About is what the program says of itself: label and value.
func About(p *i18n.Printer, build facts.Build, place facts.Options) [][2]string {
	version := build.Version
	if build.Commit != "" && build.Commit != "unknown" {
		version += " (" + build.Commit + ")"
	}
	return [][2]string{
		{p.T("main.about.version"), version},
		{p.T("main.about.licence"), p.T("main.about.licence_name")},
		{p.T("main.about.config"), place.Config},
		{p.T("main.about.data"), place.Data},
		{p.T("main.about.logs"), filepath.Join(place.Data, "logs", "postbag.log")},
	}
}
