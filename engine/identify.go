package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"postbag/engine/mail"
	"postbag/engine/source"
	"postbag/engine/store"
)

// identify finds out which message has been fetched. row is that of a message
// that is known already, 0 for a new one; ident is the key of a new one.
//
// Usually the UIDL says it. When the provider has none, or gave one to several
// messages, the content does (rule 3); when messages have vanished, one that
// seems to be new may be known under another UIDL (rule 4). The same text for
// other people is another message: their envelopes differ, and nobody is to
// lose his copy because somebody else got one.
func (f *fetcher) identify(ctx context.Context, it source.Planned, fp string, d *mail.Decision) (row int64, ident string, err error) {
	if !it.ByFingerprint && !f.look {
		return 0, it.UID, nil
	}
	f.naming.Lock()
	defer f.naming.Unlock()
	rows, err := f.e.deps.Store.ByFingerprint(ctx, f.mb.ID, fp)
	if err != nil {
		return 0, "", err
	}
	for _, k := range rows {
		// What got its name in this session is another one of this listing.
		if f.claimed[k.Row] || f.named[k.Ident] || !f.candidate(it, k, rows) {
			continue
		}
		same, err := f.sameCopy(ctx, it, k, d)
		if err != nil {
			return 0, "", err
		}
		if same {
			f.claimed[k.Row] = true
			return k.Row, "", f.found(ctx, it, k)
		}
	}
	if !it.ByFingerprint {
		return 0, it.UID, nil
	}
	return 0, f.newIdent(fp, d, rows), nil
}

// candidate tells whether a message of the same content may be this one; rows
// are all of that content.
func (f *fetcher) candidate(it source.Planned, k store.Known, rows []store.Known) bool {
	there := k.AtSource == mail.SourcePresent || k.AtSource == mail.SourceKept
	switch {
	case k.UID == "":
		return there
	case it.UID == "":
		return there // the provider has lost its UIDLs
	case k.UID == it.UID:
		return it.ByFingerprint // it may have come back, too
	}
	return (f.gone[k.Row] || k.AtSource == mail.SourceGone) && !f.deletedHere(k, rows)
}

// deletedHere tells that a message vanished because it was to be deleted: the
// answer to QUIT did not come, and the provider did it all the same. What has
// its content is another one then, with a fate of its own (rule 49), and nobody
// gets it twice, since rule 35 knows the delivery. What was delivered longer ago
// than that lay there in spite of every DELE: it may have a new UIDL (rule 4).
func (f *fetcher) deletedHere(k store.Known, rows []store.Known) bool {
	now := f.e.deps.Now()
	if !f.mb.Policy.After.May(convertOne(k), now) {
		return false
	}
	since := now.Add(routingTakes - f.e.deps.Store.DuplicateWindow())
	if k.State == mail.Duplicate {
		return slices.ContainsFunc(rows, func(o store.Known) bool { return o.FirstDelivered.After(since) })
	}
	return k.FirstDelivered.IsZero() || k.FirstDelivered.After(since)
}

// routingTakes is more than lies between the question which message it is and
// the one who has it already.
const routingTakes = time.Hour

// sameCopy tells whether a known message was for all the people whom this one
// is for, and that the two were not listed side by side.
func (f *fetcher) sameCopy(ctx context.Context, it source.Planned, k store.Known, d *mail.Decision) (bool, error) {
	if it.Known.Row != 0 {
		now, err := f.e.deps.Store.Entry(ctx, it.Known.Row)
		if err != nil {
			return false, err
		}
		before, err := f.e.deps.Store.Entry(ctx, k.Row)
		if err != nil || !before.Received.Before(now.Seen) {
			return false, err // it was fetched when this one was there already, if only in the same millisecond
		}
	}
	if k.Ident != k.UID {
		return strings.HasPrefix(k.Ident, identPrefix(k.Fingerprint, d)), nil
	}
	en, err := f.e.deps.Store.Entry(ctx, k.Row)
	if err != nil {
		return false, err
	}
	if len(en.Recipients) == 0 {
		return true, nil // the journal has forgotten them
	}
	for _, r := range d.Recipients {
		if !slices.ContainsFunc(en.Recipients, func(had mail.EntryRecipient) bool {
			return had.Person == r.Person || had.For != "" && strings.EqualFold(had.For, r.For)
		}) {
			return false, nil
		}
	}
	return true, nil
}

// found books that a known message is listed now.
func (f *fetcher) found(ctx context.Context, it source.Planned, k store.Known) error {
	st := f.e.deps.Store
	switch {
	case !it.ByFingerprint:
		return st.Rekey(ctx, k.Row, it.UID, it.Known.Row) // rule 4
	case k.AtSource != mail.SourcePresent && k.AtSource != mail.SourceKept:
		return st.SetAtSource(ctx, []int64{k.Row}, mail.SourcePresent)
	}
	return nil
}

// newIdent is a key that no message of this content has yet.
func (f *fetcher) newIdent(fp string, d *mail.Decision, rows []store.Known) string {
	prefix := identPrefix(fp, d)
	for n := 1; ; n++ {
		ident := fmt.Sprintf("%s%d", prefix, n)
		if !f.named[ident] && !slices.ContainsFunc(rows, func(k store.Known) bool { return k.Ident == ident }) {
			f.named[ident] = true
			return ident
		}
	}
}

// identPrefix names a message by its content and by whom it is for.
func identPrefix(fp string, d *mail.Decision) string {
	persons := make([]string, len(d.Recipients))
	for i, r := range d.Recipients {
		persons[i] = r.Person
	}
	slices.Sort(persons)
	sum := sha256.Sum256([]byte(strings.Join(persons, "\n")))
	return "fp:" + fp + "." + hex.EncodeToString(sum[:6]) + "#"
}
