package gui

import (
	"testing"
	"testing/synctest"
	"time"
)

// News never lead to more than a fifth of the time for reading, however long
// one takes.
func TestPaceRestsLongerAfterLongReadings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newOneThread(t)
		const each = 400 * time.Millisecond
		readings := 0
		var p pace
		p.read = func(done func()) {
			readings++
			time.AfterFunc(each, func() { post(done) })
		}
		const long = 10 * time.Second
		for range 100 { // news all the time
			a.do(p.news)
			<-time.After(long / 100)
		}
		if most := int(long / (5 * each)); readings < 2 || readings > most+1 {
			t.Errorf("%d readings of %s in %s", readings, each, long)
		}
		<-time.After(10 * each) // until it has come to rest
	})
}
