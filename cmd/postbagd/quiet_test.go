//go:build linux

package main_test

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"postbag/engine/mailtest"
)

// everything reads all files below a folder.
func everything(t *testing.T, dir string, each func(path string, info fs.FileInfo, content []byte)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		var content []byte
		if info.Mode().IsRegular() {
			if content, err = os.ReadFile(path); err != nil {
				return err
			}
		}
		each(path, info, content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestNoSecretAnywhere signs in rightly and wrongly in several ways, with
// everything written down that can be: no password is in the store, a log, a
// transcript, an answer or the environment of a child, and all files are
// private to the user.
func TestNoSecretAnywhere(t *testing.T) {
	t.Parallel()
	const smtpSecret, wrong = "smtp-0ther-s3cret", "wr0ng-but-private"
	for _, auth := range []string{"user", "plain", "login", "cram-md5"} {
		s := newSite(t, mailtest.POP3Options{SASL: []string{"PLAIN", "LOGIN", "CRAM-MD5"}},
			mailtest.SMTPOptions{Passwords: map[string]string{"connector": smtpSecret}, PlainAuth: true})
		s.write("smtp-secret", smtpSecret)
		smtpAuth := strings.Replace(auth, "user", "plain", 1)
		s.head = strings.Replace(s.head, "[[recipient]]", "auth = \""+smtpAuth+"\"\nusername = \"connector\"\nsecret = \"file:smtp-secret\"\nallow_plaintext_password = true\n"+
			"[log]\nlevel = \"debug\"\ntranscripts = true\n[alerts]\ncommand = [\"/bin/sh\", \"-c\", \"env; cat\"]\n[[recipient]]", 1)
		s.head = strings.Replace(s.head, `"/bin/sh", "-c", "env; cat"`, `"/bin/sh", "-c", "(env; cat) >> '`+s.path("alerts")+`'"`, 1)
		s.configure("auth = \"" + auth + "\"\n")
		s.add("anne@office.test", "first")
		s.write("secret", wrong+"\n")
		r := s.want(3, "collect")
		r2 := s.want(3, "check", "--json")
		b := engineOn(s)
		s.want(3, "collect") // through the engine, which tells the administrator
		eventually(t, "the alert about the password", func() bool { info, err := os.Stat(s.path("alerts")); return err == nil && info.Size() > 0 })
		b.signal(syscall.SIGTERM)
		b.wait()
		s.write("secret", password+"\n")
		s.want(0, "mailbox", "resume", boxName)
		s.want(0, "collect")
		s.wantGot("anne@office.test first")
		for _, args := range [][]string{{"status", "--json"}, {"config", "show"}, {"secret", "list"}, {"log", "--json"}, {"backup", s.path("b.tar")}} {
			r2.out += s.want(0, args...).out
		}
		s.write("answers", r.out+r.err+r2.out+r2.err)
		s.write("secret", "")
		s.write("smtp-secret", "")
		for _, secret := range []string{password, wrong, smtpSecret} {
			forms := []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))}
			for _, user := range []string{login, "connector"} {
				forms = append(forms, base64.StdEncoding.EncodeToString([]byte("\x00"+user+"\x00"+secret)))
			}
			everything(t, s.dir, func(path string, _ fs.FileInfo, content []byte) {
				for _, f := range forms {
					if bytes.Contains(content, []byte(f)) {
						t.Errorf("%s: %s holds %s", auth, path, f)
					}
				}
			})
		}
		everything(t, s.data(), func(path string, info fs.FileInfo, _ []byte) {
			if info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s is open to others: %v", path, info.Mode())
			}
		})
		if transcripts := s.glob("data", "transcripts", "*"); len(transcripts) == 0 {
			t.Error("there is no transcript")
		}
	}
}

// TestSilentProvider: a collection from a provider that says nothing any more
// is stopped within a second or two. rule 9
func TestSilentProvider(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"GREETING", "PASS", "LIST", "RETR", "DELE", "QUIT"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			asked := make(chan struct{}, 10)
			s := newSite(t, mailtest.POP3Options{NoPipelining: true}, mailtest.SMTPOptions{})
			s.add("anne@office.test", "one", "two", "three")
			s.isp.Script(func(c mailtest.POP3Command) *mailtest.POP3Fault {
				if c.Verb == verb && (verb != "RETR" || c.Nth == 3) {
					asked <- struct{}{}
					return mailtest.POP3Silent()
				}
				return nil
			})
			b := s.start("collect")
			<-asked
			asleep := time.Now()
			b.signal(syscall.SIGTERM)
			r := b.wait()
			limit := 5 * time.Second
			if verb == "DELE" || verb == "QUIT" {
				limit = 30 * time.Second // what is settled is worth a moment
			}
			if took := time.Since(asleep); r.code != 1 || took > limit {
				t.Errorf("exit code %d after %v\n%s", r.code, took, r.err)
			}
			s.isp.Script(nil)
			s.want(0, "collect")
			s.wantGot("anne@office.test one", "anne@office.test two", "anne@office.test three")
			if s.left() != 0 {
				t.Errorf("%d left", s.left())
			}
		})
	}
}

// TestReaderWentAway: a reader that closes the pipe, as head does, must not end
// a collection.
func TestReaderWentAway(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"collect", "--json"}, {"collect"}} {
		s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
		s.add("anne@office.test", subjects(300)...)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		cmd := s.command(args...)
		cmd.Stdout, cmd.Stderr = w, w
		if err := cmd.Run(); err != nil {
			if _, ok := err.(*exec.ExitError); !ok || cmd.ProcessState.ExitCode() < 0 {
				t.Errorf("%q: %v", args, err)
			}
		}
		_ = w.Close()
		s.wantEachOnce(300, 0)
		if s.left() != 0 {
			t.Errorf("%d left", s.left())
		}
	}
}

// TestOptionsAnywhere: options are understood before and after the command.
func TestOptionsAnywhere(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	s.add("anne@office.test", "first")
	cmd := s.command()
	cmd.Args = []string{cmd.Path, "--config", s.path("postbag.toml"), "--lang=en", "collect", "--data=" + s.data()}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	s.wantGot("anne@office.test first")
	// Paths may be relative, and the folders have defaults.
	cmd = s.command()
	cmd.Args, cmd.Dir = []string{cmd.Path, "--config", "postbag.toml", "--data", "data", "status"}, s.dir
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "delivered 1") {
		t.Errorf("%v\n%s", err, out)
	}
	cmd = s.command()
	cmd.Args = []string{cmd.Path, "config", "init"}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := os.Stat(s.path("home", ".config", "postbag", "postbag.toml")); err != nil {
		t.Error(err)
	}
}

// TestDataFolderCannotBeMade is no fault of the words, and nothing was touched.
func TestDataFolderCannotBeMade(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	s.add("anne@office.test", "first")
	s.write("data", "a file where the folder should be")
	s.want(1, "collect").says("cannot be read or written")
	s.want(1, "run")
	if s.left() != 1 || s.isp.Sessions() != 0 {
		t.Error("the provider was asked")
	}
}

// TestNoKeyring: without a keyring there is a plain sentence and the alternative.
func TestNoKeyring(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailtest.POP3Options{}, mailtest.SMTPOptions{})
	s.mailbox = strings.Replace(s.mailbox, "file:secret", "keyring:whole-office", 1)
	s.configure("")
	s.add("anne@office.test", "first")
	r := s.runWith(strings.NewReader("typed-"+"in\n"), "secret", "set", "whole-office")
	if r.code != 1 {
		t.Errorf("exit code %d\n%s", r.code, r.err)
	}
	r.says("keyring", "keep the password in a file")
	s.want(3, "collect").says("keyring")
	s.want(0, "secret", "list").says("keyring:whole-office", "keyring of this computer")
	if s.left() != 1 || s.isp.Sessions() != 0 {
		t.Error("the provider was asked without a password")
	}
}
