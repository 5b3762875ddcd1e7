package gui

import (
	"encoding/json"
	"errors"
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"postbag/app/i18n"
)

// fyneWords are the words that Fyne shows by itself, by its keys, with ours.
func fyneWords(p *i18n.Printer) map[string]string {
	return map[string]string{
		"Quit": p.T("gui.fyne.quit"), "Cut": p.T("gui.fyne.cut"), "Copy": p.T("gui.fyne.copy"),
		"Paste": p.T("gui.fyne.paste"), "Select all": p.T("gui.fyne.select_all"),
		"Undo": p.T("gui.fyne.undo"), "Redo": p.T("gui.fyne.redo"),
		"Yes": p.T("gui.fyne.yes"), "No": p.T("gui.fyne.no"), "OK": p.T("gui.fyne.ok"),
		"Cancel": p.T("gui.fyne.cancel"), "Confirm": p.T("gui.fyne.confirm"),
		"Open": p.T("gui.fyne.open"), "Save": p.T("gui.fyne.save"), "Error": p.T("gui.fyne.error"),
		"File": p.T("gui.fyne.file"), "Folder": p.T("gui.fyne.folder"),
		"New Folder": p.T("gui.fyne.new_folder"), "Create Folder": p.T("gui.fyne.create_folder"),
		"file.name": p.T("gui.fyne.file_name"), "file.parent": p.T("gui.fyne.file_parent"),
		"Show Hidden Files": p.T("gui.fyne.hidden_files"), "Enter filename": p.T("gui.fyne.enter_name"),
		"Advanced": p.T("gui.fyne.advanced"), "Favourites": p.T("gui.fyne.favourites"),
		"monday": p.T("gui.fyne.monday"), "monday.short": p.T("gui.fyne.mon"),
		"tuesday": p.T("gui.fyne.tuesday"), "tuesday.short": p.T("gui.fyne.tue"),
		"wednesday": p.T("gui.fyne.wednesday"), "wednesday.short": p.T("gui.fyne.wed"),
		"thursday": p.T("gui.fyne.thursday"), "thursday.short": p.T("gui.fyne.thu"),
		"friday": p.T("gui.fyne.friday"), "friday.short": p.T("gui.fyne.fri"),
		"saturday": p.T("gui.fyne.saturday"), "saturday.short": p.T("gui.fyne.sat"),
		"sunday": p.T("gui.fyne.sunday"), "sunday.short": p.T("gui.fyne.sun"),
	}
}

// fyneLocales are the languages that Fyne knows, one of which it has chosen by
// the system's.
func fyneLocales() []string {
	return []string{"en", "fr", "cs", "de", "el", "es", "ja", "pl", "pt", "pt_BR", "ru", "sv", "ta", "uk", "zh_Hans"}
}

// speak makes Fyne's own words those of the printer's language.
//
// QUIRK Fyne takes the language of the system and offers no way to switch. So
// our words are laid over those of whatever language it has taken.
func speak(p *i18n.Printer) error {
	words, err := json.Marshal(fyneWords(p))
	if err != nil {
		return fmt.Errorf("words of the window library: %w", err)
	}
	var errs []error
	for _, locale := range fyneLocales() {
		errs = append(errs, lang.AddTranslations(fyne.NewStaticResource(locale+".json", words)))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("words of the window library: %w", err)
	}
	return nil
}
