package cluster_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"impasto/internal/cluster"
	"impasto/internal/cluster/server"
)

// stored is how many bytes all streams take, on each of the servers that keep them.
func stored(b *testing.B, url string) (bytes uint64) {
	b.Helper()
	conn, err := nats.Connect(url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		b.Fatal(err)
	}
	streams := js.ListStreams(b.Context())
	for info := range streams.Info() {
		bytes += info.State.Bytes
	}
	if streams.Err() != nil {
		b.Fatal(streams.Err())
	}
	return bytes
}

// serveThree starts three servers that know one another, and returns their URLs.
func serveThree(b *testing.B) string {
	b.Helper()
	var ports []int
	var routes []*url.URL
	for range 3 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
		routes = append(routes, &url.URL{Scheme: "nats", Host: listener.Addr().String()})
		if err := listener.Close(); err != nil {
			b.Fatal(err)
		}
	}
	var urls []string
	for i, port := range ports {
		s, err := natsserver.NewServer(&natsserver.Options{
			ServerName: fmt.Sprint("queue-", i+1), Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: b.TempDir(), NoSigs: true, NoLog: true,
			Cluster: natsserver.ClusterOpts{Name: "impasto", Host: "127.0.0.1", Port: port}, Routes: routes,
		})
		if err != nil {
			b.Fatal(err)
		}
		s.Start()
		b.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		if !s.ReadyForConnections(30 * time.Second) {
			b.Fatal("a server doesn't start")
		}
		urls = append(urls, s.ClientURL())
	}
	return strings.Join(urls, ",")
}

// BenchmarkJobs times jobs that do nothing but write a small file, from their submission to
// the state that says that they are done, over loopback connections: what a job costs beside
// its work. Messages and bytes are those of all connections, in both directions.
func BenchmarkJobs(b *testing.B) {
	b.Run("one server", func(b *testing.B) {
		s, err := server.Start(server.Options{Folder: b.TempDir(), Host: "127.0.0.1", Port: -1})
		if err != nil {
			b.Fatal(err)
		}
		defer s.Shutdown()
		benchmarkJobs(b, s.URL(), 1)
	})
	b.Run("three servers", func(b *testing.B) { benchmarkJobs(b, serveThree(b), 3) })
}

func benchmarkJobs(b *testing.B, url string, replicas int) {
	config := cluster.DefaultConfig()
	config.Replicas = replicas
	operator, err := cluster.Setup(b.Context(), cluster.Options{URL: url, Name: "operator"}, config)
	if err != nil {
		b.Fatal(err)
	}
	operator.Close()
	var lock sync.Mutex
	var conns []*nats.Conn
	connect := func(name string) *cluster.Cluster {
		c, err := cluster.Connect(b.Context(), cluster.Options{URL: url, Name: name, Native: []nats.Option{nats.ConnectHandler(func(c *nats.Conn) {
			lock.Lock()
			defer lock.Unlock()
			conns = append(conns, c)
		})}})
		if err != nil {
			b.Fatal(err)
		}
		return c
	}
	traffic := func() (messages, bytes uint64) {
		lock.Lock()
		defer lock.Unlock()
		for _, c := range conns {
			of := c.Stats()
			messages, bytes = messages+of.InMsgs+of.OutMsgs, bytes+of.InBytes+of.OutBytes
		}
		return messages, bytes
	}
	c := connect("submitter")
	defer c.Close()
	ctx, cancel := context.WithCancel(b.Context())
	var workers sync.WaitGroup
	for i := range 4 {
		own := connect(fmt.Sprint("worker ", i))
		defer own.Close()
		w, err := cluster.NewWorker(own, cluster.WorkerOptions{
			Name: fmt.Sprint("w", i), Program: program, Kinds: map[string]cluster.Kind{"test": kind(func(_ context.Context, task *cluster.Task) (cluster.Outcome, error) {
				path := filepath.Join(task.Folder, "out")
				return cluster.Outcome{Files: map[string]string{"text": path}}, os.WriteFile(path, []byte(task.Job.Name), 0o600)
			})}, Devices: []string{"cpu", "any"}, Seats: 1, Memory: 8 << 30, Folder: filepath.Join(b.TempDir(), "worker"), CacheBytes: 1 << 20,
		})
		if err != nil {
			b.Fatal(err)
		}
		workers.Go(func() { _ = w.Run(ctx); _ = w.Close() })
	}
	input := filepath.Join(b.TempDir(), "in")
	if err := os.WriteFile(input, []byte("content"), 0o600); err != nil {
		b.Fatal(err)
	}
	object, err := c.Upload(b.Context(), input)
	if err != nil {
		b.Fatal(err)
	}
	settings := map[string]string{}
	for i := range 45 { // as many as a picture has
		settings[fmt.Sprint("a-setting-", i)] = "relu1_1=1,relu2_1=1"
	}
	var number atomic.Int64
	messages, bytes := traffic()
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n := number.Add(1)
			settings := settings
			job := cluster.Job{Kind: "test", Name: fmt.Sprint(n), Batch: "b", Program: program, Device: "any", Inputs: []cluster.Input{{Role: "text", Object: object}}, Settings: settings}
			job.Parameters = []byte(fmt.Sprint(n))
			state, err := c.Submit(b.Context(), job)
			if err == nil {
				state, err = c.Wait(b.Context(), state.Key, nil)
			}
			if err != nil || state.Phase != cluster.Done {
				b.Errorf("the job %d is %s: %v", n, state.Phase, err)
			}
		}
	})
	b.StopTimer()
	after, bytesAfter := traffic()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
	b.ReportMetric(float64(after-messages)/float64(b.N), "messages/job")
	b.ReportMetric(float64(bytesAfter-bytes)/float64(b.N), "bytes/job")
	b.ReportMetric(float64(stored(b, url))/float64(b.N), "stored-bytes/job")
	cancel()
	workers.Wait()
}
