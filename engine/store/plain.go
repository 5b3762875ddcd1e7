package store

import (
	"slices"
	"time"

	"postbag/engine/mail"
)

// plain tells whether a message that was collected goes the plain way.
func (k *keepOp) plain(t *tx, f found) bool {
	if k.Decision == nil || k.quarantined() || k.Due.After(t.now) {
		return false
	}
	fresh := f.State == mail.Waiting && !f.twice && !f.indexed
	return fresh && t.takes(k.Draft) && oneJob(k.Decision.Recipients) && t.like(k.key) == nil
}

// takes tells whether the intake has room for a message.
func (t *tx) takes(d *Draft) bool {
	s := t.s
	if s.noPlain || s.ledger.broken || t.epoch != 0 || t.now.Before(s.plainAgain) || len(t.base)+len(t.changed) >= maxPending {
		return false
	}
	return d.name == "" && len(d.buf) <= maxPlainBody && s.recent.fits(t.fresh+cap(d.buf))
}

// oneJob tells whether recipients are reached in one transaction.
func oneJob(to []mail.Recipient) bool {
	return len(to) <= maxRecipients && !slices.ContainsFunc(to, func(r mail.Recipient) bool {
		return r.Target != to[0].Target || r.Unknown != to[0].Unknown || r.Outside != to[0].Outside
	})
}

// like returns the pending with a fingerprint.
func (t *tx) like(key []byte) *pending {
	if key == nil {
		return nil
	}
	if row, ok := t.alike[string(key)]; ok {
		if p := t.pending(row); p != nil {
			return p
		}
	}
	for _, p := range t.changed {
		if p != nil && string(p.key) == string(key) {
			return p
		}
	}
	return nil
}

// busyLike tells whether the folder has the message with a fingerprint in hand.
func (t *tx) busyLike(key []byte) bool {
	row, ok := t.alike[string(key)]
	return ok && key != nil && t.busy(row)
}

// keepPlain records a message that goes the plain way.
func (k *keepOp) keepPlain(t *tx, f found) (KeepResult, error) {
	p := &pending{mailbox: f.mailbox, key: k.key, summary: k.Summary, source: k.Source, decision: k.Decision, body: k.Draft.buf, collected: t.now}
	if p.body == nil {
		p.body = []byte{} // a message of no octets has a body all the same
	}
	t.take(p, f.Known, k.Size)
	t.unclear = true
	p.pack(&t.records)
	k.stored, k.pending = true, true
	t.fresh += cap(k.Draft.buf)
	out := KeepResult{Row: f.Row, ID: f.ID, State: mail.Queued, Targets: []string{k.Decision.Recipients[0].Target}}
	if k.Claim != nil {
		out.Job = t.claimKept(f.Row, k.Claim)
	}
	return out, nil
}

// claimKept books the attempt at a message that this transaction keeps: both are
// durable at once.
func (t *tx) claimKept(row int64, next func(attempts int) time.Time) mail.Job {
	p, at := t.pending(row), t.later(next(1))
	r := &t.records
	r.number(stepClaimed)
	r.number(1)
	r.number(row)
	r.time(at)
	t.put(row, p.claim(at))
	j := p.job()
	var copies []int64
	for _, c := range j.Copies {
		copies = append(copies, c.ID)
	}
	t.after = append(t.after, func() { t.s.takeOff(copies) })
	return j
}

// claimPlain books the attempt at messages on their plain way, at most max of
// those for a target, in the order in which they were kept.
func (t *tx) claimPlain(target string, max int, next func(attempts int) time.Time) []mail.Job {
	var jobs []mail.Job
	var claimed []int64
	var r packer
	for _, row := range t.s.unclaimed {
		if len(jobs) >= max {
			break
		}
		p := t.pending(row)
		if p == nil || p.attempts > 0 || p.recipients()[0].Target != target {
			continue
		}
		at := t.later(next(1))
		r.number(row)
		r.time(at)
		t.put(row, p.claim(at))
		j := p.job()
		for _, c := range j.Copies {
			claimed = append(claimed, c.ID)
		}
		jobs = append(jobs, j)
	}
	if len(jobs) == 0 {
		return nil
	}
	t.records.number(stepClaimed)
	t.records.number(int64(len(jobs)))
	t.records = append(t.records, r...)
	t.after = append(t.after, func() { t.s.takeOff(claimed) })
	return jobs
}

// job is the one transaction that hands a message over.
func (p *pending) job() mail.Job {
	first := p.recipients()[0]
	j := mail.Job{
		Message: p.known.Row, ID: p.known.ID, Mailbox: p.mailbox, Source: p.source, Target: first.Target,
		Sender: p.decision.Sender, Unknown: first.Unknown, Outside: first.Outside, Size: p.known.Size,
		Received: p.collected, Queued: p.collected,
	}
	if j.Unknown {
		j.Reason = p.decision.Reason
	}
	for n, r := range p.recipients() {
		j.Copies = append(j.Copies, mail.Copy{ID: copyID(p.known.Row, n), Address: r.Address, Attempts: 1})
	}
	return j
}

// settlePlain records that everybody has got a message on its plain way; false
// when it is not on it, or something else came of the attempt. Then it stands in
// the tables.
func (t *tx) settlePlain(row int64, list []Settlement) (bool, error) {
	p := t.pending(row)
	if p == nil {
		return false, nil
	}
	landed, ok := p.landings(list)
	if !ok {
		return false, t.fold(p)
	}
	t.land(p, landed, t.now)
	r := &t.records
	r.number(stepSettled)
	r.number(row)
	r.time(t.now)
	r.number(int64(len(landed)))
	var copies []int64
	for n, l := range landed {
		r.text(l.reply)
		r.flag(l.doubtful)
		copies = append(copies, copyID(row, n))
	}
	t.after = append(t.after, func() {
		t.s.land(copies)
		t.s.recent.drop(row)
	})
	return true, nil
}

// landings puts outcomes into the order of the recipients; false unless all
// recipients have got it now.
func (p *pending) landings(list []Settlement) ([]landing, bool) {
	if settled(p) || len(list) != len(p.recipients()) {
		return nil, false
	}
	out := make([]landing, len(list))
	seen := make([]bool, len(list))
	for _, st := range list {
		n := st.Copy.ID - copyID(p.known.Row, 0)
		if st.State != mail.Delivered || len(st.Reroute) > 0 || n < 0 || n >= int64(len(out)) || seen[n] {
			return nil, false
		}
		out[n], seen[n] = landing{st.Reply, st.PossibleDuplicate}, true
	}
	return out, true
}

// setAtSourcePlain is setAtSource for those of the rows that are pending; it
// returns the others.
func (t *tx) setAtSourcePlain(rows []int64, at mail.AtSource) (rest []int64) {
	var hit []int64
	for _, row := range rows {
		if p := t.pending(row); p != nil {
			hit = append(hit, row)
			t.put(row, p.atSource(at, t.now))
		} else {
			rest = append(rest, row)
		}
	}
	if len(hit) == 0 {
		return rest
	}
	r := &t.records
	r.number(stepSource)
	r.text(string(at))
	r.time(t.now)
	r.number(int64(len(hit)))
	for _, row := range hit {
		r.number(row)
	}
	return rest
}
