package kernels

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"impasto/internal/panics"
)

// Workers run the operations of this package on a fixed number of threads. They
// keep the workspaces, which grow to what the largest operation needs. One operation
// runs at a time; calls from several goroutines wait for each other.
type Workers struct {
	isa        *isa
	running    sync.Mutex
	workspaces []workspace // one a thread, the caller's first
	helpers    []*waiter   // the other threads
	caller     *waiter
	closed     bool

	// call changes with every run: it is the count of runs times callStep, plus the
	// count of helpers that take part. The value closing ends the helpers.
	call  atomic.Uint64
	part  func(part int, s *workspace)
	parts int64
	next  atomic.Int64    // the first part that no thread has taken
	busy  atomic.Int64    // helpers that have not finished
	done  <-chan struct{} // closed when no more parts are to be taken; nil is never; see Until
	// fault is what a part panicked with first; see work.
	fault atomic.Pointer[panics.Panic]

	shared workspace // of the operation as a whole
}

const (
	callStep = 1 << 16
	closing  = callStep - 1
)

// NewWorkers starts threads−1 goroutines; the remaining thread is the one that calls
// an operation. 0 takes as many threads as Go runs at a time. It returns an error if
// the environment asks for an instruction set that the processor lacks.
func NewWorkers(threads int) (*Workers, error) {
	set, err := chooseISA()
	if err != nil {
		return nil, err
	}
	if threads < 0 {
		return nil, fmt.Errorf("cpu: %d threads; want 1 or more, or 0 for all", threads)
	}
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	return newWorkers(threads, set), nil
}

func newWorkers(threads int, set *isa) *Workers {
	w := &Workers{isa: set, workspaces: make([]workspace, threads), helpers: make([]*waiter, threads-1), caller: newWaiter()}
	for i := range w.helpers {
		w.helpers[i] = newWaiter()
		go w.help(i, w.helpers[i])
	}
	return w
}

// help takes part in the runs that want helper i.
func (w *Workers) help(i int, own *waiter) {
	last := uint64(0)
	for {
		own.wait(func() bool { return w.call.Load() != last })
		last = w.call.Load()
		if last == closing {
			return
		}
		if i >= int(last%callStep) {
			continue
		}
		w.work(&w.workspaces[i+1])
		if w.busy.Add(-1) == 0 {
			w.caller.wake()
		}
	}
}

// Threads returns the number of threads.
func (w *Workers) Threads() int { return len(w.workspaces) }

// ISA names the instruction set in use: amx, avx512, avx2, neon or go.
func (w *Workers) ISA() string { return w.isa.name }

// Arithmetic names the instruction set that decides what a method of convolution
// results in, bit by bit: amx differs from avx512 only in BFloat16.
func (w *Workers) Arithmetic(m Method) string {
	if w.isa.base != nil && m != BFloat16 {
		return w.isa.base.name
	}
	return w.isa.name
}

// CheckBFloat16 returns an error where convolutions can't use BFloat16.
func (w *Workers) CheckBFloat16() error {
	if w.isa.winograd.bfloat16 == nil {
		return fmt.Errorf("cpu: products of bfloat16 need a processor with AVX512_BF16, and %s to allow it; this one runs %s", Environment, w.isa.name)
	}
	return nil
}

// HasTiles tells whether convolutions in BFloat16 are those of AMX, which are computed
// directly.
func (w *Workers) HasTiles() bool { return w.isa.tiles != nil }

// Close ends the goroutines. Later operations run on their caller's thread alone.
func (w *Workers) Close() {
	w.running.Lock()
	defer w.running.Unlock()
	if w.closed {
		return
	}
	w.closed = true
	w.call.Store(closing)
	for _, h := range w.helpers {
		h.wake()
	}
	w.helpers = nil
}

// Run calls part once with every number from 0 to parts−1, on all threads and
// in any order, and returns when all are done. For results that don't depend
// on the number of threads, parts must not depend on it, and no two may write the
// same value. A part may not start another operation on the same Workers.
func (w *Workers) Run(parts int, part func(part int)) {
	w.run(parts, func(p int, _ *workspace) { part(p) })
}

// run is Run for parts that need the workspace of their thread.
func (w *Workers) run(parts int, part func(part int, s *workspace)) {
	w.running.Lock()
	defer w.running.Unlock()
	w.runLocked(parts, part)
}

// exclusive runs an operation of several steps, which share a workspace, while all
// others wait. The operation calls runLocked for each of its steps.
func (w *Workers) exclusive(operation func(shared *workspace)) {
	w.running.Lock()
	defer w.running.Unlock()
	operation(&w.shared)
}

// errGivenUp is what runLocked panics with where Until's context has ended.
var errGivenUp = errors.New("kernels: the operation was given up")

// Until calls f, which runs operations, and gives it up once ctx has ended: no thread
// takes another part of the operation that runs then, f doesn't get control back, and the
// result is ctx's error. What the operation was to write is undefined. Operations may
// only be called on the goroutine of f, and Until not within another.
func (w *Workers) Until(ctx context.Context, f func() error) (err error) {
	w.endWith(ctx.Done())
	defer func() {
		w.endWith(nil)
		if cause := recover(); cause == errGivenUp {
			err = ctx.Err()
		} else if cause != nil {
			panic(cause)
		}
	}()
	return f()
}

// endWith sets what ends operations from now on.
func (w *Workers) endWith(done <-chan struct{}) {
	w.running.Lock()
	defer w.running.Unlock()
	w.done = done
}

// ended tells whether no more parts are to be taken.
func (w *Workers) ended() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// runLocked is run for a caller that holds the lock. Where a part panics, on whatever
// thread, so does runLocked on the caller's, once no thread works on the operation any more.
func (w *Workers) runLocked(parts int, part func(part int, s *workspace)) {
	if parts <= 0 {
		return
	}
	w.part, w.parts = part, int64(parts)
	w.next.Store(0)
	helpers := min(len(w.helpers), parts-1)
	if helpers > 0 {
		w.busy.Store(int64(helpers))
		w.call.Store((w.call.Load()/callStep+1)*callStep + uint64(helpers))
		for _, h := range w.helpers[:helpers] {
			h.wake()
		}
	}
	w.work(&w.workspaces[0])
	w.caller.wait(func() bool { return w.busy.Load() == 0 })
	w.part = nil
	if f := w.fault.Swap(nil); f != nil {
		panic(f)
	}
	if w.ended() {
		panic(errGivenUp)
	}
}

// work takes parts until none is left, or none is wanted. A panic ends it; nobody takes
// another part then.
func (w *Workers) work(s *workspace) {
	defer func() {
		if cause := recover(); cause != nil {
			w.fault.CompareAndSwap(nil, panics.New(cause))
			w.next.Store(w.parts)
		}
	}()
	for !w.ended() {
		p := w.next.Add(1) - 1
		if p >= w.parts {
			return
		}
		w.part(int(p), s)
	}
}

// waiter lets a thread wait for others. It polls for a while before it sleeps,
// because to wake a sleeping thread takes some 100 µs on a virtual machine, longer
// than most of the waits here. Where waits turn out to be long, as they do where others
// have the machine's cores, it polls for less.
type waiter struct {
	most     time.Duration // how long to poll at most
	patience time.Duration // how long to poll the next time; of the thread that waits
	asleep   atomic.Bool
	woken    chan struct{}
}

// wakingTime is about what it takes to wake a thread, and so how long one polls.
const wakingTime = 200 * time.Microsecond

func newWaiter() *waiter {
	w := &waiter{woken: make(chan struct{}, 1)}
	// Where Go runs one thread at a time, polling would keep the others from working.
	if runtime.GOMAXPROCS(0) > 1 {
		w.most, w.patience = wakingTime, wakingTime
	}
	return w
}

// wait returns when ready is true. Whoever makes it true calls wake afterwards. That
// call may come late, when this waiter already waits for something else, so it looks
// again after each.
func (w *waiter) wait(ready func() bool) {
	start := time.Now()
	for time.Since(start) < w.patience {
		for range 64 {
			if ready() {
				w.patience = w.most
				return
			}
		}
	}
	for !ready() {
		w.asleep.Store(true)
		if ready() && w.asleep.CompareAndSwap(true, false) {
			break
		}
		<-w.woken
	}
	if time.Since(start) < 2*w.most {
		w.patience = w.most // for which polling would have been quicker
	} else {
		w.patience /= 2
	}
}

// wake wakes the waiter if it sleeps.
func (w *waiter) wake() {
	if w.asleep.CompareAndSwap(true, false) {
		w.woken <- struct{}{}
	}
}
