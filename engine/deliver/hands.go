package deliver

import (
	"slices"

	"postbag/engine/mail"
)

// assign gives what is ready to the connections, as long as they have fewer jobs
// than each: with 1 to those that have nothing to do, with handsFull also what
// comes next. What another connection is being opened for is left for it.
func (r *run) assign(each int) {
	for n := 1; n <= each; n++ {
		for _, w := range r.hands {
			spare := len(r.ready)
			if n > 1 {
				spare -= r.dialing
			}
			if spare > 0 && w.has < n && w.drain == r.drain {
				w.jobs <- r.ready[0] // has room
				w.has++
				r.ready = r.ready[1:]
				r.open++
			}
		}
	}
	if each > 1 {
		r.share()
	}
}

// share gives what waits behind the job of one connection to one that has nothing
// to do: that job may be a large one.
func (r *run) share() {
	idle := func(w *worker) bool { return w.has == 0 && w.drain == r.drain }
	for i := 0; len(r.ready) == 0 && i < len(r.hands); i++ {
		if w := r.hands[i]; w.has == handsFull && slices.ContainsFunc(r.hands, idle) {
			r.takeBack(w)
			r.assign(1)
		}
	}
}

// takeBack takes what a worker was given and has not begun.
func (r *run) takeBack(w *worker) {
	var back []mail.Job
	for {
		select {
		case job := <-w.jobs:
			back = append(back, job)
			w.has--
			r.open--
			continue
		default:
		}
		break
	}
	r.ready = append(back, r.ready...)
}

func isBusy(w *worker) bool { return w.has > 0 }
