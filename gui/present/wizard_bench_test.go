package present

import "testing"

// What every key in a field of the wizard costs.
func BenchmarkWizardFaults(b *testing.B) {
	w := answered()
	w.TryAll()
	for b.Loop() {
		w.AllFaults()
	}
}
