// Package store is the only thing of Postbag that survives a crash: messages
// under way, the identities of all messages ever seen, the queue with one
// state per recipient, the journal, the counters of the balance sheet and the
// states of mailboxes and targets.
//
// It is one SQLite database (WAL, synchronous=FULL) in a folder of its own.
// Bodies up to 256 KB lie in the database, larger ones as files under spool/;
// quarantined messages lie under quarantine/ as .eml files too, so that a
// damaged database cannot lose what the provider no longer has.
//
// Messages on their plain way stand in a file beside it first, the ledger (see
// intake.go and ledger.go), and go into the database when they have settled or
// somebody asks.
//
// Every method that changes something returns after the durable commit. One
// goroutine writes: it takes what waits, up to a bound, runs it in one
// transaction and commits at once, so that one fsync serves many messages
// while a lone operation never waits for company. An operation that fails
// fails alone. Once an operation is with the writer its answer is awaited even
// when the context ends: a commit has happened or it has not.
//
// Times are kept in milliseconds, UTC. All errors are *mail.Failure; the codes
// of this package are CodeStore (class Internal), CodeDiskFull and
// CodeSpoolFull (Transient), CodeStoreDamaged and CodeStoreNewer (NeedsUser),
// mail.CodeNotFound and mail.CodeWrongState (Permanent: the question was wrong).
package store
