package engine_test

import (
	"fmt"
	"testing"

	"postbag/engine/mailtest"
)

// BenchmarkCollect is 2,000 messages of 5 KB, from the provider into the hands
// of the office server.
func BenchmarkCollect(b *testing.B) {
	raw := make([][]byte, 2000)
	for i := range raw {
		raw[i] = padded(letter(fmt.Sprint("m", i), anne), 5000)
	}
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b, worldOptions{smtp: mailtest.SMTPOptions{Discard: true}})
		w.loose = true
		for i := range raw {
			w.isp.AddMessage(global, "", raw[i])
		}
		b.StartTimer()
		if _, err := w.e.CollectOnce(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		w.close()
		w.store = nil
		b.StartTimer()
	}
}
