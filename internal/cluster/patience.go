package cluster

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// answerWait is how long an answer of the server may take before the request is made anew.
	answerWait = 5 * time.Second
	// longestPause is the most between two requests.
	longestPause = 2 * time.Second
)

// patiently calls f until it succeeds, fails for another reason than that the server can't be
// reached at the moment, or ctx ends. What it does has to be harmless to do twice.
func (c *Cluster) patiently(ctx context.Context, f func(ctx context.Context) error) error {
	return c.patientlyWithin(ctx, answerWait, f)
}

// patientlyWithin is patiently for calls that may take so long.
func (c *Cluster) patientlyWithin(ctx context.Context, wait time.Duration, f func(ctx context.Context) error) error {
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
		err := f(within)
		broken := errors.Is(err, context.Canceled) && within.Err() != nil
		cancel()
		if err == nil || ctx.Err() == nil && !broken && !passes(err) {
			return err
		}
		// By chance, so that thousands of workers don't come back at once.
		if !sleep(ctx, pause/2+rand.N(pause/2)) {
			return ctx.Err()
		}
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
		nats.ErrStaleConnection, nats.ErrReconnectBufExceeded, jetstream.ErrNoStreamResponse,
	} {
		if errors.Is(err, passing) {
			return true
		}
	}
	var api *jetstream.APIError
	return errors.As(err, &api) && api.Code == 503 && api.ErrorCode != storeFailed // without a leader, or starting
}

// Codes of the server's errors.
const (
	storeFailed         jetstream.ErrorCode = 10077
	insufficientStorage jetstream.ErrorCode = 10047
	insufficientMemory  jetstream.ErrorCode = 10028
)

// isFull tells whether an error is one of a stream or store that has no more space.
func isFull(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == storeFailed && !isQueued(err) || api.ErrorCode == insufficientStorage || api.ErrorCode == insufficientMemory)
}

// isQueued tells whether an error is that of a job that is in the queue already.
func isQueued(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == storeFailed && strings.Contains(api.Description, "messages per subject")
}
