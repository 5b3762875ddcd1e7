package config

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one fault of a configuration. The sentence for people is found in
// the translation files under "config.<Code>" with Args as its variables.
type Problem struct {
	Field   string         // dotted path, tables of an array counted from 0: mailbox[0].host; "" for the file as a whole
	Line    int            // in the file, from 1; of the table's header when a key is missing; 0 without a file
	Code    Code           // a stable word
	Args    map[string]any // never holds a secret
	Warning bool           // the configuration can be used all the same
}

// String returns a line for the log, not meant for people.
func (p Problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "line %d: %s: %s", p.Line, p.Field, p.Code)
	keys := make([]string, 0, len(p.Args))
	for k := range p.Args {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		fmt.Fprintf(&b, " %s=%v", k, p.Args[k])
	}
	return b.String()
}

// Faults returns those problems that are no warnings.
func Faults(problems []Problem) []Problem {
	return slices.DeleteFunc(slices.Clone(problems), func(p Problem) bool { return p.Warning })
}

// Invalid is the error of a configuration that must not be used or written.
type Invalid struct{ Problems []Problem }

// Error returns a line for the log.
func (e *Invalid) Error() string {
	if len(e.Problems) == 0 {
		return "configuration: invalid"
	}
	return fmt.Sprintf("configuration: %d problems, the first: %v", len(e.Problems), e.Problems[0])
}

// Code is a stable word for a kind of Problem.
type Code string

// The codes, with the names of their Args.
const (
	CodeSyntax         Code = "syntax"           // Detail: not TOML
	CodeEncoding       Code = "encoding"         // not UTF-8
	CodeTooLarge       Code = "too_large"        // Limit
	CodeUnknownKey     Code = "unknown_key"      // Key
	CodeUnknownKeyNear Code = "unknown_key_near" // Key, Near: did you mean
	CodeTypeText       Code = "type_text"        // a text in quotes is wanted
	CodeTypeNumber     Code = "type_number"      // a whole number is wanted
	CodeTypeBool       Code = "type_bool"        // true or false is wanted
	CodeTypeList       Code = "type_list"        // a list is wanted
	CodeTypeTable      Code = "type_table"       // Key: [key] is wanted
	CodeTypeTables     Code = "type_tables"      // Key: [[key]] is wanted
	CodeControl        Code = "control"          // a control character in a text
	CodeVersionMissing Code = "version_missing"
	CodeVersionUnknown Code = "version_unknown" // Got, Want
	CodeRequired       Code = "required"        // Key
	CodeChoice         Code = "choice"          // Value, Choices
	CodeNotAvailable   Code = "not_available"   // Value
	CodeRange          Code = "range"           // Min, Max
	CodeMinimum        Code = "minimum"         // Min
	CodeDuration       Code = "duration"        // Value
	CodeSize           Code = "size"            // Value
	CodeClock          Code = "clock"           // Value
	CodeDay            Code = "day"             // Value
	CodeAfterDelivery  Code = "after_delivery"  // Value
	CodeFirst          Code = "first_collection"
	CodeDomain         Code = "domain"        // Value
	CodeAddress        Code = "address"       // Value
	CodeHost           Code = "host"          // Value
	CodeHostPort       Code = "host_port"     // Value: the port belongs into port
	CodeHeaderName     Code = "header_name"   // Value
	CodePattern        Code = "pattern"       // Detail
	CodePatternGroup   Code = "pattern_group" // no group 1
	CodePin            Code = "pin"
	CodePinUnused      Code = "pin_unused"   // warning: security = none
	CodeSecretRef      Code = "secret_ref"   // never with the value: it may be the password itself
	CodeCAFile         Code = "ca_file"      // Path, Detail
	CodeCAFileEmpty    Code = "ca_file_none" // Path: no certificate in it
	CodeID             Code = "mailbox_id"   // Value
)

// Codes of what does not fit together.
const (
	CodeUnknownRecipientMissing Code = "unknown_recipient_missing"  // rule 32
	CodeUnknownRecipientOutside Code = "unknown_recipient_outside"  // rule 32, Value
	CodeOutside                 Code = "outside"                    // rule 33, Value
	CodeNobody                  Code = "nobody"                     // warning, Value: inside, but not in the list of the people
	CodeDeliverToGlobal         Code = "deliver_to_global"          // a global mailbox with deliver_to
	CodeDuplicateName           Code = "duplicate_name"             // Value, Other
	CodeDuplicateID             Code = "duplicate_id"               // Value, Other
	CodeDuplicateAddress        Code = "duplicate_address"          // Value, Other: the field where it stands already
	CodeDuplicateEntry          Code = "duplicate_entry"            // warning, Value: twice in one list
	CodeDuplicateAccount        Code = "duplicate_account"          // warning, Name: two mailboxes, one account
	CodeListEmpty               Code = "list_empty"                 // warning, Value, rule 31
	CodeListCycle               Code = "list_cycle"                 // warning, Value, rule 31
	CodeListDeep                Code = "list_deep"                  // warning, Value, Limit, rule 31
	CodeListRuleOne             Code = "list_rule_one"              // exactly one condition
	CodeNoTarget                Code = "no_target"                  // at least one
	CodeTargetUnknown           Code = "target_unknown"             // Value
	CodeTargetDefaultTwice      Code = "target_default_twice"       // Name, Other
	CodeTargetNoDomain          Code = "target_no_domain"           // Value: no target takes this domain
	CodeTargetDomainTwice       Code = "target_domain_twice"        // warning, Value, Other
	CodeTargetDomainForeign     Code = "target_domain_foreign"      // warning, Value
	CodeTargetIsSource          Code = "target_is_source"           // rule 37, Name
	CodeTargetSameHost          Code = "target_same_host"           // warning, rule 37, Name
	CodeAuthIncomplete          Code = "auth_incomplete"            // Key: auth needs username and secret
	CodeAuthUnused              Code = "auth_unused"                // warning: username without auth
	CodePlaintext               Code = "plaintext"                  // warning: the sign-in will be refused
	CodeScheduleDays            Code = "schedule_days"              // warning: no day
	CodeScheduleWindow          Code = "schedule_window"            // from = to
	CodeNoMailbox               Code = "no_mailbox"                 // warning
	CodeAnyHostMixed            Code = "isp_hosts_any"              // warning: "*" beside others
	CodeEnvelopeUnused          Code = "envelope_pattern_no_header" // warning: pattern without headers
)

// Codes lists every code: the test of the translations walks it.
func Codes() []Code {
	return []Code{
		CodeSyntax, CodeEncoding, CodeTooLarge, CodeUnknownKey, CodeUnknownKeyNear, CodeTypeText, CodeTypeNumber,
		CodeTypeBool, CodeTypeList, CodeTypeTable, CodeTypeTables, CodeControl,
		CodeVersionMissing, CodeVersionUnknown, CodeRequired, CodeChoice, CodeNotAvailable, CodeRange,
		CodeMinimum, CodeDuration, CodeSize, CodeClock, CodeDay, CodeAfterDelivery, CodeFirst, CodeDomain,
		CodeAddress, CodeHost, CodeHostPort, CodeHeaderName, CodePattern, CodePatternGroup, CodePin,
		CodePinUnused, CodeSecretRef, CodeCAFile, CodeCAFileEmpty, CodeID,
		CodeUnknownRecipientMissing, CodeUnknownRecipientOutside, CodeOutside, CodeNobody, CodeDeliverToGlobal,
		CodeDuplicateName, CodeDuplicateID, CodeDuplicateAddress, CodeDuplicateEntry, CodeDuplicateAccount,
		CodeListEmpty, CodeListCycle, CodeListDeep, CodeListRuleOne, CodeNoTarget, CodeTargetUnknown,
		CodeTargetDefaultTwice, CodeTargetNoDomain, CodeTargetDomainTwice, CodeTargetDomainForeign,
		CodeTargetIsSource, CodeTargetSameHost, CodeAuthIncomplete, CodeAuthUnused, CodePlaintext,
		CodeScheduleDays, CodeScheduleWindow, CodeNoMailbox, CodeAnyHostMixed,
		CodeEnvelopeUnused,
	}
}
