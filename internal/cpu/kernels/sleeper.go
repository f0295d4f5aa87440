package kernels

import (
	"runtime"
	"sync/atomic"
	"time"
)

// sleeper is a thread's way to wait for others. It looks for a while before it
// sleeps: waking it takes some 100 µs on a virtual machine, longer than most of
// what threads wait for here.
type sleeper struct {
	patience time.Duration
	asleep   atomic.Bool
	wake     chan struct{}
}

// wakingTime is what waking a sleeper takes, and so how long one looks first.
const wakingTime = 200 * time.Microsecond

func newSleeper() *sleeper {
	s := &sleeper{wake: make(chan struct{}, 1)}
	// Where Go runs one thread at a time, looking keeps the others from working.
	if runtime.GOMAXPROCS(0) > 1 {
		s.patience = wakingTime
	}
	return s
}

// wait returns when ready is true. Whoever makes it so calls rouse afterwards.
func (s *sleeper) wait(ready func() bool) {
	for start := time.Now(); time.Since(start) < s.patience; {
		for range 64 {
			if ready() {
				return
			}
		}
	}
	s.asleep.Store(true)
	if ready() && s.asleep.CompareAndSwap(true, false) {
		return
	}
	<-s.wake
}

// rouse wakes the sleeper if it sleeps.
func (s *sleeper) rouse() {
	if s.asleep.CompareAndSwap(true, false) {
		s.wake <- struct{}{}
	}
}
