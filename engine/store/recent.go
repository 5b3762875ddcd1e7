package store

import "sync"

// recentBytes bounds the octets of messages just kept that stay in memory too:
// most are delivered within the second and need not be read back.
const recentBytes = 6 << 20

// recent holds small bodies between Keep and the delivery. It is full or it
// takes one more; nothing is ever pushed out, settled ones leave by themselves.
type recent struct {
	mu    sync.Mutex
	data  map[int64][]byte // by row; never changed once in here
	bytes int
}

func (r *recent) put(row int64, b []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(b) == 0 || r.bytes+cap(b) > recentBytes {
		return false
	}
	if r.data == nil {
		r.data = make(map[int64][]byte)
	}
	r.data[row] = b
	r.bytes += cap(b)
	return true
}

// fits tells whether there is room for so many octets.
func (r *recent) fits(n int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes+n <= recentBytes
}

func (r *recent) get(row int64) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.data[row]
}

func (r *recent) drop(row int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bytes -= cap(r.data[row])
	delete(r.data, row)
}
