package cluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Config is how a cluster is set up. It is the same for all that connect to it, who read it
// from the description of the stream of jobs.
type Config struct {
	// AckWait is how long a worker may be silent before its job goes to another.
	AckWait time.Duration
	// Tries is how often a job is begun that fails, or whose worker dies, and comes to no
	// checkpoint in between.
	Tries int
	// Keep is how long states, pictures and dead letters are kept after their last change.
	Keep time.Duration
	// Replicas is on how many servers of the cluster everything is kept, 1, 3 or 5.
	Replicas int
	// ObjectBytes and JobBytes are how much the stores of pictures and of jobs may take; -1
	// for as much as the server has.
	ObjectBytes, JobBytes int64
}

// DefaultConfig is that of one server.
func DefaultConfig() Config {
	return Config{AckWait: 30 * time.Second, Tries: 3, Keep: 30 * 24 * time.Hour, Replicas: 1, ObjectBytes: -1, JobBytes: -1}
}

// Check reports a value that won't do.
func (c Config) Check() error {
	switch {
	case c.AckWait < 100*time.Millisecond:
		return fmt.Errorf("cluster: the time after which a silent worker's job goes to another is %s, want 100ms at least", c.AckWait)
	case c.Tries < 1:
		return fmt.Errorf("cluster: number of tries is %d, want 1 at least", c.Tries)
	case c.Keep < time.Minute:
		return fmt.Errorf("cluster: results are kept for %s, want 1m at least", c.Keep)
	case c.Replicas < 1 || c.Replicas > 5 || c.Replicas%2 == 0: // an even number outlives no more servers than one fewer
		return fmt.Errorf("cluster: number of replicas is %d, want 1, 3 or 5", c.Replicas)
	}
	return nil
}

// The keys of the stream's description.
const (
	ackWaitKey = "impasto.ack_wait"
	triesKey   = "impasto.tries"
)

// idleConsumers is how long the consumers of a program's version are kept that nobody uses.
const idleConsumers = 7 * 24 * time.Hour

// presence is how often a worker says that it is there, and forgotten how long it counts as
// there without.
const (
	presence  = 15 * time.Second
	forgotten = time.Minute
)

// gatherWait is how long it may take until servers that start know of one another.
const gatherWait = 10 * time.Second

// open opens the streams and stores. They are made, or made anew by config, where that isn't
// nil or they aren't there.
func (c *Cluster) open(ctx context.Context, config *Config) error {
	if config == nil {
		err := c.patiently(ctx, func(ctx context.Context) (err error) {
			c.jobs, err = c.js.Stream(ctx, jobStream)
			return err
		})
		if err == nil {
			return c.openStores(ctx)
		}
		if !errors.Is(err, jetstream.ErrStreamNotFound) {
			return err
		}
		standard := DefaultConfig()
		config = &standard
	}
	return c.setUp(ctx, *config)
}

// openStores opens those of a cluster that is set up.
func (c *Cluster) openStores(ctx context.Context) error {
	info := c.jobs.CachedInfo()
	wait, waitErr := time.ParseDuration(info.Config.Metadata[ackWaitKey])
	tries, triesErr := strconv.Atoi(info.Config.Metadata[triesKey])
	if err := errors.Join(waitErr, triesErr); err != nil {
		return fmt.Errorf("the stream %s isn't set up as this version does it (%w); see `impasto cluster setup --help`", jobStream, err)
	}
	c.Config = Config{AckWait: wait, Tries: tries, Replicas: info.Config.Replicas, JobBytes: info.Config.MaxBytes}
	return c.patiently(ctx, func(ctx context.Context) (err error) {
		if c.states, err = c.js.KeyValue(ctx, stateBucket); err != nil {
			return fmt.Errorf("the states: %w", err)
		}
		if c.workers, err = c.js.KeyValue(ctx, workerBucket); err != nil {
			return fmt.Errorf("the workers: %w", err)
		}
		if c.objects, err = c.js.ObjectStore(ctx, objectBucket); err != nil {
			return fmt.Errorf("the pictures: %w", err)
		}
		status, err := c.objects.Status(ctx)
		if err == nil {
			c.Config.Keep = status.TTL()
		}
		return err
	})
}

// setUp makes streams and stores, or changes those that there are. That of jobs comes last:
// where it is there, all are.
func (c *Cluster) setUp(ctx context.Context, config Config) error {
	c.Config = config
	for _, made := range []struct {
		what string
		by   func(ctx context.Context) error
	}{
		{"the store of states", func(ctx context.Context) (err error) {
			c.states, err = c.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
				Bucket: stateBucket, Description: "states of impasto's jobs", TTL: config.Keep, Replicas: config.Replicas,
			})
			return err
		}},
		{"the store of workers", func(ctx context.Context) (err error) {
			c.workers, err = c.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
				Bucket: workerBucket, Description: "impasto's workers", TTL: forgotten, Replicas: config.Replicas,
			})
			return err
		}},
		{"the store of pictures", func(ctx context.Context) (err error) {
			c.objects, err = c.js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{
				Bucket: objectBucket, Description: "pictures and checkpoints of impasto's jobs, by SHA-256", TTL: config.Keep, Replicas: config.Replicas, MaxBytes: config.ObjectBytes,
			})
			return err
		}},
		{"the stream of dead letters", func(ctx context.Context) error {
			_, err := c.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
				Name: deadStream, Description: "impasto's jobs that failed", Subjects: []string{deadSubjects + "*"}, MaxMsgsPerSubject: 1, MaxAge: config.Keep, Replicas: config.Replicas,
			})
			return err
		}},
		{"the stream of jobs", func(ctx context.Context) (err error) {
			c.jobs, err = c.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
				Name: jobStream, Description: "impasto's jobs that wait or are under way", Subjects: []string{jobSubjects + "*.*.*.*"},
				Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true, MaxMsgsPerSubject: 1,
				MaxBytes: config.JobBytes, Replicas: config.Replicas,
				Metadata: map[string]string{ackWaitKey: config.AckWait.String(), triesKey: strconv.Itoa(config.Tries)},
			})
			return err
		}},
	} {
		began := time.Now()
		err := c.patiently(ctx, func(ctx context.Context) error {
			err := made.by(ctx)
			if isCode(err, noPeers) && time.Since(began) < gatherWait {
				return errNotYet
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("make %s: %w", made.what, err)
		}
	}
	return nil
}
