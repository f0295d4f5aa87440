package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"impasto/internal/panics"
	"impasto/internal/picture"
	"impasto/internal/settings"
	"impasto/model"
)

// runner makes plain pictures, and remembers of which jobs. Jobs reach it as JSON, as
// they would another machine.
type runner struct {
	ran     []string
	planned int
	fail    map[string]error // by content
	during  func(content string)
	seats   int          // 1 where 0
	seated  map[int]bool // who runs a job
	lock    sync.Mutex
}

func (r *runner) Plan(_ context.Context, job Job) (model.Plan, error) {
	r.planned++
	return model.Plan{Device: "a machine", Time: time.Minute, Memory: 1 << 20, Levels: []model.PlannedLevel{{Width: 8, Height: 6}}}, r.fail[job.Content]
}

func (r *runner) Seats(map[string]string) int { return max(1, r.seats) }

func (r *runner) Run(ctx context.Context, seat int, job Job, tell func(model.Progress)) (Result, error) {
	data, err := json.Marshal(job)
	if err != nil {
		return Result{}, err
	}
	var arrived Job
	if err := json.Unmarshal(data, &arrived); err != nil || !reflect.DeepEqual(job, arrived) {
		return Result{}, fmt.Errorf("the job %+v arrives as %+v, %v", job, arrived, err)
	}
	if err := r.sit(seat, arrived); err != nil {
		return Result{}, err
	}
	defer r.rise(seat)
	tell(model.Progress{Work: 1, TotalWork: 2, Elapsed: time.Second, Remaining: time.Second})
	if r.during != nil {
		r.during(arrived.Content)
	}
	if err := r.fail[arrived.Content]; err != nil {
		return Result{}, err
	}
	img := image.NewRGBA(image.Rect(0, 0, 8, 6))
	result, err := save(context.WithoutCancel(ctx), arrived, &model.Result{Image: img, Last: model.Progress{Done: 3, Loss: 0.5, Elapsed: 2 * time.Second}}, picture.SaveOptions{Depth: arrived.Depth, Quality: arrived.Quality})
	if err != nil {
		return Result{}, err
	}
	return result, ctx.Err()
}

// sit takes a seat, which has to be free.
func (r *runner) sit(seat int, job Job) error {
	r.lock.Lock()
	defer r.lock.Unlock()
	if seat < 0 || seat >= max(1, r.seats) || r.seated[seat] {
		return fmt.Errorf("seat %d of %d is taken: %v", seat, r.seats, r.seated)
	}
	if r.seated == nil {
		r.seated = map[int]bool{}
	}
	r.seated[seat] = true
	r.ran = append(r.ran, filepath.Base(job.Content))
	return nil
}

func (r *runner) rise(seat int) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.seated[seat] = false
}

// workshop is a folder with contents a, b and c of two shapes, and two styles.
func workshop(t *testing.T) (options Options, made *runner) {
	t.Helper()
	t.Chdir(t.TempDir())
	for i, name := range []string{"a.png", "b.png", "c.png", "s.png", "t.png"} {
		img := image.NewRGBA(image.Rect(0, 0, 40, 30+10*(i/2)))
		img.Set(i, i, color.White)
		if err := picture.Save(name, img, picture.SaveOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	made = &runner{fail: map[string]error{}}
	return Options{
		Pairs: product([]string{"a.png", "b.png", "c.png"}, []string{"s.png"}), Settings: settings.Default(), Depth: 8, Quality: 95,
		Folder: "out", Name: DefaultName, Version: "1", Announce: true, Runner: made,
	}, made
}

// run runs a batch and returns what happened, in a word each.
func run(t *testing.T, ctx context.Context, o Options) (b *Batch, events string, err error) {
	t.Helper()
	var all []string
	o.Progress = func(e Event) error {
		word := string(e.Kind)
		if e.Kind == Settled {
			word = string(e.Status.State)
		}
		all = append(all, word)
		return nil
	}
	b, err = New(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	err = b.Run(ctx)
	return b, strings.Join(all, " "), err
}

func TestABatchMakesWhatIsntThere(t *testing.T) {
	o, made := workshop(t)
	ctx := context.Background()
	picture := filepath.Join("out", "b-s.png")
	for _, step := range []struct {
		name   string
		change func()
		ran    string
		events string
	}{
		{"all", func() {}, "a.png b.png c.png", "planned begun iterated made begun iterated made begun iterated made written"},
		{"none", func() {}, "", "reused reused reused written"},
		{"a picture was lost", func() { os.Remove(picture) }, "b.png", "reused reused planned begun iterated made written"},
		{"a picture was altered", func() { os.WriteFile(picture, []byte("x"), 0o666) }, "b.png", "reused reused planned begun iterated made written"},
		{"a record was lost", func() { os.Remove(filepath.Join("out", "records", "b-s.png.json")) }, "b.png", "reused reused planned begun iterated made written"},
		{"the page was lost", func() { os.Remove(filepath.Join("out", "index.html")) }, "", "reused reused reused written"},
		{"a content changed", func() { os.Rename("a.png", "old.png"); copyFile(t, "t.png", "a.png") }, "a.png", "reused reused planned begun iterated made written"},
		{"the style changed", func() { copyFile(t, "t.png", "s.png") }, "a.png b.png c.png", "planned begun iterated made begun iterated made begun iterated made written"},
		{"a setting changed", func() { o.Settings.Options.Seed = 7 }, "a.png b.png c.png", "planned begun iterated made begun iterated made begun iterated made written"},
		{"the depth changed", func() { o.Depth = 16 }, "a.png b.png c.png", "planned begun iterated made begun iterated made begun iterated made written"},
		{"the version changed", func() { o.Version = "2" }, "a.png b.png c.png", "planned begun iterated made begun iterated made begun iterated made written"},
		{"another GPU", func() { o.Settings.Options.Device = "cuda:1" }, "a.png b.png c.png", "planned begun iterated made begun iterated made begun iterated made written"},
		{"more GPUs", func() { o.Settings.Options.Device = "cuda:1,0" }, "", "reused reused reused written"},
		{"the number of threads changed", func() { o.Settings.Options.Threads = 3 }, "", "reused reused reused written"},
		{"another style", func() { o.Pairs = append(o.Pairs, Pair{"a.png", "t.png"}) }, "a.png", "reused reused reused planned begun iterated made written"},
	} {
		step.change()
		made.ran = nil
		b, events, err := run(t, ctx, o)
		if ran := strings.Join(made.ran, " "); err != nil || ran != step.ran || events != step.events || b.Failure() != nil {
			t.Errorf("%s: ran %q, events %q, %v; want %q, %q", step.name, ran, events, err, step.ran, step.events)
		}
		if _, err := os.Stat(filepath.Join("out", "index.html")); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestJobsRunAtATime as there are seats: the first two wait for each other.
func TestJobsRunAtATime(t *testing.T) {
	o, made := workshop(t)
	var together sync.WaitGroup
	together.Add(2)
	made.seats = 2
	made.during = func(content string) {
		if content != "c.png" {
			together.Done()
			together.Wait()
		}
	}
	b, events, err := run(t, t.Context(), o)
	if err != nil || b.Failure() != nil || strings.Count(events, "made") != 3 {
		t.Errorf("events %q, %v, %v; want three pictures", events, err, b.Failure())
	}
	two := "planned begun begun iterated iterated made begun "
	if !strings.HasPrefix(events, two) || !strings.HasSuffix(events, " made written") {
		t.Errorf("events %q, want two pictures beside each other and then the third", events)
	}
}

func TestWhatIsUnderWayEndsWithTheBatch(t *testing.T) {
	for _, test := range []struct {
		name     string
		progress error // of the first iteration
		panics   any   // of the runner at b.png
		states   []State
	}{
		{"who listens refuses", errors.New("enough"), nil, []State{Interrupted, Interrupted, Waiting}},
		{"the runner panics", nil, "a mistake", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			o, made := workshop(t)
			made.seats = 2
			var together sync.WaitGroup
			together.Add(2)
			made.during = func(content string) {
				together.Done()
				together.Wait()
				if content == "b.png" && test.panics != nil {
					panic(test.panics)
				}
			}
			o.Progress = func(e Event) error {
				if e.Kind == Iterated {
					return test.progress
				}
				return nil
			}
			b, err := New(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				cause := recover()
				if (cause != nil) != (test.panics != nil) || cause != nil && fmt.Sprint(cause) != test.panics {
					t.Errorf("panic %v, want %v", cause, test.panics)
				}
				if f, ok := cause.(*panics.Panic); cause != nil && (!ok || !strings.Contains(string(f.Stack()), "batch_test.go")) {
					t.Error("the panic has no trace of where it was")
				}
			}()
			if err := b.Run(t.Context()); !errors.Is(err, test.progress) {
				t.Errorf("error %v, want %v", err, test.progress)
			}
			for i, s := range b.Statuses() {
				if s.State != test.states[i] {
					t.Errorf("picture %d is %s, want %s", i+1, s.State, test.states[i])
				}
			}
		})
	}
}

func TestAFailureIsntTheEnd(t *testing.T) {
	o, made := workshop(t)
	if err := os.WriteFile("b.png", []byte("no picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	made.fail["a.png"] = errors.New("model: it exploded")
	o.Pairs = append(o.Pairs, Pair{"gone.png", "s.png"})
	b, events, err := run(t, context.Background(), o)
	if want := "failed failed planned begun iterated failed begun iterated made written"; err != nil || events != want {
		t.Errorf("events %q, %v; want %q", events, err, want)
	}
	failure := b.Failure()
	for _, part := range []string{"3 of 4 pictures failed", "a.png in s.png (it exploded)", "b.png in s.png (picture: open b.png", "gone.png"} {
		if failure == nil || !strings.Contains(failure.Error(), part) {
			t.Errorf("the failure %v has no %q", failure, part)
		}
	}
	if page, err := os.ReadFile(filepath.Join("out", "index.html")); err != nil || !strings.Contains(string(page), "failed: it exploded") {
		t.Errorf("the page doesn't tell of the failure: %v", err)
	}
	if want := "1 of 4 pictures there: 1 made now, 3 failed"; b.Summary() != want {
		t.Errorf("the summary is %q, want %q", b.Summary(), want)
	}
	made.fail, made.ran = nil, nil
	if _, events, err = run(t, context.Background(), o); err != nil || !slices.Equal(made.ran, []string{"a.png"}) {
		t.Errorf("the second time %q, %v, ran %q; want the one that failed", events, err, made.ran)
	}
}

func TestAnInterruptKeepsThePictureUnderWayButDoesntCountIt(t *testing.T) {
	o, made := workshop(t)
	ctx, cancel := context.WithCancel(context.Background())
	made.during = func(content string) {
		if content == "b.png" {
			cancel()
		}
	}
	b, events, err := run(t, ctx, o)
	if want := "planned begun iterated made begun iterated interrupted written"; events != want {
		t.Errorf("events %q, want %q", events, want)
	}
	var interrupted *InterruptedError
	if !errors.As(err, &interrupted) || interrupted.Done != 1 || interrupted.Count != 3 || interrupted.Partial == nil || !errors.Is(err, context.Canceled) {
		t.Fatalf("the error is %#v", err)
	}
	if b.Failure() != nil {
		t.Errorf("an interrupt is a failure: %v", b.Failure())
	}
	if _, err := os.Stat(filepath.Join("out", "b-s.png")); err != nil {
		t.Errorf("the picture under way isn't there: %v", err)
	}
	// Of a, which is there before the next one, there is no thumbnail in time.
	stopped := func(thumbnails, names int) {
		t.Helper()
		page, err := os.ReadFile(filepath.Join("out", "index.html"))
		if err != nil {
			t.Fatal(err)
		}
		if a, b := strings.Count(string(page), "data:image/jpeg"), strings.Count(string(page), "open the picture"); a != thumbnails || b != names {
			t.Errorf("the page has %d thumbnails and %d names, want %d and %d", a, b, thumbnails, names)
		}
	}
	stopped(2, 0)
	ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	if _, _, err := run(t, ctx, o); !errors.As(err, &interrupted) || interrupted.Done != 1 {
		t.Errorf("the second time the error is %v", err)
	}
	stopped(1, 1)
	made.during, made.ran = nil, nil
	if _, _, err := run(t, context.Background(), o); err != nil || !slices.Equal(made.ran, []string{"b.png", "c.png"}) {
		t.Errorf("it goes on with %q, %v", made.ran, err)
	}
	stopped(4, 0)
}

func TestWhoRefusesProgressEndsTheBatch(t *testing.T) {
	o, made := workshop(t)
	refused := errors.New("nobody listens")
	o.Progress = func(e Event) error {
		if e.Kind == Iterated {
			return refused
		}
		return nil
	}
	b, err := New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Run(context.Background()); !errors.Is(err, refused) || !slices.Equal(made.ran, []string{"a.png"}) {
		t.Errorf("the error is %v after %q", err, made.ran)
	}
	if s := b.Statuses()[0]; s.State != Interrupted || s.Result.Picture == "" {
		t.Errorf("the picture under way is %+v", s)
	}
}

func TestJobsOfAShapeArePlannedOnce(t *testing.T) {
	o, made := workshop(t)
	o.DryRun = true
	b, err := New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := b.Plan(context.Background())
	if err != nil || made.planned != 2 || plan.Pictures != 3 || plan.Time != 3*time.Minute || plan.Memory != 1<<20 || plan.Device != "a machine" {
		t.Errorf("%+v, %v, of %d plans; want one for each of two shapes", plan, err, made.planned)
	}
	if _, err := os.Stat("out"); err == nil {
		t.Error("the folder was made all the same")
	}
	for i := range 30 {
		name := fmt.Sprintf("%d.png", i)
		if err := picture.Save(name, image.NewRGBA(image.Rect(0, 0, 400, 100+i)), picture.SaveOptions{}); err != nil {
			t.Fatal(err)
		}
		o.Pairs = append(o.Pairs, Pair{name, "s.png"})
	}
	made.planned = 0
	if b, err = New(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if plan, err = b.Plan(context.Background()); err != nil || made.planned != mostPlans || plan.Pictures != 33 {
		t.Errorf("%d plans of many shapes, %v; want %d", made.planned, err, mostPlans)
	}
	for _, s := range b.Statuses() {
		if s.Expected <= 0 || s.Width <= 0 {
			t.Errorf("nothing is expected of %s: %+v", s.Job.Content, s)
		}
	}
}

func TestInputsAreNotReplaced(t *testing.T) {
	o, _ := workshop(t)
	o.Folder = "."
	for _, test := range []struct {
		name string
		also []string
	}{{"{content}.png", nil}, {"{style}-{content}.png", []string{"s-b.png"}}} {
		o.Name, o.Also = test.name, test.also
		for _, path := range test.also {
			if err := os.WriteFile(path, nil, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		_, err := New(context.Background(), o)
		var input *InputError
		if !errors.As(err, &input) || !strings.Contains(err.Error(), "is the input") {
			t.Errorf("%s: the error is %v", test.name, err)
		}
	}
}

func TestSettingsSurviveTheWayToARunner(t *testing.T) {
	s := settings.Default()
	for name, value := range map[string]string{
		"loss": "gram", "layer-loss": "relu1_1=moments", "size": "64", "min-size": "32", "style-layers": "relu1_1=2,relu2_1=1", "memory": "2GiB",
		"optimizer": "adam", "seed": "9", "start": "noise", "samples": "100", "device": "cpu", "tv-weight": "0.5",
	} {
		if err := s.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Settle(func(name string) bool { return name == "optimizer" }); err != nil {
		t.Fatal(err)
	}
	workshop(t)
	opened, err := NewLocal().open(context.Background(), Job{Content: "a.png", Style: "s.png", Settings: s.Values()})
	if err != nil {
		t.Fatal(err)
	}
	want, err := s.Open(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := opened.options
	got.Parameters = nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("options are\n%+v, want\n%+v", got, want)
	}
}
