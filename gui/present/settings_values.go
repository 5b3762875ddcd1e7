package present

import (
	"reflect"
	"strconv"
	"strings"
	"time"

	"postbag/app/config"
)

// parseField reads the text of a field as a value of the type.
func parseField(t reflect.Type, text string) (reflect.Value, config.Code) {
	trimmed := strings.TrimSpace(text)
	switch reflect.Zero(t).Interface().(type) {
	case config.Duration:
		return parsed(config.ParseDuration, trimmed, config.CodeDuration)
	case config.Size:
		return parsed(config.ParseSize, trimmed, config.CodeSize)
	case config.Clock:
		return parsed(config.ParseClock, trimmed, config.CodeClock)
	case config.AfterDelivery:
		return parsed(config.ParseAfterDelivery, trimmed, config.CodeAfterDelivery)
	case config.FirstCollection:
		return parsed(config.ParseFirstCollection, trimmed, config.CodeFirst)
	case []config.Day:
		return parseDays(trimmed)
	case []string:
		return reflect.ValueOf(Lines(text)), ""
	case bool:
		return reflect.ValueOf(trimmed == "true"), ""
	case int:
		return parsed(strconv.Atoi, trimmed, config.CodeTypeNumber)
	}
	return reflect.ValueOf(trimmed), ""
}

func parsed[T any](parse func(string) (T, error), text string, code config.Code) (reflect.Value, config.Code) {
	v, err := parse(text)
	if err != nil {
		return reflect.Value{}, code
	}
	return reflect.ValueOf(v), ""
}

func parseDays(text string) (reflect.Value, config.Code) {
	var days []config.Day
	for _, word := range Lines(text) {
		d, err := config.ParseDay(word)
		if err != nil {
			return reflect.Value{}, config.CodeDay
		}
		days = append(days, d)
	}
	return reflect.ValueOf(days), ""
}

// Lines are the entries of a list, one a line; empty ones are dropped.
func Lines(text string) []string {
	return entries(text, func(r rune) bool { return r == '\n' })
}

// Words are the entries of a list as people type and paste addresses: one a
// line, or with commas or semicolons between.
func Words(text string) []string {
	return entries(text, func(r rune) bool { return r == '\n' || r == ',' || r == ';' })
}

func entries(text string, between func(rune) bool) []string {
	var out []string
	for line := range strings.FieldsFuncSeq(text, between) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// The units of SplitSpan and SplitSize, as the file writes them.
var (
	spanUnits = []string{"s", "m", "h", "d"}
	sizeUnits = []string{"KB", "MB", "GB"}
)

// SpanUnits are the units of time that a field offers.
func SpanUnits() []string { return append([]string(nil), spanUnits...) }

// SizeUnits are the units of size that a field offers.
func SizeUnits() []string { return append([]string(nil), sizeUnits...) }

// SplitSpan cuts a span into a number and one of SpanUnits, the largest that
// needs no fraction: "90m" is 90 and m, "120m" is 2 and h.
func SplitSpan(text string) (number, unit string) {
	d, err := config.ParseDuration(text)
	if err != nil {
		return text, "m"
	}
	switch t := d.D(); {
	case t == 0:
		return "0", "m"
	case t%(24*time.Hour) == 0:
		return strconv.FormatInt(int64(t/(24*time.Hour)), 10), "d"
	case t%time.Hour == 0:
		return strconv.FormatInt(int64(t/time.Hour), 10), "h"
	case t%time.Minute == 0:
		return strconv.FormatInt(int64(t/time.Minute), 10), "m"
	default:
		return strconv.FormatFloat(t.Seconds(), 'f', -1, 64), "s"
	}
}

// SplitSize cuts a size into a number and one of SizeUnits: "10MB" is 10 and MB.
func SplitSize(text string) (number, unit string) {
	s, err := config.ParseSize(text)
	if err != nil || s == 0 {
		return text, "MB"
	}
	for i := len(sizeUnits) - 1; i >= 0; i-- {
		if octets, _ := config.ParseSize("1" + sizeUnits[i]); s%octets == 0 {
			return strconv.FormatInt(int64(s/octets), 10), sizeUnits[i]
		}
	}
	return strconv.FormatFloat(float64(s)/1000, 'f', -1, 64), "KB"
}

// JoinUnit is the value of a number and its unit, as the file writes it.
func JoinUnit(number, unit string) string {
	number = strings.ReplaceAll(strings.TrimSpace(number), ",", ".")
	if number == "0" || number == "" {
		return number
	}
	return number + unit
}

// The ways of config.AfterDelivery and config.FirstCollection.
const (
	AfterDelete = "delete"
	AfterDays   = "days"
	AfterKeep   = "keep"
	FirstAll    = "all"
	FirstNew    = "new"
	FirstSince  = "since"
)

// SplitAfter cuts an AfterDelivery into its way and the number of days.
func SplitAfter(text string) (way, days string) {
	a, err := config.ParseAfterDelivery(text)
	switch {
	case err != nil:
		return AfterDays, strings.TrimSuffix(strings.TrimPrefix(text, "delete after "), " days")
	case a.Keep:
		return AfterKeep, ""
	case a.Days > 0:
		return AfterDays, strconv.Itoa(a.Days)
	}
	return AfterDelete, ""
}

// JoinAfter is the other way round.
func JoinAfter(way, days string) string {
	if way == AfterDays {
		return "delete after " + strings.TrimSpace(days) + " days"
	}
	return way
}

// SplitFirst cuts a FirstCollection into its way and the day.
func SplitFirst(text string) (way, day string) {
	if text == FirstAll || text == FirstNew {
		return text, ""
	}
	return FirstSince, text
}

// JoinFirst is the other way round.
func JoinFirst(way, day string) string {
	if way == FirstSince {
		return strings.TrimSpace(day)
	}
	return way
}
