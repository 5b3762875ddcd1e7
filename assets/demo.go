// Package assets holds what is built into the programs: the sample mail of the
// demonstration and its configuration.
package assets

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The mailboxes of the demonstration at the provider, by their user names.
const (
	DemoGlobal   = "office-42" // the whole office, domain office.test
	DemoAnne     = "anne"      // Anne's own mailbox
	DemoBob      = "bob"       // Bob's own mailbox
	DemoPassword = "postbag"   // of all three
)

// demoOversize is the size of the message that the demonstration leaves at the
// provider: its configuration takes at most 1 MB.
const demoOversize = 1_500_000

//go:embed demo/office-42/*.eml demo/anne/*.eml demo/bob/*.eml
var demoMail embed.FS

//go:embed demo/postbag.toml
var demoConfig string

// demoDate is how the sample mail writes "so many minutes ago".
var demoDate = regexp.MustCompile(`@DATE-(\d+)@`)

// DemoMessage is one message at the provider.
type DemoMessage struct {
	Mailbox string // DemoGlobal, DemoAnne or DemoBob
	UID     string // stable, unique in its mailbox
	Name    string // what it shows, for example "blind-copy"
	Bytes   []byte // with CRLF line ends
}

// Demo returns the mail of the demonstration in the order in which it lies
// there, dated to the hours before now. loop is the installation id that the
// looping message carries in X-Postbag-Loop (rule 36). One message is made up
// instead of embedded, because it is over 1 MB large.
//
// The global mailbox belongs to an office with the domain office.test, the
// people anne (also info), bob, claire, denis and emile, the distribution list
// sales (anne and bob), the mailing list gardening.lists.test (claire) and the
// unknown recipient postmaster. See DemoConfig.
func Demo(loop string, now time.Time) ([]DemoMessage, error) {
	var all []DemoMessage
	for _, box := range []string{DemoGlobal, DemoAnne, DemoBob} {
		files, err := fs.Glob(demoMail, path.Join("demo", box, "*.eml"))
		if err != nil {
			return nil, fmt.Errorf("sample mail of %s: %w", box, err)
		}
		for _, f := range files { // sorted by name
			b, err := demoMail.ReadFile(f)
			if err != nil {
				return nil, fmt.Errorf("sample mail of %s: %w", box, err)
			}
			uid, name, _ := strings.Cut(strings.TrimSuffix(path.Base(f), ".eml"), "-")
			all = append(all, DemoMessage{Mailbox: box, UID: box + "." + uid, Name: name, Bytes: demoFill(b, loop, now)})
		}
		if box == DemoGlobal {
			all = append(all, DemoMessage{Mailbox: box, UID: box + ".99", Name: "oversize", Bytes: demoFill(oversize(), loop, now)})
		}
	}
	return all, nil
}

// demoFill puts dates and the installation id where the sample mail leaves room.
func demoFill(b []byte, loop string, now time.Time) []byte {
	b = bytes.ReplaceAll(b, []byte("@LOOP@"), []byte(loop))
	return demoDate.ReplaceAllFunc(b, func(m []byte) []byte {
		minutes, err := strconv.Atoi(string(demoDate.FindSubmatch(m)[1]))
		if err != nil {
			return m // more digits than an int holds: not one of ours
		}
		return now.Add(-time.Duration(minutes)*time.Minute).AppendFormat(nil, time.RFC1123Z)
	})
}

// oversize is a message with a large attachment.
func oversize() []byte {
	const line = 76
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	rnd := rand.New(rand.NewPCG(1, 1))
	var b bytes.Buffer
	b.WriteString(strings.ReplaceAll(`Return-Path: <studio@film.test>
X-Original-To: denis@office.test
Delivered-To: office-42@isp.test
Received: from mail.film.test (mail.film.test [203.0.113.99])
	by mx.isp.test (Postfix) with ESMTPS id 4TQ99zHk;
	@DATE-60@
Date: @DATE-61@
From: Film Studio <studio@film.test>
To: denis@office.test
Subject: The whole film, uncut
Message-ID: <film.uncut@film.test>
MIME-Version: 1.0
Content-Type: video/mp4; name="film.mp4"
Content-Disposition: attachment; filename="film.mp4"
Content-Transfer-Encoding: base64

`, "\n", "\r\n"))
	for b.Len() < demoOversize {
		for range line {
			b.WriteByte(digits[rnd.IntN(len(digits))])
		}
		b.WriteString("\r\n")
	}
	return b.Bytes()
}

// DemoConfig is the configuration of the demonstration for a provider and an
// office server on loopback at the given ports. The password stands in the
// file "secret" beside it.
func DemoConfig(pop3Port, smtpPort int) string {
	return strings.NewReplacer("@POP3@", strconv.Itoa(pop3Port), "@SMTP@", strconv.Itoa(smtpPort)).Replace(demoConfig)
}
