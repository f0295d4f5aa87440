package studio

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"impasto/device"
	"impasto/internal/picture"
	"impasto/model"
)

// patience is how long a test waits for anything.
const patience = 2 * time.Minute

// client is what tests ask a server with. Every answer that it is given is held to the
// API's description.
type client struct {
	t      *testing.T
	studio *Studio
	url    string // with apiPrefix
	http   *http.Client
}

// open starts a server on a folder. It is closed with the test.
func open(t *testing.T, o Options) *client {
	t.Helper()
	if o.Folder == "" {
		o.Folder = t.TempDir()
	}
	o.Device, o.Threads = device.CPU, 1 // which wait for no others on a busy machine
	if o.Log == nil {
		o.Log = func(line string) { t.Log(line) }
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	c := &client{t, s, server.URL + apiPrefix, &http.Client{Transport: described{server.Client().Transport}, CheckRedirect: unfollowed}}
	t.Cleanup(func() {
		server.CloseClientConnections()
		c.close()
		server.Close()
	})
	return c
}

// unfollowed has a client be given redirections as they are.
func unfollowed(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// close closes the studio, as often as one likes.
func (c *client) close() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.studio.Close(ctx); err != nil {
		c.t.Errorf("close: %v", err)
	}
}

// do makes a request and returns the answer with its body. A body that is no reader is sent
// as JSON.
func (c *client) do(method, path string, body any) (*http.Response, []byte) {
	c.t.Helper()
	var sent io.Reader
	kind := ""
	switch body := body.(type) {
	case nil:
	case io.Reader:
		sent, kind = body, "application/octet-stream"
	default:
		text, err := json.Marshal(body)
		if err != nil {
			c.t.Fatal(err)
		}
		sent, kind = bytes.NewReader(text), "application/json"
	}
	q, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, sent)
	if err != nil {
		c.t.Fatal(err)
	}
	if kind != "" {
		q.Header.Set("Content-Type", kind)
	}
	r, err := c.http.Do(q)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer r.Body.Close()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return r, data
}

// want makes a request whose answer has to have a status, and reads it into a value.
func (c *client) want(status int, method, path string, body, into any) {
	c.t.Helper()
	r, data := c.do(method, path, body)
	if r.StatusCode != status {
		c.t.Fatalf("%s %s: %s: %s; want %d", method, path, r.Status, data, status)
	}
	if into != nil {
		if err := json.Unmarshal(data, into); err != nil {
			c.t.Fatalf("%s %s: %v in %s", method, path, err, data)
		}
	}
}

// scene is a picture with something to see, as a PNG: stripes of a colour on another.
func scene(t testing.TB, width, height int, a, b color.Color) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			if (x+y*y/40)%16 < 8 {
				img.Set(x, y, a)
			} else {
				img.Set(x, y, b)
			}
		}
	}
	return encoded(t, img, "png")
}

func encoded(t testing.TB, img image.Image, format string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := picture.Encode(&out, img, picture.SaveOptions{Format: format}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var (
	red   = color.RGBA{200, 40, 30, 255}
	blue  = color.RGBA{20, 60, 180, 255}
	green = color.RGBA{40, 160, 60, 255}
	white = color.RGBA{255, 255, 255, 255}
)

// upload uploads a picture.
func (c *client) upload(data []byte, name string) pictureInfo {
	c.t.Helper()
	var info pictureInfo
	c.want(http.StatusCreated, "POST", "/pictures?name="+name, bytes.NewReader(data), &info)
	return info
}

// bundle finds one of the program's pictures.
func (c *client) bundle(name string) pictureInfo {
	c.t.Helper()
	var all struct{ Pictures []pictureInfo }
	c.want(http.StatusOK, "GET", "/pictures", nil, &all)
	for _, p := range all.Pictures {
		if p.Name == name && p.Bundled {
			return p
		}
	}
	c.t.Fatalf("no bundled picture is named %s", name)
	return pictureInfo{}
}

// request is what a quick run is made of: one level of 64 pixels, some iterations at it, and
// the first layers of the network. Settings given besides count more; a nil one is left out.
func (c *client) request(iterations int, more ...any) map[string]any {
	c.t.Helper()
	given := map[string]any{
		"size": 64, "min-size": 64, "first-iterations": iterations, "iterations": iterations,
		"style-layers": "relu1_1,relu2_1", "content-layers": "relu2_1",
	}
	for i := 0; i+1 < len(more); i += 2 {
		if given[more[i].(string)] = more[i+1]; more[i+1] == nil {
			delete(given, more[i].(string))
		}
	}
	return map[string]any{
		"content": c.bundle("harbour.png").ID, "styles": []any{map[string]any{"picture": c.bundle("whirl.jpg").ID}}, "settings": given,
	}
}

// begin begins a run.
func (c *client) begin(body map[string]any) runInfo {
	c.t.Helper()
	var info runInfo
	c.want(http.StatusCreated, "POST", "/runs", body, &info)
	return info
}

// run is a run as it is.
func (c *client) run(id string) runInfo {
	c.t.Helper()
	var info runInfo
	c.want(http.StatusOK, "GET", "/runs/"+id, nil, &info)
	return info
}

// look is run without a look at the description, for who asks again and again.
func (c *client) look(id string) (info runInfo) {
	c.t.Helper()
	r, err := http.Get(c.url + "/runs/" + id)
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Body.Close()
	if err := json.NewDecoder(r.Body).Decode(&info); err != nil {
		c.t.Fatal(err)
	}
	return info
}

// tell tells a run to pause, continue or stop.
func (c *client) tell(id, what string) runInfo {
	c.t.Helper()
	var info runInfo
	c.want(http.StatusOK, "POST", "/runs/"+id+"/"+what, nil, &info)
	return info
}

// wait waits until a run is as wanted.
func (c *client) wait(id string, what string, is func(runInfo) bool) runInfo {
	c.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		info := c.look(id)
		if is(info) {
			return c.run(id)
		}
		if time.Now().After(end) || info.State == failed {
			text, _ := json.Marshal(info)
			c.t.Fatalf("the run isn't %s: %s", what, text)
		}
	}
}

// waitFor waits for a state.
func (c *client) waitFor(id string, want state) runInfo {
	c.t.Helper()
	return c.wait(id, string(want), func(r runInfo) bool { return r.State == want })
}

// made waits until a run has made some iterations.
func (c *client) made(id string, done int) runInfo {
	c.t.Helper()
	return c.wait(id, fmt.Sprintf("at iteration %d", done), func(r runInfo) bool { return r.Progress != nil && r.Progress.Done >= done })
}

// hold has runs wait after some iterations, until goOn is closed. Held is closed once the first
// waits.
func (s *Studio) hold(done int) (held <-chan struct{}, goOn chan<- struct{}) {
	reached, further := make(chan struct{}), make(chan struct{})
	var once sync.Once
	stylize := s.stylize
	s.stylize = func(ctx context.Context, content image.Image, styles []model.Style, o model.Options) (*model.Result, error) {
		progress := o.Progress
		o.Progress = func(p model.Progress) {
			if progress(p); p.Done == done {
				once.Do(func() { close(reached) })
				<-further
			}
		}
		return stylize(ctx, content, styles, o)
	}
	return reached, further
}

// pauseAfter begins a run that is paused after some iterations.
func (c *client) pauseAfter(done int, body map[string]any) runInfo {
	c.t.Helper()
	held, goOn := c.studio.hold(done)
	run := c.begin(body)
	<-held
	if state := c.tell(run.ID, "pause").State; state != pausing {
		c.t.Errorf("told to pause, it is %s", state)
	}
	close(goOn)
	run = c.waitFor(run.ID, paused)
	if run.Progress.Done != done {
		c.t.Errorf("it is paused after %d iterations, want %d", run.Progress.Done, done)
	}
	return run
}

// picture is the picture of a run, as a PNG of 16 bits.
func (c *client) picture(id string) []byte {
	c.t.Helper()
	r, data := c.do("GET", "/runs/"+id+"/picture?format=png&depth=16", nil)
	if r.StatusCode != http.StatusOK {
		c.t.Fatalf("picture: %s: %s", r.Status, data)
	}
	return data
}

// event is one of a stream.
type event struct {
	kind string
	data string
}

// decode reads an event's data.
func (e event) decode(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(e.data), into); err != nil {
		t.Fatalf("event %s: %v in %s", e.kind, err, e.data)
	}
}

// listen opens a stream of events, which ends with the test or by stop.
func (c *client) listen(path string) (events <-chan event, stop func()) {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	q, err := http.NewRequestWithContext(ctx, "GET", c.url+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	r, err := c.http.Do(q)
	if err != nil {
		c.t.Fatal(err)
	}
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "text/event-stream" {
		c.t.Fatalf("%s: %s, %s", path, r.Status, r.Header.Get("Content-Type"))
	}
	out := make(chan event, 10_000)
	go func() {
		defer close(out)
		defer r.Body.Close()
		lines := bufio.NewReader(r.Body)
		var e event
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			line = strings.TrimSuffix(line, "\n")
			if kind, ok := strings.CutPrefix(line, "event: "); ok {
				e.kind = kind
			}
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				e.data = data
			}
			if line == "" && e.kind != "" {
				out <- e
				e = event{}
			}
		}
	}()
	return out, cancel
}

// next is the next event of a kind, whatever comes before it.
func (c *client) next(events <-chan event, kind string) event {
	c.t.Helper()
	late := time.After(patience)
	for {
		select {
		case e, ok := <-events:
			if !ok {
				c.t.Fatalf("the stream ended before an event %s", kind)
			}
			if e.kind == kind {
				return e
			}
		case <-late:
			c.t.Fatalf("no event %s", kind)
		}
	}
}

// problemOf makes a request that has to be refused with a status, and returns why.
func (c *client) problemOf(status int, method, path string, body any) problem {
	c.t.Helper()
	r, data := c.do(method, path, body)
	var p problem
	if r.StatusCode != status || r.Header.Get("Content-Type") != "application/problem+json" {
		c.t.Fatalf("%s %s: %s, %s: %s; want %d and a problem", method, path, r.Status, r.Header.Get("Content-Type"), data, status)
	}
	if err := json.Unmarshal(data, &p); err != nil || p.Status != status || p.Title == "" || p.Detail == "" {
		c.t.Fatalf("%s %s: %v in %s", method, path, err, data)
	}
	return p
}

var errWrong = errors.New("deliberately wrong")
