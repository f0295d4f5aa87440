package studio

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"impasto/device"
)

// serveFolder is the variable that has the test's program be a server, and holdAfter the one
// with the iterations after which its runs wait to be killed, if they are to.
const (
	serveFolder = "IMPASTO_TEST_STUDIO"
	holdAfter   = "IMPASTO_TEST_STUDIO_HOLD"
)

func TestMain(m *testing.M) {
	if folder := os.Getenv(serveFolder); folder != "" {
		if err := serve(folder); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serve serves a folder until the process is killed, and prints the address.
func serve(folder string) error {
	s, err := prepare(Options{Folder: folder, Device: device.CPU, Threads: 1, AtOnce: 1, Log: func(line string) { fmt.Fprintln(os.Stderr, line) }})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if done, err := strconv.Atoi(os.Getenv(holdAfter)); err == nil && done > 0 {
		s.hold(done)
	}
	s.goOn()
	fmt.Println("http://" + listener.Addr().String())
	return http.Serve(listener, s)
}

// start starts a process that serves a folder, and has runs wait after some iterations, or not
// for 0.
func start(t *testing.T, folder string, hold int) (c *client, kill func()) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	process := exec.Command(program)
	process.Env = append(os.Environ(), serveFolder+"="+folder, fmt.Sprintf("%s=%d", holdAfter, hold))
	process.Stderr = t.Output()
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	kill = func() {
		if !ended {
			ended = true
			_ = process.Process.Kill()
			_ = process.Wait()
		}
	}
	t.Cleanup(kill)
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server doesn't start: %v", err)
	}
	return &client{t: t, url: strings.TrimSpace(address) + apiPrefix, http: &http.Client{Transport: described{http.DefaultTransport.(*http.Transport).Clone()}}}, kill
}

// TestAServerThatIsKilledGoesOn kills servers in the middle of a run, before and after its
// first checkpoint, with one paused and one waiting beside it.
func TestAServerThatIsKilledGoesOn(t *testing.T) {
	folder := t.TempDir()
	c, kill := start(t, folder, 0)
	body := c.request(12, "size", 128, "loss", "gram") // levels of 64, 90 and 128
	straight := c.begin(body)
	c.waitFor(straight.ID, finished)
	still := c.begin(c.request(many))
	c.made(still.ID, 3)
	c.tell(still.ID, "pause")
	c.waitFor(still.ID, paused)
	kill()
	after := []int{2, 14, 26, 0}
	c, kill = start(t, folder, after[0])
	run, last := c.begin(body), c.begin(c.request(1))
	for i, done := range after[:3] {
		c.made(run.ID, done)
		kill()
		c, kill = start(t, folder, after[i+1])
		if state := c.run(still.ID).State; state != paused {
			t.Errorf("the paused run is %s", state)
		}
		if state := c.run(last.ID).State; state != queued {
			t.Errorf("the run that waits is %s", state)
		}
		if run := c.run(run.ID); run.State == paused || run.State == finished {
			t.Fatalf("the run is %s: %v", run.State, run.Remarks)
		}
	}
	run = c.waitFor(run.ID, finished)
	if !bytes.Equal(c.picture(run.ID), c.picture(straight.ID)) {
		t.Error("its picture is another than that of a run that wasn't killed")
	}
	if len(run.Remarks) != len(straight.Remarks) {
		t.Errorf("remarks %q, want %q", run.Remarks, straight.Remarks)
	}
	c.checkCurve(run)
	c.waitFor(last.ID, finished)
	c.tell(still.ID, "continue")
	c.made(still.ID, 6)
}

func TestAClosedServerGoesOn(t *testing.T) {
	folder := t.TempDir()
	c := open(t, Options{Folder: folder})
	body := c.request(25)
	straight := c.begin(body)
	c.waitFor(straight.ID, finished)
	held, goOn := c.studio.hold(12)
	run := c.begin(body)
	<-held
	go func() {
		<-c.studio.closing.Done()
		close(goOn)
	}()
	c.close()
	c = open(t, Options{Folder: folder})
	c.waitFor(run.ID, finished)
	if !bytes.Equal(c.picture(run.ID), c.picture(straight.ID)) {
		t.Error("its picture is another than that of a run that wasn't interrupted")
	}
}

func TestAChangeOutlivesTheServer(t *testing.T) {
	folder := t.TempDir()
	c := open(t, Options{Folder: folder})
	run := c.begin(c.request(many))
	c.made(run.ID, 3)
	c.studio.mutex.Lock() // as if the server ended before the run has taken the change up
	of := c.studio.runs[run.ID]
	of.Wanted = &recipe{Content: of.Recipe.Content, Styles: of.Recipe.Styles, Settings: of.Recipe.Settings}
	of.Wanted.Settings = append(of.Wanted.Settings[:0:0], of.Wanted.Settings...)
	for i, a := range of.Wanted.Settings {
		if a.Name == "first-iterations" {
			of.Wanted.Settings[i].Text = "5"
		}
	}
	c.studio.changed(of)
	of.active.cancel(errClosing)
	c.studio.mutex.Unlock()
	c.close()
	c = open(t, Options{Folder: folder})
	if run = c.waitFor(run.ID, finished); len(run.Changes) != 1 || run.Changes[0].Done < 3 || run.Progress.Done != run.Changes[0].Done+5 {
		t.Errorf("%+v after %+v", run.Progress, run.Changes)
	}
}

func TestARunThatEndsTheProgramIsntBegunForEver(t *testing.T) {
	folder := t.TempDir()
	c := open(t, Options{Folder: folder})
	run := c.begin(c.request(many))
	c.made(run.ID, 1)
	c.tell(run.ID, "pause")
	c.waitFor(run.ID, paused)
	for attempts, want := range map[int]state{mostAttempts - 1: running, mostAttempts: paused} {
		c.studio.mutex.Lock()
		of := c.studio.runs[run.ID]
		of.State, of.Attempts = running, attempts
		c.studio.changed(of)
		c.studio.mutex.Unlock()
		c.close()
		c = open(t, Options{Folder: folder})
		if run = c.waitFor(run.ID, want); want == paused && len(run.Remarks) == 0 {
			t.Error("it doesn't say why it is paused")
		}
		if want == running {
			c.tell(run.ID, "pause")
			c.waitFor(run.ID, paused)
		}
	}
	c.tell(run.ID, "continue")
	c.waitFor(run.ID, running)
}

func TestACheckpointThatDoesntFitIsLeftOut(t *testing.T) {
	for what, spoil := range map[string]func(t *testing.T, path string){
		"damaged": func(t *testing.T, path string) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			data[len(data)/2] ^= 1
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"empty": func(t *testing.T, path string) {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			c := open(t, Options{})
			run := c.pauseAfter(5, c.request(20))
			spoil(t, c.studio.store.run(run.ID, checkpointFile))
			c.tell(run.ID, "continue")
			if run = c.waitFor(run.ID, finished); len(run.Remarks) != 1 || !strings.Contains(run.Remarks[0], "began anew") {
				t.Errorf("remarks %q", run.Remarks)
			}
			c.checkCurve(run)
		})
	}
}
