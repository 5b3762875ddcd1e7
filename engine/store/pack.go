package store

import (
	"encoding/binary"
	"time"
)

// packer writes the fields of a record one after the other: numbers as varints,
// texts with their length before them.
type packer []byte

func (p *packer) number(n int64) { *p = binary.AppendVarint(*p, n) }

func (p *packer) text(s string) {
	*p = binary.AppendUvarint(*p, uint64(len(s)))
	*p = append(*p, s...)
}

func (p *packer) octets(b []byte) {
	*p = binary.AppendUvarint(*p, uint64(len(b)))
	*p = append(*p, b...)
}

func (p *packer) flag(b bool) {
	if b {
		p.number(1)
	} else {
		p.number(0)
	}
}

// time is kept in milliseconds, as everywhere in the store; zero stays zero, so
// that numbers from 1970 on are one higher.
func (p *packer) time(t time.Time) {
	n := t.UnixMilli()
	switch {
	case t.IsZero():
		n = 0
	case n >= 0:
		n++
	}
	p.number(n)
}

// unpacker reads what a packer wrote. After the first fault everything reads as
// zero and err tells.
type unpacker struct {
	rest []byte
	err  error
}

func (u *unpacker) number() int64 {
	n, size := binary.Varint(u.rest)
	if size <= 0 {
		u.rest, u.err = nil, errRecord
		return 0
	}
	u.rest = u.rest[size:]
	return n
}

// octets are a part of the record, not a copy.
func (u *unpacker) octets() []byte {
	n, size := binary.Uvarint(u.rest)
	if size <= 0 || n > uint64(len(u.rest)-size) {
		u.rest, u.err = nil, errRecord
		return nil
	}
	b := u.rest[size : size+int(n)]
	u.rest = u.rest[size+int(n):]
	return b
}

func (u *unpacker) text() string { return string(u.octets()) }
func (u *unpacker) flag() bool   { return u.number() != 0 }

func (u *unpacker) time() time.Time {
	n := u.number()
	if n == 0 {
		return time.Time{}
	}
	if n > 0 {
		n--
	}
	return time.UnixMilli(n).UTC()
}

// length reads how many items follow, each of at least one octet.
func (u *unpacker) length() int {
	n := u.number()
	if n < 0 || n > int64(len(u.rest)) {
		u.rest, u.err = nil, errRecord
		return 0
	}
	return int(n)
}
