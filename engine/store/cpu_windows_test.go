package store

import "time"

// cpuTime is not told there.
func cpuTime() time.Duration { return 0 }

func setUmask(int) func() { return func() {} }
