package kernels

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// Workers run the operations of this package on a fixed number of threads and
// keep their scratch memory, which grows to what the largest operation needs
// and stays. One operation runs at a time; calls from several goroutines wait
// for each other.
type Workers struct {
	path    *path
	running sync.Mutex
	scratch []scratch  // one a thread, the caller's first
	helpers []*sleeper // the other threads
	caller  *sleeper
	closed  bool

	// call changes with every run: it is the count of runs times callStep, plus
	// how many helpers take part; closing ends them.
	call  atomic.Uint64
	part  func(part int, s *scratch)
	parts int64
	next  atomic.Int64 // the first part that nobody has taken
	busy  atomic.Int64 // helpers that have not finished

	shared scratch // of the operation as a whole
}

const (
	callStep = 1 << 16
	closing  = callStep - 1
)

// NewWorkers starts threads−1 goroutines, the caller of an operation being the
// remaining thread; 0 takes as many threads as Go runs at a time. It fails
// where the environment asks for a path that the processor lacks.
func NewWorkers(threads int) (*Workers, error) {
	p, err := choosePath()
	if err != nil {
		return nil, err
	}
	if threads < 0 {
		return nil, fmt.Errorf("cpu: %d threads; want 1 or more, or 0 for all", threads)
	}
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	return newWorkers(threads, p), nil
}

func newWorkers(threads int, p *path) *Workers {
	w := &Workers{path: p, scratch: make([]scratch, threads), helpers: make([]*sleeper, threads-1), caller: newSleeper()}
	for i := range w.helpers {
		w.helpers[i] = newSleeper()
		go w.help(i, w.helpers[i])
	}
	return w
}

// help takes part in the runs that want helper i.
func (w *Workers) help(i int, s *sleeper) {
	last := uint64(0)
	for {
		s.wait(func() bool { return w.call.Load() != last })
		last = w.call.Load()
		if last == closing {
			return
		}
		if i >= int(last%callStep) {
			continue
		}
		w.work(&w.scratch[i+1])
		if w.busy.Add(-1) == 0 {
			w.caller.rouse()
		}
	}
}

// Threads returns the number of threads.
func (w *Workers) Threads() int { return len(w.scratch) }

// Path names the set of inner loops in use: avx512, avx2 or go.
func (w *Workers) Path() string { return w.path.name }

// CheckBFloat16 returns an error where convolutions can't use BFloat16.
func (w *Workers) CheckBFloat16() error {
	if w.path.winograd.bfloat16 == nil {
		return fmt.Errorf("cpu: products of bfloat16 need a processor with AVX512_BF16, and %s to allow it; this one runs %s", Environment, w.path.name)
	}
	return nil
}

// Close ends the goroutines. Operations that come later run on their caller's.
func (w *Workers) Close() {
	w.running.Lock()
	defer w.running.Unlock()
	if w.closed {
		return
	}
	w.closed = true
	w.call.Store(closing)
	for _, s := range w.helpers {
		s.rouse()
	}
	w.helpers = nil
}

// Run calls part once with every number from 0 to parts−1, on all threads and
// in any order, and returns when all are done. For results that don't depend
// on the number of threads, parts must not, and no two may write the same
// value. A part may not start another operation on the same Workers.
func (w *Workers) Run(parts int, part func(part int)) {
	w.run(parts, func(p int, _ *scratch) { part(p) })
}

// run is Run for parts that need scratch memory of their thread.
func (w *Workers) run(parts int, part func(part int, s *scratch)) {
	w.running.Lock()
	defer w.running.Unlock()
	w.runLocked(parts, part)
}

// exclusive runs an operation of several steps, which share memory, while
// every other waits. It calls runLocked for each of its steps.
func (w *Workers) exclusive(operation func(shared *scratch)) {
	w.running.Lock()
	defer w.running.Unlock()
	operation(&w.shared)
}

func (w *Workers) runLocked(parts int, part func(part int, s *scratch)) {
	if parts <= 0 {
		return
	}
	w.part, w.parts = part, int64(parts)
	w.next.Store(0)
	helpers := min(len(w.helpers), parts-1)
	if helpers > 0 {
		w.busy.Store(int64(helpers))
		w.call.Store((w.call.Load()/callStep+1)*callStep + uint64(helpers))
		for _, s := range w.helpers[:helpers] {
			s.rouse()
		}
	}
	w.work(&w.scratch[0])
	w.caller.wait(func() bool { return w.busy.Load() == 0 })
	w.part = nil
}

// work takes parts until none is left.
func (w *Workers) work(s *scratch) {
	for {
		p := w.next.Add(1) - 1
		if p >= w.parts {
			return
		}
		w.part(int(p), s)
	}
}

// scratch is memory that outlives an operation, in numbered slots. What a slot
// holds is undefined.
type scratch struct {
	singles [5][]float32
	doubles [4][]float64
}

// float32s returns n values of a slot.
func (s *scratch) float32s(slot, n int) []float32 {
	if cap(s.singles[slot]) < n {
		s.singles[slot] = make([]float32, n)
	}
	return s.singles[slot][:n]
}

// float64s returns n values of a slot.
func (s *scratch) float64s(slot, n int) []float64 {
	if cap(s.doubles[slot]) < n {
		s.doubles[slot] = make([]float64, n)
	}
	return s.doubles[slot][:n]
}
