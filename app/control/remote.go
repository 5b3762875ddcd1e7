package control

import (
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"unicode/utf8"

	"postbag/app/facts"
	"postbag/engine/mail"
)

var _ Service = (*client)(nil)

// ask calls a method and hands over each line of its answer but the last,
// whose result it reads into result (may be nil). When ctx ends, or a callback
// fails, the call is cancelled at the engine, too.
func (c *client) ask(ctx context.Context, method string, args, result any, on func(frame) error) error {
	caller := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	resp, err := c.begin(ctx, method, args)
	if err != nil {
		return c.unanswered(caller, err)
	}
	in := readAhead(resp.Body)
	defer in.close()
	defer resp.Body.Close()
	defer cancel() // before the body is closed, which would wait for the rest
	last, broken, err := in.each(ctx, on)
	switch {
	case broken:
		return c.unanswered(caller, err)
	case err != nil:
		return err
	}
	return c.result(last, result)
}

// result reads the last line of an answer.
func (c *client) result(last *done, into any) error {
	if into != nil && last.Result != nil {
		if err := json.Unmarshal(last.Result, into); err != nil {
			return c.otherVersion(err)
		}
	}
	return last.Error.err()
}

// nothing is for methods that tell nothing on the way.
func nothing(frame) error { return nil }

func entries(each func(mail.Entry) error) func(frame) error {
	return func(f frame) error {
		if f.Entry == nil {
			return nil
		}
		return each(mail.Entry(*f.Entry))
	}
}

func (c *client) one(ctx context.Context, method string, args any) (mail.Entry, error) {
	var e entry
	err := c.ask(ctx, method, args, &e, nothing)
	return mail.Entry(e), err
}

// Run is refused: the engine runs already.
func (c *client) Run(context.Context, func(facts.Event)) error {
	return &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeBusy, Op: c.dir}
}

func (c *client) Check(ctx context.Context, names []string, each func(facts.CheckStep) error) error {
	return c.ask(ctx, "check", namesArgs{names}, nil, func(f frame) error {
		if f.Check == nil {
			return nil
		}
		return each(*f.Check)
	})
}

func (c *client) Preview(ctx context.Context, name string, limit int, each func(facts.PreviewLine) error) (v facts.Verdict, err error) {
	err = c.ask(ctx, "preview", previewArgs{Name: name, Limit: limit}, &v, func(f frame) error {
		if f.Line == nil {
			return nil
		}
		return each(*f.Line)
	})
	return v, err
}

func (c *client) Log(ctx context.Context, filter facts.LogFilter, each func(mail.Entry) error) error {
	return c.ask(ctx, "log", filter, nil, entries(each))
}

func (c *client) Status(ctx context.Context) (st facts.Status, err error) {
	err = c.ask(ctx, "status", noArgs{}, &st, nothing)
	return st, err
}

func (c *client) Queued(ctx context.Context, each func(mail.Entry) error) error {
	return c.ask(ctx, "queued", noArgs{}, nil, entries(each))
}

func (c *client) Story(ctx context.Context, id string) (facts.Story, error) {
	var s story
	err := c.ask(ctx, "story", idArgs{id}, &s, nothing)
	return facts.Story{Entry: mail.Entry(s.Entry), Steps: s.Steps}, err
}

func (c *client) Retry(ctx context.Context, id string) (mail.Entry, error) {
	return c.one(ctx, "retry", idArgs{id})
}

func (c *client) Delete(ctx context.Context, id string) (mail.Entry, error) {
	return c.one(ctx, "delete", idArgs{id})
}

func (c *client) SendTo(ctx context.Context, id, address string) (mail.Entry, error) {
	if !utf8.ValidString(address) {
		// JSON would make another address of it.
		return mail.Entry{}, &mail.Failure{Class: mail.NeedsUser, Code: facts.CodeAddress, Op: address}
	}
	return c.one(ctx, "send-to", sendArgs{ID: id, Address: address})
}

func (c *client) Save(ctx context.Context, id string, w io.Writer) error {
	return c.ask(ctx, "save", idArgs{id}, nil, func(f frame) error {
		if len(f.Data) == 0 {
			return nil
		}
		_, err := w.Write(f.Data)
		return err
	})
}

func (c *client) Mailboxes(ctx context.Context) (all []facts.MailboxStatus, err error) {
	err = c.ask(ctx, "mailboxes", noArgs{}, &all, nothing)
	return all, err
}

func (c *client) Pause(ctx context.Context, name string) (m facts.MailboxStatus, err error) {
	err = c.ask(ctx, "pause", nameArgs{name}, &m, nothing)
	return m, err
}

func (c *client) Resume(ctx context.Context, name string) (m facts.MailboxStatus, err error) {
	err = c.ask(ctx, "resume", nameArgs{name}, &m, nothing)
	return m, err
}

// Backup names the file by its whole path: the engine's working folder is
// another one.
func (c *client) Backup(ctx context.Context, path string) (facts.BackupReport, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return facts.BackupReport{}, cannotFile(path, err)
	}
	var r facts.BackupReport
	if err := c.ask(ctx, "backup", backupArgs{[]byte(abs)}, &r, nothing); err != nil {
		return r, err
	}
	r.Path = path // as the caller wrote it
	return r, nil
}

func (c *client) Watch(ctx context.Context, each func(facts.Event) error) error {
	err := c.ask(ctx, "watch", noArgs{}, nil, func(f frame) error {
		if f.Event == nil {
			return nil
		}
		return each(*f.Event)
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (c *client) Reload(ctx context.Context) error {
	return c.ask(ctx, "reload", noArgs{}, nil, nothing)
}
