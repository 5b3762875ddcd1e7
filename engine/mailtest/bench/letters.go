//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
)

// mark begins the first line that must arrive; the number behind it tells the
// letters apart, whatever a program puts in front of it.
const mark = "X-Bench-Id: "

// letter is one message that must arrive once, unaltered, at its recipient.
type letter struct {
	rcpt string
	head string // lines that are the provider's, not the sender's: a program may remove them
	wire []byte // all that follows: CRLF line ends, dots stuffed, with the final dot
	size int    // octets of the message as a server stores it, with CRLF line ends

	arrived atomic.Int32
}

// ledger knows what must arrive and what did.
type ledger struct {
	letters     []*letter
	altered     atomic.Int64 // other octets than those sent
	misdirected atomic.Int64 // another recipient, or more than one
	unknown     atomic.Int64 // no letter of ours

	first atomic.Pointer[string] // the first difference that was found
}

// difference remembers where the first altered letter differs.
func (l *ledger) difference(want []byte, r *bufio.Reader) {
	got, _ := r.Peek(min(r.Buffered(), 100)) // what is there already
	text := fmt.Sprintf("%q instead of %q", got, want[:min(len(want), 100)])
	l.first.CompareAndSwap(nil, &text)
}

// verdict is what became of the letters of one run.
type verdict struct {
	lost, twice                   int
	altered, misdirected, unknown int64
}

func (v verdict) ok() bool { return v == verdict{} }

func (v verdict) String() string {
	return fmt.Sprintf("%d lost, %d more than once, %d altered, %d to the wrong person, %d unknown",
		v.lost, v.twice, v.altered, v.misdirected, v.unknown)
}

func (l *ledger) verdict() verdict {
	v := verdict{altered: l.altered.Load(), misdirected: l.misdirected.Load(), unknown: l.unknown.Load()}
	for _, x := range l.letters {
		switch n := x.arrived.Load(); {
		case n == 0:
			v.lost++
		case n > 1:
			v.twice += int(n - 1)
		}
	}
	return v
}

// forget makes the ledger count anew.
func (l *ledger) forget() {
	l.altered.Store(0)
	l.first.Store(nil)
	l.misdirected.Store(0)
	l.unknown.Store(0)
	for _, x := range l.letters {
		x.arrived.Store(0)
	}
}

// newLedger writes each letters of about size octets for each of boxes
// recipients. The same arguments give the same letters; another batch has
// others.
func newLedger(batch string, boxes, each, size int) *ledger {
	l := &ledger{}
	text := filler(rand.New(rand.NewPCG(uint64(size), 7)), size+64<<10)
	for b := range boxes {
		for i := range each {
			l.letters = append(l.letters, newLetter(batch, len(l.letters), b, i, size, text))
		}
	}
	return l
}

// filler is text like that of mail: lines of 76 octets and shorter, some that
// begin with dots, some empty.
func filler(r *rand.Rand, size int) []byte {
	const set = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	out := make([]byte, 0, size+100)
	for len(out) < size {
		n := 76
		switch r.IntN(20) {
		case 0:
			n = 0
		case 1:
			out = append(out, '.')
			n = r.IntN(30)
		case 2:
			n = 1 + r.IntN(75)
		}
		for range n {
			out = append(out, set[r.IntN(len(set))])
		}
		out = append(out, '\r', '\n')
	}
	return out
}

func newLetter(batch string, id, box, i, size int, text []byte) *letter {
	l := &letter{rcpt: address(box), head: fmt.Sprintf("Return-Path: <ada.%d@sender.test>\r\n"+
		"Received: from mail.sender.test (mail.sender.test [192.0.2.7])\r\n"+
		"\tby mx.isp.test with ESMTPS id %08x; Mon, 2 Nov 2026 10:00:00 +0100\r\n", i%7, id)}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s%08d\r\n", mark, id)
	fmt.Fprintf(&b, "Date: Mon, 2 Nov 2026 09:%02d:%02d +0100\r\nFrom: Ada Lovelace <ada.%d@sender.test>\r\nTo: <%s>\r\n"+
		"Subject: Minutes of meeting %d\r\nMessage-ID: <%d.%s@sender.test>\r\nMIME-Version: 1.0\r\n"+
		"Content-Type: text/plain; charset=us-ascii\r\n\r\n", i/60%60, i%60, i%7, l.rcpt, i, id, batch)
	start := id * 523 % (32 << 10)
	start += bytes.IndexByte(text[start:], '\n') + 1
	end := start + max(size-b.Len()-len(l.head), 0)
	end += bytes.IndexByte(text[end:], '\n') + 1
	b.Write(text[start:end])
	l.size = len(l.head) + b.Len()
	l.wire = append(bytes.ReplaceAll(b.Bytes(), []byte("\r\n."), []byte("\r\n..")), ".\r\n"...)
	return l
}

// stored is the message as the provider keeps it, with LF line ends.
func (l *letter) stored() []byte {
	text := bytes.ReplaceAll(l.wire[:len(l.wire)-3], []byte("\r\n.."), []byte("\r\n."))
	return bytes.ReplaceAll(append([]byte(l.head), text...), []byte("\r\n"), []byte("\n"))
}

func user(box int) string    { return fmt.Sprintf("box%03d", box) }
func address(box int) string { return user(box) + "@" + domain }
