package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"impasto/internal/cluster"
)

// background is a program that runs until the test ends.
type background struct {
	stdout io.Reader
	lock   sync.Mutex
	said   bytes.Buffer
	stop   func() // kills it, and waits
}

// Write implements io.Writer.
func (b *background) Write(data []byte) (int, error) {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.said.Write(data)
}

func (b *background) text() string {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.said.String()
}

func startBackground(t *testing.T, folder string, args ...string) *background {
	t.Helper()
	b := &background{}
	cmd := program(t, folder, args...)
	cmd.Stderr = b
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b.stdout = stdout
	b.stop = sync.OnceFunc(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	t.Cleanup(b.stop)
	return b
}

// serveCluster starts a server in a folder, and returns its address.
func serveCluster(t *testing.T, folder string) string {
	t.Helper()
	b := startBackground(t, folder, "cluster", "serve", "--listen=127.0.0.1:0", "--folder=server", "--json")
	var listening struct{ Event, URL string }
	if err := json.NewDecoder(b.stdout).Decode(&listening); err != nil || listening.Event != "listening" {
		t.Fatalf("%v, it says %s", err, b.text())
	}
	return listening.URL
}

func startWorker(t *testing.T, folder, url string, args ...string) *background {
	t.Helper()
	return startBackground(t, folder, slices.Concat([]string{"worker", "--cluster=" + url, "--folder=" + t.TempDir(), "--threads=1", "--device=cpu"}, args)...)
}

// samePictures demands that two folders have the same files of an extension.
func samePictures(t *testing.T, one, other, extension string, count int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(one, "*"+extension))
	if err != nil || len(files) != count {
		t.Errorf("%v, %s has %d files, want %d", err, one, len(files), count)
	}
	for _, file := range files {
		if !bytes.Equal(readFile(t, file), readFile(t, filepath.Join(other, filepath.Base(file)))) {
			t.Errorf("%s is another in %s", filepath.Base(file), other)
		}
	}
}

func TestAClusterPaintsABatchAsOneMachineDoes(t *testing.T) {
	folder := contents(t)
	writePicture(t, filepath.Join(folder, "mask.png"), 40, 30, 0.02)
	url := serveCluster(t, folder)
	flags := []string{"photos", "--style=style.png", "--mask=mask.png=photos/a.png", "--protect=mask.png", "--name={content}.jpg", "--jpeg-quality=80"}
	runTinyBatch(t, folder, slices.Concat(flags, []string{"--out-dir=alone"})...).done(t)
	worker := startWorker(t, folder, url)
	run := runTinyBatch(t, folder, slices.Concat(flags, []string{"--cluster=" + url})...).done(t)
	samePictures(t, filepath.Join(folder, "alone"), filepath.Join(folder, "out"), ".jpg", 3)
	if !strings.Contains(run.stdout, "3 of 3 pictures there: 3 made now") || !strings.Contains(worker.text(), "has done a in style") {
		t.Errorf("it says\n%s%s\nand the worker\n%s", run.stdout, run.stderr, worker.text())
	}
	if info := impasto(t, folder, "info", "out/a.jpg").done(t).stdout; !strings.Contains(info, "mask.png") {
		t.Errorf("of its picture is said\n%s", info)
	}
	if err := os.RemoveAll(filepath.Join(folder, "out")); err != nil {
		t.Fatal(err)
	}
	worker.stop()
	runTinyBatch(t, folder, slices.Concat(flags, []string{"--cluster=" + url})...).done(t) // which is there, without a worker
	samePictures(t, filepath.Join(folder, "alone"), filepath.Join(folder, "out"), ".jpg", 3)
	list := impasto(t, folder, "jobs", "--cluster="+url).done(t).stdout
	if strings.Count(list, "  done  ") != 3 || !strings.Contains(list, "b in style") {
		t.Errorf("the jobs are\n%s", list)
	}
}

func TestAClusterPaintsAComparisonAsOneMachineDoes(t *testing.T) {
	folder := workshop(t)
	url := serveCluster(t, folder)
	flags := slices.Concat([]string{"compare", "content.png", "style.png:2", "photo.png", "--losses=gram,moments", "--vary=size=24,32", "--first-iterations=4", "--score-size=16"},
		[]string{"--style-layers=relu1_1", "--content-layers=relu2_1", "--min-size=24", "--device=cpu", "--threads=1"})
	writePicture(t, filepath.Join(folder, "photo.png"), 30, 30, 0.4)
	impasto(t, folder, slices.Concat(flags, []string{"-o", "alone"})...).done(t)
	startWorker(t, folder, url)
	run := impasto(t, folder, slices.Concat(flags, []string{"-o", "together", "--cluster", url})...).done(t)
	samePictures(t, filepath.Join(folder, "alone", "pictures"), filepath.Join(folder, "together", "pictures"), ".png", 4)
	var scores [2]struct {
		Pictures []struct {
			Name, File string
			Style      map[string]float64
		}
	}
	var measured [2][]map[string]float64
	for i, name := range []string{"alone", "together"} {
		if err := json.Unmarshal(readFile(t, filepath.Join(folder, name, "scores.json")), &scores[i]); err != nil {
			t.Fatal(err)
		}
		var record struct {
			Key      string
			Measured []struct{ Style map[string]float64 }
		}
		if err := json.Unmarshal(readFile(t, filepath.Join(folder, name, "pictures", "gram_size-32.json")), &record); err != nil {
			t.Fatal(err)
		}
		for _, at := range record.Measured {
			measured[i] = append(measured[i], at.Style)
		}
	}
	for i, p := range scores[0].Pictures {
		if got := scores[1].Pictures[i]; got.Name != p.Name || got.File != p.File || got.Style["gram"] != p.Style["gram"] {
			t.Errorf("the scores of %s are %v, want %v", p.Name, got, p)
		}
	}
	if len(measured[0]) == 0 || !reflect.DeepEqual(measured[0], measured[1]) {
		t.Errorf("on its way the picture is measured as %v, want %v; it says\n%s", measured[1], measured[0], run.stderr)
	}
	again := impasto(t, folder, slices.Concat(flags, []string{"-o", "together"})...).done(t)
	if strings.Count(again.stderr, "is there already") != 4 {
		t.Errorf("without the cluster it says\n%s", again.stderr)
	}
}

func TestJobsAreCancelledAndHandedOverAgain(t *testing.T) {
	folder := contents(t)
	url := serveCluster(t, folder)
	args := slices.Concat([]string{"batch", "photos", "--style=style.png", "--out-dir=out", "--first-iterations=2", "--cluster=" + url}, shallow)
	handing := startBackground(t, folder, args...)
	var queued []byte
	for range 600 {
		if queued = []byte(impasto(t, folder, "jobs", "--state=queued", "--json", "--cluster="+url).done(t).stdout); bytes.Count(queued, []byte("\n")) == 3 {
			break
		}
	}
	var job struct{ Key, Phase, Batch, Name string }
	if err := json.Unmarshal(queued[:bytes.IndexByte(queued, '\n')], &job); err != nil || job.Phase != "queued" {
		t.Fatalf("%v: the jobs are %s; handing over says %s", err, queued, handing.text())
	}
	impasto(t, folder, "jobs", "cancel", "nokey", "--cluster="+url).refused(t, statusFailed, "no job whose key begins with nokey")
	if run := impasto(t, folder, "jobs", "cancel", job.Key[:12], "--cluster="+url).done(t); run.stderr != "1 job cancelled\n" {
		t.Errorf("it says %q", run.stderr)
	}
	handing.stop() // what was handed over stays there
	if run := impasto(t, folder, "jobs", "cancel", "--batch="+job.Batch, "--cluster="+url).done(t); run.stderr != "2 jobs cancelled\n" {
		t.Errorf("it says %q", run.stderr)
	}
	if status := impasto(t, folder, "cluster", "status", "--cluster="+url).done(t).stdout; !strings.Contains(status, "0 workers; jobs: 0 queued, 0 running, 0 done, 0 failed, 3 cancelled") {
		t.Errorf("the status is %s", status)
	}
	startWorker(t, folder, url)
	if run := impasto(t, folder, args...).done(t); !strings.Contains(run.stdout, "3 of 3 pictures there") {
		t.Errorf("it says\n%s%s", run.stdout, run.stderr)
	}
}

func TestClusterCommandsRefuse(t *testing.T) {
	folder := contents(t)
	for _, test := range []struct {
		args      []string
		status    int
		fragments []string
	}{
		{[]string{"worker"}, 2, []string{"which cluster?", "impasto cluster serve"}},
		{[]string{"jobs"}, 2, []string{"which cluster?"}},
		{[]string{"jobs", "lost"}, 2, []string{`unknown command "lost"`}},
		{[]string{"jobs", "cancel"}, 2, []string{"--batch"}},
		{[]string{"jobs", "--cluster=nats://me:secret@127.0.0.1:1"}, 1, []string{"nats://…@127.0.0.1:1"}},
		{[]string{"jobs", "--state=lost", "--cluster=x"}, 2, []string{"--state"}},
		{[]string{"cluster", "serve", "--listen=here"}, 2, []string{"--listen"}},
		{[]string{"cluster", "serve", "--cert=x"}, 2, []string{"--cert and --key"}},
		{[]string{"cluster", "setup", "--tries=0"}, 2, []string{"--tries"}},
		{[]string{"batch", "photos", "--style=style.png", "--out-dir=out", "--cluster-cert=x", "--cluster=nats://127.0.0.1:1"}, 2, []string{"--cluster-key"}},
		{[]string{"batch", "photos", "--style=style.png", "--out-dir=out", "--cluster-credentials=x"}, 2, []string{"--cluster"}},
		{[]string{"batch", "photos", "--style=style.png", "--out-dir=out", "--cluster=nats://127.0.0.1:1"}, 1, []string{"connect to nats://127.0.0.1:1"}},
	} {
		impasto(t, folder, test.args...).refused(t, test.status, test.fragments...)
	}
}

func TestAServerByItselfKeepsEverythingOnce(t *testing.T) {
	folder := contents(t)
	url := serveCluster(t, folder)
	impasto(t, folder, "cluster", "setup", "--replicas=3", "--cluster="+url).refused(t, statusFailed, "this server is by itself", "--replicas 1")
	impasto(t, folder, "cluster", "setup", "--replicas=2", "--cluster="+url).refused(t, statusFailed, "want 1, 3 or 5")
	several := "nats://127.0.0.1:1," + url // of which the first isn't there
	if status := impasto(t, folder, "cluster", "status", "--cluster="+several).done(t).stdout; !strings.Contains(status, "kept on 1 server: impasto\n") {
		t.Errorf("the status is %s", status)
	}
	var status clusterStatus
	text := impasto(t, folder, "cluster", "status", "--json", "--cluster="+several).done(t).stdout
	if err := json.Unmarshal([]byte(text), &status); err != nil || status.Replicas != 1 || len(status.Servers) != 1 || len(status.Servers[0].Leads) != 5 || status.Workers == nil {
		t.Errorf("%v, the status is %s", err, text)
	}
}

func TestTheStatusSaysWhichServersAreGone(t *testing.T) {
	whole := []cluster.Server{{Name: "queue-1", Leads: []string{"JOBS", "STATES"}}, {Name: "queue-2"}, {Name: "queue-3"}}
	gone := slices.Clone(whole)
	gone[1].Away, gone[1].Heard = []string{"JOBS", "STATES"}, 12.3
	late := slices.Clone(whole)
	late[2].Late, late[2].Behind = []string{"STATES"}, 1
	for _, test := range []struct {
		name   string
		status clusterStatus
		want   []string
	}{
		{"impasto", clusterStatus{Replicas: 3, Servers: whole}, []string{"  kept on 3 servers: queue-1, queue-2, queue-3"}},
		{"impasto", clusterStatus{Replicas: 3, Servers: gone}, []string{"  kept on 3 servers: queue-1, queue-2, queue-3", "  queue-2 is gone, and wasn't heard of for 12s: JOBS, STATES"}},
		{"impasto", clusterStatus{Replicas: 3, Servers: late}, []string{"  kept on 3 servers: queue-1, queue-2, queue-3", "  queue-3 catches up, 1 change behind: STATES"}},
		{"impasto", clusterStatus{Replicas: 3, Servers: whole, Leaderless: []string{"OBJECTS"}}, []string{
			"  kept on 3 servers: queue-1, queue-2, queue-3", "  nobody can read or change OBJECTS: more than half of the servers that keep it have to be there",
		}},
		{"impasto", clusterStatus{Replicas: 1, Servers: whole[:1]}, []string{"  kept on 1 server: queue-1; the servers of impasto keep it on several with `impasto cluster setup --replicas 3`"}},
		{"", clusterStatus{Replicas: 1, Servers: whole[:1]}, []string{"  kept on 1 server: queue-1"}},
	} {
		if got := test.status.serverLines(test.name); !slices.Equal(got, test.want) {
			t.Errorf("of %+v it says %q, want %q", test.status, got, test.want)
		}
	}
}

func TestPasswordsOfClustersAreInNoPage(t *testing.T) {
	saved := os.Args
	defer func() { os.Args = saved }()
	os.Args = []string{"impasto", "batch", "--cluster=nats://tok@host", "--cluster", "nats://me:secret@host", "x"}
	if line := commandLine(); strings.Contains(line, "tok") || strings.Contains(line, "secret") || !strings.Contains(line, "host") {
		t.Errorf("the command is %s", line)
	}
}
