-- The same index as before. IN with a list of constants fills a table of its
-- own each time a row is written; a chain of comparisons does not.
DROP INDEX identity_open;
CREATE INDEX identity_open ON identity (state)
  WHERE state = 'waiting' OR state = 'too_big' OR state = 'failed' OR state = 'collected' OR state = 'queued' OR state = 'quarantined';
