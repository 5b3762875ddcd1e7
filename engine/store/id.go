package store

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
	"sync"
	"time"
)

// crockford is the alphabet of Douglas Crockford's base 32: no i, l, o, u.
const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

const idLength = 13 // 35 bits of seconds, 30 bits that begin at random

// ids makes the public ids of messages: opaque, short enough to type, sorted
// by time. Within one second the lower part grows by random steps, so that ids
// of one process never collide; the database's index guards the rest.
type ids struct {
	mu     sync.Mutex
	second int64
	low    uint32
	random [64]byte
	left   int
}

func (g *ids) next(now time.Time) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	const mask = 1<<30 - 1
	step := g.draw()
	switch second := now.Unix(); {
	case second > g.second:
		g.second, g.low = second, step&(mask>>1)
	case g.low+1+step%1024 > mask: // a second's room is used up
		g.second, g.low = g.second+1, step&(mask>>1)
	default: // also when the clock went back
		g.low += 1 + step%1024
	}
	v := uint64(g.second)<<30 | uint64(g.low)
	var out [idLength]byte
	for i := idLength - 1; i >= 0; i-- {
		out[i] = crockford[v&31]
		v >>= 5
	}
	return string(out[:])
}

func (g *ids) draw() uint32 {
	if g.left == 0 {
		_, _ = rand.Read(g.random[:]) // never fails (crypto/rand)
		g.left = len(g.random)
	}
	g.left -= 4
	return binary.LittleEndian.Uint32(g.random[g.left:])
}

// cleanID reads an id as a person may have typed it.
func cleanID(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	return strings.NewReplacer("o", "0", "i", "1", "l", "1").Replace(s)
}

// randomName is a name for a file or an installation: 26 characters.
func randomName() string { return strings.ToLower(rand.Text()) }
