// Package cluster has jobs done by other processes, on this machine or on others, by way of
// NATS JetStream. What a job does is up to its kind: the package knows documents, files by
// their content, and states.
//
// A job is a document of JSON (Job) under a key, which is a digest of all that its results
// follow from. It stands in a stream with work-queue retention, on a subject of its own, of
// which the stream keeps one message at most: so a job is in the queue once, however often it
// is submitted. Files are in an object store under their SHA-256, and the state of each job
// (State) is in a key-value store. Who changes a state gives the revision that it was read at,
// and the store refuses all others; so a job has one worker that may finish it, and one
// result, also where a worker that was thought dead comes back.
//
// A worker takes a message, tells the server every third of Config.AckWait that it is still
// at it, and acknowledges once results and state are stored. Where it dies, the server gives
// the message to another, which goes on from the last checkpoint. A job that was begun
// Config.Tries times and came to no checkpoint in between goes to a stream of dead letters,
// with the reasons.
//
// What happens is told on a subject for each job, which nobody has to listen to: the states
// are the truth.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The names in the account of the server.
const (
	jobStream    = "IMPASTO_JOBS"
	deadStream   = "IMPASTO_DEAD"
	stateBucket  = "impasto_states"
	workerBucket = "impasto_workers"
	objectBucket = "impasto_objects"

	jobSubjects   = "impasto.jobs."   // followed by program, device, memory and key
	deadSubjects  = "impasto.dead."   // followed by the key
	eventSubjects = "impasto.events." // followed by the key
)

// Options say which cluster, and who asks.
type Options struct {
	// URL is that of a server, or of several with commas between them: nats://host:4222, or
	// tls://host:4222 where connections have to be encrypted.
	URL         string
	Credentials string // a file of NATS credentials, or empty
	// Authority is a file with the certificates of who signs the server's, or empty for those
	// that the system trusts. Certificate and Key are files with the client's own, or empty.
	Authority, Certificate, Key string

	Name string // of the connection, for operators
	// Log is told in a line what people should know of the connection; nil for none.
	Log func(line string)
	// Patience is how long requests are made again that aren't answered, since servers are
	// away or have no leader; 0 for as long as it takes.
	Patience time.Duration
	// Native has options of the connection that this struct has no field for.
	Native []nats.Option
}

// Cluster is a connection to a cluster. Its methods may be called from several goroutines.
// Where the server doesn't answer, they wait until it does, or their context or Options.Patience
// ends.
type Cluster struct {
	Config  Config
	options Options
	conn    *nats.Conn
	js      jetstream.JetStream
	jobs    jetstream.Stream
	states  jetstream.KeyValue
	workers jetstream.KeyValue
	objects jetstream.ObjectStore
	back    broadcast    // happens where a connection that was lost is there again
	waiting atomic.Int64 // when people were last told that requests fail, in Unix nanoseconds

	uploading sync.Mutex
	uploads   map[string]uploaded // by path
	consuming sync.Mutex
	consumers map[class]jetstream.Consumer
}

// Connect connects to a cluster, and sets up what isn't there with DefaultConfig. Close it in
// the end.
func Connect(ctx context.Context, o Options) (*Cluster, error) { return connect(ctx, o, nil) }

// Setup connects to a cluster and sets it up, or changes how it was set up, which leaves the
// jobs in it as they are.
func Setup(ctx context.Context, o Options, config Config) (*Cluster, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	return connect(ctx, o, &config)
}

// connect sets the cluster up as config says, or where that is nil only if it isn't.
func connect(ctx context.Context, o Options, config *Config) (*Cluster, error) {
	if o.Log == nil {
		o.Log = func(string) {}
	}
	c := &Cluster{options: o}
	var err error
	if c.conn, err = nats.Connect(o.URL, o.native(c.back.happen)...); err != nil {
		return nil, fmt.Errorf("cluster: connect to %s: %w", Redact(o.URL), err)
	}
	if c.js, err = jetstream.New(c.conn); err == nil {
		err = c.open(ctx, config)
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("cluster: %s: %w", Redact(o.URL), explain(err))
	}
	return c, nil
}

// Close ends the connection.
func (c *Cluster) Close() { c.conn.Close() }

// URL is that of the cluster, without a password.
func (c *Cluster) URL() string { return Redact(c.options.URL) }

// native are the options of a connection, which calls back where it is there again.
func (o Options) native(back func()) []nats.Option {
	native := []nats.Option{
		nats.Name(o.Name), nats.MaxReconnects(-1), nats.ReconnectWait(500 * time.Millisecond), nats.Timeout(5 * time.Second),
		nats.PingInterval(20 * time.Second),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				o.Log(fmt.Sprintf("the connection to the cluster is lost (%v); it is tried again", err))
			}
		}),
		nats.ReconnectHandler(func(c *nats.Conn) {
			o.Log("the cluster is there again, at " + Redact(c.ConnectedUrl()))
			back()
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { o.Log(fmt.Sprintf("the cluster: %v", err)) }),
	}
	if o.Credentials != "" {
		native = append(native, nats.UserCredentials(o.Credentials))
	}
	if o.Authority != "" {
		native = append(native, nats.RootCAs(o.Authority))
	}
	if o.Certificate != "" {
		native = append(native, nats.ClientCert(o.Certificate, o.Key))
	}
	return append(native, o.Native...)
}

// Redact is a list of URLs without passwords and tokens.
func Redact(urls string) string {
	parts := strings.Split(urls, ",")
	for i, part := range parts {
		u, err := url.Parse(strings.TrimSpace(part))
		switch {
		case err != nil:
			parts[i] = "(an address that can't be read)"
		case u.User != nil:
			u.User = url.User("…")
			parts[i] = strings.Replace(u.String(), "%E2%80%A6", "…", 1)
		}
	}
	return strings.Join(parts, ",")
}

// explain adds to an error what people can do about it.
func explain(err error) error {
	switch {
	case isCode(err, notClustered):
		return fmt.Errorf("%w: this server is by itself; start three that know one another (docs/cluster.md says how), or set it up with --replicas 1", err)
	case isCode(err, noPeers):
		return fmt.Errorf("%w: the cluster hasn't as many servers with JetStream and enough space as there are to be replicas; start more of them, or choose fewer --replicas or --object-bytes", err)
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return fmt.Errorf("%w; start nats-server with -js, and allow JetStream for the account", err)
	case errors.Is(err, nats.ErrPermissionViolation), errors.Is(err, nats.ErrAuthorization):
		return fmt.Errorf("%w; docs/cluster.md lists the subjects that each part needs", err)
	}
	return err
}
