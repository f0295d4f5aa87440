package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"impasto/internal/cluster/server"
)

// lagging are states as a server has them that has yet to hear of the last change.
type lagging struct {
	jetstream.KeyValue
	old   jetstream.KeyValueEntry // nil where it doesn't know the key
	times int                     // that it gives the old one
	// lost has the first answer to a change be lost.
	lost bool
}

func (l *lagging) Get(ctx context.Context, key string) (jetstream.KeyValueEntry, error) {
	if l.times > 0 {
		l.times--
		if l.old == nil {
			return nil, jetstream.ErrKeyNotFound
		}
		return l.old, nil
	}
	return l.KeyValue.Get(ctx, key)
}

func (l *lagging) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	next, err := l.KeyValue.Update(ctx, key, value, revision)
	if l.lost && err == nil {
		l.lost = false
		return 0, nats.ErrTimeout
	}
	return next, err
}

// laggingObjects are those of a server that has yet to hear of an object, and then has a part.
type laggingObjects struct {
	jetstream.ObjectStore
	missing, short int // times
}

func (l *laggingObjects) Get(ctx context.Context, name string, options ...jetstream.GetObjectOpt) (jetstream.ObjectResult, error) {
	if l.missing > 0 {
		l.missing--
		return nil, jetstream.ErrObjectNotFound
	}
	result, err := l.ObjectStore.Get(ctx, name, options...)
	if err == nil && l.short > 0 {
		l.short--
		return short{result}, nil
	}
	return result, err
}

// short is an object that ends too early.
type short struct{ jetstream.ObjectResult }

func (short) Read([]byte) (int, error) { return 0, jetstream.ErrDigestMismatch }

// replicated is a cluster that takes itself for one with three servers, and has one.
func replicated(t *testing.T) *Cluster {
	t.Helper()
	s, err := server.Start(server.Options{Folder: t.TempDir(), Silent: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	config := DefaultConfig()
	config.AckWait = 400 * time.Millisecond
	c, err := Setup(t.Context(), Options{Name: "test", Native: []nats.Option{s.Option()}}, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	c.Config.Replicas = 3
	return c
}

var testJob = Job{Kind: "test", Name: "job", Program: "impasto 1.2.3", Device: "any", Batch: "b", Memory: 1}

// setPhase gives a job's state a phase, and returns the state from before.
func setPhase(t *testing.T, c *Cluster, key string, phase Phase) jetstream.KeyValueEntry {
	t.Helper()
	before, err := c.states.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.change(t.Context(), key, func(s *State) (bool, error) { s.Phase = phase; return true, nil }); err != nil {
		t.Fatal(err)
	}
	return before
}

type nothing struct{}

func (nothing) Run(context.Context, *Task) (Outcome, error) { return Outcome{}, nil }

// A worker gets the message of a job that was queued anew, from a server which knows it, and
// its state from one that still has the job's former end.
func TestAJobIsntLostThoughItsStateIsReadLate(t *testing.T) {
	c := replicated(t)
	state, err := c.Submit(t.Context(), testJob)
	if err != nil {
		t.Fatal(err)
	}
	setPhase(t, c, state.Key, Failed)
	failed := setPhase(t, c, state.Key, Queued)
	c.states = &lagging{KeyValue: c.states, old: failed, times: 3}
	w, err := NewWorker(c, WorkerOptions{Name: "w", Program: testJob.Program, Kinds: map[string]Kind{"test": nothing{}}, Devices: []string{"any"}, Seats: 1, Memory: 1 << 30, Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	until, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	for {
		entry, err := c.states.(*lagging).KeyValue.Get(until, state.Key)
		if err != nil {
			t.Fatalf("it isn't done: %v", err)
		}
		if s, err := decodeState(entry); err != nil || s.Phase == Done {
			break
		}
		if !sleep(until, 10*time.Millisecond) {
			t.Fatal("it isn't done")
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAnEndThatWasToldIsFoundThoughItsStateIsReadLate(t *testing.T) {
	c := replicated(t)
	state, err := c.Submit(t.Context(), testJob)
	if err != nil {
		t.Fatal(err)
	}
	slow := &lagging{KeyValue: c.states}
	c.states = slow
	told := make(chan State, 1)
	ctx, cancel := context.WithTimeout(t.Context(), lookAgain/2)
	defer cancel()
	type end struct {
		state State
		err   error
	}
	ended := make(chan end, 1)
	go func() {
		s, err := c.Wait(ctx, state.Key, func(s State) { told <- s })
		ended <- end{s, err}
	}()
	if s := <-told; s.Phase != Queued {
		t.Errorf("it is told of the phase %s, want queued", s.Phase)
	}
	old, err := slow.KeyValue.Get(t.Context(), state.Key)
	if err != nil {
		t.Fatal(err)
	}
	slow.old, slow.times = old, 4 // one is for what changes the state
	if _, err := c.change(t.Context(), state.Key, func(s *State) (bool, error) { s.Phase = Done; return true, nil }); err != nil {
		t.Fatal(err)
	}
	if e := <-ended; e.err != nil || e.state.Phase != Done {
		t.Errorf("%v, it waits for %s", e.err, e.state.Phase)
	}
}

func TestAJobIsKnownThoughAServerHearsOfItLate(t *testing.T) {
	c := replicated(t)
	state, err := c.Submit(t.Context(), testJob)
	if err != nil {
		t.Fatal(err)
	}
	c.states = &lagging{KeyValue: c.states, times: 3}
	if s, err := c.State(t.Context(), state.Key); err != nil || s.Phase != Queued {
		t.Errorf("%v, it is %s", err, s.Phase)
	}
	began := time.Now()
	if _, err := c.State(t.Context(), strings.Repeat("0", 64)); !errors.Is(err, ErrUnknown) || time.Since(began) < lagWait {
		t.Errorf("one that there isn't is %v after %s", err, time.Since(began))
	}
}

func TestAChangeWhoseAnswerIsLostIsOnesOwn(t *testing.T) {
	for _, other := range []bool{false, true} {
		t.Run(fmt.Sprint("another changes it ", other), func(t *testing.T) {
			c := replicated(t)
			s, err := c.Submit(t.Context(), testJob)
			if err != nil {
				t.Fatal(err)
			}
			old, err := c.states.Get(t.Context(), s.Key)
			if err != nil {
				t.Fatal(err)
			}
			if s.revision = old.Revision(); other {
				setPhase(t, c, s.Key, Cancelled)
			}
			c.states = &lagging{KeyValue: c.states, old: old, times: 2, lost: true}
			s.Phase = Running
			if err := c.setState(t.Context(), &s); other != errors.Is(err, errChanged) || !other && (err != nil || s.revision == old.Revision()) {
				t.Errorf("it comes to %v, with the revision %d after %d", err, s.revision, old.Revision())
			}
		})
	}
}

func TestAnObjectIsWholeThoughAServerHasItLate(t *testing.T) {
	c := replicated(t)
	path, data := filepath.Join(t.TempDir(), "in"), []byte("hello")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	object, err := c.Upload(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	c.objects = &laggingObjects{ObjectStore: c.objects, missing: 2, short: 2}
	to := filepath.Join(t.TempDir(), "out")
	if err := c.Download(t.Context(), object, to); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(to); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%v, it is %q, want %q", err, got, data)
	}
	if there, err := c.has(t.Context(), object.SHA256, object); err != nil || !there {
		t.Errorf("%v, and gone then", err)
	}
	gone := object
	gone.SHA256 = strings.Repeat("0", 64)
	began := time.Now()
	if err := c.Download(t.Context(), gone, to); !IsLost(err) || time.Since(began) < lagWait {
		t.Errorf("one that isn't there is %v after %s", err, time.Since(began))
	}
}

func TestPatience(t *testing.T) {
	api := func(code int, number jetstream.ErrorCode, text string) error {
		return fmt.Errorf("ask: %w", &jetstream.APIError{Code: code, ErrorCode: number, Description: text})
	}
	for _, test := range []struct {
		what         string
		err          error
		passes, full bool
	}{
		{"no leader", api(503, 10008, "JetStream system temporarily unavailable"), true, false},
		{"no leader for files", fmt.Errorf("ask: %w", &nats.APIError{Code: 503, ErrorCode: 10008, Description: "JetStream system temporarily unavailable"}), true, false},
		{"no responders", nats.ErrNoResponders, true, false},
		{"no answer", jetstream.ErrAsyncPublishTimeout, true, false},
		{"a former leader", api(500, 10009, "JetStream cluster can not handle request"), true, false},
		{"servers that are away", api(500, 10118, "stream is offline"), true, false},
		{"a server that ends", api(503, 10077, "store is closed"), true, false},
		{"a full store", api(503, 10077, "maximum bytes exceeded"), false, true},
		{"a full disk", api(500, 10047, "insufficient storage resources available"), false, true},
		{"a job that is there", api(503, 10077, "maximum messages per subject exceeded"), false, false},
		{"no cluster", api(500, 10074, "replicas > 1 not supported in non-clustered mode"), false, false},
		{"end of file", io.EOF, false, false},
	} {
		if passes(test.err) != test.passes || isFull(test.err) != test.full {
			t.Errorf("%s passes: %v, want %v; is full: %v, want %v", test.what, passes(test.err), test.passes, isFull(test.err), test.full)
		}
	}
	var said []string
	c := &Cluster{options: Options{Patience: 100 * time.Millisecond, Log: func(line string) { said = append(said, line) }}}
	var silent *SilentError
	if err := c.patiently(t.Context(), func(context.Context) error { return nats.ErrNoResponders }); !errors.As(err, &silent) || !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("without an answer it comes to %v", err)
	}
	c.sayWaiting(time.Now().Add(-2*quiet), nats.ErrNoResponders)
	c.sayWaiting(time.Now().Add(-2*quiet), nats.ErrNoResponders) // which is too soon to be told again
	c.sayWaiting(time.Now(), nats.ErrNoResponders)
	if len(said) != 1 || !strings.Contains(said[0], "no responders") {
		t.Errorf("it says %q, want one line", said)
	}
}
