package cluster_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"impasto/internal/cluster"
	"impasto/internal/cluster/clustertest"
	"impasto/internal/cluster/server"
)

// quick is a configuration under which a silent worker's job goes to another soon.
func quick() cluster.Config {
	c := cluster.DefaultConfig()
	c.AckWait = 400 * time.Millisecond
	return c
}

// serve starts a server that only this process reaches, and sets a cluster up in it.
func serve(t *testing.T, config cluster.Config) *server.Server {
	t.Helper()
	s, err := server.Start(server.Options{Folder: t.TempDir(), Silent: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	c, err := cluster.Setup(t.Context(), options(s), config)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	return s
}

func options(s *server.Server) cluster.Options {
	return cluster.Options{Name: "test", Native: []nats.Option{s.Option()}}
}

func connect(t *testing.T, s *server.Server) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Connect(t.Context(), options(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// kind is a cluster.Kind that is a function.
type kind func(ctx context.Context, task *cluster.Task) (cluster.Outcome, error)

func (k kind) Run(ctx context.Context, task *cluster.Task) (cluster.Outcome, error) {
	return k(ctx, task)
}

// copying is a kind whose output is its input, in capitals.
func copying(_ context.Context, task *cluster.Task) (cluster.Outcome, error) {
	data, err := os.ReadFile(task.Inputs("text")[0])
	path := filepath.Join(task.Folder, "out")
	if err == nil {
		err = os.WriteFile(path, bytes.ToUpper(data), 0o600)
	}
	return cluster.Outcome{Files: map[string]string{"text": path}, Result: len(data)}, err
}

const program = "impasto 1.2.3"

// worker is one that runs until the test ends or it is stopped.
type worker struct {
	stop    func() // and waits
	said    clustertest.Lines
	cluster *cluster.Cluster
}

// startWorker starts a worker with a connection of its own, of which change changes the
// options.
func startWorker(t *testing.T, s *server.Server, name string, does kind, change func(*cluster.WorkerOptions)) *worker {
	t.Helper()
	w := &worker{cluster: connect(t, s)}
	o := cluster.WorkerOptions{
		Name: name, Program: program, Kinds: map[string]cluster.Kind{"test": does}, Devices: []string{"cpu", "any"}, Seats: 1, Memory: 8 << 30,
		Folder: t.TempDir(), CacheBytes: 1 << 20, Log: w.said.Add,
	}
	if change != nil {
		change(&o)
	}
	runs, err := cluster.NewWorker(w.cluster, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := runs.Run(ctx); err != nil {
			t.Errorf("the worker %s: %v", name, err)
		}
		_ = runs.Close()
	}()
	w.stop = sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(w.stop)
	return w
}

// submit brings a text to the cluster, and a job that is about it.
func submit(t *testing.T, c *cluster.Cluster, text string, change func(*cluster.Job)) cluster.State {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in.txt")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	object, err := c.Upload(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	job := cluster.Job{Kind: "test", Name: text, Batch: "b", Program: program, Device: "any", Memory: 1 << 20, Inputs: []cluster.Input{{Role: "text", Object: object}}}
	if change != nil {
		change(&job)
	}
	s, err := c.Submit(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// await waits for the end of a job.
func await(t *testing.T, c *cluster.Cluster, key string) cluster.State {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := c.Wait(ctx, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// until waits for something to be so.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 3000 {
		if is() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("it doesn't come to pass that %s", what)
}

// output fetches the text that a job came to.
func output(t *testing.T, c *cluster.Cluster, s cluster.State) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out")
	if err := c.Download(t.Context(), s.Outputs["text"], path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// left is how many messages a stream has.
func left(t *testing.T, s *server.Server, stream string) uint64 {
	t.Helper()
	conn, err := nats.Connect("", s.Option())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	of, err := js.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	return of.CachedInfo().State.Msgs
}

func TestAJobIsDoneOnceHoweverOftenItIsSubmitted(t *testing.T) {
	s := serve(t, quick())
	c := connect(t, s)
	var runs sync.Map
	first := submit(t, c, "hello", nil)
	again := submit(t, c, "hello", func(j *cluster.Job) { j.Batch, j.Name = "another", "another" })
	if first.Key != again.Key || left(t, s, "IMPASTO_JOBS") != 1 {
		t.Errorf("the keys are %s and %s, and %d jobs wait, want one", first.Key, again.Key, left(t, s, "IMPASTO_JOBS"))
	}
	startWorker(t, s, "w", func(ctx context.Context, task *cluster.Task) (cluster.Outcome, error) {
		if _, twice := runs.LoadOrStore(task.Job.Key, true); twice {
			t.Error("it is done twice")
		}
		return copying(ctx, task)
	}, nil)
	done := await(t, c, first.Key)
	if done.Phase != cluster.Done || string(done.Result) != "5" || output(t, c, done) != "HELLO" || done.Worker != "w" || done.Begun != 1 {
		t.Errorf("it came to %+v", done)
	}
	if s := submit(t, c, "hello", nil); s.Phase != cluster.Done {
		t.Errorf("submitted once more it is %s, want it done", s.Phase)
	}
	until(t, "the queue is empty", func() bool { return left(t, s, "IMPASTO_JOBS") == 0 })
	for name, change := range map[string]func(*cluster.Job){
		"settings":   func(j *cluster.Job) { j.Settings = map[string]string{"size": "7"} },
		"parameters": func(j *cluster.Job) { j.Parameters = json.RawMessage(`{"depth":16}`) },
		"device":     func(j *cluster.Job) { j.Device = "cpu" },
		"name":       func(j *cluster.Job) { j.Inputs[0].Name = "other.txt" },
	} {
		if other := submit(t, c, "hello", change); other.Key == first.Key {
			t.Errorf("another %s makes no other job", name)
		} else {
			await(t, c, other.Key)
		}
	}
}

func TestFilesKeepTheirNamesAndAreFetchedOnce(t *testing.T) {
	s := serve(t, quick())
	c := connect(t, s)
	paths := make(chan string, 4)
	startWorker(t, s, "w", func(ctx context.Context, task *cluster.Task) (cluster.Outcome, error) {
		paths <- task.Inputs("text")[0]
		return copying(ctx, task)
	}, nil)
	await(t, c, submit(t, c, "hello", nil).Key)
	await(t, c, submit(t, c, "hello", func(j *cluster.Job) { j.Batch, j.Inputs[0].Name = "b", "other.txt" }).Key)
	hostile := await(t, c, submit(t, c, "hello", func(j *cluster.Job) { j.Inputs[0].Name = "../../x" }).Key)
	first, second, third := <-paths, <-paths, <-paths
	if filepath.Base(first) != "in.txt" || filepath.Base(second) != "other.txt" || filepath.Base(third) == "x" || hostile.Phase != cluster.Done {
		t.Errorf("the files are %s, %s and %s", first, second, third)
	}
	a, errA := os.Stat(first)
	b, errB := os.Stat(second)
	if errA != nil || errB != nil || !os.SameFile(a, b) {
		t.Errorf("%v, %v: two files of one content", errA, errB)
	}
}

func TestWhatFailsTooOftenIsADeadLetterWithItsReasons(t *testing.T) {
	s := serve(t, quick())
	c := connect(t, s)
	fails := true
	var lock sync.Mutex
	startWorker(t, s, "w", func(ctx context.Context, task *cluster.Task) (cluster.Outcome, error) {
		lock.Lock()
		defer lock.Unlock()
		if fails {
			return cluster.Outcome{}, errors.New("no paint left")
		}
		return copying(ctx, task)
	}, nil)
	dead := await(t, c, submit(t, c, "hello", nil).Key)
	if dead.Phase != cluster.Failed || dead.Begun != 3 || len(dead.Reasons) != 3 || dead.Reason() != "on w: no paint left" {
		t.Errorf("it came to %+v", dead)
	}
	if n := left(t, s, "IMPASTO_DEAD"); n != 1 {
		t.Errorf("there are %d dead letters, want 1", n)
	}
	until(t, "the queue is empty", func() bool { return left(t, s, "IMPASTO_JOBS") == 0 })
	lock.Lock()
	fails = false
	lock.Unlock()
	if _, err := c.Retry(t.Context(), dead.Key); err != nil {
		t.Fatal(err)
	}
	if done := await(t, c, dead.Key); done.Phase != cluster.Done || output(t, c, done) != "HELLO" {
		t.Errorf("tried anew it came to %+v", done)
	}
}

func TestWhatCantBeDoneByAnybodyIsTriedOnce(t *testing.T) {
	s := serve(t, quick())
	c := connect(t, s)
	startWorker(t, s, "w", func(context.Context, *cluster.Task) (cluster.Outcome, error) {
		return cluster.Outcome{}, &cluster.PermanentError{Err: errors.New("no such setting")}
	}, nil)
	if dead := await(t, c, submit(t, c, "hello", nil).Key); dead.Phase != cluster.Failed || dead.Begun != 1 || !strings.Contains(dead.Reason(), "no such setting") {
		t.Errorf("it came to %+v", dead)
	}
	if dead := await(t, c, submit(t, c, "hello", func(j *cluster.Job) { j.Kind = "dance" }).Key); dead.Phase != cluster.Failed || !strings.Contains(dead.Reason(), `no jobs of the kind "dance"`) {
		t.Errorf("of an unknown kind it came to %+v", dead)
	}
}

func TestAPanicIsAFailure(t *testing.T) {
	s := serve(t, quick())
	c := connect(t, s)
	startWorker(t, s, "w", func(context.Context, *cluster.Task) (cluster.Outcome, error) { panic("oh") }, nil)
	if dead := await(t, c, submit(t, c, "hello", nil).Key); dead.Phase != cluster.Failed || !strings.Contains(dead.Reason(), "the program made a mistake: oh") {
		t.Errorf("it came to %+v", dead)
	}
}

// counting counts to ten, keeps a checkpoint after each step, and waits after the step of a
// number until it is told to go on, or to end.
func counting(pauseAt int, reached chan<- struct{}, goOn <-chan struct{}) kind {
	return func(ctx context.Context, task *cluster.Task) (cluster.Outcome, error) {
		text := ""
		if task.Checkpoint != "" {
			data, err := os.ReadFile(task.Checkpoint)
			if err != nil {
				return cluster.Outcome{}, err
			}
			text = string(data) + "|"
		}
		for n := len(strings.ReplaceAll(text, "|", "")); n < 10; n++ {
			text += fmt.Sprint(n)
			if err := task.Keep(ctx, func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil {
				return cluster.Outcome{}, err
			}
			if n == pauseAt {
				reached <- struct{}{}
				select {
				case <-goOn:
				case <-ctx.Done():
				}
			}
			if ctx.Err() != nil {
				return cluster.Outcome{}, ctx.Err()
			}
		}
		path := filepath.Join(task.Folder, "out")
		return cluster.Outcome{Files: map[string]string{"text": path}}, os.WriteFile(path, []byte(text), 0o600)
	}
}

func TestAWorkerThatStopsGivesItsJobToAnother(t *testing.T) {
	s := serve(t, cluster.DefaultConfig()) // under which nobody waits for the end of AckWait
	c := connect(t, s)
	reached := make(chan struct{}, 1)
	first := startWorker(t, s, "first", counting(4, reached, nil), nil)
	job := submit(t, c, "hello", nil)
	<-reached
	first.stop()
	startWorker(t, s, "second", counting(-1, nil, nil), nil)
	done := await(t, c, job.Key)
	if done.Phase != cluster.Done || done.Worker != "second" || output(t, c, done) != "01234|56789" || done.Checkpoint != nil {
		t.Errorf("it came to %+v, %q", done, output(t, c, done))
	}
}

func TestAWorkerThatWasThoughtDeadDoesntFinish(t *testing.T) {
	s := serve(t, quick())
	c := connect(t, s)
	reached, goOn := make(chan struct{}, 1), make(chan struct{})
	first := startWorker(t, s, "first", counting(4, reached, goOn), nil)
	job := submit(t, c, "hello", nil)
	<-reached
	first.cluster.Close() // nobody hears of it any more
	second := startWorker(t, s, "second", counting(-1, nil, nil), nil)
	done := await(t, c, job.Key)
	close(goOn)
	first.stop()
	now, err := c.State(t.Context(), job.Key)
	if err != nil || done.Phase != cluster.Done || now.Worker != "second" || output(t, c, now) != "01234|56789" {
		t.Errorf("%v: it came to %+v; the worker says\n%s", err, now, second.said.Text())
	}
	if !slices.ContainsFunc(now.Reasons, func(r string) bool { return strings.Contains(r, "first") && strings.Contains(r, "wasn't heard of") }) {
		t.Errorf("the reasons are %q", now.Reasons)
	}
}

func TestAJobWhoseWorkersDieIsADeadLetter(t *testing.T) {
	config := quick()
	config.Tries = 2
	s := serve(t, config)
	c := connect(t, s)
	job := submit(t, c, "hello", nil)
	for _, name := range []string{"first", "second"} {
		reached := make(chan struct{}, 1)
		w := startWorker(t, s, name, func(ctx context.Context, _ *cluster.Task) (cluster.Outcome, error) {
			reached <- struct{}{}
			<-ctx.Done()
			return cluster.Outcome{}, ctx.Err()
		}, nil)
		<-reached
		w.cluster.Close()
	}
	startWorker(t, s, "third", copying, nil)
	dead := await(t, c, job.Key)
	if dead.Phase != cluster.Failed || dead.Begun != 2 || !strings.Contains(strings.Join(dead.Reasons, ";"), "the worker second began it and wasn't heard of") {
		t.Errorf("it came to %+v", dead)
	}
}

func TestCancelledJobsAreLeft(t *testing.T) {
	s := serve(t, quick())
	c := connect(t, s)
	reached := make(chan struct{}, 1)
	w := startWorker(t, s, "w", counting(2, reached, nil), nil)
	under := submit(t, c, "hello", nil)
	<-reached
	waits := submit(t, c, "world", nil)
	for _, job := range []cluster.State{waits, under} {
		if now, err := c.Cancel(t.Context(), job.Key); err != nil || now.Phase != cluster.Cancelled {
			t.Errorf("%v, it is %s", err, now.Phase)
		}
	}
	until(t, "the worker leaves it", func() bool { return strings.Contains(w.said.Text(), "leaves hello: the job was cancelled") })
	until(t, "the queue is empty", func() bool { return left(t, s, "IMPASTO_JOBS") == 0 })
	w.stop()
	if strings.Contains(w.said.Text(), "begins world") {
		t.Error("the job that waited was begun")
	}
	startWorker(t, s, "other", counting(-1, nil, nil), nil)
	if s := submit(t, c, "hello", nil); s.Phase != cluster.Queued || await(t, c, s.Key).Phase != cluster.Done {
		t.Errorf("submitted anew it is %+v", s)
	}
}

func TestAWorkerRefusesWhatIsForAnotherVersion(t *testing.T) {
	s := serve(t, quick())
	c := connect(t, s)
	job := submit(t, c, "hello", nil)
	other := startWorker(t, s, "other", copying, func(o *cluster.WorkerOptions) { o.Program = "impasto 2.0.0" })
	until(t, "it says so", func() bool {
		return strings.Contains(other.said.Text(), "refuses 1 jobs that are for impasto 1.2.3, since this is impasto 2.0.0")
	})
	until(t, "others learn of it", func() bool {
		workers, err := c.Workers(t.Context())
		return err == nil && len(workers) == 1 && strings.Contains(workers[0].Refuses, "impasto 1.2.3")
	})
	startWorker(t, s, "right", copying, nil)
	if done := await(t, c, job.Key); done.Worker != "right" {
		t.Errorf("it was done by %s", done.Worker)
	}
	other.stop()
	if strings.Contains(other.said.Text(), "begins") {
		t.Errorf("the other says\n%s", other.said.Text())
	}
}

func TestWorkersTakeWhatTheyHaveTheMemoryAndTheDeviceFor(t *testing.T) {
	s := serve(t, quick())
	c := connect(t, s)
	large := submit(t, c, "large", func(j *cluster.Job) { j.Memory = 10 << 30 })
	gpu := submit(t, c, "gpu", func(j *cluster.Job) { j.Device = "cuda" })
	small := submit(t, c, "small", func(j *cluster.Job) { j.Device = "cpu" })
	startWorker(t, s, "small", copying, nil)
	if done := await(t, c, small.Key); done.Worker != "small" {
		t.Errorf("the small one is %+v", done)
	}
	for _, job := range []cluster.State{large, gpu} {
		if now, err := c.State(t.Context(), job.Key); err != nil || now.Phase != cluster.Queued {
			t.Errorf("%v, %s is %s, want it to wait", err, now.Name, now.Phase)
		}
	}
	startWorker(t, s, "large", copying, func(o *cluster.WorkerOptions) { o.Memory = 20 << 30 })
	startWorker(t, s, "gpu", copying, func(o *cluster.WorkerOptions) { o.Devices = []string{"cuda", "any"} })
	if done := await(t, c, large.Key); done.Worker != "large" {
		t.Errorf("the large one is %+v", done)
	}
	if done := await(t, c, gpu.Key); done.Worker != "gpu" {
		t.Errorf("the one for a GPU is %+v", done)
	}
	connection := connect(t, s)
	if _, err := cluster.NewWorker(connection, cluster.WorkerOptions{Name: "tiny", Memory: 1 << 20, Devices: []string{"any"}, Folder: t.TempDir()}); err == nil {
		t.Error("a worker without memory is none")
	}
}

func TestSeatsAndMemoryAreShared(t *testing.T) {
	s := serve(t, quick())
	c := connect(t, s)
	var lock sync.Mutex
	under, most := 0, 0
	startWorker(t, s, "w", func(ctx context.Context, task *cluster.Task) (cluster.Outcome, error) {
		lock.Lock()
		under++
		most = max(most, under)
		lock.Unlock()
		time.Sleep(30 * time.Millisecond)
		lock.Lock()
		under--
		lock.Unlock()
		return copying(ctx, task)
	}, func(o *cluster.WorkerOptions) { o.Seats, o.Memory = 4, 2<<30 }) // of 1 GiB each
	var keys []string
	for i := range 12 {
		keys = append(keys, submit(t, c, fmt.Sprint(i), nil).Key)
	}
	for _, key := range keys {
		await(t, c, key)
	}
	if most != 2 {
		t.Errorf("at most %d are under way at a time, want 2", most)
	}
}

func TestAFullStoreIsWaitedFor(t *testing.T) {
	config := quick()
	config.ObjectBytes = 6000
	s := serve(t, config)
	c := connect(t, s)
	waits := make(chan struct{}, 100)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_ = c.Listen(ctx, func(s cluster.State) {
			if strings.Contains(string(s.Progress), "waits") {
				waits <- struct{}{}
			}
		})
	}()
	w := startWorker(t, s, "w", func(ctx context.Context, task *cluster.Task) (cluster.Outcome, error) {
		path := filepath.Join(task.Folder, "out")
		err := os.WriteFile(path, bytes.Repeat([]byte(task.Job.Name), 1000), 0o600)
		return cluster.Outcome{Files: map[string]string{"text": path}}, err
	}, nil)
	var keys []string
	for i := range 6 {
		keys = append(keys, submit(t, c, fmt.Sprintf("n%d", i), nil).Key)
	}
	<-waits
	big := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(big, bytes.Repeat([]byte("x"), 10000), 0o600); err != nil {
		t.Fatal(err)
	}
	var full *cluster.FullError
	if _, err := c.Upload(t.Context(), big); !errors.As(err, &full) || !strings.Contains(err.Error(), "--object-bytes") {
		t.Errorf("who submits is told %v", err)
	}
	config.ObjectBytes = 1 << 20
	operator, err := cluster.Setup(t.Context(), options(s), config)
	if err != nil {
		t.Fatal(err)
	}
	operator.Close()
	for i, key := range keys {
		done := await(t, c, key)
		if done.Phase != cluster.Done || done.Begun != 1 || output(t, c, done) != strings.Repeat(fmt.Sprintf("n%d", i), 1000) {
			t.Errorf("%d came to %+v; the worker says\n%s", i, done, w.said.Text())
		}
	}
}

func TestWhatIsLostInTheStoreIsBroughtThereAgain(t *testing.T) {
	s := serve(t, quick())
	c := connect(t, s)
	startWorker(t, s, "w", copying, nil)
	done := await(t, c, submit(t, c, "hello", nil).Key)
	conn, err := nats.Connect("", s.Option())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := js.ObjectStore(t.Context(), "impasto_objects")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := objects.PutString(t.Context(), done.Outputs["text"].SHA256, "OTHER"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "out")
	if err := c.Download(t.Context(), done.Outputs["text"], path); !cluster.IsLost(err) || !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("a damaged output is %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("it is written all the same")
	}
	if s := submit(t, c, "hello", nil); s.Phase != cluster.Queued {
		t.Errorf("submitted again it is %s", s.Phase)
	}
	if done := await(t, c, done.Key); output(t, c, done) != "HELLO" {
		t.Errorf("it came to %+v", done)
	}
}

func TestTheCacheKeepsWhatFits(t *testing.T) {
	s := serve(t, quick())
	c := connect(t, s)
	folder := t.TempDir()
	w := startWorker(t, s, "w", copying, func(o *cluster.WorkerOptions) { o.Folder, o.CacheBytes = folder, 2500 })
	for i := range 5 {
		await(t, c, submit(t, c, strings.Repeat(fmt.Sprint(i), 1000), nil).Key)
	}
	w.stop()
	entries, err := os.ReadDir(filepath.Join(folder, "objects"))
	if err != nil || len(entries) != 2 {
		t.Errorf("%v, the cache has %d objects, want 2", err, len(entries))
	}
	if entries, err := os.ReadDir(filepath.Join(folder, "jobs")); err != nil || len(entries) != 0 {
		t.Errorf("%v, %d folders of jobs are left", err, len(entries))
	}
	again, other := connect(t, s), connect(t, s)
	o := cluster.WorkerOptions{Name: "w", Program: program, Memory: 8 << 30, Devices: []string{"any"}, Folder: folder}
	if _, err := cluster.NewWorker(again, o); err != nil {
		t.Error(err)
	}
	var taken *cluster.TakenError
	if _, err := cluster.NewWorker(other, o); !errors.As(err, &taken) {
		t.Errorf("a second worker in the folder: %v", err)
	}
}

func TestPasswordsArentShown(t *testing.T) {
	for url, want := range map[string]string{
		"nats://host:4222":                           "nats://host:4222",
		"nats://me:secret@host:4222,tls://tok@other": "nats://…@host:4222,tls://…@other",
		"nats://a b:%zz":                             "(an address that can't be read)",
	} {
		if got := cluster.Redact(url); got != want {
			t.Errorf("%s is shown as %s, want %s", url, got, want)
		}
	}
	if _, err := cluster.Connect(t.Context(), cluster.Options{URL: "nats://me:secret@127.0.0.1:1"}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("the error is %v", err)
	}
}
