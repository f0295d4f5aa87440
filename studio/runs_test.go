package studio

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/gif"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"impasto/internal/made"
	"impasto/internal/picture"
	"impasto/model"
)

// many are more iterations than a test waits for.
const many = 100_000

func TestARunIsMade(t *testing.T) {
	c := open(t, Options{})
	body := c.request(3, "size", 96, "style-layers", nil, "content-layers", nil)
	body["name"], body["group"] = "first\n", "six"
	run := c.begin(body)
	if run.Name != "first" || run.Group != "six" || run.State != queued && run.State != starting || run.Size != (size{96, 72}) || run.Content.Name != "harbour.png" || run.Styles[0].Weight != 1 {
		t.Errorf("it begins as %+v", run)
	}
	if run.Settings["size"] != 96. || run.Settings["iterations"] != 3. || run.Settings["quality"] != nil {
		t.Errorf("settings %v", run.Settings)
	}
	run = c.waitFor(run.ID, finished)
	p := run.Progress
	if p.Done != 6 || p.Total != 6 || p.Level != 2 || p.Levels != 2 || p.Width != 96 || p.Height != 72 || p.Share != 1 || p.Picture == 0 || p.Remaining == nil || *p.Remaining != 0 || len(p.Terms) < 6 {
		t.Errorf("it ends as %+v", p)
	}
	if run.Started == nil || run.Ended == nil || run.Ended.Before(*run.Started) || run.Plan == nil || run.Plan.Memory < 1<<20 || run.Plan.Seconds <= 0 {
		t.Errorf("it ends as %+v", run)
	}
	c.checkResult(run)
	c.checkCurve(run)
	c.checkFilm(run)
	if _, err := os.Stat(c.studio.store.run(run.ID, checkpointFile)); err == nil {
		t.Error("its checkpoint is left")
	}
}

// checkResult looks at the picture of a finished run in all formats.
func (c *client) checkResult(run runInfo) {
	c.t.Helper()
	for _, query := range []string{"?format=png", "?format=png&depth=16&download=1", "?format=tiff&depth=16&download=1", "?download=1", "?format=webp&download=1"} {
		r, data := c.do("GET", "/runs/"+run.ID+"/picture"+query, nil)
		if r.StatusCode != http.StatusOK {
			c.t.Fatalf("%s: %s: %s", query, r.Status, data)
		}
		source, err := picture.ReadSource(c.t.Context(), bytes.NewReader(data), "result")
		if err != nil {
			c.t.Fatal(err)
		}
		if got := source.Bounds().Size(); got != image.Pt(run.Size.Width, run.Size.Height) {
			c.t.Errorf("%s: %v, want %v", query, got, run.Size)
		}
		document, err := made.Read(source.Embedded())
		if err != nil {
			c.t.Fatal(err)
		}
		if saved := strings.Contains(query, "download"); saved != (document != nil) {
			c.t.Errorf("%s: the file says %v of how it was made", query, document)
		} else if saved && (document.Content.SHA256 != run.Content.ID || document.Painted.Iterations != run.Progress.Done || document.Painted.Unfinished != (run.State != finished) || len(document.Computation.Arithmetic) == 0) {
			c.t.Errorf("%s: the file says %+v", query, document)
		}
	}
	r, data := c.do("GET", "/runs/"+run.ID+"/picture?size=20&format=png", nil)
	if config, _, err := image.DecodeConfig(bytes.NewReader(data)); err != nil || max(config.Width, config.Height) != 20 {
		c.t.Errorf("at 20 pixels: %s, %v (%v)", r.Status, config, err)
	}
}

func (c *client) checkCurve(run runInfo) {
	c.t.Helper()
	var curve struct{ Points []point }
	c.want(http.StatusOK, "GET", "/runs/"+run.ID+"/curve", nil, &curve)
	if len(curve.Points) != run.Progress.Done {
		c.t.Fatalf("the curve has %d points, want %d", len(curve.Points), run.Progress.Done)
	}
	for i, p := range curve.Points {
		if p.Done != i+1 || p.Loss <= 0 || len(p.Terms) < 4 {
			c.t.Errorf("point %d is %+v", i, p)
		}
	}
}

func (c *client) checkFilm(run runInfo) {
	c.t.Helper()
	r, data := c.do("GET", "/runs/"+run.ID+"/film", nil)
	film, err := gif.DecodeAll(bytes.NewReader(data))
	if err != nil || r.StatusCode != http.StatusOK || len(film.Image) < 2 || film.Config.Width != run.Size.Width || film.Config.Height != run.Size.Height {
		c.t.Errorf("the film: %s, %v", r.Status, err)
	}
	if d := r.Header.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment; ") || !strings.Contains(d, ".gif") {
		c.t.Errorf("the film is saved as %s", d)
	}
}

func TestARunMakesThePictureThatTheLibraryMakes(t *testing.T) {
	c := open(t, Options{})
	run := c.begin(c.request(4, "loss", "gram", "strength", 60, "style-layers", nil, "content-layers", nil))
	c.waitFor(run.ID, finished)
	c.studio.mutex.Lock()
	of := c.studio.runs[run.ID].Recipe
	c.studio.mutex.Unlock()
	in, err := c.studio.open(t.Context(), of)
	if err != nil {
		t.Fatal(err)
	}
	result, err := model.Stylize(t.Context(), in.content, in.styles, in.options)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := picture.Encode(&want, result.Image, picture.SaveOptions{Format: "png", Depth: 16}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(c.picture(run.ID), want.Bytes()) {
		t.Error("the pictures differ")
	}
}

func TestAPausedRunComesToTheSamePicture(t *testing.T) {
	c := open(t, Options{})
	body := c.request(25)
	straight := c.begin(body)
	c.waitFor(straight.ID, finished)
	run := c.pauseAfter(10, body)
	if r, _ := c.do("GET", "/runs/"+run.ID+"/picture?size=64", nil); r.StatusCode != http.StatusOK {
		t.Errorf("its picture meanwhile: %s", r.Status)
	}
	if again := c.tell(run.ID, "pause"); again.State != paused {
		t.Errorf("paused again, it is %s", again.State)
	}
	c.tell(run.ID, "continue")
	c.waitFor(run.ID, finished)
	if !bytes.Equal(c.picture(run.ID), c.picture(straight.ID)) {
		t.Error("its picture is another than that of a run that wasn't paused")
	}
	c.checkCurve(c.run(run.ID))
}

func TestAStoppedRunHasThePictureThatItHad(t *testing.T) {
	c := open(t, Options{})
	run := c.begin(c.request(many, "size", 96, "first-iterations", 5))
	c.made(run.ID, 8)
	c.tell(run.ID, "stop")
	run = c.waitFor(run.ID, stopped)
	if run.Ended == nil || run.Progress.Picture == 0 {
		t.Errorf("%+v", run)
	}
	c.checkResult(run)
	for path, body := range map[string]any{"/pause": nil, "": map[string]any{"settings": map[string]any{"size": 80}}} {
		method := "POST"
		if body != nil {
			method = "PATCH"
		}
		c.problemOf(http.StatusConflict, method, "/runs/"+run.ID+path, body)
	}
	done := run.Progress.Done
	c.tell(run.ID, "continue")
	if run = c.made(run.ID, done+2); run.Ended != nil {
		t.Errorf("continued, it ended at %v", run.Ended)
	}
	c.tell(run.ID, "stop")
	c.waitFor(run.ID, stopped)
}

func TestAQueuedRunIsPausedAndStoppedAtOnce(t *testing.T) {
	c := open(t, Options{AtOnce: 1})
	first := c.begin(c.request(many))
	c.made(first.ID, 1)
	second, third := c.begin(c.request(2)), c.begin(c.request(2))
	if second.QueuePosition != 1 || third.QueuePosition != 2 {
		t.Errorf("they wait at %d and %d", second.QueuePosition, third.QueuePosition)
	}
	if run := c.tell(second.ID, "pause"); run.State != paused || run.QueuePosition != 0 {
		t.Errorf("%+v", run)
	}
	if run := c.run(third.ID); run.QueuePosition != 1 {
		t.Errorf("the other waits at %d, want 1", run.QueuePosition)
	}
	if run := c.tell(second.ID, "continue"); run.State != queued || run.QueuePosition != 2 {
		t.Errorf("continued, it is %s at %d, want queued at 2", run.State, run.QueuePosition)
	}
	if run := c.tell(third.ID, "stop"); run.State != stopped {
		t.Errorf("%+v", run)
	}
	c.problemOf(http.StatusNotFound, "GET", "/runs/"+third.ID+"/picture", nil)
	c.problemOf(http.StatusConflict, "POST", "/runs/"+third.ID+"/enlarge", map[string]any{"size": 100})
	c.tell(first.ID, "stop")
	c.waitFor(second.ID, finished)
}

func TestTenRunsAreMadeOneAfterTheOther(t *testing.T) {
	c := open(t, Options{AtOnce: 1})
	var most, now atomic.Int32
	stylize := c.studio.stylize
	c.studio.stylize = func(ctx context.Context, content image.Image, styles []model.Style, o model.Options) (*model.Result, error) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer now.Add(-1)
		return stylize(ctx, content, styles, o)
	}
	var ids, order []string
	for i := range 10 {
		body := c.request(1)
		body["name"] = fmt.Sprint("run ", i)
		ids = append(ids, c.begin(body).ID)
	}
	var ends []time.Time
	for _, id := range ids {
		run := c.waitFor(id, finished)
		ends = append(ends, *run.Ended)
	}
	if !slices.IsSortedFunc(ends, time.Time.Compare) || most.Load() != 1 {
		t.Errorf("they end at %v, %d at a time", ends, most.Load())
	}
	var list runList
	c.want(http.StatusOK, "GET", "/runs", nil, &list)
	for _, run := range list.Runs {
		order = append(order, run.Name)
	}
	if order[0] != "run 9" || order[9] != "run 0" {
		t.Errorf("listed as %v, want the newest first", order)
	}
}

// blocked makes runs that go on until they are told to end, and plans of some memory.
func (c *client) blocked(memory int64) (end chan struct{}) {
	end = make(chan struct{})
	c.studio.stylize = func(ctx context.Context, _ image.Image, _ []model.Style, o model.Options) (*model.Result, error) {
		if o.Planned != nil {
			o.Planned(model.Plan{Memory: memory, Levels: []model.PlannedLevel{{Number: 1}}})
		}
		o.Begin(model.Level{Number: 1, Levels: 1, Width: 64, Height: 43})
		select {
		case <-end:
			return &model.Result{Image: image.NewRGBA(image.Rect(0, 0, 64, 43)), Last: model.Progress{Done: 1, Width: 64, Height: 43}}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return end
}

func TestAsManyRunsAreMadeAsThereIsMemoryFor(t *testing.T) {
	const each = 100 << 20
	c := open(t, Options{Memory: 4 << 30, AtOnce: AsMemoryAllows})
	end := c.blocked(each)
	c.studio.mutex.Lock()
	c.studio.budget = c.studio.resident + each*5/2 // for two, and not for three
	c.studio.mutex.Unlock()
	c.studio.makePlan = func(_ context.Context, _ image.Image, _ []model.Style, o model.Options) (model.Plan, error) {
		plan := model.Plan{Memory: each, Levels: []model.PlannedLevel{{Number: 1}}}
		c.studio.mutex.Lock()
		defer c.studio.mutex.Unlock()
		if left := c.studio.budget - c.studio.resident - c.studio.used(); left < each {
			plan.Levels[0].Remark = "looked at in tiles"
		}
		return plan, nil
	}
	var ids []string
	for range 4 {
		ids = append(ids, c.begin(c.request(1)).ID)
	}
	c.waitFor(ids[0], running)
	c.waitFor(ids[1], running)
	time.Sleep(100 * time.Millisecond)
	for i, want := range []state{running, running, queued, queued} {
		if run := c.run(ids[i]); run.State != want {
			t.Errorf("run %d is %s, want %s", i, run.State, want)
		}
	}
	var info infoAnswer
	c.want(http.StatusOK, "GET", "/", nil, &info)
	if info.Memory.Used != 2*each {
		t.Errorf("runs take %d, want %d", info.Memory.Used, 2*each)
	}
	c.tell(ids[0], "stop")
	c.waitFor(ids[2], running)
	close(end)
	for _, id := range ids[1:] {
		c.waitFor(id, finished)
	}
}

func TestAPanicIsAnErrorOfItsRun(t *testing.T) {
	var log atomic.Pointer[string]
	c := open(t, Options{Log: func(line string) { log.Store(&line) }})
	stylize := c.studio.stylize
	c.studio.stylize = func(context.Context, image.Image, []model.Style, model.Options) (*model.Result, error) {
		panic(errWrong)
	}
	id := c.begin(c.request(1)).ID
	var run runInfo
	for end := time.Now().Add(patience); run.State != failed && time.Now().Before(end); time.Sleep(time.Millisecond) {
		run = c.run(id)
	}
	if run.State != failed || !strings.Contains(run.Error, errWrong.Error()) || run.Ended == nil {
		t.Errorf("%+v", run)
	}
	if line := log.Load(); line == nil || !strings.Contains(*line, "runs_test.go") {
		t.Error("the log doesn't say where")
	}
	c.problemOf(http.StatusConflict, "POST", "/runs/"+id+"/continue", nil)
	c.studio.stylize = stylize
	c.waitFor(c.begin(c.request(1)).ID, finished)
}

func TestARunThatCantBeMadeSaysWhy(t *testing.T) {
	c := open(t, Options{Memory: 1 << 20})
	id := c.begin(c.request(1)).ID
	var run runInfo
	for end := time.Now().Add(patience); run.State != failed && time.Now().Before(end); time.Sleep(time.Millisecond) {
		run = c.run(id)
	}
	if !strings.Contains(run.Error, "choose a smaller size") {
		t.Errorf("%+v", run)
	}
	var plan planAnswer
	c.want(http.StatusOK, "POST", "/plan", c.request(1), &plan)
	if plan.Refused != run.Error {
		t.Errorf("the plan says %q, the run %q", plan.Refused, run.Error)
	}
}

func TestAPlanSaysWhatARunTakes(t *testing.T) {
	c := open(t, Options{AtOnce: 1})
	var plan planAnswer
	body := c.request(3, "size", 96)
	c.want(http.StatusOK, "POST", "/plan", body, &plan)
	if len(plan.Levels) != 2 || plan.Levels[1] != (levelAnswer{96, 72, 3, plan.Levels[1].Seconds, plan.Levels[1].Memory, ""}) || plan.Seconds <= 0 || plan.Memory < plan.Levels[1].Memory || plan.Waits || plan.Refused != "" {
		t.Errorf("%+v", plan)
	}
	run := c.begin(body)
	if run.Plan == nil || run.Plan.Memory != plan.Memory {
		t.Errorf("the run's plan is %+v, want that of the plan", run.Plan)
	}
	c.waitFor(run.ID, finished)
	c.blocked(1 << 20)
	c.waitFor(c.begin(body).ID, running)
	c.want(http.StatusOK, "POST", "/plan", body, &plan)
	if !plan.Waits {
		t.Error("beside another run it needn't wait")
	}
}

func TestSettingsChangeWhileARunIsMade(t *testing.T) {
	c := open(t, Options{})
	run := c.begin(c.request(many))
	c.made(run.ID, 5)
	var changed runInfo
	settings := map[string]any{"size": 128, "min-size": 64, "first-iterations": 4, "iterations": 4, "strength": "80", "loss": "gram"}
	c.want(http.StatusOK, "PATCH", "/runs/"+run.ID, map[string]any{"name": "wilder", "settings": settings}, &changed)
	if changed.Name != "wilder" || changed.Settings["strength"] != 80. || changed.Size.Width != 128 || len(changed.Changes) != 0 {
		t.Errorf("asked to change, it is %+v", changed)
	}
	run = c.waitFor(run.ID, finished)
	if len(run.Changes) != 1 || run.Changes[0].Done < 5 || run.Changes[0].Settings["loss"] != "gram" {
		t.Errorf("changes are %+v", run.Changes)
	}
	// From the first level of 64 pixels, on which it was, to 128: 64, 90 and 128.
	if p := run.Progress; p.Width != 128 || p.Levels != 3 || p.Level != 3 || p.Done != run.Changes[0].Done+12 || p.Total != p.Done {
		t.Errorf("it ends as %+v after %+v", p, run.Changes)
	}
	c.checkCurve(run)
	c.checkChanged(run)
}

// checkChanged looks at what is told of a run whose settings were changed.
func (c *client) checkChanged(run runInfo) {
	c.t.Helper()
	var command commandAnswer
	c.want(http.StatusOK, "GET", "/runs/"+run.ID+"/command", nil, &command)
	if !strings.Contains(command.Command, "--loss gram") || !slices.ContainsFunc(command.Remarks, func(r string) bool { return strings.Contains(r, "were changed") }) {
		c.t.Errorf("%+v", command)
	}
	_, data := c.do("GET", "/runs/"+run.ID+"/picture?format=png&download=1", nil)
	source, err := picture.ReadSource(c.t.Context(), bytes.NewReader(data), "result")
	if err != nil {
		c.t.Fatal(err)
	}
	document, err := made.Read(source.Embedded())
	if err != nil || document == nil || document.Start == nil || document.Settings["min-size"] != "64" || document.Painted.Iterations != 12 {
		c.t.Errorf("its file says %+v (%v)", document, err)
	}
}

// TestARunEndsWhileItsSettingsChange has a run told to end just when it has taken up a change.
func TestARunEndsWhileItsSettingsChange(t *testing.T) {
	for _, as := range []struct {
		told, want state
		cause      error
	}{{pausing, paused, errChanged}, {stopping, stopped, errChanged}, {running, queued, errChanged}, {pausing, paused, errPaused}, {running, running, errClosing}} {
		told, want := as.told, as.want
		c := open(t, Options{AtOnce: 1})
		end := c.blocked(1)
		run := c.begin(c.request(1))
		c.waitFor(run.ID, running)
		captured := &from{File: startFile(1), Side: 64}
		if err := os.WriteFile(c.studio.store.run(run.ID, captured.File), scene(t, 64, 48, red, blue), 0o600); err != nil {
			t.Fatal(err)
		}
		c.studio.mutex.Lock()
		r := c.studio.runs[run.ID]
		active, of := r.active, r.Recipe
		r.Wanted, r.Progress, r.State = &of, progress{Done: 5, Width: 64, Height: 48, Terms: terms{}}, told
		w := &worker{studio: c.studio, run: r, captured: captured}
		w.settle(nil, context.Canceled, nil, as.cause)
		info := c.studio.info(r)
		r.active, r.State = active, running // as the other worker has it, which ends now
		c.studio.active[r.ID] = r
		c.studio.mutex.Unlock()
		if info.State != want || len(info.Changes) != 1 || info.Changes[0].Done != 5 {
			t.Errorf("told to be %s, it is %+v", told, info)
		}
		if (want == paused || want == stopped) && as.cause == errChanged && info.Progress.Picture != savedVersion(5) {
			t.Errorf("told to be %s, its picture is %d", told, info.Progress.Picture)
		}
		close(end)
		c.waitFor(run.ID, finished)
	}
}

func TestSettingsOfAPausedRunChangeFromItsPicture(t *testing.T) {
	c := open(t, Options{})
	run := c.begin(c.request(many))
	c.made(run.ID, 5)
	c.tell(run.ID, "pause")
	done := c.waitFor(run.ID, paused).Progress.Done
	picture := c.bundle("mosaic.jpg")
	styles := []any{map[string]any{"picture": picture.ID, "weight": 2}, map[string]any{"picture": c.bundle("whirl.jpg").ID, "weight": 0.5}}
	var changed runInfo
	c.want(http.StatusOK, "PATCH", "/runs/"+run.ID, map[string]any{"styles": styles, "settings": map[string]any{"size": 64, "min-size": 64, "first-iterations": 3}}, &changed)
	if changed.State != paused || len(changed.Changes) != 1 || len(changed.Styles) != 2 || changed.Styles[0].Weight != 2 {
		t.Errorf("%+v", changed)
	}
	c.tell(run.ID, "continue")
	if run = c.waitFor(run.ID, finished); run.Progress.Done <= done {
		t.Errorf("it ends after %d iterations, and was paused after %d", run.Progress.Done, done)
	}
}

func TestSettingsOfAQueuedRunJustChange(t *testing.T) {
	c := open(t, Options{AtOnce: 1})
	first := c.begin(c.request(many))
	second := c.begin(c.request(many))
	var changed runInfo
	c.want(http.StatusOK, "PATCH", "/runs/"+second.ID, map[string]any{"settings": map[string]any{"size": 64, "min-size": 64, "first-iterations": 2}}, &changed)
	if changed.State != queued || len(changed.Changes) != 0 || changed.Settings["first-iterations"] != 2. {
		t.Errorf("%+v", changed)
	}
	c.tell(first.ID, "stop")
	if run := c.waitFor(second.ID, finished); run.Progress.Done != 2 {
		t.Errorf("%+v", run.Progress)
	}
}

func TestAFinishedRunIsEnlarged(t *testing.T) {
	c := open(t, Options{})
	small := c.begin(c.request(3))
	small = c.waitFor(small.ID, finished)
	for _, size := range []int{0, 64, 20_000} {
		if p := c.problemOf(http.StatusUnprocessableEntity, "POST", "/runs/"+small.ID+"/enlarge", map[string]any{"size": size}); p.Field != "size" {
			t.Errorf("size %d: %+v", size, p)
		}
	}
	var large runInfo
	c.want(http.StatusCreated, "POST", "/runs/"+small.ID+"/enlarge", map[string]any{"size": 90}, &large)
	if large.Enlarges != small.ID || large.Size.Width != 90 || large.Name != small.Name {
		t.Errorf("%+v", large)
	}
	c.want(http.StatusNoContent, "DELETE", "/runs/"+small.ID, nil, nil) // which it doesn't need
	large = c.waitFor(large.ID, finished)
	if p := large.Progress; p.Levels != 1 || p.Width != 90 || p.Done != 3 {
		t.Errorf("%+v, want one level of 90 pixels", p)
	}
	c.checkResult(large)
	var command commandAnswer
	c.want(http.StatusOK, "GET", "/runs/"+large.ID+"/command", nil, &command)
	if !strings.Contains(command.Command, "--start 'result:") || len(command.Remarks) == 0 {
		t.Errorf("%+v", command)
	}
}

func TestAStoppedRunIsEnlargedFromWhatWasPainted(t *testing.T) {
	c := open(t, Options{})
	run := c.begin(c.request(2, "size", 128, "first-iterations", many))
	c.made(run.ID, 2)
	c.tell(run.ID, "stop")
	run = c.waitFor(run.ID, stopped)
	var large runInfo
	c.want(http.StatusCreated, "POST", "/runs/"+run.ID+"/enlarge", map[string]any{"size": 128}, &large)
	if large = c.waitFor(large.ID, finished); large.Progress.Levels != 2 { // 90 and 128
		t.Errorf("%+v, want the levels after 64 pixels", large.Progress)
	}
}

func TestADeletedRunEnds(t *testing.T) {
	c := open(t, Options{AtOnce: 1})
	run, next := c.begin(c.request(many)), c.begin(c.request(1))
	c.made(run.ID, 1)
	events, stop := c.listen("/events")
	c.want(http.StatusNoContent, "DELETE", "/runs/"+run.ID, nil, nil)
	c.problemOf(http.StatusNotFound, "GET", "/runs/"+run.ID, nil)
	c.next(events, "removed")
	c.waitFor(next.ID, finished)
	stop()
	for e := range events {
		if strings.Contains(e.data, run.ID) {
			t.Errorf("removed, it is told of: %s %s", e.kind, e.data)
		}
	}
	if _, err := os.Stat(c.studio.store.run(run.ID)); !os.IsNotExist(err) {
		t.Errorf("its folder is left (%v)", err)
	}
}

func TestACommandMakesTheSamePicture(t *testing.T) {
	c := open(t, Options{})
	photo := c.upload(scene(t, 64, 48, red, blue), "my%20photo.png")
	run := c.begin(map[string]any{
		"content": photo.ID, "styles": []any{map[string]any{"picture": c.bundle("whirl.jpg").ID, "weight": 2}}, "name": "it's/so",
		"settings": map[string]any{"size": 64, "min-size": 64, "loss": "gram", "strength": 70, "quality": "draft", "seed": "7"},
	})
	var command commandAnswer
	c.want(http.StatusOK, "GET", "/runs/"+run.ID+"/command", nil, &command)
	want := `impasto stylize 'my photo.png' whirl.jpg:2 -o 'it'\''s-so.png' --strength 70 --size 64 --loss gram --quality draft --seed 7`
	if command.Command != want {
		t.Errorf("the command is\n%s, want\n%s", command.Command, want)
	}
	if len(command.Remarks) != 1 || !strings.Contains(command.Remarks[0], "whirl.jpg") {
		t.Errorf("remarks %q, want one of the bundled picture", command.Remarks)
	}
	c.tell(run.ID, "stop")
}

func TestNamesOfRunsAreTextOnly(t *testing.T) {
	c := open(t, Options{AtOnce: 1})
	c.blocked(1)
	c.begin(c.request(1))
	body := c.request(1)
	body["name"], body["group"] = "<b onclick=alert(1)>\x00\u202e\n", "\x1b[2J"
	run := c.begin(body)
	if run.Name != "<b onclick=alert(1)>" || run.Group != "[2J" {
		t.Errorf("named %q in %q", run.Name, run.Group)
	}
	body["name"] = "\x00"
	if run = c.begin(body); run.Name != "harbour × whirl" {
		t.Errorf("without a name it is called %q", run.Name)
	}
	var changed runInfo
	c.want(http.StatusOK, "PATCH", "/runs/"+run.ID, map[string]any{"name": strings.Repeat("é", 1000)}, &changed)
	if len(changed.Name) > longestName {
		t.Errorf("its name has %d bytes", len(changed.Name))
	}
}

func TestARunWithAlphaAndMasks(t *testing.T) {
	c := open(t, Options{})
	cut := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	for i := range cut.Pix {
		cut.Pix[i] = uint8(i * 7)
		if i%4 == 3 {
			cut.Pix[i] = uint8(255 * (i / 4 % 64 / 32))
		}
	}
	left, right := image.NewGray(image.Rect(0, 0, 32, 32)), image.NewGray(image.Rect(0, 0, 32, 32))
	for i := range left.Pix {
		left.Pix[i], right.Pix[i] = uint8(255*(i%32/16)), uint8(255*(1-i%32/16))
	}
	content, one, two := c.upload(encoded(t, cut, "png"), "cut.png"), c.upload(encoded(t, left, "png"), "left.png"), c.upload(encoded(t, right, "png"), "right.png")
	run := c.begin(map[string]any{
		"content": content.ID, "protect": two.ID, "settings": map[string]any{"size": 64, "min-size": 64, "first-iterations": 3},
		"styles": []any{map[string]any{"picture": c.bundle("whirl.jpg").ID, "mask": one.ID, "weight": 3}, map[string]any{"picture": c.bundle("dots.jpg").ID}},
	})
	if run.Styles[0].Picture.Name != "dots.jpg" || run.Styles[1].Mask != one.ID || run.Protect != two.ID {
		t.Errorf("%+v", run.Styles)
	}
	c.waitFor(run.ID, finished)
	source, err := picture.ReadSource(t.Context(), bytes.NewReader(c.picture(run.ID)), "result")
	if err != nil {
		t.Fatal(err)
	}
	whole, err := source.Picture(t.Context())
	if err != nil || whole.Alpha == nil {
		t.Errorf("the result has no alpha (%v)", err)
	}
	var command commandAnswer
	c.want(http.StatusOK, "GET", "/runs/"+run.ID+"/command", nil, &command)
	if !strings.Contains(command.Command, "--mask left.png=whirl.jpg --protect right.png") || !slices.ContainsFunc(command.Remarks, func(r string) bool { return strings.Contains(r, "weight 3") }) {
		t.Errorf("%+v", command)
	}
}

func TestRunsThatCantBeReadAreLeftOut(t *testing.T) {
	folder := t.TempDir()
	for id, text := range map[string]string{"a": "no JSON", "b": `{"id":"other"}`, "c": `{"id":"c","recipe":{"content":"missing"}}`} {
		if err := os.MkdirAll(filepath.Join(folder, "runs", id), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "runs", id, recordFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(folder, "runs", "removed", framesFolder), 0o700); err != nil {
		t.Fatal(err)
	}
	var told atomic.Int32
	c := open(t, Options{Folder: folder, Log: func(string) { told.Add(1) }})
	var list runList
	c.want(http.StatusOK, "GET", "/runs", nil, &list)
	if len(list.Runs) != 0 || told.Load() != 3 {
		t.Errorf("%d runs, and %d lines in the log; want none and 3", len(list.Runs), told.Load())
	}
	if _, err := os.Stat(filepath.Join(folder, "runs", "a", recordFile)); err != nil {
		t.Errorf("what can't be read is removed: %v", err)
	}
	if _, err := os.Stat(filepath.Join(folder, "runs", "removed")); !os.IsNotExist(err) {
		t.Error("what was being removed is left")
	}
}
