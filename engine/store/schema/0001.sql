-- Times are Unix milliseconds. Never edit this file after a release: add 0002.sql.

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

-- What is known of a mailbox; state is JSON, read and written as a whole.
CREATE TABLE mailbox (
  id     TEXT PRIMARY KEY,
  name   TEXT NOT NULL DEFAULT '',
  listed INTEGER NOT NULL DEFAULT 0,
  state  TEXT NOT NULL DEFAULT '{}'
) WITHOUT ROWID;

CREATE TABLE target (
  name  TEXT PRIMARY KEY,
  state TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE alert (
  cause TEXT PRIMARY KEY,
  state TEXT NOT NULL
) WITHOUT ROWID;

-- The balance sheet: one line per state, and '#spool', the octets held.
CREATE TABLE counter (
  state TEXT PRIMARY KEY,
  n     INTEGER NOT NULL
) WITHOUT ROWID;

-- Every message ever seen; never deleted, so that nothing is fetched twice.
CREATE TABLE identity (
  row            INTEGER PRIMARY KEY,
  id             TEXT NOT NULL,              -- for people
  mailbox        TEXT NOT NULL,
  uid            TEXT NOT NULL,              -- UIDL, '' without
  ident          TEXT NOT NULL DEFAULT '',   -- 'fp:...' where the UIDL does not identify, else ''
  state          TEXT NOT NULL,
  at_source      TEXT NOT NULL,
  size           INTEGER NOT NULL DEFAULT -1,
  fingerprint    BLOB,
  seen           INTEGER NOT NULL,
  changed        INTEGER,                    -- last change of state; NULL: purged from the journal
  delivered      INTEGER,                    -- first accepted delivery
  source_changed INTEGER,
  fetches        INTEGER NOT NULL DEFAULT 0, -- that failed
  fetch_anyway   INTEGER NOT NULL DEFAULT 0,
  delete_asked   INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX identity_id ON identity (id);
CREATE UNIQUE INDEX identity_uid ON identity (mailbox, uid, ident);
CREATE UNIQUE INDEX identity_ident ON identity (mailbox, ident) WHERE ident <> '';
CREATE INDEX identity_fingerprint ON identity (fingerprint) WHERE fingerprint IS NOT NULL;
CREATE INDEX identity_changed ON identity (changed) WHERE changed IS NOT NULL;
CREATE INDEX identity_source ON identity (mailbox) WHERE at_source IN ('present', 'kept');
CREATE INDEX identity_open ON identity (state)
  WHERE state IN ('waiting', 'too_big', 'failed', 'collected', 'queued', 'quarantined');

-- The journal's part of a message; purged after a while.
CREATE TABLE message (
  row        INTEGER PRIMARY KEY,            -- identity.row
  message_id TEXT NOT NULL DEFAULT '',
  author     TEXT NOT NULL DEFAULT '',       -- From, decoded
  subject    TEXT NOT NULL DEFAULT '',
  source     TEXT NOT NULL DEFAULT '',       -- host of the provider
  sender     TEXT NOT NULL DEFAULT '',       -- envelope sender
  route      TEXT NOT NULL DEFAULT '',
  evidence   TEXT NOT NULL DEFAULT '',
  unknown_reason TEXT NOT NULL DEFAULT '',   -- X-Postbag-Reason
  notes      TEXT,                           -- JSON list
  code       TEXT NOT NULL DEFAULT '',       -- of the message as a whole
  reason     TEXT NOT NULL DEFAULT '',
  received   INTEGER,
  indexed    INTEGER NOT NULL DEFAULT 0      -- has a line in search
);

-- The octets of a message under way or in quarantine.
CREATE TABLE body (
  row  INTEGER PRIMARY KEY,
  size INTEGER NOT NULL,
  file TEXT,                                 -- name under spool/, or
  eml  INTEGER NOT NULL DEFAULT 0,           -- lies in quarantine/ too
  data BLOB
);
CREATE INDEX body_file ON body (file) WHERE file IS NOT NULL;

-- One recipient of a message; id = identity.row * 1048576 + number.
CREATE TABLE copy (
  id           INTEGER PRIMARY KEY,
  person       TEXT NOT NULL,
  address      TEXT NOT NULL,
  for_address  TEXT NOT NULL DEFAULT '',
  target       TEXT NOT NULL DEFAULT '',
  unknown      INTEGER NOT NULL DEFAULT 0,
  outside      INTEGER NOT NULL DEFAULT 0,
  state        TEXT NOT NULL,
  code         TEXT NOT NULL DEFAULT '',
  reply        TEXT NOT NULL DEFAULT '',
  reason       TEXT NOT NULL DEFAULT '',     -- X-Postbag-Reason of a rerouted copy
  attempts     INTEGER NOT NULL DEFAULT 0,
  next         INTEGER,                      -- next attempt; NULL unless queued and not held
  queued       INTEGER NOT NULL,             -- the queue's lifetime counts from here
  changed      INTEGER NOT NULL,
  held_by      INTEGER,                      -- the copy under way for the same person
  duplicate_of INTEGER,                      -- identity.row
  doubtful     INTEGER NOT NULL DEFAULT 0    -- possible duplicate
);
CREATE INDEX copy_due ON copy (target, next, queued) WHERE next IS NOT NULL;
CREATE INDEX copy_held ON copy (held_by) WHERE held_by IS NOT NULL;

-- What happened to a message beyond the ordinary.
CREATE TABLE event (
  n       INTEGER PRIMARY KEY,
  row     INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  what    TEXT NOT NULL,
  address TEXT NOT NULL DEFAULT '',
  code    TEXT NOT NULL DEFAULT '',
  detail  TEXT NOT NULL DEFAULT ''
);
CREATE INDEX event_row ON event (row);

CREATE VIRTUAL TABLE search USING fts5 (
  text, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);
