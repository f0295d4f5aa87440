package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// answerWait is how long an answer of the server may take before the request is made anew,
	// and firstWait so for the first time: a request that is lost with a server isn't missed for
	// long, and a slow server isn't asked ever more.
	answerWait = 5 * time.Second
	firstWait  = answerWait / 4
	// longestPause is the most between two requests.
	longestPause = 2 * time.Second
	// quiet is how long requests may fail before people are told, and how long they aren't
	// told again.
	quiet = 15 * time.Second
	// lagWait is how long a server may lag behind the others of a cluster: for so long it is
	// asked again where it doesn't have what another has stored.
	lagWait = 5 * time.Second
	// lagPause is the time between two such requests.
	lagPause = 50 * time.Millisecond
)

// errNotYet is the error of what may be so in a moment: servers of a cluster learn of things one
// after another.
var errNotYet = errors.New("the servers of the cluster don't know the same yet")

// patiently calls f until it succeeds, fails for another reason than that the server can't be
// reached at the moment, or ctx or the patience of the cluster's options ends. What it does has
// to be harmless to do twice.
func (c *Cluster) patiently(ctx context.Context, f func(ctx context.Context) error) error {
	return c.patientlyWithin(ctx, firstWait, answerWait, f)
}

// patientlyWithin is patiently for calls that may take so long, the first one and at last.
func (c *Cluster) patientlyWithin(ctx context.Context, wait, longest time.Duration, f func(ctx context.Context) error) error {
	began := time.Now()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, longestPause) {
		within, cancel := context.WithTimeout(ctx, wait)
		back := c.back.wait()
		go func() { // what was asked before the connection broke won't be answered
			select {
			case <-back:
				cancel()
			case <-within.Done():
			}
		}()
		wait = min(2*wait, longest)
		err := f(within)
		broken := errors.Is(err, context.Canceled) && within.Err() != nil
		cancel()
		if err == nil || ctx.Err() == nil && !broken && !passes(err) {
			return err
		}
		if c.options.Patience > 0 && ctx.Err() == nil && time.Since(began) > c.options.Patience {
			return &SilentError{c.options.Patience, err}
		}
		c.sayWaiting(began, err)
		// By chance, so that thousands of workers don't come back at once.
		if !sleep(ctx, pause/2+rand.N(pause/2)) {
			return ctx.Err()
		}
	}
}

// SilentError is the error of a cluster that didn't answer for as long as one has patience.
type SilentError struct {
	waited time.Duration
	cause  error
}

func (e *SilentError) Error() string {
	return fmt.Sprintf("JetStream doesn't answer for %s (%v); of the servers that keep everything, more than half have to be there and reach one another", e.waited, e.cause)
}

// Unwrap returns what the last request came to.
func (e *SilentError) Unwrap() error { return e.cause }

// sayWaiting tells people that a request fails since then, if they weren't told lately.
func (c *Cluster) sayWaiting(since time.Time, err error) {
	now := time.Now().UnixNano()
	last := c.waiting.Load()
	if time.Since(since) > quiet && time.Duration(now-last) > quiet && c.waiting.CompareAndSwap(last, now) {
		c.options.Log(fmt.Sprintf("the cluster's JetStream doesn't answer (%v) and is asked again: of the servers that keep everything, more than half have to be there", err))
	}
}

// broadcast wakes up whoever waits for something that happens again and again.
type broadcast struct {
	mutex sync.Mutex
	next  chan struct{}
}

// wait returns a channel that is closed when it happens next.
func (b *broadcast) wait() <-chan struct{} {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.next == nil {
		b.next = make(chan struct{})
	}
	return b.next
}

// happen closes it.
func (b *broadcast) happen() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.next != nil {
		close(b.next)
		b.next = nil
	}
}

// sleep waits, and tells whether ctx lasted so long.
func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// passes tells whether an error is one of a server that is away or starting.
func passes(err error) bool {
	for _, passing := range []error{
		context.DeadlineExceeded, nats.ErrTimeout, nats.ErrNoResponders, nats.ErrDisconnected, nats.ErrConnectionReconnecting, nats.ErrNoServers,
		nats.ErrStaleConnection, nats.ErrReconnectBufExceeded, jetstream.ErrNoStreamResponse, jetstream.ErrAsyncPublishTimeout, errNotYet,
	} {
		if errors.Is(err, passing) {
			return true
		}
	}
	api := apiError(err)
	switch api.ErrorCode {
	case storeFailed:
		return isClosing(api)
	case notLeader, streamOffline, consumerOffline:
		return true
	}
	return api.Code == 503 // without a leader, or starting
}

// Codes of the server's errors.
const (
	storeFailed         jetstream.ErrorCode = 10077
	insufficientStorage jetstream.ErrorCode = 10047
	insufficientMemory  jetstream.ErrorCode = 10028
	notLeader           jetstream.ErrorCode = 10009
	streamOffline       jetstream.ErrorCode = 10118 // as its servers are away
	consumerOffline     jetstream.ErrorCode = 10119
	noPeers             jetstream.ErrorCode = 10005
	notClustered        jetstream.ErrorCode = 10074
)

// apiError is the server's error in err, or an empty one. Stores read files and lists by an older
// part of the client, which has a type of its own for it.
func apiError(err error) jetstream.APIError {
	var api *jetstream.APIError
	var older *nats.APIError
	switch {
	case errors.As(err, &api):
		return *api
	case errors.As(err, &older):
		return jetstream.APIError{Code: older.Code, ErrorCode: jetstream.ErrorCode(older.ErrorCode), Description: older.Description}
	}
	return jetstream.APIError{}
}

// isClosing tells whether a message couldn't be stored since the server ends.
func isClosing(err jetstream.APIError) bool {
	return err.ErrorCode == storeFailed && strings.Contains(err.Description, "closed")
}

// isCode tells whether an error is the server's of that code.
func isCode(err error, code jetstream.ErrorCode) bool {
	return apiError(err).ErrorCode == code
}

// isFull tells whether an error is one of a stream or store that has no more space.
func isFull(err error) bool {
	api := apiError(err)
	switch api.ErrorCode {
	case storeFailed:
		return !isQueued(err) && !isClosing(api)
	case insufficientStorage, insufficientMemory:
		return true
	}
	return false
}

// isQueued tells whether an error is that of a job that is in the queue already.
func isQueued(err error) bool {
	api := apiError(err)
	return api.ErrorCode == storeFailed && strings.Contains(api.Description, "messages per subject")
}
