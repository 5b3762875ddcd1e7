package pop3

import (
	"regexp"
	"strings"
	"sync"

	"postbag/engine/mail"
)

// lazily compiles an expression when it is asked for: only a session that is
// refused needs one.
func lazily(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// Words of servers without response codes (RFC 2449 section 8 is optional).
var (
	wordsCredentials = lazily(`(?i)passw|credential|authenti|incorrect|invalid|denied|wrong|unknown user|no such user|not authori|disabled|account.{0,12}(locked|blocked|suspended)`)
	wordsInUse       = lazily(`(?i)\block(ed|ing)?\b|\bin[ -]use\b|\bbusy\b|already (open|logged|connected|active)|another (session|client|connection|pop)|multiple (session|connection)`)
	wordsLocked      = lazily(`(?i)account\b.{0,20}\block(ed)?\b|user (is )?locked|locked out`)
	wordsLater       = lazily(`(?i)try (again|later)|\blater\b|temporar|too many|unavailable|internal error|system error|time[d]?[ -]?out|overload|maintenance`)
	wordsUnsupported = lazily(`(?i)unsupported|not supported|unknown (command|auth|mech|method|sasl)|unrecogni[sz]ed|(invalid|bad|illegal|unimplemented) (command|auth method|mech)|not implemented|syntax|mechanism|disabled|not available|unimplemented|expected`)
	wordsEncrypt     = lazily(`(?i)plain-?text|cleartext|\bssl\b|\btls\b|\bstls\b|starttls|encrypt|non-?secure|insecure|secure connection`)
)

// responseCode returns the extended response code of an -ERR in upper case
// without its brackets (RFC 2449 section 8, RFC 3206), "" without one.
func responseCode(text string) string {
	if !strings.HasPrefix(text, "[") {
		return ""
	}
	end := strings.IndexByte(text, ']')
	if end < 0 {
		return ""
	}
	return strings.ToUpper(strings.TrimSpace(text[1:end]))
}

// codeFailure judges by the response code (rule 8); nil when it tells nothing.
func codeFailure(code string) *mail.Failure {
	switch {
	case code == "AUTH":
		return &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeAuth}
	case code == "IN-USE":
		return &mail.Failure{Class: mail.Transient, Code: mail.CodeInUse}
	case code == "LOGIN-DELAY":
		return &mail.Failure{Class: mail.Transient, Code: mail.CodeLoginDelay}
	case code == "SYS/PERM" || strings.HasPrefix(code, "SYS/PERM/"):
		return &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeSysPerm}
	case code == "SYS" || strings.HasPrefix(code, "SYS/"): // hierarchical: an unknown branch is mended by time
		return &mail.Failure{Class: mail.Transient, Code: mail.CodeSysTemp}
	}
	return nil
}

// refusal is the Failure for an -ERR to a command other than the sign-in.
func refusal(op, text string) *mail.Failure {
	f := codeFailure(responseCode(text))
	if f == nil {
		f = &mail.Failure{Class: mail.Transient, Code: mail.CodeRefused}
	}
	f.Op, f.Reply = op, text
	return f
}

// signInRefusal is the Failure for an -ERR to USER, PASS, APOP or AUTH. Without
// a code the words decide: what speaks of a lock or of later is not counted as
// a wrong password (rule 8), anything else is.
func signInRefusal(op, text string, secure bool) *mail.Failure {
	f := codeFailure(responseCode(text))
	switch {
	case !secure && wordsEncrypt().MatchString(text) && (f == nil || f.Code == mail.CodeAuth):
		// QUIRK Dovecot says [AUTH] when it wants TLS before any password.
		f = &mail.Failure{Class: mail.NeedsUser, Code: mail.CodePlaintext}
	case f != nil:
	case wordsInUse().MatchString(text) && !wordsLocked().MatchString(text):
		f = &mail.Failure{Class: mail.Transient, Code: mail.CodeInUse}
	case wordsLater().MatchString(text) && !wordsCredentials().MatchString(text):
		f = &mail.Failure{Class: mail.Transient, Code: mail.CodeSysTemp}
	default:
		f = &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeAuth}
	}
	f.Op, f.Reply = op, text
	return f
}

// greetingRefusal is the Failure for a greeting that begins with -ERR.
func greetingRefusal(text string) *mail.Failure {
	f := codeFailure(responseCode(text))
	if f == nil || f.Code == mail.CodeAuth {
		f = &mail.Failure{Class: mail.Transient, Code: mail.CodeGreeting}
	}
	f.Op, f.Reply = "greeting", text
	return f
}
