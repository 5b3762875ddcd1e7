package gui

import "time"

// paceRest is the least time between two readings of the same facts: a busy
// engine has news ten times a second, an eye does not.
const paceRest = 500 * time.Millisecond

// paceShare is how much longer it rests than it reads: a queue of 50,000 messages
// that empties is not read all the time.
const paceShare = 4

// pace reads facts again and again while there is news, but never twice at a
// time and not faster than an eye follows. What is shown last is never stale:
// news that come meanwhile lead to one more reading.
type pace struct {
	read    func(done func()) // begins to read; done is called when the facts are shown
	reading bool
	resting bool
	again   bool
	urgent  bool // the person waits for it
}

// news reads soon.
func (p *pace) news() {
	if p.reading || p.resting {
		p.again = true
		return
	}
	p.begin()
}

// now reads at once, because the person did something; a reading that is under
// way is followed by another.
func (p *pace) now() {
	if p.reading {
		p.urgent = true
		return
	}
	p.begin()
}

func (p *pace) begin() {
	p.reading, p.again, p.urgent = true, false, false
	began := time.Now()
	p.read(func() {
		p.reading = false
		if p.urgent {
			p.begin()
			return
		}
		if p.resting {
			return
		}
		p.resting = true
		time.AfterFunc(max(paceRest, paceShare*time.Since(began)), func() { post(p.rested) })
	})
}

func (p *pace) rested() {
	p.resting = false
	if p.again && !p.reading {
		p.begin()
	}
}
