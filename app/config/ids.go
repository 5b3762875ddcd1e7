package config

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Identity ties the id of a mailbox to what it looked like when it was last
// seen. The app keeps these in the data folder.
type Identity struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Host     string `json:"host"`
	Username string `json:"username"`
}

// ResolveIDs gives every mailbox without an id of its own in the file the id
// under which its state is kept, and returns what the app must remember in
// place of known. A mailbox is recognised, in this order, by its name together
// with its account (host and user name), by its account alone (it was renamed),
// by its name alone (it moved to another provider). A new mailbox gets an id
// made from its name that was never used before. Ids of removed mailboxes stay
// remembered, so that a mailbox that comes back finds its state.
func (c *Config) ResolveIDs(known []Identity) []Identity {
	r := resolver{known: known, owner: make([]int, len(known)), taken: map[string]bool{}}
	for i := range r.owner {
		r.owner[i] = -1
		r.taken[strings.ToLower(known[i].ID)] = true
	}
	var open []int
	for i, m := range c.Mailboxes {
		if !m.IDGiven {
			open = append(open, i)
			continue
		}
		r.taken[strings.ToLower(m.ID)] = true
		r.claim(i, func(k Identity) bool { return k.ID == m.ID })
	}
	sameAccount := func(k Identity, m Mailbox) bool { return k.Host == m.Host && k.Username == m.Username }
	sameName := func(k Identity, m Mailbox) bool { return k.Name == m.Name }
	for _, same := range []func(Identity, Mailbox) bool{
		func(k Identity, m Mailbox) bool { return sameAccount(k, m) && sameName(k, m) }, sameAccount, sameName,
	} {
		open = slices.DeleteFunc(open, func(i int) bool {
			n := r.claim(i, func(k Identity) bool { return same(k, c.Mailboxes[i]) })
			if n >= 0 {
				c.Mailboxes[i].ID = known[n].ID
			}
			return n >= 0
		})
	}
	for _, i := range open {
		c.Mailboxes[i].ID = r.fresh(c.Mailboxes[i].Name)
	}
	return r.remember(c.Mailboxes)
}

// resolver is the state of one ResolveIDs.
type resolver struct {
	known []Identity
	owner []int           // per known: index of the mailbox, -1 free
	taken map[string]bool // ids, lower case
}

// claim gives the first free known identity that fits to mailbox i, -1 without one.
func (r *resolver) claim(i int, fits func(Identity) bool) int {
	for n, k := range r.known {
		if r.owner[n] < 0 && fits(k) {
			r.owner[n] = i
			return n
		}
	}
	return -1
}

func (r *resolver) fresh(name string) string {
	base := slug(name)
	id := base
	for n := 2; r.taken[id]; n++ {
		id = base + "-" + strconv.Itoa(n)
	}
	r.taken[id] = true
	return id
}

func (r *resolver) remember(mailboxes []Mailbox) []Identity {
	out := make([]Identity, 0, len(mailboxes)+len(r.known))
	for _, m := range mailboxes {
		out = append(out, Identity{ID: m.ID, Name: m.Name, Host: m.Host, Username: m.Username})
	}
	for n, k := range r.known {
		if r.owner[n] < 0 {
			out = append(out, k)
		}
	}
	return out
}

// slug makes an id of a name: "Boîte d'Anne" becomes "boite-d-anne". Letters
// that have no ASCII base make a digest, so that every name has an id.
func slug(name string) string {
	var b strings.Builder
	dash, lost := false, false
	for _, r := range norm.NFKD.String(strings.ToLower(name)) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			b.WriteRune(r)
			dash = false
		case unicode.Is(unicode.Mn, r):
		default:
			dash = true
			lost = lost || unicode.IsLetter(r) || unicode.IsNumber(r)
		}
		if b.Len() >= 60 {
			break
		}
	}
	if s := b.String(); s != "" && !lost {
		return s
	}
	sum := sha256.Sum256([]byte(name))
	return strings.Trim(b.String()+"-"+hex.EncodeToString(sum[:4]), "-")
}
