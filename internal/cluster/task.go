package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"impasto/internal/panics"
	"impasto/internal/quote"
)

// Task is a job that a worker is at.
type Task struct {
	Job    Job
	Seat   int    // of the worker's, from 0 on
	Folder string // for files of this job alone, which goes when it is done
	// Checkpoint is the file of the last checkpoint, or empty.
	Checkpoint string
	// CheckpointEvery is the time between two checkpoints, at least.
	CheckpointEvery time.Duration

	worker  *Worker
	message jetstream.Msg
	state   State
	inputs  []string // paths
	told    time.Time
	cancel  context.CancelCauseFunc
}

// Why a task is stopped.
var (
	errTaken     = errors.New("another worker has the job")
	errCancelled = errors.New("the job was cancelled")
)

// Inputs are the paths of the job's inputs with a role, in their order.
func (t *Task) Inputs(role string) (paths []string) {
	for i, in := range t.Job.Inputs {
		if in.Role == role {
			paths = append(paths, t.inputs[i])
		}
	}
	return paths
}

// tellEvery is how often progress is told.
const tellEvery = time.Second

// Progress tells whoever listens where the job stands, which JSON carries. Most calls do
// nothing, so it may be called often.
func (t *Task) Progress(progress func() any) {
	if time.Since(t.told) < tellEvery {
		return
	}
	t.told = time.Now()
	s := t.state
	data, err := json.Marshal(progress())
	if err != nil {
		return
	}
	s.Progress = data
	if event, err := json.Marshal(s); err == nil {
		t.worker.cluster.tell(s.Key, event)
	}
}

// keepWait is how long a worker that is told to stop may take for what it keeps.
const keepWait = 20 * time.Second

// keeping is a context for what is kept, which lasts keepWait longer than ctx.
func keeping(ctx context.Context) (context.Context, context.CancelFunc) {
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(keepWait, cancel) })
	return lasting, func() { stop(); cancel() }
}

// Keep stores a checkpoint, which write writes: from there the job goes on where the worker
// dies. It doesn't return before that is stored.
func (t *Task) Keep(ctx context.Context, write func(io.Writer) error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errTaken) || errors.Is(cause, errCancelled) {
		return cause
	}
	ctx, cancel := keeping(ctx)
	defer cancel()
	path := filepath.Join(t.Folder, "checkpoint.new")
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer os.Remove(path)
	if err := errors.Join(write(file), file.Close()); err != nil {
		return err
	}
	prefix := checkpointPrefix(t.Job.Key)
	object, err := t.worker.cluster.putFile(ctx, prefix, path)
	if err != nil {
		return err
	}
	before := t.state.Checkpoint
	next := t.state
	next.Checkpoint, next.Try = &Checkpoint{object, time.Now().UTC()}, 0
	if err := t.worker.cluster.setState(ctx, &next); err != nil {
		if errors.Is(err, errChanged) {
			t.changed(ctx)
		}
		return err
	}
	t.state = next
	if before != nil && before.SHA256 != object.SHA256 {
		_ = t.worker.cluster.remove(ctx, prefix+before.SHA256) // the store forgets it some day
	}
	return nil
}

// changed stops a task whose state another has changed.
func (t *Task) changed(ctx context.Context) {
	if s, err := t.worker.cluster.State(ctx, t.Job.Key); err == nil && s.Phase == Cancelled {
		t.cancel(errCancelled)
		return
	}
	t.cancel(errTaken)
}

// do does the job of a message, and says to the server what is to become of that.
func (w *Worker) do(ctx context.Context, seat int, message jetstream.Msg) {
	job, err := decodeJob(message.Data())
	if err != nil { // which nobody can do anything with
		w.options.Log(err.Error())
		_ = message.TermWithReason(err.Error())
		return
	}
	doing, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t := &Task{Job: job, Seat: seat, CheckpointEvery: w.options.CheckpointEvery, worker: w, message: message, cancel: cancel}
	go t.beat(doing)
	w.setTask(job.Key, true)
	defer w.setTask(job.Key, false)
	begun, err := t.begin(doing)
	if err != nil {
		w.options.Log(fmt.Sprintf("%s can't be begun: %v", quote.Name(job.Name), err))
		_ = message.Nak()
		return
	}
	if !begun {
		t.acknowledge(ctx)
		return
	}
	go t.listen(doing, t.state.Begun)
	w.options.Log(fmt.Sprintf("begins %s (%s)%s", quote.Name(job.Name), job.Key[:12], t.again()))
	began := time.Now()
	outcome, err := t.run(doing)
	if err == nil {
		err = t.finish(doing, outcome)
	}
	t.end(ctx, doing, err, time.Since(began))
	t.clear()
}

// again says that a job isn't begun for the first time.
func (t *Task) again() string {
	switch {
	case t.state.Checkpoint != nil:
		return ", from its last checkpoint"
	case t.state.Begun > 1:
		return fmt.Sprintf(", for the %d. time", t.state.Begun)
	}
	return ""
}

func (w *Worker) setTask(key string, there bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if there {
		w.tasks[key] = true
	} else {
		delete(w.tasks, key)
	}
}

// beat tells the server that the worker is still at the job.
func (t *Task) beat(ctx context.Context) {
	for sleep(ctx, t.worker.cluster.Config.AckWait/3) {
		_ = t.message.InProgress() // if it gets lost, the next may not
	}
}

// listen stops the task where its job is cancelled, or begun more often than that.
func (t *Task) listen(ctx context.Context, begun int) {
	events := make(chan *nats.Msg, 16)
	subscription, err := t.worker.cluster.conn.ChanSubscribe(eventSubjects+t.Job.Key, events)
	if err != nil {
		return // the state tells later
	}
	defer func() { _ = subscription.Unsubscribe() }()
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-events:
			var s State
			switch {
			case json.Unmarshal(event.Data, &s) != nil:
			case s.Phase == Cancelled:
				t.cancel(errCancelled)
			case s.Phase == Running && s.Begun > begun:
				t.cancel(errTaken)
			}
		}
	}
}

// begin makes the job the worker's. It tells whether there is anything to be done.
func (t *Task) begin(ctx context.Context) (begun bool, err error) {
	w := t.worker
	if _, err := w.cluster.State(ctx, t.Job.Key); errors.Is(err, ErrUnknown) { // it waited for longer than states are kept
		s := newState(t.Job)
		if err := w.cluster.setState(ctx, &s); err != nil && !errors.Is(err, errChanged) {
			return false, err
		}
	}
	t.state, err = w.cluster.change(ctx, t.Job.Key, func(s *State) (bool, error) {
		begun = false
		switch {
		case s.Phase.Ended(): // or it has been queued anew, which this server hasn't heard of
			return false, w.cluster.confirm(ctx, s)
		case s.Try >= w.cluster.Config.Tries:
			if s.Phase == Running {
				s.addReason(fmt.Sprintf("the worker %s began it and wasn't heard of any more", s.Worker))
			}
			return true, t.bury(ctx, s)
		}
		if s.Phase == Running {
			s.addReason(fmt.Sprintf("the worker %s began it and wasn't heard of for %s", s.Worker, w.cluster.Config.AckWait))
		}
		begun = true
		now := time.Now().UTC()
		s.Phase, s.Worker, s.Started = Running, w.options.Name, &now
		s.Begun++
		s.Try++
		return true, nil
	})
	return begun, err
}

// bury makes a dead letter of the job, with the reasons that its state has.
func (t *Task) bury(ctx context.Context, s *State) error {
	now := time.Now().UTC()
	s.Phase, s.Ended = Failed, &now
	letter := nats.NewMsg(deadSubjects + t.Job.Key)
	letter.Data = t.message.Data()
	for _, reason := range s.Reasons {
		letter.Header.Add("Impasto-Reason", quote.Line(reason))
	}
	return t.worker.cluster.patiently(ctx, func(ctx context.Context) error {
		_, err := t.worker.cluster.js.PublishMsg(ctx, letter)
		return err
	})
}

// run fetches what the job needs and does it.
func (t *Task) run(ctx context.Context) (outcome Outcome, err error) {
	kind, ok := t.worker.options.Kinds[t.Job.Kind]
	if !ok {
		return outcome, &PermanentError{fmt.Errorf("this version does no jobs of the kind %q", t.Job.Kind)}
	}
	if t.Folder, err = t.worker.cache.newFolder(); err != nil {
		return outcome, err
	}
	for _, in := range t.Job.Inputs {
		path, err := t.worker.cache.hold(ctx, in.Object)
		if err != nil {
			return outcome, err
		}
		t.inputs = append(t.inputs, path)
	}
	if c := t.state.Checkpoint; c != nil {
		path := filepath.Join(t.Folder, "checkpoint")
		if err := t.worker.cluster.download(ctx, checkpointPrefix(t.Job.Key)+c.SHA256, c.Object, path); err == nil {
			t.Checkpoint = path
		} else {
			t.worker.options.Log(fmt.Sprintf("%s begins anew: its checkpoint can't be had: %v", quote.Name(t.Job.Name), err))
		}
	}
	defer func() {
		if cause := recover(); cause != nil {
			p, ok := cause.(*panics.Panic)
			if !ok {
				p = panics.New(cause)
			}
			t.worker.options.Log(fmt.Sprintf("%s: the program made a mistake: %s\n%s", quote.Name(t.Job.Name), p, p.Stack()))
			err = fmt.Errorf("the program made a mistake: %s", p)
		}
	}()
	return kind.Run(ctx, t)
}

// finish stores what the job came to. A full store is waited for: the results are here.
func (t *Task) finish(ctx context.Context, outcome Outcome) error {
	ctx, cancel := keeping(ctx)
	defer cancel()
	next := t.state
	next.Outputs = map[string]Object{}
	for name, path := range outcome.Files {
		object, err := t.store(ctx, path)
		if err != nil {
			return err
		}
		next.Outputs[name] = object
	}
	result, err := json.Marshal(outcome.Result)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	next.Phase, next.Ended, next.Result, next.Checkpoint = Done, &now, result, nil
	if err := t.worker.cluster.setState(ctx, &next); err != nil {
		if errors.Is(err, errChanged) {
			t.changed(ctx)
		}
		return err
	}
	if c := t.state.Checkpoint; c != nil {
		_ = t.worker.cluster.remove(ctx, checkpointPrefix(t.Job.Key)+c.SHA256) // the store forgets it some day
	}
	t.state = next
	return nil
}

// fullPause is the time between two tries to store something in a full store.
const fullPause = 2 * time.Second

// store stores a file, and waits where there is no space for it.
func (t *Task) store(ctx context.Context, path string) (Object, error) {
	said := false
	for {
		object, err := t.worker.cluster.putFile(ctx, "", path)
		var full *FullError
		if !errors.As(err, &full) {
			return object, err
		}
		if !said {
			said = true
			t.worker.options.Log(fmt.Sprintf("%s is done and waits: %v", quote.Name(t.Job.Name), err))
			t.told = time.Time{}
			t.Progress(func() any { return map[string]string{"waits": err.Error()} })
		}
		if !sleep(ctx, fullPause) {
			return object, ctx.Err()
		}
	}
}

// end says to the server what is to become of the message, after err.
func (t *Task) end(ctx, doing context.Context, err error, took time.Duration) {
	w, name := t.worker, quote.Name(t.Job.Name)
	switch cause := context.Cause(doing); {
	case err == nil:
		w.options.Log(fmt.Sprintf("has done %s in %s", name, took.Round(time.Millisecond)))
		t.acknowledge(ctx)
	case errors.Is(cause, errTaken):
		w.options.Log(fmt.Sprintf("leaves %s: %v", name, cause))
	case errors.Is(cause, errCancelled):
		w.options.Log(fmt.Sprintf("leaves %s: %v", name, cause))
		if s, err := w.cluster.State(ctx, t.Job.Key); err == nil && s.Phase == Cancelled {
			t.acknowledge(ctx)
		} else { // it was submitted anew since
			_ = t.message.Nak()
		}
	case ctx.Err() != nil:
		t.release(ctx)
	default:
		w.options.Log(fmt.Sprintf("%s failed: %v", name, err))
		t.fail(ctx, err)
	}
}

// release gives the job back to the queue, since the worker stops.
func (t *Task) release(ctx context.Context) {
	ctx, cancel := keeping(ctx)
	defer cancel()
	next := t.state
	next.Phase, next.Try = Queued, max(0, next.Try-1) // it isn't the job's fault
	if err := t.worker.cluster.setState(ctx, &next); err != nil {
		return // another has the job, or gets it once this worker isn't heard of
	}
	t.worker.options.Log(fmt.Sprintf("gives %s back to the queue", quote.Name(t.Job.Name)))
	_ = t.message.Nak()
	_ = t.worker.cluster.conn.FlushWithContext(ctx)
}

// failPause is how long a job that failed waits for the next try, which is longer each time.
const failPause = 2 * time.Second

// fail takes in that a try failed: the job goes back to the queue, or is a dead letter.
func (t *Task) fail(ctx context.Context, err error) {
	ctx, cancel := keeping(ctx)
	defer cancel()
	next := t.state
	next.addReason(fmt.Sprintf("on %s: %s", t.worker.options.Name, quote.Line(err.Error())))
	next.Phase = Queued
	var permanent *PermanentError
	dead := errors.As(err, &permanent) || next.Try >= t.worker.cluster.Config.Tries
	if dead {
		if err := t.bury(ctx, &next); err != nil {
			return // the message comes again
		}
	}
	if err := t.worker.cluster.setState(ctx, &next); err != nil {
		return
	}
	if dead {
		t.acknowledge(ctx)
		return
	}
	_ = t.message.NakWithDelay(min(time.Duration(next.Try)*failPause, t.worker.cluster.Config.AckWait))
}

// acknowledge takes the message out of the queue, for good. If that fails, it comes again,
// and whoever gets it finds the job ended.
func (t *Task) acknowledge(ctx context.Context) {
	ctx, cancel := keeping(ctx)
	defer cancel()
	ctx, timeout := context.WithTimeout(ctx, keepWait)
	defer timeout()
	err := t.worker.cluster.patiently(ctx, func(ctx context.Context) error { return t.message.DoubleAck(ctx) })
	if err != nil && !errors.Is(err, jetstream.ErrMsgAlreadyAckd) {
		t.worker.options.Log(fmt.Sprintf("%s: its end couldn't be acknowledged: %v", quote.Name(t.Job.Name), err))
	}
}

// clear removes what is kept of the job on this machine.
func (t *Task) clear() {
	for i := range t.inputs {
		t.worker.cache.release(t.Job.Inputs[i].Object)
	}
	if t.Folder != "" {
		_ = os.RemoveAll(t.Folder)
	}
}
