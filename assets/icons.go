package assets

import (
	"embed"
	"fmt"
	"strings"
)

// TrayState is a form of the icon near the clock. The forms differ in shape,
// not only in colour.
type TrayState string

// The forms. Collecting alternates with CollectingNext.
const (
	TrayIdle           TrayState = "idle"
	TrayCollecting     TrayState = "collecting"
	TrayCollectingNext TrayState = "collecting2"
	TrayTrouble        TrayState = "trouble"
	TrayStopped        TrayState = "stopped"
)

// TrayStates lists the forms.
func TrayStates() []TrayState {
	return []TrayState{TrayIdle, TrayCollecting, TrayCollectingNext, TrayTrouble, TrayStopped}
}

// TrayPalette is a set of colours for the icon near the clock.
type TrayPalette string

// The palettes: for a light and a dark panel, in colour and without.
const (
	TrayOnLight     TrayPalette = "light"
	TrayOnDark      TrayPalette = "dark"
	TrayMonoOnLight TrayPalette = "mono-light"
	TrayMonoOnDark  TrayPalette = "mono-dark"
)

// TrayPalettes lists the palettes.
func TrayPalettes() []TrayPalette {
	return []TrayPalette{TrayOnLight, TrayOnDark, TrayMonoOnLight, TrayMonoOnDark}
}

//go:embed icons/*.svg
var icons embed.FS

// AppIcon is the mark of the program as SVG: a postbag.
func AppIcon() []byte {
	b, err := icons.ReadFile("icons/app.svg")
	if err != nil {
		panic(err) // the file is embedded
	}
	return b
}

// TrayIcon returns the icon near the clock as SVG of 64 by 64.
func TrayIcon(state TrayState, palette TrayPalette) ([]byte, error) {
	b, err := icons.ReadFile("icons/tray-" + string(state) + ".svg")
	if err != nil {
		return nil, fmt.Errorf("icon of the tray: %w", err)
	}
	colours := trayColours(palette)
	if colours == nil {
		return nil, fmt.Errorf("icon of the tray: no palette %q", palette)
	}
	return []byte(strings.NewReplacer(colours...).Replace(string(b))), nil
}

// trayColours are pairs: a colour of the drawings, which are made for a light
// panel, and what stands for it. In this order: the bag, the line around it,
// what is drawn on it, the exclamation mark, the bar across.
func trayColours(palette TrayPalette) []string {
	drawn := []string{"#1F4E8C", "#FEFEFE", "#FFFFFF", "#FFC247", "#5F6670"}
	var now []string
	switch palette {
	case TrayOnLight:
		now = drawn
	case TrayOnDark:
		now = []string{"#8DB4F0", "#10151C", "#10151C", "#7A2E00", "#C4CBD5"}
	case TrayMonoOnLight:
		now = []string{"#000000", "#FFFFFF", "#FFFFFF", "#FFFFFF", "#000000"}
	case TrayMonoOnDark:
		now = []string{"#FFFFFF", "#000000", "#000000", "#000000", "#FFFFFF"}
	default:
		return nil
	}
	pairs := make([]string, 0, 2*len(drawn))
	for i, colour := range drawn {
		pairs = append(pairs, colour, now[i])
	}
	return pairs
}
