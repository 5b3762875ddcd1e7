//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// job is what a program has to do: collect all boxes and hand over what is in
// them.
type job struct {
	dir        string // its own, on disk
	boxes      int
	pop3, smtp int // ports on loopback
}

// program is one that is measured. prepare writes its configuration and
// returns the command line.
type program struct {
	name    string
	slow    bool // a process for each message: measured less often
	prepare func(job) ([]string, error)
}

const fetchmail = "fetchmail"

// programs are those that are compared, fetchmail among them: the figures of
// the others are told as ratios to its own.
func programs(postbagd string) []program {
	return []program{
		{name: "postbag", prepare: func(j job) ([]string, error) { return postbag(postbagd, j) }},
		{name: fetchmail, prepare: fetchmailJob},
		{name: "mpop+msmtp", slow: true, prepare: mpopJob},
		{name: "getmail6+msmtp", slow: true, prepare: getmailJob},
	}
}

func write(dir, name, text string) error {
	return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)
}

func postbag(binary string, j job) ([]string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "version = 1\n[office]\ndomains = [%q]\nunknown_recipient = \"postmaster@%s\"\n"+
		"[[target]]\nname = \"office\"\nhost = \"127.0.0.1\"\nport = %d\n", domain, domain, j.smtp)
	for i := range j.boxes {
		fmt.Fprintf(&b, "[[mailbox]]\nname = %q\nkind = \"individual\"\nhost = \"127.0.0.1\"\nport = %d\nsecurity = \"none\"\n"+
			"allow_plaintext_password = true\nusername = %q\nsecret = \"file:secret\"\ndeliver_to = [%q]\n",
			user(i), j.pop3, user(i), address(i))
	}
	if err := write(j.dir, "postbag.toml", b.String()); err != nil {
		return nil, err
	}
	return []string{binary, "collect", "--config", filepath.Join(j.dir, "postbag.toml"), "--data", filepath.Join(j.dir, "data")},
		write(j.dir, "secret", password+"\n")
}

// fetchmailJob: local delivery by SMTP, one recipient for a mailbox.
func fetchmailJob(j job) ([]string, error) {
	var b strings.Builder
	b.WriteString("set no bouncemail\n")
	for i := range j.boxes {
		fmt.Fprintf(&b, "poll box%d via 127.0.0.1 protocol pop3 port %d auth password no dns\n"+
			"  username %q password %q smtphost \"127.0.0.1/%d\" smtpname %q sslproto \"\" fetchall nokeep\n",
			i, j.pop3, user(i), password, j.smtp, address(i))
	}
	return []string{fetchmail, "--silent", "--fetchmailrc", filepath.Join(j.dir, "fetchmailrc"), "--idfile", filepath.Join(j.dir, "ids"),
		"--pidfile", filepath.Join(j.dir, "pid")}, write(j.dir, "fetchmailrc", b.String())
}

// msmtp hands one message to the sink; the recipient stands on its command line.
func msmtp(j job) error {
	return write(j.dir, "msmtprc", fmt.Sprintf("account default\nhost 127.0.0.1\nport %d\nfrom postbag@%s\nauth off\ntls off\n", j.smtp, domain))
}

func mpopJob(j job) ([]string, error) {
	var b strings.Builder
	for i := range j.boxes {
		fmt.Fprintf(&b, "account %[1]s\nhost 127.0.0.1\nport %[2]d\nauth user\ntls off\nuser %[1]s\npassword %[3]s\nkeep off\n"+
			"uidls_file %[4]s/uids-%%U\ndelivery mda /usr/bin/msmtp -C %[4]s/msmtprc %[5]s\n\n",
			user(i), j.pop3, password, j.dir, address(i))
	}
	if err := msmtp(j); err != nil {
		return nil, err
	}
	return []string{"mpop", "-q", "-C", filepath.Join(j.dir, "mpoprc"), "-a"}, write(j.dir, "mpoprc", b.String())
}

func getmailJob(j job) ([]string, error) {
	cmd := []string{"getmail", "--getmaildir", j.dir}
	for i := range j.boxes {
		name := "getmailrc-" + user(i)
		text := fmt.Sprintf("[retriever]\ntype = SimplePOP3Retriever\nserver = 127.0.0.1\nport = %d\nusername = %s\npassword = %s\n"+
			"[destination]\ntype = MDA_external\npath = /usr/bin/msmtp\narguments = (\"-C\", \"%s/msmtprc\", \"%s\")\nallow_root_commands = true\n"+
			"[options]\ndelete = true\nread_all = true\nverbose = 0\n", j.pop3, user(i), password, j.dir, address(i))
		if err := write(j.dir, name, text); err != nil {
			return nil, err
		}
		cmd = append(cmd, "--rcfile", name)
	}
	return cmd, msmtp(j)
}
