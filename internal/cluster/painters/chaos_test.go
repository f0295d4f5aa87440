package painters

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"impasto/internal/batch"
	"impasto/internal/cluster"
	"impasto/internal/picture"
	"impasto/internal/settings"
)

const program = "impasto 1.2.3"

// writePictures writes small pictures that differ, and returns their paths.
func writePictures(t testing.TB, folder, name string, count int) (paths []string) {
	t.Helper()
	for i := range count {
		img := image.NewNRGBA(image.Rect(0, 0, 40, 30))
		for y := range 30 {
			for x := range 40 {
				wave := func(phase float64) uint8 {
					return uint8(127 + 120*math.Sin(float64(x)*(0.1+0.07*float64(i))+3*math.Cos(float64(y)*0.2)+phase))
				}
				img.SetNRGBA(x, y, color.NRGBA{wave(0), wave(2), wave(4), 255})
			}
		}
		path := filepath.Join(folder, fmt.Sprintf("%s%d.png", name, i))
		if err := picture.Save(path, img, picture.SaveOptions{Depth: 8}); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// tiny are settings of pictures that take some hundredths of a second.
func tiny(t testing.TB, iterations int) settings.Stylization {
	t.Helper()
	s := settings.Default()
	for name, value := range map[string]string{
		"style-layers": "relu1_1=1", "content-layers": "relu2_1=1", "size": "32", "min-size": "32", "device": "cpu", "threads": "1", "optimizer": "adam",
		"first-iterations": fmt.Sprint(iterations),
	} {
		if err := s.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Settle(func(name string) bool { return name == "first-iterations" || name == "optimizer" || name == "min-size" }); err != nil {
		t.Fatal(err)
	}
	return s
}

// pairsOf pairs each content with each style.
func pairsOf(contents, styles []string) (pairs []batch.Pair) {
	for _, content := range contents {
		for _, style := range styles {
			pairs = append(pairs, batch.Pair{Content: content, Style: style})
		}
	}
	return pairs
}

// paint runs a batch, and returns the pictures' files by their names.
func paint(ctx context.Context, t testing.TB, pairs []batch.Pair, s settings.Stylization, folder string, runner batch.Runner) map[string][]byte {
	t.Helper()
	b, err := batch.New(ctx, batch.Options{
		Pairs: pairs, Settings: s, Depth: 8, Quality: 95, Folder: folder, Name: batch.DefaultName, Version: program, Runner: runner,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if err := b.Failure(); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, s := range b.Statuses() {
		data, err := os.ReadFile(s.Job.Output)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(s.Job.Output)] = data
	}
	return files
}

// same demands the same files.
func same(t *testing.T, got, want map[string][]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("there are %d pictures, want %d", len(got), len(want))
	}
	for name, data := range want {
		if !bytes.Equal(got[name], data) {
			t.Errorf("%s is another than that of a single process", name)
		}
	}
}

// ends counts, for each job, how often it was told that it is done.
type ends struct {
	lock sync.Mutex
	of   map[string]int
	more chan struct{} // has one in it where there is another end
}

func (e *ends) take(s cluster.State) {
	if s.Phase == cluster.Done {
		e.lock.Lock()
		defer e.lock.Unlock()
		e.of[s.Key]++
		select {
		case e.more <- struct{}{}:
		default:
		}
	}
}

// longest is how long a test may take, on however busy a machine, before it says what
// everybody did.
const longest = 6 * time.Minute

// TestNothingIsLostWhateverDies has three workers, one of them slow, paint sixty pictures
// while workers and the server are killed and started again, and a worker of another version
// looks on.
func TestNothingIsLostWhateverDies(t *testing.T) {
	folder := t.TempDir()
	contents, styles := writePictures(t, folder, "content", 10), writePictures(t, folder, "style", 6)
	s, pairs := tiny(t, 16), pairsOf(contents, styles)
	want := paint(t.Context(), t, pairs, s, filepath.Join(folder, "alone"), batch.NewLocal())

	serverFolder := filepath.Join(folder, "server")
	serving, port := startServer(t, serverFolder, 0)
	config := cluster.DefaultConfig()
	config.AckWait, config.Tries = 1500*time.Millisecond, 50
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	c, err := cluster.Setup(ctx, cluster.Options{URL: urlOf(port), Name: "test"}, config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	told := &ends{of: map[string]int{}, more: make(chan struct{}, 1)}
	go func() { _ = c.Listen(ctx, told.take) }()

	roles := []role{workerOf(t, port, "a"), workerOf(t, port, "b"), workerOf(t, port, "slow")}
	for i := range roles {
		roles[i].Pause = 5 * time.Millisecond // so that kills find it at work
	}
	roles[2].Pause = 40 * time.Millisecond
	var workers []*process
	for _, r := range roles {
		workers = append(workers, start(t, r))
	}
	t.Cleanup(func() {
		if t.Failed() {
			for i, w := range workers {
				t.Logf("the worker %s says\n%s", roles[i].Name, w.text())
			}
		}
	})
	stranger := workerOf(t, port, "stranger")
	stranger.Program = "impasto 0.9"
	done := make(chan struct{})
	var chaos sync.WaitGroup
	var strange *process
	chaos.Go(func() {
		for round := 0; ; round++ {
			for range 2 { // pictures that are done; nobody tells of those while the server is away
				select {
				case <-done:
					return
				case <-told.more:
				case <-time.After(time.Second):
				}
			}
			time.Sleep(rand.N(150 * time.Millisecond))
			switch i := rand.N(len(workers)); {
			case round == 1:
				strange = start(t, stranger)
				select { // or the server may be gone when it looks
				case <-strange.first:
				case <-done:
				}
			case round == 4 || round == 8:
				serving.kill()
				serving, _ = startServer(t, serverFolder, port)
			case round < 24: // so that it comes to an end
				workers[i].kill()
				workers[i] = start(t, roles[i])
			}
		}
	})
	runner, err := NewRunner(ctx, c, program, "chaos", nil)
	if err != nil {
		t.Fatal(err)
	}
	got := paint(ctx, t, pairs, s, filepath.Join(folder, "together"), runner)
	close(done)
	chaos.Wait()
	same(t, got, want)

	by := allDone(ctx, t, c, len(pairs), told)
	for _, w := range workers {
		if strings.Contains(w.text(), "mistake") {
			t.Errorf("a worker says\n%s", w.text())
		}
	}
	if strange != nil {
		if text := strange.text(); by["stranger"] > 0 || strings.Contains(text, "begins") || !strings.Contains(text, "that are for impasto 1.2.3, since this is impasto 0.9") {
			t.Errorf("the worker of another version says\n%s", text)
		}
	}
	conn, err := nats.Connect(urlOf(port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	empty(t, conn)
}

// allDone demands that so many jobs are done, each once, and returns how many each worker did.
func allDone(ctx context.Context, t *testing.T, c *cluster.Cluster, count int, told *ends) map[string]int {
	t.Helper()
	begun, again, by := 0, 0, map[string]int{}
	err := c.States(ctx, func(s cluster.State) bool {
		if s.Phase != cluster.Done {
			t.Errorf("%s is %s: %s", s.Name, s.Phase, s.Reason())
		}
		begun++
		again += s.Begun - 1
		by[s.Worker]++
		return true
	})
	if err != nil || begun != count {
		t.Errorf("%v, the cluster knows %d jobs, want %d", err, begun, count)
	}
	t.Logf("%d jobs by %v; %d begun anew", begun, by, again)
	told.lock.Lock()
	defer told.lock.Unlock()
	for key, n := range told.of {
		if n > 1 {
			t.Errorf("the job %s was done %d times", key, n)
		}
	}
	return by
}

// empty demands that nothing waits and nothing failed.
func empty(t *testing.T, conn *nats.Conn) {
	t.Helper()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	for range 500 {
		messages := uint64(0)
		for _, name := range []string{"IMPASTO_JOBS", "IMPASTO_DEAD"} {
			stream, err := js.Stream(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			messages += stream.CachedInfo().State.Msgs
		}
		if messages == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("there are jobs in the queue or among the dead letters")
}
