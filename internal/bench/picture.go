package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"impasto/device"
	"impasto/internal/picture"
	"impasto/model"
)

// PictureOptions are the settings of Pictures.
type PictureOptions struct {
	Pairs   []PicturePair
	Methods []PictureMethod
	// ContentDistance is that at which pictures are compared, above 0.
	ContentDistance float64
	Label           string // of all points
	Size            int    // longer side at which pictures are measured
	// Device and Threads measure the pictures. Each method has its own to paint them.
	Device  device.Name // auto where empty
	Threads int         // of the processor; 0 uses every core
	// Progress, unless nil, is called before every run, after every iteration of it, and
	// when it has been measured.
	Progress func(PictureProgress)
}

// PicturePair is a content and the style that it is to take.
type PicturePair struct {
	Name           string // that no other pair has
	Content, Style *picture.Source
}

// PictureMethod is how pictures are painted. Of its options the content weight is where
// the search begins; it is above 0.
type PictureMethod struct {
	Loss, Quality string // their names
	Options       model.Options
}

// PictureProgress says which run is under way.
type PictureProgress struct {
	Pair, Loss, Quality string
	Run                 int // from 1
	ContentWeight       float64
	// Iteration is the last one; its Done is 0 before the first.
	Iteration model.Progress
	Measured  *PictureValues // in the end
}

// PictureValues are what is measured of a stylisation.
type PictureValues struct {
	ContentWeight float64 `json:"content_weight"`
	// ContentDistance is |F−P|/|P|, F being the picture's features at the content layers
	// and P the content's.
	ContentDistance float64 `json:"content_distance"`
	// Gram, Gaussian and Sliced are the distances from the style under these losses, and
	// Distance is their mean; see pictureMeasure.
	Gram     float64 `json:"gram"`
	Gaussian float64 `json:"gaussian"`
	Sliced   float64 `json:"sliced"`
	Distance float64 `json:"distance"`
	// Seconds are of the clock, and ProcessorSeconds those of all threads of the process;
	// neither has the measuring in it.
	Seconds          float64 `json:"seconds"`
	ProcessorSeconds float64 `json:"processor_seconds"`
}

// PicturePoint is one pair under one method: what its pictures are at the content
// distance that was wanted.
type PicturePoint struct {
	Pair    string  `json:"pair"`
	Loss    string  `json:"loss"`
	Quality string  `json:"quality"`
	Label   string  `json:"label"`
	Size    int     `json:"size"`
	Wanted  float64 `json:"wanted"` // content distance
	// Runs are those with the content weights that were tried, in their order.
	Runs []PictureValues `json:"runs"`
	// Between the runs that come nearest on either side the values are taken to be
	// straight. They are nil where Unreached or Error says why.
	*PictureValues
	Unreached string `json:"unreached,omitempty"`
	Error     string `json:"error,omitempty"`
}

// Pictures paints every pair by every method, several times, and calls each with every
// point as it comes, pair by pair. A pair or a method that fails is a point with an error,
// and the others go on.
func Pictures(ctx context.Context, o PictureOptions, each func(PicturePoint) error) error {
	for _, pair := range o.Pairs {
		if err := o.measurePair(ctx, pair, each); err != nil {
			return err
		}
	}
	return nil
}

// measurePair paints one pair by every method. Its errors are those of each, or the end of
// ctx.
func (o PictureOptions) measurePair(ctx context.Context, pair PicturePair, each func(PicturePoint) error) error {
	p, failed := o.openPair(ctx, pair)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if failed == nil {
		defer p.measure.close()
	}
	for _, m := range o.Methods {
		point := PicturePoint{
			Pair: pair.Name, Loss: m.Loss, Quality: m.Quality, Label: o.Label, Size: o.Size, Wanted: o.ContentDistance, Runs: []PictureValues{},
		}
		err := failed
		if err == nil {
			err = o.fill(ctx, &point, p, m)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			point.Error = err.Error()
		}
		if err := each(point); err != nil {
			return err
		}
	}
	return nil
}

// openedPair is a pair with its pixels, and what measures pictures of it.
type openedPair struct {
	content, style *picture.Picture
	measure        *pictureMeasure
}

func (o PictureOptions) openPair(ctx context.Context, pair PicturePair) (p openedPair, err error) {
	if p.content, err = pair.Content.Picture(ctx); err != nil {
		return p, err
	}
	if p.style, err = pair.Style.Picture(ctx); err != nil {
		return p, err
	}
	measured := model.DefaultOptions()
	measured.Size, measured.Device, measured.Threads = o.Size, o.Device, o.Threads
	p.measure, err = newPictureMeasure(ctx, p.content, p.style, measured)
	return p, err
}

// fill searches for the wanted content distance and fills in what there is.
func (o PictureOptions) fill(ctx context.Context, point *PicturePoint, p openedPair, m PictureMethod) (err error) {
	point.Runs, err = search(m.Options.ContentWeight, o.ContentDistance, func(run int, weight float64) (PictureValues, error) {
		now := PictureProgress{Pair: point.Pair, Loss: m.Loss, Quality: m.Quality, Run: run, ContentWeight: weight}
		options := m.Options
		options.ContentWeight = weight
		if o.Progress != nil {
			o.Progress(now)
			options.Progress = func(iteration model.Progress) {
				now.Iteration = iteration
				o.Progress(now)
			}
		}
		values, err := p.paint(ctx, options)
		if err != nil {
			return values, fmt.Errorf("bench: run with a content weight of %.4g: %w", weight, err)
		}
		if o.Progress != nil {
			now.Measured = &values
			o.Progress(now)
		}
		return values, nil
	})
	if err != nil {
		return err
	}
	if values, ok := between(point.Runs, o.ContentDistance); ok {
		point.PictureValues = &values
	} else {
		point.Unreached = reachOf(point.Runs)
	}
	return nil
}

// paint makes one stylisation, and measures it and the time that it takes.
func (p openedPair) paint(ctx context.Context, options model.Options) (PictureValues, error) {
	runtime.GC() // what measuring leaves isn't the run's
	began, used := time.Now(), processorTime()
	result, err := model.Stylize(ctx, p.content, []model.Style{{Image: p.style, Weight: 1}}, options)
	took, used := time.Since(began), processorTime()-used
	if err != nil {
		return PictureValues{}, err
	}
	values, err := p.measure.of(ctx, result.Image)
	values.ContentWeight, values.Seconds, values.ProcessorSeconds = options.ContentWeight, took.Seconds(), used.Seconds()
	return values, err
}

// PictureMean is a method's mean over pairs.
type PictureMean struct {
	Loss    string   `json:"loss"`
	Quality string   `json:"quality"`
	Label   string   `json:"label"`
	Size    int      `json:"size"`
	Wanted  float64  `json:"wanted"` // content distance
	Pairs   []string `json:"pairs"`  // that it is over
	PictureValues
}

// PictureMeans are the means over the pairs that have values, by label, loss and quality,
// in the order in which these come first. What has no values anywhere is left out. Of
// content weights it is the geometric mean.
func PictureMeans(points []PicturePoint) []PictureMean {
	var means []PictureMean
	var values [][]PictureValues
	for _, p := range points {
		if p.PictureValues == nil {
			continue
		}
		i := slices.IndexFunc(means, func(m PictureMean) bool {
			return m.Loss == p.Loss && m.Quality == p.Quality && m.Label == p.Label
		})
		if i < 0 {
			i = len(means)
			means = append(means, PictureMean{Loss: p.Loss, Quality: p.Quality, Label: p.Label, Size: p.Size, Wanted: p.Wanted})
			values = append(values, nil)
		}
		means[i].Pairs, values[i] = append(means[i].Pairs, p.Pair), append(values[i], *p.PictureValues)
	}
	for i := range means {
		shares := make([]float64, len(values[i]))
		for k := range shares {
			shares[k] = 1 / float64(len(shares))
		}
		means[i].PictureValues = blend(values[i], shares)
	}
	return means
}
