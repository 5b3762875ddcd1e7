//go:build linux

package real

import (
	_ "embed" // the configuration
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"
	"text/template"
)

//go:embed postfix.cf
var postfixConf string

var postfixTemplate = template.Must(template.New("postfix.cf").Parse(postfixConf))

// The lines of the packaged master.cf: its SMTP listener, and the services that
// would run in a chroot, which a private instance does not have.
var (
	masterSMTP   = regexp.MustCompile(`(?m)^smtp +inet.*$`)
	masterChroot = regexp.MustCompile(`(?m)^(\S+ +(?:unix|inet|unix-dgram) +[-yn] +[-yn] +)y`)
	masterLog    = regexp.MustCompile(`(?m)^postlog `)
)

const (
	postfixMaster  = "/usr/share/postfix/master.cf.dist"
	postfixDaemons = "/usr/lib/postfix/sbin"
	postfixPackage = "postfix"
)

// PostfixOptions says whom the office server knows and what it demands.
type PostfixOptions struct {
	Users     []string          // addresses; whoever is in a domain of theirs and not named here is refused with 550 5.1.1
	Replies   map[string]string // address -> answer to its RCPT TO, for example "450 4.2.1 later"
	Auth      *Dovecot          // who may sign in: AUTH is offered and demanded
	TLSOnly   bool              // AUTH only after STARTTLS
	SizeLimit int64             // message_size_limit, 0 = 200 MB
}

// Postfix is one running office server.
type Postfix struct {
	Addr    string // host:port of SMTP, with STARTTLS
	TLSAddr string // host:port of SMTP with implicit TLS
	CAFile  string // authority of the certificate, which names 127.0.0.1, localhost and mail.office.test

	t    testing.TB
	dir  string
	opt  PostfixOptions
	proc *process
}

// StartPostfix starts a Postfix that delivers for the users into Maildirs and
// waits until it answers. It ends with the test.
func StartPostfix(t testing.TB, opt PostfixOptions) *Postfix {
	t.Helper()
	need(t, postfixDaemons+"/master", postfixPackage)
	need(t, postfixMaster, postfixPackage)
	if opt.SizeLimit == 0 {
		opt.SizeLimit = 200_000_000
	}
	p := &Postfix{t: t, dir: folder(t, "pf"), opt: opt}
	p.CAFile = filepath.Join(p.dir, "ca.pem")
	if err := makeCertificate(p.dir, "mail.office.test"); err != nil {
		t.Fatal(err)
	}
	p.folders()
	for range portAttempts {
		p.configure()
		p.Start()
		if p.proc != nil {
			break
		}
	}
	if p.proc == nil {
		t.Fatalf("Postfix does not start:\n%s", p.Log())
	}
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Logf("the last lines of Postfix's log:\n%s", p.Log())
		}
	})
	return p
}

// folders makes what Postfix expects to find, with owners and modes as its own
// list (postfix-files) has them; "postfix check" would need seconds for it.
func (p *Postfix) folders() {
	p.t.Helper()
	owner, err := user.Lookup("postfix")
	if err != nil {
		p.t.Fatalf("the account of the package postfix is missing: %v", err)
	}
	group, err := user.LookupGroup("postdrop")
	if err != nil {
		p.t.Fatalf("the group of the package postfix is missing: %v", err)
	}
	uid, err := strconv.Atoi(owner.Uid)
	if err != nil {
		p.t.Fatal(err)
	}
	gid, err := strconv.Atoi(group.Gid)
	if err != nil {
		p.t.Fatal(err)
	}
	type dir struct {
		name     string
		mode     os.FileMode
		uid, gid int
	}
	all := []dir{
		{"conf", 0o755, 0, 0}, {"data", 0o700, uid, 0}, {"queue", 0o755, 0, 0}, {"queue/pid", 0o755, 0, 0},
		{"queue/maildrop", 0o730, uid, gid}, {"queue/public", 0o710, uid, gid},
		{"mail", 0o755, mailUID, mailUID},
	}
	for _, q := range strings.Fields("active bounce corrupt defer deferred flush hold incoming private saved trace") {
		all = append(all, dir{"queue/" + q, 0o700, uid, 0})
	}
	for _, d := range all {
		path := filepath.Join(p.dir, d.name)
		if err := errors.Join(os.Mkdir(path, 0o700), os.Chown(path, d.uid, d.gid), os.Chmod(path, d.mode)); err != nil {
			p.t.Fatal(err)
		}
	}
}

// configure chooses the ports and writes the configuration.
func (p *Postfix) configure() {
	p.t.Helper()
	ports, err := freePorts(2)
	if err != nil {
		p.t.Fatal(err)
	}
	p.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0]))
	p.TLSAddr = net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[1]))
	var users, access strings.Builder
	domains := map[string]bool{}
	for _, u := range p.opt.Users {
		fmt.Fprintf(&users, "%s %s/\n", u, strings.ToLower(u))
		domains[u[strings.LastIndex(u, "@")+1:]] = true
	}
	for address, reply := range p.opt.Replies {
		fmt.Fprintf(&access, "%s %s\n", address, reply)
	}
	values := map[string]any{
		"Dir": p.dir, "Domains": strings.Join(sorted(domains), " "), "SizeLimit": p.opt.SizeLimit, "TLS": "may",
		"Relay": "reject_unauth_destination", "SASL": "no", "AuthTLSOnly": "no", "AuthSocket": "none",
	}
	if p.opt.Auth != nil {
		values["SASL"], values["AuthSocket"] = "yes", p.opt.Auth.AuthSocket
		values["Relay"] = "permit_sasl_authenticated, reject"
	}
	if p.opt.TLSOnly {
		values["AuthTLSOnly"] = "yes"
	}
	var text strings.Builder
	if err := postfixTemplate.Execute(&text, values); err != nil {
		p.t.Fatal(err)
	}
	conf := filepath.Join(p.dir, "conf")
	write(p.t, filepath.Join(conf, "main.cf"), text.String())
	write(p.t, filepath.Join(conf, "users"), users.String())
	write(p.t, filepath.Join(conf, "access"), access.String())
	write(p.t, filepath.Join(conf, "master.cf"), p.master())
}

// master derives master.cf from the packaged one: other ports, no chroot.
func (p *Postfix) master() string {
	p.t.Helper()
	b, err := os.ReadFile(postfixMaster)
	if err != nil {
		p.t.Fatal(err)
	}
	text := masterSMTP.ReplaceAllString(string(b), fmt.Sprintf(
		"%s inet n - n - - smtpd\n%s inet n - n - - smtpd -o smtpd_tls_wrappermode=yes", p.Addr, p.TLSAddr))
	text = masterChroot.ReplaceAllString(text, "${1}n")
	if !masterLog.MatchString(text) {
		text += "\npostlog unix-dgram n - n - 1 postlogd\n"
	}
	return text
}

// Start runs the server again after Stop, on the same ports, and waits until
// it answers.
func (p *Postfix) Start() {
	p.t.Helper()
	// The master is started without postfix(1), which would stand between us and
	// the process to be stopped.
	proc, err := startProcess(p.log(), postfixDaemons+"/master", "-c", filepath.Join(p.dir, "conf"), "-s")
	if err != nil {
		p.t.Fatal(err)
	}
	p.proc = proc
	up := poll(startLimit, func() bool { return !proc.alive() || answers(p.Addr, "220") && answers(p.TLSAddr, "") })
	if !up || !proc.alive() {
		proc.stop()
		p.proc = nil
	}
}

// Stop ends the server; its mail and its queue stay.
func (p *Postfix) Stop() {
	if p.proc != nil {
		p.proc.stop(p.Addr, p.TLSAddr)
		p.proc = nil
	}
}

// Log returns the last lines of the server's log.
func (p *Postfix) Log() string { return tail(p.log(), 40) }

func (p *Postfix) log() string { return filepath.Join(p.dir, "mail.log") }

// Queued returns how many messages Postfix has accepted but not yet delivered.
func (p *Postfix) Queued() int {
	p.t.Helper()
	n := 0
	for _, q := range []string{"maildrop", "incoming", "active", "deferred"} {
		err := filepath.WalkDir(filepath.Join(p.dir, "queue", q), func(_ string, e os.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() {
				n++
			}
			return nil // files come and go while we look
		})
		if err != nil {
			p.t.Fatal(err)
		}
	}
	return n
}

// Settle waits until everything that Postfix has accepted lies in Maildirs.
func (p *Postfix) Settle() {
	p.t.Helper()
	// A message on its way from one queue to the next is seen in neither for a
	// moment: believe only what was seen twice.
	quiet := 0
	Eventually(p.t, startLimit, "Postfix to empty its queue", func() bool {
		if p.Queued() > 0 {
			quiet = 0
			return false
		}
		quiet++
		return quiet >= 3
	})
}

// Maildir returns the messages delivered to an address, oldest first, with the
// lines that Postfix puts on top (Return-Path, X-Original-To, Delivered-To,
// Received) and its LF line ends.
func (p *Postfix) Maildir(address string) [][]byte {
	p.t.Helper()
	files, names, err := maildir(filepath.Join(p.dir, "mail", strings.ToLower(address)))
	if err != nil {
		p.t.Fatal(err)
	}
	sort.Strings(names)
	out := make([][]byte, len(names))
	for i, n := range names {
		out[i] = files[n]
	}
	return out
}

// Count returns how many copies lie in all Maildirs together.
func (p *Postfix) Count() int {
	p.t.Helper()
	n := 0
	for _, u := range p.opt.Users {
		for _, sub := range []string{"new", "cur"} {
			entries, err := os.ReadDir(filepath.Join(p.dir, "mail", strings.ToLower(u), sub))
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				p.t.Fatal(err)
			}
			n += len(entries)
		}
	}
	return n
}

// Flush asks the queue manager to try everything again at once.
func (p *Postfix) Flush() {
	p.t.Helper()
	if out, err := exec.Command("/usr/sbin/postqueue", "-c", filepath.Join(p.dir, "conf"), "-f").CombinedOutput(); err != nil {
		p.t.Fatalf("postqueue: %v: %s", err, out)
	}
}

func sorted(set map[string]bool) []string {
	var out []string
	for s := range set {
		out = append(out, s)
	}
	sort.Strings(out)
	return out
}
