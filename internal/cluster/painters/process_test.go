package painters

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"impasto/device"
	"impasto/internal/batch"
	"impasto/internal/cluster"
	"impasto/internal/cluster/clustertest"
	"impasto/internal/cluster/server"
)

// roleVariable in the environment makes the test binary be a server or a worker, so that
// tests can kill one.
const roleVariable = "IMPASTO_TEST_CLUSTER_ROLE"

// role is what a process of a test is.
type role struct {
	Server bool
	Name   string
	Folder string
	Port   int // of a server
	// Configuration is a file of nats-server's, in place of a folder and a port.
	Configuration string

	URL, Authority, Program string // of a worker
	Threads                 int
	Pause                   time.Duration
	Every                   time.Duration // checkpoints
}

func TestMain(m *testing.M) {
	text := os.Getenv(roleVariable)
	if text == "" {
		os.Exit(m.Run())
	}
	go func() { // it ends with the test, however that does
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	var r role
	err := json.Unmarshal([]byte(text), &r)
	switch {
	case err != nil:
	case r.Configuration != "":
		err = r.serveConfigured()
	case r.Server:
		err = r.serve()
	default:
		err = r.work()
	}
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

func (r role) serve() error {
	s, err := server.Start(server.Options{Folder: r.Folder, Host: "127.0.0.1", Port: r.Port})
	if err != nil {
		return err
	}
	fmt.Println("serving", s.URL())
	select {}
}

// serveConfigured is what the program nats-server does with a configuration.
func (r role) serveConfigured() error {
	if err := os.Setenv("SERVER_NAME", r.Name); err != nil {
		return err
	}
	o, err := natsserver.ProcessConfigFile(r.Configuration)
	if err != nil {
		return err
	}
	o.NoSigs = true
	s, err := natsserver.NewServer(o)
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(time.Minute) {
		return errors.New("the server doesn't start")
	}
	fmt.Println("serving", s.ClientURL())
	select {}
}

func (r role) work() error {
	say := func(line string) { fmt.Println(line) }
	c, err := cluster.Connect(context.Background(), cluster.Options{URL: r.URL, Authority: r.Authority, Name: r.Name, Log: say})
	if err != nil {
		return err
	}
	painter := &Painter{Local: batch.NewLocal(), Devices: []device.Name{device.CPU}, Threads: r.Threads, Log: say, Pause: r.Pause}
	w, err := cluster.NewWorker(c, cluster.WorkerOptions{
		Name: r.Name, Program: r.Program, Kinds: map[string]cluster.Kind{Kind: painter, CellKind: &CellPainter{Painter: *painter}, ShotKind: &ShotPainter{Painter: *painter}}, Devices: Devices(device.CPU), Seats: 1, Memory: 4 << 30,
		Folder: r.Folder, CacheBytes: 1 << 30, CheckpointEvery: r.Every, Log: say,
	})
	if err != nil {
		return err
	}
	return w.Run(context.Background())
}

// process is one that a test started.
type process struct {
	command *exec.Cmd
	said    clustertest.Lines
	first   chan string // the first line
	ended   chan struct{}
}

func start(t testing.TB, r role) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{command: exec.Command(self), first: make(chan string, 1), ended: make(chan struct{})}
	p.command.Env = append(os.Environ(), roleVariable+"="+string(text))
	p.command.Stderr = os.Stderr
	out, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		lines := bufio.NewScanner(out)
		for first := true; lines.Scan(); first = false {
			p.said.Add(lines.Text())
			if first {
				p.first <- lines.Text()
			}
		}
	}()
	t.Cleanup(p.kill)
	return p
}

// kill ends a process as a power cut would.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	<-p.ended
	_ = p.command.Wait()
}

func (p *process) text() string { return p.said.Text() }

// startServer starts a server, on any port where that is 0, and returns its port too.
func startServer(t testing.TB, folder string, port int) (*process, int) {
	t.Helper()
	if port == 0 {
		port = -1
	}
	p := start(t, role{Server: true, Folder: folder, Port: port})
	select {
	case line := <-p.first:
		if _, err := fmt.Sscanf(line, "serving nats://127.0.0.1:%d", &port); err != nil {
			t.Fatalf("the server says %q", line)
		}
	case <-p.ended:
		t.Fatal("the server ended")
	}
	return p, port
}

func urlOf(port int) string { return fmt.Sprintf("nats://127.0.0.1:%d", port) }

// workerOf is the role of a worker in a folder of its own.
func workerOf(t testing.TB, port int, name string) role {
	t.Helper()
	return role{URL: urlOf(port), Name: name, Program: program, Folder: filepath.Join(t.TempDir(), "worker"), Threads: 1, Every: 50 * time.Millisecond}
}
