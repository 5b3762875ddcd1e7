package tell

import (
	"strings"

	"postbag/app/facts"
	"postbag/app/i18n"
	"postbag/engine/mail"
)

// Step is one step of the way of a message in words.
func Step(p *i18n.Printer, step facts.Step) string {
	args := i18n.Args{
		"Address": Line(step.Address), "Host": Line(step.Host), "Detail": Line(step.Detail),
		"Reply": Line(step.Reply), "Size": p.Size(step.Size),
	}
	key := "story." + step.Kind
	if step.Kind == facts.StepRouted {
		route, _, _ := strings.Cut(step.Route, ":")
		key = "story.routed." + route
		if !p.Has(key) || step.Detail == "" && quotes(route) {
			key = "story.routed.plain"
		}
	}
	if !p.Has(key) {
		return Line(step.Kind + " " + step.Detail)
	}
	if step.Host == "" {
		args["Host"] = p.T("story.provider")
	}
	text := p.T(key, args)
	if step.Reply != "" || !strings.HasSuffix(text, ", ") {
		return text
	}
	// The server said nothing: then the kind of fault does.
	text = strings.TrimSuffix(text, ", ")
	if p.Has("fault." + step.Detail) {
		text += ". " + p.Fault(&mail.Failure{Code: mail.Code(step.Detail)}, i18n.Context{Side: sideOf(step.Kind)}).What
	}
	return text
}

// sideOf says whose words a step is about.
func sideOf(kind string) string {
	if kind == facts.StepFetchFailed {
		return i18n.SideSource
	}
	return i18n.SideTarget
}

// quotes tells whether the sentence of a route quotes the header line that
// decided.
func quotes(route string) bool {
	switch route {
	case mail.RouteIndividual, mail.RouteUnknown, mail.RouteLoop:
		return false
	}
	return true
}

// Route names the step of rule 18 that decided, "" before routing.
func Route(p *i18n.Printer, route string) string {
	if header, ok := strings.CutPrefix(route, mail.RouteEnvelope); ok {
		return p.T("route.envelope", i18n.Args{"Header": Line(header)})
	}
	if route == "" {
		return ""
	}
	if key := "route." + route; p.Has(key) {
		return p.T(key)
	}
	return Line(route)
}
