//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"

	"postbag/engine/mailtest/bench/floor"
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
	floor   bool // no program that anybody could use, but the least that one must do
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
		{name: "floor, keeps nothing", floor: true, prepare: func(j job) ([]string, error) { return floorJob(j, "") }},
		{name: "floor, durable", floor: true, prepare: func(j job) ([]string, error) { return floorJob(j, filepath.Join(j.dir, "kept")) }},
	}
}

// taken are the programs that take part in a scenario.
func (o options) taken(sc scenario) (out []program) {
	for _, p := range programs(o.postbagd) {
		named := strings.Contains(","+o.without+",", ","+p.name+",") // a name may have a comma in it
		if !named && (!p.slow || o.slowRuns > 0) && (!p.floor || o.floors && sc.floors) {
			out = append(out, p)
		}
	}
	return out
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

// floorCommand, as the first argument, makes this program the floor.
const floorCommand = "floor"

func floorJob(j job, file string) ([]string, error) {
	self, err := os.Executable()
	return []string{self, floorCommand, strconv.Itoa(j.pop3), strconv.Itoa(j.smtp), strconv.Itoa(j.boxes), file}, err
}

// runFloor is the process that floorJob starts.
func runFloor(args []string) error {
	var pop3, smtp, boxes int
	if _, err := fmt.Sscan(strings.Join(args[:3], " "), &pop3, &smtp, &boxes); err != nil {
		return err
	}
	j := floor.Job{POP3: pop3, SMTP: smtp, File: args[3]}
	for i := range boxes {
		j.Boxes = append(j.Boxes, floor.Box{User: user(i), Password: password, Recipient: address(i)})
	}
	debug.SetGCPercent(-1) // what it needs it uses again
	return floor.Run(j)
}
