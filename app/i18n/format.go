package i18n

import (
	"strconv"
	"strings"
	"time"
)

// The spaces of French typography: a narrow one between groups of digits, a
// plain one before the unit; neither breaks the line.
const (
	narrowSpace = "\u202f"
	noBreak     = "\u00a0"
)

// Number writes a whole number with the thousands apart: 4,711 or 4 711.
func (p *Printer) Number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	separator := ","
	if p.lang == French {
		separator = narrowSpace
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(separator)
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// Size writes a number of octets for people: 12 KB, 3.4 MB; 12 Ko, 3,4 Mo. As
// everywhere in Postbag a MB is 10^6. Below zero the size is unknown: "?".
func (p *Printer) Size(octets int64) string {
	if octets < 0 {
		return "?"
	}
	units := []string{"B", "KB", "MB", "GB", "TB"}
	point := "."
	if p.lang == French {
		units, point = []string{"o", "Ko", "Mo", "Go", "To"}, ","
	}
	value, unit := float64(octets), 0
	for value >= 999.5 && unit < len(units)-1 {
		value /= 1000
		unit++
	}
	decimals := 0
	if unit > 1 && value < 9.95 {
		decimals = 1
	}
	text := strings.Replace(strconv.FormatFloat(value, 'f', decimals, 64), ".", point, 1)
	return text + noBreak + units[unit]
}

// Seconds writes a short time with one decimal: 2.3 or 2,3.
func (p *Printer) Seconds(d time.Duration) string {
	text := strconv.FormatFloat(d.Seconds(), 'f', 1, 64)
	if p.lang == French {
		text = strings.Replace(text, ".", ",", 1)
	}
	return text
}

// Stamp writes day and time to the minute, short enough for a table, in the
// reader's time zone. The zero time is empty.
func (p *Printer) Stamp(t time.Time) string {
	return p.format(t, "2006-01-02 15:04", "02/01/2006 15:04")
}

// Clock writes the time of day to the second.
func (p *Printer) Clock(t time.Time) string { return p.format(t, "15:04:05", "15:04:05") }

// Day writes the day alone.
func (p *Printer) Day(t time.Time) string { return p.format(t, "2006-01-02", "02/01/2006") }

// StampSecond writes day and time to the second.
func (p *Printer) StampSecond(t time.Time) string {
	return p.format(t, "2006-01-02 15:04:05", "02/01/2006 15:04:05")
}

// When writes a time near now as short as it can be understood: the time of
// day when it is the same day, else day and time.
func (p *Printer) When(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	y1, m1, d1 := t.In(p.zone).Date()
	y2, m2, d2 := now.In(p.zone).Date()
	if y1 == y2 && m1 == m2 && d1 == d2 {
		return p.format(t, "15:04", "15:04")
	}
	return p.Stamp(t)
}

// Brief is When for a narrow column: another day of this year without the year,
// a day of another year without the time.
func (p *Printer) Brief(t, now time.Time) string {
	there, here := t.In(p.zone), now.In(p.zone)
	switch {
	case t.IsZero() || there.Year() == here.Year() && there.YearDay() == here.YearDay():
		return p.When(t, now)
	case there.Year() == here.Year():
		return p.format(t, "2 Jan 15:04", "02/01 15:04")
	}
	return p.Day(t)
}

func (p *Printer) format(t time.Time, english, french string) string {
	if t.IsZero() {
		return ""
	}
	if p.lang == French {
		return t.In(p.zone).Format(french)
	}
	return t.In(p.zone).Format(english)
}

// List joins words: "a, b and c", "a, b et c".
func (p *Printer) List(words []string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + p.T("list.and") + " " + words[len(words)-1]
}
