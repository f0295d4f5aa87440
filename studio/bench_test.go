package studio

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"impasto/device"
)

// BenchmarkWatched makes a run of 512 pixels, and has it watched by none, one and ten
// clients in turn, each of which takes every picture that it is told of. It reports how
// much longer an iteration takes than with none: by the median turn, of which each is some
// iterations, since not every one makes a picture.
func BenchmarkWatched(b *testing.B) {
	const turns, each = 5, 8 // of iterations
	s, err := New(Options{Folder: b.TempDir(), Device: device.CPU})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(s)
	defer server.Close()
	defer s.Close(b.Context())
	c := watching{b, s, server.URL + apiPrefix}
	for b.Loop() {
		id := c.begin(512, 3*turns*(each+2)+10)
		c.made(id, 4)
		seconds := map[int][]float64{}
		for range turns {
			for _, watchers := range []int{0, 1, 10} {
				stop := c.watch(id, watchers)
				from := c.made(id, c.done(id)+2) // one to get used to it
				to := c.made(id, from.Done+each)
				seconds[watchers] = append(seconds[watchers], (to.Seconds-from.Seconds)/float64(to.Done-from.Done))
				stop()
			}
		}
		c.remove(id)
		alone := median(seconds[0])
		b.ReportMetric(alone, "s/iteration")
		for _, watchers := range []int{1, 10} {
			b.ReportMetric(100*(median(seconds[watchers])/alone-1), fmt.Sprintf("%%-longer-by-%d", watchers))
		}
		b.Logf("seconds an iteration, by watchers: %v", seconds)
	}
}

func median(values []float64) float64 { return slices.Sorted(slices.Values(values))[len(values)/2] }

// watching is a server that is watched.
type watching struct {
	b      *testing.B
	studio *Studio
	url    string
}

func (c watching) begin(size, iterations int) string {
	ids := map[string]string{}
	for id, info := range c.studio.pictures {
		ids[info.Name] = id
	}
	body := fmt.Sprintf(`{"content":%q,"styles":[{"picture":%q}],"settings":{"size":%d,"min-size":%d,"first-iterations":%d}}`,
		ids["harbour.png"], ids["whirl.jpg"], size, size, iterations)
	r, err := http.Post(c.url+"/runs", "application/json", strings.NewReader(body))
	if err != nil {
		c.b.Fatal(err)
	}
	defer r.Body.Close()
	var run runInfo
	if err := json.NewDecoder(r.Body).Decode(&run); err != nil || run.ID == "" {
		c.b.Fatalf("%s: %v", r.Status, err)
	}
	return run.ID
}

func (c watching) done(id string) int { return c.progress(id).Done }

func (c watching) progress(id string) progress {
	c.studio.mutex.Lock()
	defer c.studio.mutex.Unlock()
	r := c.studio.runs[id]
	if r.State == failed || r.State == finished {
		c.b.Fatalf("the run is %s after %d iterations: %s", r.State, r.Progress.Done, r.Error)
	}
	return r.Progress
}

// made waits until a run has made some iterations.
func (c watching) made(id string, done int) progress {
	for {
		if p := c.progress(id); p.Done >= done {
			return p
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (c watching) remove(id string) {
	q, err := http.NewRequest("DELETE", c.url+"/runs/"+id, nil)
	if err != nil {
		c.b.Fatal(err)
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		c.b.Fatal(err)
	}
	r.Body.Close()
}

// watch has clients listen to all events and take every picture, until stop is called.
func (c watching) watch(id string, clients int) (stop func()) {
	var bodies []io.Closer
	for range clients {
		r, err := http.Get(c.url + "/events")
		if err != nil {
			c.b.Fatal(err)
		}
		bodies = append(bodies, r.Body)
		go func() {
			lines, shown := bufio.NewScanner(r.Body), 0
			lines.Buffer(nil, 1<<20)
			for lines.Scan() {
				data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
				var of progressEvent
				if !ok || json.Unmarshal(data, &of) != nil || of.Progress.Picture == shown {
					continue
				}
				shown = of.Progress.Picture
				if r, err := http.Get(fmt.Sprintf("%s/runs/%s/picture?size=512&version=%d", c.url, id, shown)); err == nil {
					_, _ = io.Copy(io.Discard, r.Body)
					r.Body.Close()
				}
			}
		}()
	}
	return func() {
		for _, body := range bodies {
			body.Close()
		}
	}
}
