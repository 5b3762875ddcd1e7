package facts

import (
	"time"

	"postbag/engine/mail"
)

// Access says what a command wants of the data folder.
type Access int

// The kinds of access, the most modest first.
const (
	AccessConfig  Access = iota // the configuration and its secrets only; the store is not opened (check, preview)
	AccessRead                  // reads the store, beside a running engine or through it (log, status, list)
	AccessChange                // changes the store, through the running engine when there is one (retry, pause)
	AccessCollect               // one collection, by the running engine when there is one
	AccessEngine                // is the engine: a second one is refused with CodeBusy
)

// Options are the settings of the program itself.
type Options struct {
	Config string // path of the configuration file
	Data   string // data folder
	Lang   string // en or fr
	Access Access

	Mailboxes []string        // of AccessCollect, by name; none: all that are enabled
	Ready     <-chan struct{} // of AccessCollect: no provider is dialled before it is closed; nil: at once
}

// Build says what this program is.
type Build struct {
	Version string
	Commit  string
}

// The results of the collection of one mailbox.
const (
	ResultOK        = "ok"
	ResultTemporary = "temporary"  // time mends it
	ResultNeedsUser = "needs_user" // a person must change something
	ResultFailed    = "failed"     // fault of this program or this computer
	ResultSkipped   = "skipped"    // paused or switched off
)

// MailboxResult is how the collection of one mailbox ended.
type MailboxResult struct {
	Mailbox string // name
	Host    string // of the provider
	Result  string // one of the Result constants
	Fault   *Fault // nil when OK
	New     int    // messages collected

	BadLines  int  // of the provider's list, that could not be read
	Undeleted bool // the provider refuses to delete what was delivered
}

// TooBig is a message over the limit that stays with the provider.
type TooBig struct {
	ID, Mailbox, From, Subject string
	Size                       int64
}

// CollectReport sums up one collection.
type CollectReport struct {
	Mailboxes   []MailboxResult
	Delivered   int      // messages this run delivered to all their recipients
	Queued      int64    // messages queued in the store after the run, whenever they were collected
	Quarantined int      // messages that this run put in quarantine
	Failed      int      // messages that this run set aside after three failed fetches
	Interrupted bool     // stopped by a signal before all was done
	TooBig      []TooBig // found by this run
	Targets     []TargetStatus
}

// The kinds of Event.
const (
	EventStarted      = "started"       // the engine runs
	EventStopping     = "stopping"      // it begins nothing new
	EventMailboxStart = "mailbox_start" // a session with Mailbox begins
	EventFetched      = "fetched"       // Done of Total messages of Mailbox are durable here
	EventMailboxEnd   = "mailbox_end"   // Result says how it ended
	EventDelivered    = "delivered"     // Done of Total copies have an outcome
	EventTargetDown   = "target_down"   // Target is paused until Until
	EventTargetUp     = "target_up"     // and works again
	EventStage        = "stage"         // of the demo: Stage names it
)

// Event is one fact about the work under way.
type Event struct {
	Time    time.Time
	Kind    string
	Mailbox string
	Target  string
	Host    string
	Done    int
	Total   int   // 0 unknown
	Bytes   int64 // octets of Done, of EventFetched
	Whole   int64 // octets of Total; 0 unknown
	Result  *MailboxResult
	Fault   *Fault
	Until   time.Time
	Stage   string
}

// The words of Status.Engine.
const (
	EngineRunning = "running"
	EngineStopped = "stopped"
)

// Status is the state of the whole.
type Status struct {
	Engine    string
	Mailboxes []MailboxStatus
	Targets   []TargetStatus
	Balance   Balance
}

// MailboxStatus is one mailbox in the status and in `mailbox list`.
type MailboxStatus struct {
	Name      string
	ID        string
	Host      string
	Kind      string // global or individual
	Protocol  string // pop3 or imap
	Enabled   bool
	Paused    bool // by hand
	Suspended bool // after three wrong passwords
	Last      time.Time
	Next      time.Time // zero: none is planned
	Result    string    // "" before the first collection
	Fault     *Fault
	Collected int // messages of the last collection
}

// TargetStatus is one office server.
type TargetStatus struct {
	Name        string
	Host        string
	PausedUntil time.Time // zero: not paused
	Fault       *Fault
}

// Balance counts the messages of each state (rule 49). States that are
// missing in the map are zero.
type Balance map[mail.State]int64

// Seen is every message ever seen: the sum of all states.
func (b Balance) Seen() int64 {
	var sum int64
	for _, n := range b {
		sum += n
	}
	return sum
}

// LogFilter chooses lines of the journal; zero values choose all.
type LogFilter struct {
	Since   time.Time
	Search  string
	State   mail.State
	Mailbox string
	Limit   int
	Until   time.Time
	Person  string // address of a recipient
	Before  string // Cursor of the last entry seen: the page after it
}

// The sides that a check looks at.
const (
	SideSource = "source"
	SideTarget = "target"
)

// CheckStep is the outcome of one step of a check.
type CheckStep struct {
	Side    string // SideSource or SideTarget
	Subject string // name of the mailbox or of the target
	Host    string
	Step    string // dns connect tls login stat uidl ehlo starttls auth rcpt
	OK      bool
	Detail  string // technical, for example an address or a protocol version
	Fault   *Fault // when not OK
	// Certificate is the one that the server showed and that was refused, nil
	// without one: a person may decide to pin it (rule 6).
	Certificate *Certificate `json:",omitempty"`
}

// Certificate describes a certificate for the person who must decide about it.
type Certificate struct {
	Fingerprint string // as tls_pin takes it
	Subject     string
	Issuer      string
	Names       []string // DNS names and addresses
	NotBefore   time.Time
	NotAfter    time.Time
}

// PreviewLine says who would get one message.
type PreviewLine struct {
	UID        string
	From       string
	Subject    string
	Size       int64 // below zero unknown
	Recipients []string
	Route      string
	Evidence   string // the header line that decided
}

// The verdicts of a preview.
const (
	VerdictBccWorks   = "bcc_works"
	VerdictBccUnknown = "bcc_goes_to_unknown"
)

// Verdict says whether Bcc and lists can work at a provider.
type Verdict struct {
	Verdict        string
	EnvelopeHeader string // the header that told, "" when there was none
}

// SecretState is one reference of the configuration.
type SecretState struct {
	Ref      string // as written, for example "keyring:whole-office"
	Readable bool
	Fault    *Fault // why it is not
}

// RepairReport says what repair found and saved.
type RepairReport struct {
	Damaged    bool   // false: nothing was to be done
	Aside      string // folder that holds the damaged files
	Known      int64  // identities saved: nothing known is fetched twice
	Queued     int64  // messages saved with their bytes
	Journal    int64  // lines of the journal saved
	Reimported int64  // set-aside messages read back from their .eml files
	Lost       int64  // rows that could not be read
}

// BackupReport says what a backup holds.
type BackupReport struct {
	Path string
	Size int64 // octets
}

// DemoReport is what the demo shows at its end.
type DemoReport struct {
	Messages []mail.Entry
	Balance  Balance
	Took     time.Duration
}

// The kinds of Step.
const (
	StepListed    = "listed"    // seen at the provider
	StepFetched   = "fetched"   // durable here
	StepRouted    = "routed"    // Detail is the header line that decided
	StepNote      = "note"      // Detail is a sentence of routing
	StepAttempt   = "attempt"   // an attempt that did not succeed; Reply says why
	StepDelivered = "delivered" // accepted for Address
	StepRefused   = "refused"   // set aside for Address
	StepDuplicate = "duplicate" // Address already has it
	StepRemoved   = "removed"   // deleted at the provider
	StepKept      = "kept"      // kept at the provider
	StepDeleted   = "deleted"   // by a person

	StepFetchFailed       = "fetch_failed"       // Reply says why
	StepTooBig            = "too_big"            // stays at the provider
	StepPossibleDuplicate = "possible_duplicate" // no reply after the last dot (rule 46)
	StepRerouted          = "rerouted"           // Address is unknown to the office server
	StepTranscript        = "transcript"         // Detail is what was said, for support
	StepRetry             = "retry"              // by a person
	StepSentTo            = "sent_to"            // by a person, to Address
	StepVanished          = "vanished"           // at the provider, before it was collected
	StepGone              = "gone"               // vanished at the provider
)

// Step is one line of the story of a message.
type Step struct {
	Time    time.Time // zero when unknown
	Kind    string
	Address string
	Host    string
	Route   string
	Detail  string
	Reply   string
	Size    int64
}

// Story is one message with its way.
type Story struct {
	Entry mail.Entry
	Steps []Step // oldest first
}

// Transcript is what was said in one session, secrets masked.
type Transcript struct {
	Time time.Time
	Name string // protocol, mailbox or target
	Text string
}
