package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"sort"

	"postbag/engine/mail"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// migrations returns the scripts in order; the schema's version, kept in
// PRAGMA user_version, is the number of those that have run.
func migrations() ([]string, error) {
	names, err := fs.Glob(schemaFiles, "schema/*.sql")
	if err != nil {
		return nil, err
	}
	sort.Strings(names)
	var scripts []string
	for _, n := range names {
		b, err := schemaFiles.ReadFile(n)
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, string(b))
	}
	return scripts, nil
}

// migrate brings the schema forward, each step in a transaction of its own. A
// schema written by a newer version is refused with CodeStoreNewer and left
// alone.
func migrate(c *conn, readOnly bool) error {
	scripts, err := migrations()
	if err != nil {
		return err
	}
	r, _, err := c.one(context.Background(), "PRAGMA user_version")
	if err != nil {
		return err
	}
	version := int(r.int(0))
	switch {
	case version == len(scripts):
		return nil
	case version > len(scripts):
		return &mail.Failure{Class: mail.NeedsUser, Code: mail.CodeStoreNewer, Op: "open",
			Err: fmt.Errorf("schema %d, this program knows %d", version, len(scripts))}
	case readOnly:
		return internal("open", "the schema is to be brought forward first")
	}
	for ; version < len(scripts); version++ {
		if err := migrateOne(c, version+1, scripts[version]); err != nil {
			return fmt.Errorf("schema %d: %w", version+1, err)
		}
	}
	return nil
}

func migrateOne(c *conn, version int, script string) error {
	if err := c.script("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := c.script(script)
	if err == nil {
		err = c.script(fmt.Sprintf("PRAGMA user_version = %d", version))
	}
	if err == nil {
		err = c.script("COMMIT")
	}
	if err != nil {
		_ = c.script("ROLLBACK") // the first error says it all
	}
	return err
}
