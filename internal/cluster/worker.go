package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Kind does jobs of one kind.
type Kind interface {
	// Run does a job, and returns what became of it. Where ctx ends it keeps a checkpoint, if
	// it can, and returns. It is called on several goroutines, each with a seat of its own.
	Run(ctx context.Context, task *Task) (Outcome, error)
}

// Outcome is what became of a job that was done.
type Outcome struct {
	Files  map[string]string // paths of files by what they are, such as "picture"
	Result any               // that JSON carries; what else there is to tell
}

// PermanentError is the error of a job that would fail wherever it is tried.
type PermanentError struct{ Err error }

func (e *PermanentError) Error() string { return e.Err.Error() }

// Unwrap returns the error.
func (e *PermanentError) Unwrap() error { return e.Err }

// WorkerOptions say which jobs a worker takes.
type WorkerOptions struct {
	Name    string // of the worker, for people; no two have the same
	Program string // the version of the program
	Kinds   map[string]Kind
	Devices []string // that it takes jobs for: some of "any", "cpu" and "cuda"
	Seats   int      // jobs at a time, 1 or more
	Memory  int64    // bytes that all jobs may take together
	// Folder is where files are kept while they are needed, and those that others may need
	// up to CacheBytes. No other worker may have it.
	Folder     string
	CacheBytes int64
	// CheckpointEvery is the time between two checkpoints of a job, at least.
	CheckpointEvery time.Duration
	// Log is told in a line what happens; nil for none.
	Log func(line string)
}

// Worker does jobs.
type Worker struct {
	cluster *Cluster
	options WorkerOptions
	cache   *cache
	classes []class // from the one that takes the most memory on

	mutex   sync.Mutex
	seats   []bool // those that are taken
	memory  int64  // that is left
	tasks   map[string]bool
	refuses string
	freed   chan struct{} // has one in it where a job has ended
	begun   time.Time

	silent map[class]time.Time // since when consumers don't answer; Run's alone
}

// idleWait is how long one request for jobs waits.
const idleWait = 30 * time.Second

// NewWorker checks the options and makes the folder. Close the worker in the end.
func NewWorker(c *Cluster, o WorkerOptions) (*Worker, error) {
	if o.Log == nil {
		o.Log = func(string) {}
	}
	w := &Worker{
		cluster: c, options: o, seats: make([]bool, max(1, o.Seats)), memory: o.Memory, tasks: map[string]bool{},
		freed: make(chan struct{}, 1), begun: time.Now().UTC(), silent: map[class]time.Time{},
	}
	for memory := len(memoryClasses) - 1; memory >= 0; memory-- {
		for _, device := range o.Devices {
			// What takes more than the last but one size is tried by whoever has that.
			if memoryClasses[min(memory, len(memoryClasses)-2)] <= o.Memory {
				w.classes = append(w.classes, class{programToken(o.Program), device, memory})
			}
		}
	}
	if len(w.classes) == 0 {
		return nil, fmt.Errorf("cluster: a worker with %d bytes of memory and the devices %q can do no job, want %d bytes at least", o.Memory, o.Devices, memoryClasses[0])
	}
	var err error
	w.cache, err = newCache(c, o.Folder, o.CacheBytes)
	return w, err
}

// Close lets others have the folder.
func (w *Worker) Close() error { return w.cache.close() }

// Run takes and does jobs until ctx ends; then those under way keep checkpoints, and go back
// to the queue.
func (w *Worker) Run(ctx context.Context) error {
	if err := w.lookForOthers(ctx); err != nil {
		return err
	}
	var all sync.WaitGroup
	defer all.Wait()
	present, absent := context.WithCancel(context.WithoutCancel(ctx))
	defer absent()
	all.Go(func() { w.sayPresent(ctx, present) })
	var consumers []jetstream.Consumer
	for _, of := range w.classes {
		consumer, err := w.cluster.consumer(ctx, of, w.options.Program)
		if err != nil {
			return err
		}
		consumers = append(consumers, consumer)
	}
	var jobs sync.WaitGroup
	defer jobs.Wait() // before it isn't present any more
	for ctx.Err() == nil {
		seat, fitting := w.free(consumers)
		if len(fitting) == 0 {
			select {
			case <-ctx.Done():
			case <-w.freed:
			}
			continue
		}
		message, of := w.next(ctx, fitting)
		if message == nil {
			continue
		}
		w.take(seat, of)
		jobs.Go(func() {
			defer w.giveBack(seat, of)
			w.do(ctx, seat, message)
		})
	}
	return nil
}

// candidate is a consumer of a class that there is the memory for.
type candidate struct {
	consumer jetstream.Consumer
	class    class
}

// free is a seat and the classes that may be asked for; none where all is taken.
func (w *Worker) free(consumers []jetstream.Consumer) (seat int, fitting []candidate) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if seat = slices.Index(w.seats, false); seat < 0 {
		return seat, nil
	}
	for i, of := range w.classes {
		if w.taken(of) <= w.memory {
			fitting = append(fitting, candidate{consumers[i], of})
		}
	}
	return seat, fitting
}

// taken is what a job of a class takes of the worker's memory.
func (w *Worker) taken(of class) int64 { return min(memoryClasses[of.memory], w.options.Memory) }

func (w *Worker) take(seat int, of class) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.seats[seat] = true
	w.memory -= w.taken(of)
}

func (w *Worker) giveBack(seat int, of class) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.seats[seat] = false
	w.memory += w.taken(of)
	select {
	case w.freed <- struct{}{}:
	default:
	}
}

// next is the next job's message, or nil where there is none for some time, or a job has
// ended, so that there may be room for others.
func (w *Worker) next(ctx context.Context, from []candidate) (jetstream.Msg, class) {
	for _, c := range from {
		if ctx.Err() != nil {
			return nil, class{}
		}
		if batch, err := c.consumer.FetchNoWait(1); err == nil {
			if message := <-batch.Messages(); message != nil {
				return message, c.class
			}
		}
	}
	return w.await(ctx, from)
}

// mend takes in how a request to a consumer ended that brought no job. A consumer without a
// leader has one again within some seconds; one that doesn't answer for longer is made anew,
// since the server may have forgotten it.
func (w *Worker) mend(ctx context.Context, of class, err error) {
	since, silent := w.silent[of]
	switch {
	case err == nil:
		delete(w.silent, of)
	case !silent:
		w.silent[of] = time.Now()
	case time.Since(since) > idleWait:
		delete(w.silent, of)
		if _, err := w.cluster.consumerOf(ctx, of, w.options.Program); err != nil && ctx.Err() == nil {
			w.options.Log(err.Error())
		}
	}
}

// await asks for jobs of all classes at a time, and takes the first. Where a request fails, all
// are made anew after a pause.
func (w *Worker) await(ctx context.Context, from []candidate) (jetstream.Msg, class) {
	waiting, cancel := context.WithTimeout(ctx, idleWait)
	defer cancel()
	type arrival struct {
		message jetstream.Msg
		class   class
		err     error
	}
	arrivals := make(chan arrival, len(from))
	for _, c := range from {
		go func() {
			a := arrival{class: c.class}
			batch, err := c.consumer.Fetch(1, jetstream.FetchContext(waiting))
			if err == nil {
				a.message = <-batch.Messages()
				err = batch.Error()
			}
			if a.message == nil && err != nil && waiting.Err() == nil {
				a.err = err
				sleep(waiting, longestPause/4+rand.N(longestPause/2))
			}
			arrivals <- a
		}()
	}
	var first arrival
	back := w.cluster.back.wait()
	for left := len(from); left > 0; {
		select {
		case <-w.freed:
			cancel()
		case <-back: // a new server knows of no request
			cancel()
			back = nil
		case a := <-arrivals:
			left--
			w.mend(ctx, a.class, a.err)
			switch {
			case a.err != nil:
				cancel()
			case a.message == nil:
			case first.message == nil && ctx.Err() == nil:
				first = a
				cancel()
			default: // it goes to somebody else at once
				_ = a.message.Nak()
			}
		}
	}
	return first.message, first.class
}

// Presence is what is known of a worker that is there.
type Presence struct {
	Name    string    `json:"name"`
	Program string    `json:"program"`
	Devices []string  `json:"devices"`
	Seats   int       `json:"seats"`
	Memory  int64     `json:"memory"` // bytes
	Jobs    []string  `json:"jobs"`   // keys of those under way
	Begun   time.Time `json:"begun"`
	// Refuses is why it doesn't take jobs that are there, or empty.
	Refuses string `json:"refuses,omitempty"`
}

// sayPresent says that the worker is there until ctx ends and it has no job any more.
func (w *Worker) sayPresent(ctx, present context.Context) {
	o := w.options
	for {
		w.mutex.Lock()
		p := Presence{o.Name, o.Program, o.Devices, len(w.seats), o.Memory, []string{}, w.begun, w.refuses}
		for key := range w.tasks {
			p.Jobs = append(p.Jobs, key)
		}
		w.mutex.Unlock()
		slices.Sort(p.Jobs)
		if data, err := json.Marshal(p); err == nil {
			_ = w.cluster.patiently(present, func(ctx context.Context) error {
				_, err := w.cluster.workers.Put(ctx, programToken(o.Name), data)
				return err
			})
		}
		if !sleep(present, presence) {
			break
		}
		if ctx.Err() == nil {
			_ = w.lookForOthers(ctx)
		}
	}
	leaving, cancel := context.WithTimeout(context.Background(), answerWait)
	defer cancel()
	_ = w.cluster.workers.Purge(leaving, programToken(o.Name))
}

// lookForOthers looks for jobs that another version of the program is to do, and says that it
// doesn't take them.
func (w *Worker) lookForOthers(ctx context.Context) error {
	var others map[string]uint64
	err := w.cluster.patiently(ctx, func(ctx context.Context) error {
		others = map[string]uint64{}
		consumers := w.cluster.jobs.ListConsumers(ctx)
		for info := range consumers.Info() {
			if program := info.Config.Metadata[programKey]; program != "" && program != w.options.Program {
				others[program] += info.NumPending
			}
		}
		return consumers.Err()
	})
	if err != nil {
		return fmt.Errorf("cluster: look at the queue: %w", explain(err))
	}
	refuses := ""
	for program, waiting := range others {
		if waiting > 0 {
			refuses = fmt.Sprintf("refuses %d jobs that are for %s, since this is %s and would make other pictures; start workers of that version, or submit the jobs from this one", waiting, program, w.options.Program)
		}
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if refuses != "" && w.refuses == "" {
		w.options.Log(refuses)
	}
	w.refuses = refuses
	return nil
}

// Workers are those that are there.
func (c *Cluster) Workers(ctx context.Context) ([]Presence, error) {
	var all []Presence
	err := c.each(ctx, c.workers, "workers", func(entry jetstream.KeyValueEntry) (more bool, err error) {
		var p Presence
		if json.Unmarshal(entry.Value(), &p) == nil {
			all = append(all, p)
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}
