//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	dovecot     = "/usr/sbin/dovecot"
	mailUID     = 20000 // owner of the mail, no account of the system
	password    = "bench-pass"
	domain      = "office.test"
	serverLimit = 30 * time.Second
)

// provider is a Dovecot with mailboxes in memory: what it needs itself for
// deleting would hide what the programs need.
type provider struct {
	dir  string // in memory
	port int
	cmd  *exec.Cmd
	done chan struct{}
	next int // number of the next message
}

const dovecotConf = `protocols = pop3
listen = 127.0.0.1
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain
first_valid_uid = 1
mail_location = maildir:~/Maildir
mail_fsync = never
mail_max_userip_connections = 0
passdb {
  driver = static
  args = password=` + password + `
}
userdb {
  driver = static
  args = uid=20000 gid=20000 home=%[1]s/mail/%%u
}
service pop3-login {
  inet_listener pop3 {
    port = %[2]d
  }
  inet_listener pop3s {
    port = 0
  }
}
`

// startProvider needs root: Dovecot does.
func startProvider() (*provider, error) {
	dir, err := os.MkdirTemp("/dev/shm", "bench")
	if err != nil {
		return nil, fmt.Errorf("no folder in memory: %w", err)
	}
	p := &provider{dir: dir, done: make(chan struct{})}
	if err := p.start(); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

func (p *provider) start() error {
	if err := os.Chmod(p.dir, 0o755); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p.port = l.Addr().(*net.TCPAddr).Port
	_ = l.Close() // Dovecot takes it
	conf := filepath.Join(p.dir, "dovecot.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, dovecotConf, p.dir, p.port), 0o644); err != nil {
		return err
	}
	if err := mailFolder(filepath.Join(p.dir, "mail")); err != nil {
		return err
	}
	p.cmd = exec.Command(dovecot, "-F", "-c", conf)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := p.cmd.Start(); err != nil {
		p.cmd = nil
		return fmt.Errorf("starting Dovecot: %w", err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // its log tells
	}()
	return p.ready()
}

// ready waits until the server greets.
func (p *provider) ready() error {
	limit, tick := time.After(serverLimit), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port)); err == nil {
			_ = c.SetReadDeadline(time.Now().Add(serverLimit))
			greeting := make([]byte, 3)
			_, err = io.ReadFull(c, greeting)
			_ = c.Close()
			if err == nil && string(greeting) == "+OK" {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-p.done:
			return fmt.Errorf("the provider Dovecot ended:\n%s", p.log())
		case <-limit:
			return fmt.Errorf("the provider Dovecot does not answer:\n%s", p.log())
		}
	}
}

func (p *provider) log() string {
	b, err := os.ReadFile(filepath.Join(p.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-2000):])
}

// stop ends the server with all its helpers and forgets the mail.
func (p *provider) stop() error {
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.done:
		case <-time.After(serverLimit):
		}
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // helpers that outlived it
		<-p.done
	}
	return os.RemoveAll(p.dir)
}

func mailFolder(dirs ...string) error {
	for _, d := range dirs {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
		if err := os.Chown(d, mailUID, mailUID); err != nil {
			return err
		}
	}
	return nil
}

func (p *provider) home(box int) string { return filepath.Join(p.dir, "mail", user(box)) }

// empty gives each recipient a new mailbox.
func (p *provider) empty(boxes int) error {
	for b := range boxes {
		box := filepath.Join(p.home(b), "Maildir")
		if err := os.RemoveAll(p.home(b)); err != nil {
			return err
		}
		if err := mailFolder(p.home(b), box, box+"/cur", box+"/new", box+"/tmp"); err != nil {
			return err
		}
	}
	return nil
}

// fill puts the letters of the ledger into the mailboxes.
func (p *provider) fill(l *ledger) error {
	for _, x := range l.letters {
		local, _, _ := strings.Cut(x.rcpt, "@")
		text := x.stored()
		// Sizes in the name, as Dovecot's own delivery writes them.
		p.next++
		name := fmt.Sprintf("%d.M%06dP1.isp,S=%d,W=%d", 1_700_000_000+p.next/1_000_000, p.next%1_000_000, len(text), x.size)
		file := filepath.Join(p.dir, "mail", local, "Maildir", "new", name)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			return err
		}
		if err := os.Chown(file, mailUID, mailUID); err != nil {
			return err
		}
	}
	return nil
}

// left counts the letters that still lie in the mailboxes.
func (p *provider) left(boxes int) (int, error) {
	n := 0
	for b := range boxes {
		for _, sub := range []string{"cur", "new"} {
			files, err := os.ReadDir(filepath.Join(p.home(b), "Maildir", sub))
			if err != nil {
				return 0, err
			}
			n += len(files)
		}
	}
	return n, nil
}
