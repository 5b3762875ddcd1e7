package store

import (
	"strings"
	"testing"
)

// No statement that runs once per message, per session or per listing may look
// at every row: the journal may hold a million of them.
func TestStatementsUseTheirIndexes(t *testing.T) {
	plans := []struct{ name, sql, want string }{
		{"present", sqlPresent, "USING INDEX identity_source (mailbox=?)"},
		{"by uid", sqlByUID, "USING INDEX identity_uid (mailbox=? AND uid=?)"},
		{"by plain uid", sqlByPlainUID, "USING INDEX identity_uid (mailbox=? AND uid=? AND ident=?)"},
		{"by ident", sqlByIdent, "USING INDEX identity_ident (mailbox=? AND ident=?)"},
		{"keep by uid", sqlKeepByUID, "USING INDEX identity_uid (mailbox=? AND uid=? AND ident=?)"},
		{"keep by ident", sqlKeepByIdent, "USING INDEX identity_ident (mailbox=? AND ident=?)"},
		{"by fingerprint", sqlByFingerprint, "SEARCH identity USING INTEGER PRIMARY KEY (rowid=?)"},
		{"by fingerprint, new", sqlByFingerprint, "SEARCH fingerprint_new USING PRIMARY KEY (key=?)"},
		{"by fingerprint, old", sqlByFingerprint, "SEARCH fingerprint_old USING PRIMARY KEY (key=?)"},
		{"twice, new", sqlTwice, "SEARCH fingerprint_new USING PRIMARY KEY (key=?)"},
		{"twice, old", sqlTwice, "SEARCH fingerprint_old USING PRIMARY KEY (key=?)"},
		{"keep, new", sqlKeepByRow, "SEARCH o USING PRIMARY KEY (key=?)"},
		{"others", sqlOthers, "SEARCH identity USING INTEGER PRIMARY KEY (rowid=?)"},
		{"enter keys", sqlEnterKeys, "SEARCH identity USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
		{"file", sqlFile, "SEARCH fingerprint_new USING PRIMARY KEY (key>? AND key<?)"},
		{"unfile", sqlUnfile, "SEARCH fingerprint_new USING PRIMARY KEY (key>? AND key<?)"},
		{"others' copies", sqlOthers, "c USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
		{"message", sqlMessage, "c USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
		{"rows", sqlRows, "USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
		{"count rows", sqlCountRows, "USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
		{"at source", sqlAtSource, "USING INDEX identity_source (mailbox=?)"},
		{"unconfirmed", sqlUnconfirmed, "USING INDEX identity_source (mailbox=?)"},
		{"due", sqlDue, "c USING INDEX copy_due (target=? AND next<?)"},
		{"next due", sqlNextDue, "USING COVERING INDEX copy_due (target=? AND next>?)"},
		{"first target", sqlFirstTarget, "USING COVERING INDEX copy_due"},
		{"next target", sqlNextTarget, "USING COVERING INDEX copy_due (target>?)"},
		{"expired", sqlExpired, "USING COVERING INDEX copy_due"},
		{"unrouted", sqlUnrouted, "USING INDEX identity_open (state=?)"},
		{"queue", sqlQueue, "USING COVERING INDEX identity_open (state=?)"},
		{"rare", sqlRare, "USING COVERING INDEX identity_open (state=?)"},
		{"purgeable", sqlPurgeable, "USING INDEX identity_changed (changed<?)"},
		{"held", "SELECT " + columnsCopy + " FROM copy c WHERE c.held_by = ? ORDER BY c.id", "USING INDEX copy_held (held_by=?)"},
		{"log", sqlEntry + " INDEXED BY identity_changed " + joinEntry + " WHERE i.changed IS NOT NULL AND (i.changed, i.row) < (?, ?) ORDER BY i.changed DESC, i.row DESC LIMIT ?",
			"USING INDEX identity_changed (changed>? AND changed<?)"},
		{"found", sqlFound(sqlByID+" UNION ALL "+sqlByWords, " WHERE i.changed IS NOT NULL"), "SEARCH i USING INTEGER PRIMARY KEY (rowid=?)"},
		{"entry's copies", sqlEntryCopies, "c USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
		{"spool file", "SELECT row FROM body WHERE file = ?", "USING COVERING INDEX body_file (file=?)"},
		{"eml", sqlQuarantinedByID, "USING INDEX identity_id (id=?)"},
		{"events", "SELECT at FROM event WHERE row = ? ORDER BY n", "USING INDEX event_row (row=?)"},
	}
	r := newRig(t)
	for _, p := range plans {
		var plan []string
		r.ok(r.read(r.ctx, "plan", func(c *conn) error {
			return c.each(r.ctx, "EXPLAIN QUERY PLAN "+p.sql, func(rec record) error {
				plan = append(plan, rec.str(3))
				return nil
			}, make([]any, strings.Count(p.sql, "?"))...)
		}))
		text := strings.Join(plan, "\n")
		if !strings.Contains(text, p.want) {
			t.Errorf("%s: plan\n%s\nwant %s", p.name, text, p.want)
		}
		sorts := strings.Contains(text, "TEMP B-TREE")
		if sorts && (p.name == "due" || p.name == "next due" || p.name == "log") {
			t.Errorf("%s sorts all rows:\n%s", p.name, text)
		}
		for _, line := range plan {
			found := p.name == "found" && (line == "SCAN found" || strings.HasPrefix(line, "SCAN search ") || strings.HasPrefix(line, "SCAN (subquery"))
			if strings.HasPrefix(line, "SCAN ") && !strings.Contains(line, "INDEX copy_due") && !found {
				t.Errorf("%s looks at every row: %s", p.name, line)
			}
		}
	}
}
