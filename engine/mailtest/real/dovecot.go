//go:build linux

package real

import (
	"crypto/hmac"
	"crypto/sha256"
	_ "embed" // the configuration
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"text/template"
	"time"
)

//go:embed dovecot.conf
var dovecotConf string

var dovecotTemplate = template.Must(template.New("dovecot.conf").Parse(dovecotConf))

const (
	dovecotProgram  = "/usr/sbin/dovecot"
	dovecotPackages = "dovecot-pop3d dovecot-imapd dovecot-lmtpd"
	tokenKey        = "the key with which the tests sign their tokens"
	portAttempts    = 5 // another program may take a port between the choice and the start
)

// DovecotOptions says who has a mailbox at the provider.
type DovecotOptions struct {
	Users       map[string]string // name -> password, without ':' and line ends
	UIDLFormat  string            // pop3_uidl_format, "" = Dovecot's default
	LockSession bool              // a second POP3 session is refused with [IN-USE]
}

// Dovecot is one running provider.
type Dovecot struct {
	POP3Addr, POP3SAddr string // host:port; POP3Addr offers STLS
	IMAPAddr, IMAPSAddr string
	LMTPAddr            string // recipients are the names of the users
	CAFile              string // authority of the certificate, which names 127.0.0.1, localhost and pop.isp.test
	AuthSocket          string // for Postfix

	t    testing.TB
	dir  string
	opt  DovecotOptions
	proc *process
	next atomic.Int64
}

// StartDovecot starts a Dovecot with an empty mailbox for each user and waits
// until it answers. It ends with the test.
func StartDovecot(t testing.TB, opt DovecotOptions) *Dovecot {
	t.Helper()
	need(t, dovecotProgram, dovecotPackages)
	for _, p := range []string{"pop3", "imap", "lmtp"} {
		need(t, "/usr/lib/dovecot/"+p, dovecotPackages)
	}
	if opt.UIDLFormat == "" {
		opt.UIDLFormat = "%08Xu%08Xv"
	}
	d := &Dovecot{t: t, dir: folder(t, "dc"), opt: opt}
	d.CAFile, d.AuthSocket = filepath.Join(d.dir, "ca.pem"), filepath.Join(d.dir, "auth")
	if err := makeCertificate(d.dir, "pop.isp.test", "mail.office.test"); err != nil {
		t.Fatal(err)
	}
	d.accounts()
	for range portAttempts {
		d.configure()
		d.Start()
		if d.proc != nil {
			break
		}
	}
	if d.proc == nil {
		t.Fatalf("Dovecot does not start:\n%s", d.Log())
	}
	t.Cleanup(func() {
		d.Stop()
		if t.Failed() {
			t.Logf("the last lines of Dovecot's log:\n%s", d.Log())
		}
	})
	return d
}

// accounts writes the users, their Maildirs and the key of the tokens.
func (d *Dovecot) accounts() {
	d.t.Helper()
	var passwd strings.Builder
	if err := mailFolder(filepath.Join(d.dir, "mail")); err != nil {
		d.t.Fatal(err)
	}
	for user, password := range d.opt.Users {
		fmt.Fprintf(&passwd, "%s:{PLAIN}%s\n", user, password)
		home := filepath.Join(d.dir, "mail", user)
		box := filepath.Join(home, "Maildir")
		if err := mailFolder(home, box, box+"/cur", box+"/new", box+"/tmp"); err != nil {
			d.t.Fatal(err)
		}
	}
	write(d.t, filepath.Join(d.dir, "passwd"), passwd.String())
	keys := filepath.Join(d.dir, "keys", "default", "HS256")
	if err := os.MkdirAll(keys, 0o755); err != nil {
		d.t.Fatal(err)
	}
	write(d.t, filepath.Join(keys, "default"), base64.StdEncoding.EncodeToString([]byte(tokenKey)))
	write(d.t, filepath.Join(d.dir, "oauth2.conf"), "introspection_mode = local\n"+
		"local_validation_key_dict = fs:posix:prefix="+d.dir+"/keys/\nusername_attribute = sub\n")
}

// configure chooses the ports and writes the configuration.
func (d *Dovecot) configure() {
	d.t.Helper()
	ports, err := freePorts(5)
	if err != nil {
		d.t.Fatal(err)
	}
	lock := "no"
	if d.opt.LockSession {
		lock = "yes"
	}
	var text strings.Builder
	err = dovecotTemplate.Execute(&text, map[string]any{
		"Dir": d.dir, "Protocols": "pop3 imap lmtp", "UIDLFormat": d.opt.UIDLFormat, "LockSession": lock,
		"POP3": ports[0], "POP3S": ports[1], "IMAP": ports[2], "IMAPS": ports[3], "LMTP": ports[4],
	})
	if err != nil {
		d.t.Fatal(err)
	}
	write(d.t, filepath.Join(d.dir, "dovecot.conf"), text.String())
	for i, addr := range []*string{&d.POP3Addr, &d.POP3SAddr, &d.IMAPAddr, &d.IMAPSAddr, &d.LMTPAddr} {
		*addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[i]))
	}
}

// Start runs the server again after Stop, on the same ports, and waits until
// it answers.
func (d *Dovecot) Start() {
	d.t.Helper()
	proc, err := startProcess(filepath.Join(d.dir, "dovecot.log"), dovecotProgram, "-F", "-c", filepath.Join(d.dir, "dovecot.conf"))
	if err != nil {
		d.t.Fatal(err)
	}
	d.proc = proc
	up := poll(startLimit, func() bool {
		return !proc.alive() || answers(d.POP3Addr, "+OK") && answers(d.LMTPAddr, "220")
	})
	if !up || !proc.alive() {
		proc.stop()
		d.proc = nil
	}
}

// Stop ends the server; its mail stays.
func (d *Dovecot) Stop() {
	if d.proc != nil {
		d.proc.stop(d.POP3Addr, d.POP3SAddr, d.LMTPAddr)
		d.proc = nil
	}
}

// Log returns the last lines of the server's log.
func (d *Dovecot) Log() string { return tail(filepath.Join(d.dir, "dovecot.log"), 40) }

// Token returns an OAuth 2 access token with which user may sign in
// (XOAUTH2, OAUTHBEARER): a JWT of RFC 7519, signed with HS256.
func (d *Dovecot) Token(user string, until time.Time) string {
	d.t.Helper()
	claims, err := json.Marshal(map[string]any{"sub": user, "iat": time.Now().Unix() - 60, "exp": until.Unix()})
	if err != nil {
		d.t.Fatal(err)
	}
	enc := base64.RawURLEncoding
	text := enc.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + enc.EncodeToString(claims)
	mac := hmac.New(sha256.New, []byte(tokenKey))
	mac.Write([]byte(text))
	return text + "." + enc.EncodeToString(mac.Sum(nil))
}

// AddMessage puts a message into the mailbox of user, after those that were
// put there before.
//
// QUIRK Dovecot hands out every line end as CRLF, whatever the file has.
func (d *Dovecot) AddMessage(user string, message []byte) {
	d.t.Helper()
	n := d.next.Add(1)
	// Dovecot numbers new files by the time in their names.
	name := fmt.Sprintf("%d.M%06dP1.isp", 1_700_000_000+n/1_000_000, n%1_000_000)
	box := d.box(user)
	tmp := filepath.Join(box, "tmp", name)
	if err := os.WriteFile(tmp, message, 0o600); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Chown(tmp, mailUID, mailUID); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(box, "new", name)); err != nil {
		d.t.Fatal(err)
	}
}

// AddMany puts messages into the mailbox of user in their order.
func (d *Dovecot) AddMany(user string, messages [][]byte) {
	d.t.Helper()
	for _, m := range messages {
		d.AddMessage(user, m)
	}
}

// Messages returns what lies in the mailbox of user, in its order, as stored.
func (d *Dovecot) Messages(user string) [][]byte {
	d.t.Helper()
	files, names, err := maildir(d.box(user))
	if err != nil {
		d.t.Fatal(err)
	}
	sort.Strings(names)
	out := make([][]byte, len(names))
	for i, n := range names {
		out[i] = files[n]
	}
	return out
}

// Count returns how many messages lie in the mailbox of user.
func (d *Dovecot) Count(user string) int {
	d.t.Helper()
	return len(d.Messages(user))
}

func (d *Dovecot) box(user string) string {
	d.t.Helper()
	if _, ok := d.opt.Users[user]; !ok {
		d.t.Fatalf("Dovecot has no user %q", user)
	}
	return filepath.Join(d.dir, "mail", user, "Maildir")
}
