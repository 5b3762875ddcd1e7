package present

import (
	"bytes"
	"html/template"
	"os"
	"path/filepath"
	"strings"

	"postbag/app/i18n"
)

// sheetRow is one line to fill in.
type sheetRow struct{ Label, Value string }

type sheetPart struct {
	Title string
	Rows  []sheetRow
}

type sheet struct {
	Lang, Title, Intro, Secret string
	Parts                      []sheetPart
}

// sheetPage is one printed page, on A4 as on Letter, with lines to write on.
var sheetPage = template.Must(template.New("sheet").Parse(`<!doctype html>
<html lang="{{.Lang}}"><head><meta charset="utf-8"><title>{{.Title}}</title><style>
@page { margin: 14mm }
body { font: 10.5pt/1.35 sans-serif; color: #000; max-width: 174mm; margin: 8mm auto }
h1 { font-size: 18pt; margin: 0 0 4mm; color: #1F4E8C }
h2 { font-size: 12pt; margin: 5mm 0 1mm }
table { width: 100%; border-collapse: collapse }
td { padding: 1.8mm 0 .4mm; vertical-align: bottom }
td:first-child { width: 62mm; padding-right: 4mm }
td:last-child, td:empty { border-bottom: .3mm solid #777 }
p.secret { margin: 5mm 0 0 }
@media print { body { margin: 0 auto } }
</style></head><body><h1>{{.Title}}</h1><p>{{.Intro}}</p>
{{range .Parts}}<h2>{{.Title}}</h2><table>{{range .Rows}}<tr><td>{{.Label}}</td><td>{{.Value}}&nbsp;</td></tr>
{{end}}</table>
{{end}}<p class="secret">{{.Secret}}</p></body></html>
`))

// Sheet is a page to print, in the language of the wizard: what to have at hand
// before the mailboxes can be set up. What was answered already stands in it;
// passwords never do.
func (w *Wizard) Sheet() []byte {
	p := w.p
	row := func(key, value string) sheetRow { return sheetRow{p.T("wizard.sheet." + key), value} }
	box := WizardMailbox{}
	for _, b := range w.Incoming.Shown() {
		if !b.Empty() {
			box = *b
			break
		}
	}
	s := sheet{Lang: p.Lang(), Title: p.T("wizard.sheet.title"), Intro: p.T("wizard.sheet.intro"), Secret: p.T("wizard.sheet.secret"), Parts: []sheetPart{
		{p.T("wizard.sheet.provider"), []sheetRow{
			row("provider_name", box.Provider().Name), row("pop_server", box.Host), row("port", box.Port),
			row("security", w.sheetSecurity(box)), row("account", strings.TrimSpace(box.Account)), row("kind", ""), row("support", ""),
		}},
		{p.T("wizard.sheet.office"), []sheetRow{
			row("domains", w.Office.Domains), row("unknown", w.Office.Unknown), row("administrator", w.Office.Administrator),
		}},
		{p.T("wizard.sheet.target"), []sheetRow{
			row("host", w.Target.Host), row("port", ""), row("account", ""), row("support", ""),
		}},
		{p.T("wizard.sheet.people"), []sheetRow{{}, {}, {}, {}, {}, {}}},
	}}
	var out bytes.Buffer
	if err := sheetPage.Execute(&out, s); err != nil {
		return nil // a template of constants and texts: proven by its test
	}
	return out.Bytes()
}

func (w *Wizard) sheetSecurity(b WizardMailbox) string {
	if b.Host == "" {
		return ""
	}
	return w.p.T("wizard.security." + b.Security)
}

// SaveSheet writes the sheet into a folder for temporary files and returns its path.
func SaveSheet(page []byte, lang string) (string, error) {
	if !i18n.Supported(lang) {
		lang = i18n.English
	}
	dir, err := os.MkdirTemp("", "postbag-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "postbag-"+lang+".html")
	return path, os.WriteFile(path, page, 0o600)
}
