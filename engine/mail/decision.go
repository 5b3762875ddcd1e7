package mail

// Routes name the step of rule 18 that decided for whom a message is. A
// configured envelope header is written RouteEnvelope + its name.
const (
	RouteIndividual = "individual"
	RouteEnv        = "env"
	RouteEnvelope   = "envelope:"
	RouteReceived   = "received"
	RouteList       = "list"
	RouteResent     = "resent"
	RouteToCc       = "to_cc"
	RouteUnknown    = "unknown"
	RouteLoop       = "loop"
)

// Recipient is one copy of a message: who gets it and where it is handed over.
type Recipient struct {
	Address string // as it is written to RCPT TO: deliver_as applied, spelling kept
	Person  string // who that is for duplicates: the final address, lower case, domain in A-form
	For     string // the address that the message carried, before aliases, lists and tags
	Target  string // name of the target, "" = the default target
	Unknown bool   // this is the copy for the unknown recipient
	Outside bool   // outside the accepted domains: MAIL FROM must be ours (rule 33)
}

// Decision is the answer of routing: a pure function of rules and header.
type Decision struct {
	Route      string      // one of the Route constants
	Recipients []Recipient // at least one, each Person once
	Sender     string      // envelope sender, "" is the null sender <>
	Evidence   string      // the header line that decided, unfolded, for the journal; may be ""
	Reason     string      // text of X-Postbag-Reason on the unknown recipient's copy; "" without one
	Notes      []string    // what the journal should tell besides, e.g. strangers that got no copy
	Loop       bool        // rule 36: goes to quarantine with these recipients
}

// Summary is what lists show of a message; decoded, one line, valid UTF-8.
type Summary struct {
	MessageID string // with its angle brackets, "" without one
	From      string
	Subject   string
}
