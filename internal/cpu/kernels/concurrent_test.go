package kernels

import (
	"sync/atomic"
	"testing"
	"time"
)

func TestWorkersRunEveryPartOnce(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 8} {
		w := newWorkers(threads, &isaGo)
		for _, parts := range []int{0, 1, 2, 7, 100} {
			counts := make([]int, parts)
			w.Run(parts, func(part int) { counts[part]++ })
			for i, n := range counts {
				if n != 1 {
					t.Errorf("%d threads, %d parts: part %d ran %d times", threads, parts, i, n)
				}
			}
		}
		w.Close()
		w.Close()
		ran := 0
		w.Run(3, func(int) { ran++ })
		if ran != 3 {
			t.Errorf("closed workers ran %d of 3 parts", ran)
		}
	}
}

func TestWorkersRunEveryPartOnceHoweverLongTheyWait(t *testing.T) {
	w := newWorkers(4, &isaGo)
	defer w.Close()
	pauses := []time.Duration{0, 0, 0, wakingTime / 2, wakingTime, 3 * wakingTime}
	counts := make([]int, 9)
	for run := range 3000 {
		parts := run%len(counts) + 1
		w.Run(parts, func(part int) {
			if run%17 == 0 {
				time.Sleep(pauses[(run+part)%len(pauses)])
			}
			counts[part]++
		})
		if run%13 == 0 {
			time.Sleep(pauses[run%len(pauses)])
		}
		for part, n := range counts[:parts] {
			if n != 1 {
				t.Fatalf("run %d of %d parts: part %d ran %d times", run, parts, part, n)
			}
		}
		clear(counts)
	}
}

// A thread that has ended its part of a run may wake the caller late, when that waits
// for the end of the next run.
func TestAWaiterThatIsWokenTooEarlyGoesOnWaiting(t *testing.T) {
	w := newWaiter()
	w.patience = 0
	var ready atomic.Bool
	returned := make(chan struct{})
	go func() {
		w.wait(ready.Load)
		close(returned)
	}()
	for range 3 {
		for !w.asleep.Load() {
			select {
			case <-returned:
				t.Fatal("the wait is over before it should be")
			default:
				time.Sleep(time.Millisecond)
			}
		}
		w.wake()
	}
	ready.Store(true)
	w.wake()
	<-returned
}
