package studio

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"net/http"
	"sync"
	"time"

	"impasto/internal/memory"
	"impasto/model"
)

// Studio serves a folder of runs. Start from New.
type Studio struct {
	options   Options
	guard     guard
	routes    *http.ServeMux
	assets    map[string]asset
	store     *store
	bundled   bundled
	events    events
	encodings *encodings
	files     turns // to decode files, and what else takes long
	views     turns // to encode what runs under way show
	resident  int64 // bytes of memory that the program takes without runs
	stylize   func(context.Context, image.Image, []model.Style, model.Options) (*model.Result, error)
	makePlan  func(context.Context, image.Image, []model.Style, model.Options) (model.Plan, error)
	budget    int64 // that it may take in all

	yieldAfter time.Duration // of which the constant of that name tells

	context context.Context // of all runs
	closing context.Context // ends when no more are to start
	close   context.CancelFunc
	wake    chan struct{} // for the scheduler
	working sync.WaitGroup

	mutex    sync.Mutex
	pictures map[string]*pictureInfo // by id
	runs     map[string]*run         // by id
	active   map[string]*run         // those of them that are under way, and removed ones that end
	plans    map[string]*planned     // by the recipe's key
	tried    string                  // the attempt that is planned beside others, or that there wasn't the memory for
}

var _ http.Handler = (*Studio)(nil)

const (
	// encodedBytes is how many bytes of encoded pictures are kept in memory.
	encodedBytes = 48 << 20
	// mostTurns is how many pictures are decoded at a time, and likewise encoded.
	mostTurns = 2
	// budgetShare is the share of the memory that there is, which the program takes where it
	// isn't told how much.
	budgetShare = 0.75
)

// New opens a folder and goes on with the runs in it. The error says what is wrong with the
// options or with the folder.
func New(o Options) (*Studio, error) {
	s, err := prepare(o)
	if err != nil {
		return nil, err
	}
	s.goOn()
	return s, nil
}

// prepare is New but for the runs, which goOn goes on with.
func prepare(o Options) (*Studio, error) {
	o, err := o.settled()
	if err != nil {
		return nil, err
	}
	s := &Studio{
		options: o, guard: newGuard(o), encodings: newEncodings(encodedBytes), files: make(turns, mostTurns), views: make(turns, mostTurns),
		stylize: model.Stylize, makePlan: model.MakePlan, context: context.Background(), wake: make(chan struct{}, 1), yieldAfter: yieldAfter,
		events:   events{listeners: map[*listener]bool{}},
		pictures: map[string]*pictureInfo{}, runs: map[string]*run{}, active: map[string]*run{}, plans: map[string]*planned{},
	}
	s.closing, s.close = context.WithCancel(s.context)
	s.route()
	if err := s.loadAssets(); err != nil {
		return nil, fmt.Errorf("studio: %w", err)
	}
	if s.store, err = openStore(o.Folder); err != nil {
		return nil, err
	}
	if err := errors.Join(s.loadPictures(), s.addBundled(), s.loadRuns()); err != nil {
		_ = s.store.close()
		return nil, err
	}
	s.measure()
	return s, nil
}

// goOn starts the scheduler, which goes on with the runs.
func (s *Studio) goOn() {
	s.working.Add(1)
	go s.schedule()
}

// measure finds out how much memory there is for runs.
func (s *Studio) measure() {
	s.resident, _ = memory.Resident()
	s.budget = s.options.Memory
	if s.budget > 0 {
		return
	}
	s.budget = math.MaxInt64
	if available, known := memory.Available(); known {
		s.budget = int64(budgetShare * float64(available+s.resident))
	}
}

// Close ends the studio: no more runs start, those that are under way write checkpoints and
// end, and so do all event streams. The folder can be opened again then, and they go on. The
// error is ctx's where ctx ends before; then runs go on from earlier checkpoints. Requests
// that come afterwards may fail.
func (s *Studio) Close(ctx context.Context) error {
	s.mutex.Lock()
	s.close()
	for _, r := range s.active {
		r.active.cancel(errClosing)
	}
	s.mutex.Unlock()
	s.events.close()
	ended := make(chan struct{})
	go func() {
		s.working.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return s.store.close()
	case <-ctx.Done():
		return ctx.Err()
	}
}
