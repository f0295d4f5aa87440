package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Phase is how far a job has come.
type Phase string

// The phases of jobs.
const (
	Queued    Phase = "queued"    // it waits for a worker
	Running   Phase = "running"   // a worker is at it
	Done      Phase = "done"      // its results are there
	Failed    Phase = "failed"    // it was tried too often, and is a dead letter
	Cancelled Phase = "cancelled" // nobody wants it any more
)

// Phases are all that there are.
var Phases = []Phase{Queued, Running, Done, Failed, Cancelled}

// Ended tells whether nothing more becomes of a job by itself.
func (p Phase) Ended() bool { return p == Done || p == Failed || p == Cancelled }

// State is what has become of a job. The keys of its JSON are a promise to scripts.
type State struct {
	Key     string `json:"key"`
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Batch   string `json:"batch"`
	Program string `json:"program"`
	Subject string `json:"subject"` // that the job's message has

	Phase     Phase      `json:"phase"`
	Submitted time.Time  `json:"submitted"`
	Started   *time.Time `json:"started,omitempty"` // by the last worker
	Ended     *time.Time `json:"ended,omitempty"`

	Worker string `json:"worker,omitempty"` // the last one
	Begun  int    `json:"begun"`            // how often it was begun
	// Try is how often it was begun since the last checkpoint.
	Try int `json:"try"`
	// Reasons are why it failed, or wasn't ended: the last ones, the newest at the end.
	Reasons    []string    `json:"reasons,omitempty"`
	Checkpoint *Checkpoint `json:"checkpoint,omitempty"`
	// Outputs are files by what they are, such as "picture", and Result is what else the kind
	// tells.
	Outputs map[string]Object `json:"outputs,omitempty"`
	Result  json.RawMessage   `json:"result,omitempty"`

	// Progress is where it stands, as its kind tells that; of events only.
	Progress json.RawMessage `json:"progress,omitempty"`

	revision uint64
}

// Checkpoint is where a job goes on from.
type Checkpoint struct {
	Object
	At time.Time `json:"at"`
}

// checkpointPrefix stands before the digest of a job's checkpoint in the store of objects: it
// is removed with the job, whatever others have the same content.
func checkpointPrefix(key string) string { return "checkpoint-" + key + "-" }

// mostReasons is how many reasons are kept.
const mostReasons = 8

// addReason keeps why a try came to nothing.
func (s *State) addReason(reason string) {
	const longest = 2000 // bytes
	s.Reasons = append(s.Reasons, reason[:min(len(reason), longest)])
	s.Reasons = s.Reasons[max(0, len(s.Reasons)-mostReasons):]
}

// Reason is why a job isn't done, or empty.
func (s State) Reason() string {
	if len(s.Reasons) == 0 {
		return ""
	}
	return s.Reasons[len(s.Reasons)-1]
}

// errChanged is what setState returns where another was faster.
var errChanged = errors.New("the job's state was changed by another")

// ErrUnknown is the error of a job that the cluster doesn't know.
var ErrUnknown = errors.New("the cluster knows no such job")

// State is that of a job.
func (c *Cluster) State(ctx context.Context, key string) (s State, err error) {
	var entry jetstream.KeyValueEntry
	began := time.Now()
	err = c.patiently(ctx, func(ctx context.Context) error {
		entry, err = c.states.Get(ctx, key)
		if c.mayLag() && errors.Is(err, jetstream.ErrKeyNotFound) && time.Since(began) < lagWait {
			return errNotYet // that server may have yet to hear of it
		}
		return err
	})
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound), errors.Is(err, jetstream.ErrInvalidKey):
		return s, ErrUnknown
	case err != nil:
		return s, fmt.Errorf("cluster: read the state of a job: %w", err)
	}
	return decodeState(entry)
}

func decodeState(entry jetstream.KeyValueEntry) (s State, err error) {
	if err := json.Unmarshal(entry.Value(), &s); err != nil {
		return s, fmt.Errorf("cluster: the state of the job %s: %w", entry.Key(), err)
	}
	s.revision = entry.Revision()
	return s, nil
}

// setState stores a state in the place of the one of the same revision, 0 for none, and tells
// of it. Where another is there meanwhile, the error is errChanged.
func (c *Cluster) setState(ctx context.Context, s *State) error {
	s.Progress = nil
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := c.storeState(ctx, s, data); err != nil {
		return err
	}
	c.tell(s.Key, data)
	return nil
}

// confirm stores a state as it is, which fails with errChanged if it isn't the last one: where
// there are several servers, one may read what another has replaced a moment ago.
func (c *Cluster) confirm(ctx context.Context, s *State) error {
	if !c.mayLag() {
		return nil
	}
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return c.storeState(ctx, s, data)
}

// storeState stores the JSON of a state in the place of the one of its revision, and changes
// that to the new one.
func (c *Cluster) storeState(ctx context.Context, s *State, data []byte) error {
	again := false
	err := c.patiently(ctx, func(ctx context.Context) error {
		revision, err := c.putState(ctx, s, data)
		if again && isChanged(err) { // perhaps by the request that nobody saw answered
			entry, getErr := c.newer(ctx, s)
			switch {
			case getErr != nil:
				err = getErr
			case string(entry.Value()) == string(data):
				revision, err = entry.Revision(), nil
			}
		}
		again = true
		if err == nil {
			s.revision = revision
		}
		return err
	})
	if isChanged(err) {
		return errChanged
	}
	if err != nil {
		return fmt.Errorf("cluster: store the state of a job: %w", err)
	}
	return nil
}

// newer reads the state of a job, of a later revision than s.
func (c *Cluster) newer(ctx context.Context, s *State) (jetstream.KeyValueEntry, error) {
	for {
		entry, err := c.states.Get(ctx, s.Key)
		if err == nil && entry.Revision() > s.revision {
			return entry, nil
		}
		if err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) {
			return nil, err
		}
		if !sleep(ctx, lagPause) { // that server has yet to hear of it
			return nil, ctx.Err()
		}
	}
}

func (c *Cluster) putState(ctx context.Context, s *State, data []byte) (uint64, error) {
	if s.revision == 0 {
		return c.states.Create(ctx, s.Key, data)
	}
	return c.states.Update(ctx, s.Key, data, s.revision)
}

// isChanged tells whether an error is that of a revision that isn't the last.
func isChanged(err error) bool {
	return errors.Is(err, jetstream.ErrKeyExists) || isCode(err, jetstream.JSErrCodeStreamWrongLastSequence) || isCode(err, wrongLastSequenceConstant)
}

// wrongLastSequenceConstant is what servers from 2.12 on say of a wrong last sequence.
const wrongLastSequenceConstant jetstream.ErrorCode = 10164

// tell publishes a state on the job's subject, for whoever listens.
func (c *Cluster) tell(key string, state []byte) {
	_ = c.conn.Publish(eventSubjects+key, state) // the truth is in the store
}

// change reads a state, lets f change it, and stores it, again and again until nobody else
// was faster. F tells whether there is anything to store; errChanged from it has it called
// again, too.
func (c *Cluster) change(ctx context.Context, key string, f func(*State) (store bool, err error)) (State, error) {
	for {
		s, err := c.State(ctx, key)
		if err != nil {
			return s, err
		}
		store, err := f(&s)
		if err == nil && store {
			err = c.setState(ctx, &s)
		}
		if !errors.Is(err, errChanged) {
			return s, err
		}
		if !sleep(ctx, lagPause) {
			return s, ctx.Err()
		}
	}
}
