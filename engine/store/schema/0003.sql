-- What happened to messages on their plain way and does not stand in the tables
-- yet, in its order: see intake.go.
CREATE TABLE intake (
  n    INTEGER PRIMARY KEY,
  data BLOB NOT NULL
);
