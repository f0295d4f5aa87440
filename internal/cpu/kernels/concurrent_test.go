package kernels

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"impasto/internal/panics"
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

func TestWorkersTakeNoMorePartsOnceTheContextHasEnded(t *testing.T) {
	for _, threads := range []int{1, 2, 8} {
		w := newWorkers(threads, &isaGo)
		defer w.Close()
		for _, last := range []int64{1, 50, 1000} {
			ctx, cancel := context.WithCancel(t.Context())
			var taken atomic.Int64
			wentOn := false
			err := w.Until(ctx, func() error {
				w.exclusive(func(*workspace) {
					w.runLocked(100000, func(int, *workspace) {
						if taken.Add(1) == last {
							cancel()
						}
					})
					wentOn = true
				})
				return nil
			})
			if err != context.Canceled || wentOn {
				t.Errorf("%d threads: the error is %v, and the operation went on is %v; want %v and false", threads, err, wentOn, context.Canceled)
			}
			// Each of the other threads may have taken some while this one closed the channel.
			if n := taken.Load(); n < last || threads == 1 && n > last || n == 100000 {
				t.Errorf("%d threads: %d parts were taken, want hardly more than the %d until the end of the context", threads, n, last)
			}
			ran := 0
			w.Run(1, func(int) { ran++ })
			if ran != 1 {
				t.Errorf("%d threads: what comes after Until isn't run", threads)
			}
		}
	}
}

func TestUntilHandsOnWhatIsNotItsOwn(t *testing.T) {
	w := newWorkers(2, &isaGo)
	defer w.Close()
	failed := errors.New("failed")
	if err := w.Until(t.Context(), func() error { return failed }); err != failed {
		t.Errorf("the error is %v, want the function's", err)
	}
	defer func() {
		if cause := recover(); fmt.Sprint(cause) != "a mistake" {
			t.Errorf("recovered %v, want the function's panic", cause)
		}
	}()
	_ = w.Until(t.Context(), func() error { panic("a mistake") })
}

// A thread that has ended its part of a run may wake the caller late, when that waits
// for the end of the next run.
func TestAWaiterThatIsWokenTooEarlyGoesOnWaiting(t *testing.T) {
	w := newWaiter()
	w.most, w.patience = 0, 0
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

// A panic in a part, on whichever thread it comes, is one of the operation's caller, and
// operations can go on.
func TestPanicsOfPartsReachTheCaller(t *testing.T) {
	for _, threads := range []int{1, 4} {
		w := newWorkers(threads, &isaGo)
		for bad := range 40 {
			func() {
				defer func() {
					if f, ok := recover().(*panics.Panic); !ok || f.Cause != "a mistake" || !bytes.Contains(f.Stack(), []byte("TestPanicsOfPartsReachTheCaller")) {
						t.Errorf("%d threads: recovered %v, want the part's panic and where it was", threads, f)
					}
				}()
				w.Run(40, func(part int) {
					if part == bad {
						panic("a mistake")
					}
					time.Sleep(time.Microsecond)
				})
			}()
			var sum atomic.Int64
			w.Run(40, func(part int) { sum.Add(int64(part)) })
			if got := sum.Load(); got != 40*39/2 {
				t.Fatalf("%d threads: the sum is %d after a panic", threads, got)
			}
		}
		w.Close()
	}
}
