package cluster_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"impasto/internal/cluster"
	"impasto/internal/cluster/clustertest"
)

// TestTheExamplesPermissionsAreEnough runs everything under the users of the example's
// configuration, each of which may do what it needs and not what others do.
func TestTheExamplesPermissionsAreEnough(t *testing.T) {
	folder := t.TempDir()
	text, err := os.ReadFile("../../examples/cluster/nats.conf")
	if err != nil {
		t.Fatal(err)
	}
	configuration := strings.ReplaceAll(string(text), `"/data"`, `"`+filepath.ToSlash(folder)+`"`)
	path := filepath.Join(folder, "nats.conf")
	for file, text := range map[string]string{path: configuration, filepath.Join(folder, "tls.conf"): "# without certificates\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, user := range []string{"OPERATOR", "WORKER", "SUBMITTER"} {
		t.Setenv(user+"_PASSWORD", "secret-of-"+strings.ToLower(user))
	}
	o, err := natsserver.ProcessConfigFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o.Host, o.Port, o.NoSigs, o.NoLog, o.JetStreamMaxStore = "127.0.0.1", -1, true, true, 1<<28
	s, err := natsserver.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("the server doesn't start")
	}
	said := &clustertest.Lines{}
	as := func(user string) cluster.Options {
		return cluster.Options{URL: strings.Replace(s.ClientURL(), "://", "://"+user+":secret-of-"+user+"@", 1), Name: user, Log: said.Add}
	}
	if _, err := cluster.Setup(t.Context(), as("operator"), quick()); err != nil {
		t.Fatal(err)
	}
	submitter, err := cluster.Connect(t.Context(), as("submitter"))
	if err != nil {
		t.Fatal(err)
	}
	defer submitter.Close()
	working, err := cluster.Connect(t.Context(), as("worker"))
	if err != nil {
		t.Fatal(err)
	}
	defer working.Close()
	fails := true
	w, err := cluster.NewWorker(working, cluster.WorkerOptions{
		Name: "w", Program: program, Devices: []string{"any"}, Seats: 1, Memory: 4 << 30, Folder: t.TempDir(), CacheBytes: 1 << 20, Log: said.Add,
		Kinds: map[string]cluster.Kind{"test": kind(func(ctx context.Context, task *cluster.Task) (cluster.Outcome, error) {
			if fails && task.Job.Name == "fails" {
				fails = false
				return cluster.Outcome{}, &cluster.PermanentError{Err: errors.New("so it is")}
			}
			return counting(-1, nil, nil)(ctx, task)
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	if done := await(t, submitter, submit(t, submitter, "hello", nil).Key); done.Phase != cluster.Done || output(t, submitter, done) != "0123456789" {
		t.Errorf("it came to %+v", done)
	}
	dead := await(t, submitter, submit(t, submitter, "fails", nil).Key)
	if _, err := submitter.Retry(t.Context(), dead.Key); err != nil || dead.Phase != cluster.Failed {
		t.Errorf("%v, it came to %+v", err, dead)
	}
	await(t, submitter, dead.Key)
	waits := submit(t, submitter, "waits", func(j *cluster.Job) { j.Device = "cuda" })
	if now, err := submitter.Cancel(t.Context(), waits.Key); err != nil || now.Phase != cluster.Cancelled {
		t.Errorf("%v, it is %s", err, now.Phase)
	}
	if workers, err := submitter.Workers(t.Context()); err != nil || len(workers) != 1 {
		t.Errorf("%v, there are %d workers", err, len(workers))
	}
	count := 0
	if err := submitter.States(t.Context(), func(cluster.State) bool { count++; return true }); err != nil || count != 3 {
		t.Errorf("%v, there are %d jobs", err, count)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if text := strings.ToLower(said.Text()); strings.Contains(text, "permission") {
		t.Errorf("somebody lacks a permission:\n%s", text)
	}
	short, end := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer end()
	if _, err := cluster.Setup(short, as("worker"), quick()); err == nil {
		t.Error("a worker may set up the cluster")
	}
}
