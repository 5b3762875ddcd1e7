-- Which message has which fingerprint: its first six octets, and the row of
-- identity that has all of them. Fingerprints are random, so in one large index
-- each new one would touch a page of its own. They go into a small table first,
-- from which a transaction moves neighbours on to the large one, some at a time.
-- Both may name rows that have another fingerprint now, or that are gone.
CREATE TABLE fingerprint_new (key BLOB NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (key, row)) WITHOUT ROWID;
CREATE TABLE fingerprint_old (key BLOB NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (key, row)) WITHOUT ROWID;
INSERT OR IGNORE INTO fingerprint_old (key, row)
  SELECT substr(fingerprint, 1, 6), row FROM identity WHERE fingerprint IS NOT NULL ORDER BY fingerprint;
DROP INDEX identity_fingerprint;

-- The words' index joins parts of one size when there are eight of them instead
-- of four: with a million messages each word is written anew half as often.
INSERT INTO search (search, rank) VALUES ('automerge', 8);
