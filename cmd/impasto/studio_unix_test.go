//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// served is a studio that runs as a program of its own.
type served struct {
	listeningEvent
	t      *testing.T
	cmd    *exec.Cmd
	stdout *bufio.Reader
	stderr *bytes.Buffer
	token  string // with which requests are made; empty for none
}

// serve starts a studio in a folder, without a browser, and waits until it can be reached.
func serve(t *testing.T, folder string, args ...string) *served {
	t.Helper()
	return reach(t, program(t, folder, slices.Concat([]string{"studio", "--folder=kept", "--json", "--no-browser"}, args)...))
}

// reach starts a command that is a studio's, and waits until it can be reached.
func reach(t *testing.T, cmd *exec.Cmd) *served {
	t.Helper()
	pipe, stderr := startReading(t, cmd)
	s := &served{t: t, cmd: cmd, stdout: bufio.NewReader(pipe), stderr: stderr}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	line, err := s.stdout.ReadString('\n')
	if err == nil {
		err = json.Unmarshal([]byte(line), &s.listeningEvent)
	}
	if err != nil || s.Event != "listening" {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		t.Fatalf("the first line is %q (%v); standard error:\n%s", line, err, stderr)
	}
	s.token = s.Token
	return s
}

// interrupt ends the studio as Ctrl-C does, and demands that it says so.
func (s *served) interrupt() {
	s.t.Helper()
	send(s.t, s.cmd, os.Interrupt)
	_, _ = io.Copy(io.Discard, s.stdout)
	_ = s.cmd.Wait() // an exit status other than 0 is an error
	if status := s.cmd.ProcessState.ExitCode(); status != statusInterrupted || !strings.HasSuffix(s.stderr.String(), "impasto: interrupted; what was under way goes on at the next start\n") {
		s.t.Fatalf("exit status %d, standard error:\n%s", status, s.stderr)
	}
}

// ask makes a request of the API, and returns the answer's status and body.
func (s *served) ask(method, path string, body []byte, headers ...string) (int, []byte) {
	s.t.Helper()
	base, _, _ := strings.Cut(s.URL, "?")
	request, err := http.NewRequestWithContext(s.t.Context(), method, base+"api/v1/"+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if s.token != "" {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	if bytes.HasPrefix(body, []byte("{")) {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		if request.Header.Set(headers[i], headers[i+1]); headers[i] == "Host" {
			request.Host = headers[i+1]
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, data
}

// get makes a request that goes well, and takes the answer apart, where into isn't nil.
func (s *served) get(method, path string, body []byte, into any) []byte {
	s.t.Helper()
	status, data := s.ask(method, path, body)
	if status/100 != 2 {
		s.t.Fatalf("%s %s: status %d, %s", method, path, status, data)
	}
	if into == nil {
		return data
	}
	if err := json.Unmarshal(data, into); err != nil {
		s.t.Fatalf("%s %s: %v in %s", method, path, err, data)
	}
	return data
}

// runOfAPI is what these tests look at in a run.
type runOfAPI struct {
	ID, State, Error string
	Progress         *struct{ Done, Total int }
}

// paint uploads the pictures of a workshop, and begins a run of so many iterations.
func (s *served) paint(folder string, iterations int) (run runOfAPI) {
	s.t.Helper()
	var ids []string
	for _, name := range []string{"content.png", "style.png"} {
		var uploaded struct{ ID string }
		s.get("POST", "pictures?name="+name, readFile(s.t, filepath.Join(folder, name)), &uploaded)
		ids = append(ids, uploaded.ID)
	}
	s.get("POST", "runs", fmt.Appendf(nil, `{"content":%q,"styles":[{"picture":%q}],"settings":{"size":"32","min-size":"32",`+
		`"style-layers":"relu1_1=1","content-layers":"relu2_1=1","first-iterations":"%d"}}`, ids[0], ids[1], iterations), &run)
	return run
}

// until waits for something to be so of a run.
func (s *served) until(id string, so func(runOfAPI) bool) (run runOfAPI) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		run = runOfAPI{}
		if s.get("GET", "runs/"+id, nil, &run); so(run) {
			return run
		}
		if run.State == "failed" {
			break
		}
	}
	s.t.Fatalf("the run is %+v; standard error:\n%s", run, s.stderr)
	return run
}

func TestStudioPaintsForAProgram(t *testing.T) {
	folder := workshop(t)
	s := serve(t, folder, "--device=cpu")
	if want, err := filepath.EvalSymlinks(filepath.Join(folder, "kept")); err != nil || !strings.HasPrefix(s.URL, "http://127.0.0.1:") || len(s.URLs) != 1 || s.Token != "" || !sameFile(t, s.Folder, want) {
		t.Errorf("the event is %+v (%v)", s.listeningEvent, err)
	}
	response, err := http.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if kind := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "text/html") {
		t.Errorf("the page has status %d and type %s", response.StatusCode, kind)
	}
	var about struct {
		Program struct{ Name string }
	}
	if s.get("GET", "", nil, &about); about.Program.Name != "impasto" {
		t.Errorf("the program is %+v", about.Program)
	}
	for _, headers := range [][]string{{"Host", "pictures.example.org"}, {"Host", "127.0.0.1:1"}, {"Origin", "https://example.org"}, {"Sec-Fetch-Site", "cross-site"}} {
		if status, data := s.ask("GET", "runs", nil, headers...); status != http.StatusForbidden {
			t.Errorf("with %q: status %d, %s", headers, status, data)
		}
	}
	id := s.paint(folder, 3).ID
	s.until(id, func(r runOfAPI) bool { return r.State == "finished" })
	writeFile(t, filepath.Join(folder, "painted.png"), s.get("GET", "runs/"+id+"/picture?format=png&depth=16&download=1", nil, nil))
	if size := readPicture(t, filepath.Join(folder, "painted.png")).Bounds().Size(); size.X != 32 || size.Y != 24 {
		t.Errorf("the picture is %v", size)
	}
	// What the picture says of itself makes it again.
	impasto(t, folder, "redo", "painted.png", "-o", "again.png", "--device=cpu").done(t)
	var command struct{ Command string }
	s.get("GET", "runs/"+id+"/command", nil, &command)
	if want := "impasto stylize content.png style.png -o "; !strings.HasPrefix(command.Command, want) {
		t.Errorf("the command is %s, want it to begin with %s", command.Command, want)
	}
	s.interrupt()
	if _, err := os.Stat(studioNotePath(s.Folder)); err == nil {
		t.Error("the note of the address is left behind")
	}
}

func sameFile(t *testing.T, a, b string) bool {
	t.Helper()
	first, err := os.Stat(a)
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.Stat(b)
	if err != nil {
		t.Fatal(err)
	}
	return os.SameFile(first, second)
}

func TestInterruptedStudioGoesOn(t *testing.T) {
	folder := workshop(t)
	s := serve(t, folder, "--device=cpu")
	id := s.paint(folder, 1_000_000).ID
	s.until(id, func(r runOfAPI) bool { return r.Progress != nil && r.Progress.Done >= 5 })
	s.interrupt()
	s = serve(t, folder, "--device=cpu")
	run := s.until(id, func(r runOfAPI) bool { return r.State == "running" && r.Progress != nil })
	if run.Progress.Done < 5 {
		t.Errorf("the run began anew: %+v", run.Progress)
	}
	before := run.Progress.Done
	s.until(id, func(r runOfAPI) bool { return r.Progress.Done > before })
	// A kill leaves no time for a checkpoint; the one before is there.
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait()
	s = serve(t, folder, "--device=cpu")
	if run = s.until(id, func(r runOfAPI) bool { return r.State == "running" && r.Progress != nil }); run.Progress.Done < 5 {
		t.Errorf("after a kill the run began anew: %+v", run.Progress)
	}
	s.get("POST", "runs/"+id+"/stop", []byte("{}"), nil)
	s.until(id, func(r runOfAPI) bool { return r.State == "stopped" })
	s.interrupt()
}

// TestStudioUnderALimitWorks has the work done by a child process, to which interrupts come
// by way of its parent, and the browser opened.
func TestStudioUnderALimitWorks(t *testing.T) {
	folder := workshop(t)
	tools := t.TempDir()
	writeFile(t, filepath.Join(tools, "xdg-open"), []byte("#!/bin/sh\necho \"$@\" >opened.tmp && mv opened.tmp opened\n"))
	if err := os.Chmod(filepath.Join(tools, "xdg-open"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, limited := range map[string]bool{"alone": false, "under a limit": true} {
		t.Run(name, func(t *testing.T) {
			args := []string{"studio", "--folder=kept", "--json", "--device=cpu"}
			cmd := program(t, folder, args...)
			if limited {
				cmd = limitedTo(t, 8192, folder, args...)
			}
			cmd.Env = append(cmd.Env, "PATH="+tools+":"+os.Getenv("PATH"), "DISPLAY=:7", "SSH_CONNECTION=")
			s := reach(t, cmd)
			opened := filepath.Join(folder, "opened")
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
				if data, err := os.ReadFile(opened); err == nil {
					if string(data) != s.URL+"\n" {
						t.Errorf("opened %q, want %s", data, s.URL)
					}
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("the browser wasn't opened")
				}
			}
			if err := os.Remove(opened); err != nil {
				t.Fatal(err)
			}
			id := s.paint(folder, 1_000_000).ID
			s.until(id, func(r runOfAPI) bool { return r.Progress != nil && r.Progress.Done >= 2 })
			s.interrupt()
		})
	}
}

func TestStudioForOthersWantsItsToken(t *testing.T) {
	folder := workshop(t)
	s := serve(t, folder, "--listen=0.0.0.0")
	if len(s.Token) < leastToken || !strings.HasSuffix(s.URL, "/?token="+s.Token) {
		t.Errorf("the event is %+v", s.listeningEvent)
	}
	s.get("GET", "runs", nil, nil)
	for _, token := range []string{"", "x" + s.Token[1:]} {
		if s.token = token; token == s.Token {
			continue
		}
		if status, data := s.ask("GET", "runs", nil); status != http.StatusUnauthorized {
			t.Errorf("with the token %q: status %d, %s", token, status, data)
		}
	}
	// All addresses that were printed lead to the page, by way of a cookie.
	for _, address := range s.URLs {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		client := http.Client{Jar: jar, Timeout: 20 * time.Second}
		response, err := client.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK || response.Request.URL.RawQuery != "" {
			t.Errorf("%s leads to %s, status %d", address, response.Request.URL, response.StatusCode)
		}
	}
	s.interrupt()
	cmd := program(t, folder, "studio", "--folder=kept", "--json", "--no-browser")
	cmd.Env = append(cmd.Env, tokenVariable+"=chosen-by-its-user")
	if s = reach(t, cmd); s.Token != "chosen-by-its-user" || len(s.URLs) != 1 {
		t.Errorf("the event is %+v", s.listeningEvent)
	}
	if status, _ := s.ask("GET", "runs", nil, "Authorization", ""); status != http.StatusUnauthorized {
		t.Errorf("without the chosen token: status %d", status)
	}
	s.interrupt()
}

func TestStudioSaysWhatIsTaken(t *testing.T) {
	folder := workshop(t)
	s := serve(t, folder)
	impasto(t, folder, "studio", "--folder=kept", "--no-browser").refused(t, statusFailed,
		"kept is in use by another studio at "+s.URL+fmt.Sprintf(" (process %d)", s.cmd.Process.Pid), "name another --folder")
	at, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	impasto(t, folder, "studio", "--folder=other", "--no-browser", "--port="+at.Port()).refused(t, statusFailed,
		"port "+at.Port()+" of 127.0.0.1 can't be had: address already in use; choose another with --port, or leave that out")
	// Without --port another one is found.
	cmd := program(t, folder, "studio", "--folder=other", "--json", "--no-browser")
	if other := reach(t, cmd); other.URL == s.URL {
		t.Errorf("two studios are at %s", s.URL)
	} else {
		other.interrupt()
	}
	s.interrupt()
	impasto(t, folder, "studio", "--folder=content.png", "--no-browser").refused(t, statusFailed, "content.png")
	impasto(t, folder, "studio", "x").refused(t, statusUsage, "studio: ")
	impasto(t, folder, "studio", "--listen=nowhere").refused(t, statusUsage, `--listen "nowhere"`)
}

// TestStudioSaysWhereItIs reads what people do. On a terminal, there is a QR code besides.
func TestStudioSaysWhereItIs(t *testing.T) {
	folder := workshop(t)
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	cmd := program(t, folder, "studio", "--folder=kept", "--no-browser", "--port="+port)
	run := during(t, cmd, 1, func() { send(t, cmd, os.Interrupt) })
	if want := "The studio is at http://127.0.0.1:" + port + "/\n"; run.stdout != want || run.status != statusInterrupted {
		t.Errorf("exit status %d, standard output %q, want %q", run.status, run.stdout, want)
	}
	if lines := strings.Split(run.stderr, "\n"); !strings.Contains(lines[0], "pictures and runs are in "+filepath.Dir(studioNotePath(filepath.Join(folder, "kept")))) {
		t.Errorf("standard error is %q", run.stderr)
	}
}

// TestTheDocumentsExampleWorks runs the script that docs/studio.md has, with smaller sizes.
func TestTheDocumentsExampleWorks(t *testing.T) {
	for _, tool := range []string{"sh", "curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	_, script, found := strings.Cut(string(readFile(t, filepath.Join("..", "..", "docs", "studio.md"))), "<!-- script: studio -->\n```sh\n")
	script, _, ended := strings.Cut(script, "```\n")
	if !found || !ended {
		t.Fatal("docs/studio.md has no script")
	}
	folder := workshop(t)
	for from, to := range map[string]string{"content.png": "photo.jpg", "style.png": "painting.jpg"} {
		if err := os.Rename(filepath.Join(folder, from), filepath.Join(folder, to)); err != nil {
			t.Fatal(err)
		}
	}
	s := serve(t, folder, "--device=cpu")
	for old, new := range map[string]string{"http://127.0.0.1:7878/": s.URL, "256": "64", "512": "91"} {
		if !strings.Contains(script, old) {
			t.Fatalf("the script has no %s", old)
		}
		script = strings.ReplaceAll(script, old, new)
	}
	shell := exec.Command("sh", "-eu")
	shell.Dir, shell.Stdin = folder, strings.NewReader(script)
	text, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	for _, want := range []string{"event: snapshot", `"seconds": `, "impasto stylize photo.jpg painting.jpg -o ", `"strength": 80`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the script doesn't print %q:\n%s", want, text)
		}
	}
	if size := readPicture(t, filepath.Join(folder, "painted.png")).Bounds().Size(); size.X != 64 {
		t.Errorf("the picture is %v", size)
	}
	s.interrupt()
}
