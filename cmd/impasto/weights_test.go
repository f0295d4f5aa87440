package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"impasto/vgg19"
	"impasto/weights"
)

func TestWeightsInfoDescribesTheEmbeddedNetwork(t *testing.T) {
	out := impasto(t, t.TempDir(), "weights", "info").done(t).stdout
	for _, want := range []string{"CC BY 4.0", "Simonyan", "BGR 0-255", "SHA-256", "palette"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	for _, c := range vgg19.Convolutions {
		if want := fmt.Sprintf("%-9s %d×%d×3×3", c.Name, c.Out, c.In); !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

func TestWeightsJSONHasTheDocumentedKeys(t *testing.T) {
	for _, command := range []string{"info", "verify"} {
		out := impasto(t, t.TempDir(), "weights", command, "--json").done(t).stdout
		var object map[string]any
		if err := json.Unmarshal([]byte(out), &object); err != nil || strings.Count(out, "\n") != 1 {
			t.Fatalf("%s: %v in %q, want one object on a line", command, err, out)
		}
		for _, key := range []string{"path", "format", "bytes", "sha256", "published", "source", "licence", "preprocessing", "layers"} {
			if object[key] == nil {
				t.Errorf("%s: no key %s", command, key)
			}
		}
		layers, _ := object["layers"].([]any)
		if len(layers) != len(vgg19.Convolutions) {
			t.Fatalf("%s: %d layers", command, len(layers))
		}
		layer, _ := layers[0].(map[string]any)
		for _, key := range []string{"name", "tensor", "shape", "precision"} {
			if layer[key] == nil {
				t.Errorf("%s: a layer has no key %s", command, key)
			}
		}
	}
}

func TestWeightsVerifyTellsSoundFilesFromOthers(t *testing.T) {
	folder := t.TempDir()
	if out := impasto(t, folder, "weights", "verify").done(t).stdout; !strings.Contains(out, "sound") {
		t.Errorf("it says %q", out)
	}
	impasto(t, folder, "weights", "verify", "missing.pth").refused(t, statusFailed, "missing.pth")
	tensor := writeWeights(t, filepath.Join(folder, "nan.safetensors"), map[string]float32{"conv3_2": float32(math.NaN())})[0]
	impasto(t, folder, "weights", "verify", "nan.safetensors").refused(t, statusFailed, "nan.safetensors", tensor, "NaN")
	writeWeights(t, filepath.Join(folder, "vgg19-dcbb9e9d.pth"), nil)
	impasto(t, folder, "weights", "verify", "vgg19-dcbb9e9d.pth").refused(t, statusFailed, "SHA-256", "dcbb9e9d")
}

func TestWeightsConvertWritesWhatIsAskedFor(t *testing.T) {
	folder := t.TempDir()
	writeWeights(t, filepath.Join(folder, "in.pth"), map[string]float32{"conv3_2": 1})
	var info weights.Info
	convert := func(args ...string) {
		t.Helper()
		out := impasto(t, folder, append([]string{"weights", "convert", "--json"}, args...)...).done(t).stdout
		if err := json.Unmarshal([]byte(out), &info); err != nil {
			t.Fatal(err)
		}
	}
	convert("in.pth", "out.safetensors")
	if p := weights.Torchvision.String(); info.Layers[0].Precision != "F32" || info.Preprocessing != p {
		t.Errorf("precision %s, pre-processing %s; want F32, %s", info.Layers[0].Precision, info.Preprocessing, p)
	}
	convert("out.safetensors", "half.safetensors", "--precision", "bf16", "--preprocessing", "caffe")
	if p := weights.Caffe.String(); info.Layers[0].Precision != "BF16" || info.Preprocessing != p {
		t.Errorf("precision %s, pre-processing %s; want BF16, %s", info.Layers[0].Precision, info.Preprocessing, p)
	}
	if out := impasto(t, folder, "weights", "convert", "-q", "in.pth", "quiet.safetensors").done(t); out.stdout != "" || out.stderr != "" {
		t.Errorf("quiet, it says %q and %q", out.stdout, out.stderr)
	}
	nothingLeft(t, folder)
}

func TestWeightsCommandsRefuseWrongUsage(t *testing.T) {
	folder := t.TempDir()
	writeWeights(t, filepath.Join(folder, "in.pth"), nil)
	before := readFile(t, filepath.Join(folder, "in.pth"))
	for args, want := range map[string]string{
		"convert in.pth":                           "2 arg",
		"convert in.pth out --precision f8":        "f8",
		"convert in.pth out --preprocessing keras": "keras",
		"convert in.pth in.pth":                    "is the input",
		"info a b":                                 "info",
		"fetch a":                                  "fetch",
		"fetch --url https://example.org/net.pth":  "--sha256",
		"fetch --sha256 dcbb9e9":                   "8 to 64 hexadecimal digits",
		"fetch --sha256 not-hexadecimal":           "8 to 64 hexadecimal digits",
		"verifi":                                   "verify",
	} {
		impasto(t, folder, append([]string{"weights"}, strings.Fields(args)...)...).refused(t, statusUsage, want)
	}
	impasto(t, folder, "weights", "convert", "in.pth", "none/out").refused(t, statusFailed, "none")
	if !bytes.Equal(readFile(t, filepath.Join(folder, "in.pth")), before) {
		t.Error("the input was changed")
	}
}

// fetchable is a weight file on a local server, and the flags that fetch it.
func fetchable(t *testing.T, serve func(w http.ResponseWriter, q *http.Request, content []byte)) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "net.safetensors")
	writeWeights(t, path, nil)
	content := readFile(t, path)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { serve(w, q, content) }))
	t.Cleanup(server.Close)
	sum := sha256.Sum256(content)
	return []string{"weights", "fetch", "--url", server.URL + "/net.safetensors", "--sha256", hex.EncodeToString(sum[:])}
}

// ownCache makes the user's cache folder one of the test's.
func ownCache(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		t.Setenv(name, folder)
	}
}

func TestFetchedWeightsAreUsedByName(t *testing.T) {
	ownCache(t)
	args := fetchable(t, func(w http.ResponseWriter, q *http.Request, content []byte) {
		http.ServeContent(w, q, "net.safetensors", time.Time{}, bytes.NewReader(content))
	})
	folder := workshop(t)
	out := impasto(t, folder, args...).done(t)
	if !strings.HasSuffix(out.stdout, "use it with --weights net\n") {
		t.Errorf("it says %q, want how to use the file", out.stdout)
	}
	if !strings.Contains(out.stderr, " of 40.") {
		t.Errorf("standard error is %q, want progress", out.stderr)
	}
	impasto(t, folder, "weights", "verify", "net").done(t)
	impasto(t, folder, "measure", "content.png", "style.png", "--layers", "relu1_1", "--weights", "net").done(t)
	compare := append([]string{"compare", "content.png", "style.png", "-o", "out", "--losses", "moments", "--first-iterations", "1", "--weights", "net"}, shallow...)
	impasto(t, folder, compare...).done(t)
}

func TestFetchPrintsItsPathAsJSON(t *testing.T) {
	args := fetchable(t, func(w http.ResponseWriter, _ *http.Request, content []byte) { _, _ = w.Write(content) })
	folder := t.TempDir()
	out := impasto(t, folder, append(args, "--json", "--quiet", "--folder", "here")...).done(t)
	var object struct {
		Path, SHA256 string
		Digits       int
	}
	if err := json.Unmarshal([]byte(out.stdout), &object); err != nil || out.stderr != "" {
		t.Fatalf("%v; output %q, errors %q", err, out.stdout, out.stderr)
	}
	sum := sha256.Sum256(readFile(t, filepath.Join(folder, object.Path)))
	if object.SHA256 != hex.EncodeToString(sum[:]) || object.Digits != 64 {
		t.Errorf("it says %+v, want the file's SHA-256 and 64 digits", object)
	}
}

// Two programs that fetch one file at once don't write into each other's.
func TestFetchesOfTwoProgramsTakeTurns(t *testing.T) {
	var requests atomic.Int32
	args := fetchable(t, func(w http.ResponseWriter, q *http.Request, content []byte) {
		requests.Add(1)
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		for part := range slices.Chunk(content, 1+len(content)/8) {
			_, _ = w.Write(part)
			w.(http.Flusher).Flush()
			time.Sleep(50 * time.Millisecond) // the other one starts meanwhile
		}
	})
	folder := t.TempDir()
	var commands []*exec.Cmd
	var outputs [2]bytes.Buffer
	for i := range outputs {
		cmd := program(t, folder, append(args, "--folder", "here")...)
		cmd.Stdout, cmd.Stderr = &outputs[i], &outputs[i]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		commands = append(commands, cmd)
	}
	for i, cmd := range commands {
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %s", err, outputs[i].String())
		}
		if !strings.Contains(outputs[i].String(), "its SHA-256 is the one expected") {
			t.Errorf("it says %q", outputs[i].String())
		}
	}
	entries, err := os.ReadDir(filepath.Join(folder, "here"))
	if err != nil || len(entries) != 1 || requests.Load() != 1 {
		t.Errorf("the folder has %v, %v after %d requests; want the file after one", entries, err, requests.Load())
	}
}

func TestFetchSaysWhatADigestIsWorth(t *testing.T) {
	args := fetchable(t, func(w http.ResponseWriter, _ *http.Request, content []byte) { _, _ = w.Write(content) })
	full := args[len(args)-1]
	args[len(args)-1] = full[:8]
	out := impasto(t, t.TempDir(), append(args, "--folder", "here")...).done(t).stdout
	if !strings.Contains(out, "the first 8 digits") || !strings.Contains(out, full) {
		t.Errorf("it says %q, want how many digits were compared, and all of them", out)
	}
}

func TestFetchExplainsWhatTheServerSays(t *testing.T) {
	ownCache(t)
	args := fetchable(t, func(w http.ResponseWriter, q *http.Request, _ []byte) { http.NotFound(w, q) })
	impasto(t, t.TempDir(), args...).refused(t, statusFailed, "net.safetensors", "404 Not Found")
}

func TestInterruptedFetchExitsWith130AndGoesOnLater(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process can't send an interrupt to another on Windows")
	}
	ownCache(t)
	begun := make(chan struct{})
	var resumed atomic.Bool
	args := fetchable(t, func(w http.ResponseWriter, q *http.Request, content []byte) {
		if q.Header.Get("Range") != "" {
			resumed.Store(true)
			http.ServeContent(w, q, "net.safetensors", time.Time{}, bytes.NewReader(content))
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		_, _ = w.Write(content[:1<<20])
		w.(http.Flusher).Flush()
		close(begun)
		<-q.Context().Done()
	})
	cache, err := weights.CacheFolder()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	cmd := program(t, folder, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-begun
	for { // until something was kept
		if info, err := os.Stat(filepath.Join(cache, "net.safetensors.part")); err == nil && info.Size() > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != statusInterrupted {
		t.Errorf("exit status %d, want %d", status, statusInterrupted)
	}
	impasto(t, folder, args...).done(t)
	if !resumed.Load() {
		t.Error("the second run fetched all of it")
	}
}
