package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Submit queues a job, whose inputs have to be in the store, and returns its state. A job
// that is known already isn't done twice: one that is done has its results there, and one
// that is queued or running goes on. One that failed or was cancelled is tried anew.
func (c *Cluster) Submit(ctx context.Context, job Job) (State, error) {
	var err error
	if job.Key, err = job.makeKey(); err != nil {
		return State{}, err
	}
	if err := job.check(); err != nil {
		return State{}, fmt.Errorf("cluster: %w", err)
	}
	job.Submitted = time.Now().UTC()
	if _, err := c.consumer(ctx, job.class(), job.Program); err != nil {
		return State{}, err
	}
	s, renewed := newState(job), false
	err = c.setState(ctx, &s)
	if errors.Is(err, errChanged) {
		s, err = c.change(ctx, job.Key, func(there *State) (bool, error) {
			var err error
			renewed, err = c.renew(ctx, there, s)
			return renewed, err
		})
	}
	if err != nil || s.Phase == Done {
		return s, err
	}
	document, err := json.Marshal(job)
	if err != nil {
		return s, err
	}
	added, err := c.enqueue(ctx, s.Subject, document)
	if err == nil && !added && renewed {
		err = c.requeue(ctx, s, document)
	}
	return s, err
}

// requeuePause is the time between two tries to queue a job anew.
const requeuePause = 50 * time.Millisecond

// requeue queues a job that had ended, whose message is still there: whoever ended it is about
// to acknowledge that, and then it is gone. Where that doesn't come, since a worker has died, the
// message is delivered again, as that of the job that is queued now.
func (c *Cluster) requeue(ctx context.Context, s State, document []byte) error {
	for end := time.Now().Add(2 * c.Config.AckWait); time.Now().Before(end) && sleep(ctx, requeuePause); {
		added, err := c.enqueue(ctx, s.Subject, document)
		if err != nil || added {
			return err
		}
		if now, err := c.State(ctx, s.Key); err != nil || now.Phase != Queued {
			return err
		}
	}
	return ctx.Err()
}

// newState is that of a job that is submitted.
func newState(job Job) State {
	return State{
		Key: job.Key, Kind: job.Kind, Name: job.Name, Batch: job.Batch, Program: job.Program, Subject: jobSubjects + job.class().String() + "." + job.Key,
		Phase: Queued, Submitted: job.Submitted,
	}
}

// renew turns the state of a job that was submitted before into that of one that is submitted
// now. It tells whether anything is to be stored.
func (c *Cluster) renew(ctx context.Context, there *State, now State) (store bool, err error) {
	switch there.Phase {
	case Queued, Running:
		return false, nil
	case Done:
		whole := true
		for _, output := range there.Outputs {
			in, err := c.has(ctx, output.SHA256, output)
			if err != nil {
				return false, err
			}
			whole = whole && in
		}
		if whole {
			return false, nil
		}
	}
	now.revision, now.Checkpoint, now.Reasons = there.revision, there.Checkpoint, there.Reasons
	*there = now
	return true, nil
}

// enqueue adds a job's message to the stream, and tells whether it wasn't there.
func (c *Cluster) enqueue(ctx context.Context, subject string, document []byte) (added bool, err error) {
	if len(document) > maxDocument {
		return false, fmt.Errorf("cluster: the job's document has %d bytes, want %d at most", len(document), maxDocument)
	}
	err = c.patiently(ctx, func(ctx context.Context) error {
		_, err := c.js.Publish(ctx, subject, document)
		return err
	})
	switch {
	case isQueued(err):
		return false, nil
	case isFull(err):
		return false, fmt.Errorf("cluster: the queue of jobs is full (%w); raise its limit with `impasto cluster setup --job-bytes`, or wait until workers have done some", err)
	case err != nil:
		return false, fmt.Errorf("cluster: queue a job: %w", err)
	}
	return true, nil
}

// consumer is the consumer of a class, which is looked up once.
func (c *Cluster) consumer(ctx context.Context, of class, program string) (jetstream.Consumer, error) {
	c.consuming.Lock()
	defer c.consuming.Unlock()
	if known, ok := c.consumers[of]; ok {
		return known, nil
	}
	made, err := c.consumerOf(ctx, of, program)
	if err != nil {
		return nil, err
	}
	if c.consumers == nil {
		c.consumers = map[class]jetstream.Consumer{}
	}
	c.consumers[of] = made
	return made, nil
}

// lookAgain is how often a state is read while nothing is told of it: an event may get lost.
const lookAgain = 20 * time.Second

// Wait returns the state of a job once nothing more becomes of it. Tell, unless nil, is told
// of what happens before, on the goroutine that called.
func (c *Cluster) Wait(ctx context.Context, key string, tell func(State)) (State, error) {
	events := make(chan *nats.Msg, 64)
	subscription, err := c.conn.ChanSubscribe(eventSubjects+key, events)
	if err != nil {
		return State{}, fmt.Errorf("cluster: listen for a job: %w", err)
	}
	defer func() { _ = subscription.Unsubscribe() }()
	look := time.NewTimer(0)
	defer look.Stop()
	var ended time.Time // when it was told that it has
	back := c.back.wait()
	for {
		var s State
		select {
		case <-ctx.Done():
			return s, ctx.Err()
		case <-back: // what was told meanwhile is lost
			back = c.back.wait()
			look.Reset(0)
			continue
		case event := <-events:
			if json.Unmarshal(event.Data, &s) != nil || s.Key != key {
				continue
			}
			if s.Phase.Ended() { // which is true only if it is stored
				ended = time.Now()
				look.Reset(0)
				continue
			}
		case <-look.C:
			look.Reset(lookAgain)
			if s, err = c.State(ctx, key); err != nil {
				return s, err
			}
			if s.Phase.Ended() {
				return s, nil
			}
			if time.Since(ended) < lagWait { // that server has yet to hear of it
				look.Reset(lagPause)
				continue
			}
		}
		if tell != nil {
			tell(s)
		}
	}
}

// Cancel ends a job that isn't done, whether it waits or is under way.
func (c *Cluster) Cancel(ctx context.Context, key string) (State, error) {
	s, err := c.change(ctx, key, func(s *State) (bool, error) {
		if s.Phase.Ended() {
			return false, nil
		}
		now := time.Now().UTC()
		s.Phase, s.Ended = Cancelled, &now
		return true, nil
	})
	if err != nil || s.Phase != Cancelled {
		return s, err
	}
	// Whoever has the message finds the state, and so would whoever got it later.
	err = c.patiently(ctx, func(ctx context.Context) error { return c.jobs.Purge(ctx, jetstream.WithPurgeSubject(s.Subject)) })
	if err != nil {
		err = fmt.Errorf("cluster: take a cancelled job out of the queue: %w", err)
	}
	return s, err
}

// Retry queues a job anew that is a dead letter.
func (c *Cluster) Retry(ctx context.Context, key string) (State, error) {
	s, err := c.State(ctx, key)
	if err != nil || s.Phase != Failed {
		return s, err
	}
	var letter *jetstream.RawStreamMsg
	err = c.patiently(ctx, func(ctx context.Context) error {
		dead, err := c.js.Stream(ctx, deadStream)
		if err == nil {
			letter, err = dead.GetLastMsgForSubject(ctx, deadSubjects+key)
		}
		return err
	})
	if err != nil {
		return s, fmt.Errorf("cluster: read a dead letter: %w", err)
	}
	job, err := decodeJob(letter.Data)
	if err != nil {
		return s, fmt.Errorf("cluster: %w", err)
	}
	return c.Submit(ctx, job)
}

// States calls f with the state of every job, in no order, until it returns false.
func (c *Cluster) States(ctx context.Context, f func(State) bool) error {
	return c.each(ctx, c.states, "jobs", func(entry jetstream.KeyValueEntry) (more bool, err error) {
		s, err := decodeState(entry)
		return err == nil && f(s), err
	})
}

// each calls f with all that a bucket has, in no order, until it returns false. What says what
// that is.
func (c *Cluster) each(ctx context.Context, bucket jetstream.KeyValue, what string, f func(jetstream.KeyValueEntry) (more bool, err error)) error {
	var watcher jetstream.KeyWatcher
	err := c.patiently(ctx, func(context.Context) (err error) {
		watcher, err = bucket.WatchAll(ctx, jetstream.IgnoreDeletes()) // it lasts as long as its context
		return err
	})
	if err != nil {
		return fmt.Errorf("cluster: list the %s: %w", what, err)
	}
	defer func() { _ = watcher.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case entry, open := <-watcher.Updates():
			if !open {
				return fmt.Errorf("cluster: list the %s: %w", what, nats.ErrConnectionClosed)
			}
			if entry == nil { // there are no more
				return nil
			}
			if more, err := f(entry); err != nil || !more {
				return err
			}
		}
	}
}

// Listen calls f with what happens to jobs, until ctx ends.
func (c *Cluster) Listen(ctx context.Context, f func(State)) error {
	events := make(chan *nats.Msg, 1024)
	subscription, err := c.conn.ChanSubscribe(eventSubjects+"*", events)
	if err != nil {
		return fmt.Errorf("cluster: listen: %w", err)
	}
	defer func() { _ = subscription.Unsubscribe() }()
	for {
		select {
		case <-ctx.Done():
			return nil
		case event := <-events:
			var s State
			if json.Unmarshal(event.Data, &s) == nil {
				f(s)
			}
		}
	}
}
