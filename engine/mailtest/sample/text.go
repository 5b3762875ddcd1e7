package sample

import (
	"encoding/base64"
	"fmt"
	"strings"
)

func correspondents() []string {
	return []string{
		"Ada Lovelace <ada@sender.test>",
		"=?iso-8859-1?Q?Andr=E9_Dupr=E9?= <andre@sender.test>",
		"\"Müller, Jörg\" <joerg@sender.test>",
		"news@sender.test (The Newsletter)",
		"=?UTF-8?B?5bGx55Sw5aSq6YOO?= <yamada@sender.test>",
		"<no-reply@sender.test>",
	}
}

func subjects() []string {
	return []string{
		"Order 4711", "Re: minutes of Tuesday", "=?utf-8?Q?Facture_n=C2=B0_12_=E2=80=94_rappel?=",
		"=?iso-8859-15?Q?Devis_=E0_signer?=", "Réunion déplacée", "", "=?utf-8?B?8J+TrCBNYWls?=",
		"a very long subject that goes on and on and is folded\r\n because it does not fit into one line", "[EXTERNAL] invoice",
		"=?utf-8?Q?broken", "Fwd: Fwd: Fwd: photo",
	}
}

// text is about size octets of prose with some of the traps of a body: lines
// that begin with dots or with "From ", and the number of the message, so that
// no two are alike.
func (g *generator) text(size int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "This is message %d.\r\n", g.serial)
	lines := []string{
		"The quick brown fox jumps over the lazy dog.", "Der Bär sagt: Grüß Gott.", "L'été, à Noël, le cœur léger.", "",
		".", "..", ".hidden file", "From here on everything is different.", "> quoted", "\ttabbed", "trailing blanks   ",
		"-- ", "1234567890", "Content-Type: text/plain", "X-Original-To: bob@office.test",
	}
	for b.Len() < size {
		b.WriteString(g.pick(lines) + "\r\n")
	}
	return b.String()
}

// attachment is a multipart body with a file of the given size.
func (g *generator) attachment(size int) (contentType, body string) {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(g.rnd.Uint32())
	}
	enc := base64.StdEncoding.EncodeToString(data)
	bound := "=_" + g.id()
	var b strings.Builder
	fmt.Fprintf(&b, "This is a message of several parts.\r\n--%s\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"+
		"Content-Transfer-Encoding: quoted-printable\r\n\r\nMessage %d: ci-joint le d=E9tail =E0 v=E9rifier.=\r\n=20\r\n", bound, g.serial)
	fmt.Fprintf(&b, "--%s\r\nContent-Type: application/pdf; name=\"=?utf-8?Q?d=C3=A9tail.pdf?=\"\r\n"+
		"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment\r\n\r\n", bound)
	for len(enc) > 76 {
		b.WriteString(enc[:76] + "\r\n")
		enc = enc[76:]
	}
	fmt.Fprintf(&b, "%s\r\n--%s--\r\n", enc, bound)
	return "multipart/mixed;\r\n boundary=\"" + bound + "\"", b.String()
}
