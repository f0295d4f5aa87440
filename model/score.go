package model

import (
	"context"
	"fmt"
	"image"
	"maps"
	"math"

	"gorgonia.org/gorgonia"

	"impasto/internal/cpu"
	"impasto/internal/ops"
	"impasto/internal/picture"
	"impasto/internal/plan"
	"impasto/losses"
	"impasto/vgg19"
	"impasto/weights"
)

// Scores say how far a picture is from the styles and from the content. All are
// objectives, as the descent minimises them, so that 0 is equality and 1 is a
// difference of about the target's own size. A loss that couldn't be evaluated
// is missing from the maps.
type Scores struct {
	// Style is the distance from the styles under each loss, by name: the mean
	// over the style layers with their weights.
	Style map[string]float64
	// Content is the distance from the content under the same losses: how much the
	// picture has kept of the manner of the content.
	Content map[string]float64
	// Kept is the content loss at the content layers, which compares position by
	// position; NaN where there are no content layers.
	Kept float64
	// Problems say, by loss, why one is missing.
	Problems map[string]string
}

// Scorer scores pictures against the same styles and content.
type Scorer struct {
	engine  engine
	level   level
	losses  []string
	options Options
	styles  []Style
	targets map[string][2]targets // of the styles and the content, by loss
	kept    []plan.Values         // of the content layers
	failed  map[string]string     // losses without targets, and why
}

// contentLossName is under which Problems has what went wrong with Kept.
const contentLossName = "content"

// NewScorer makes a scorer by the named losses at one scale, of which o.Size is
// the longer side. Of the options it takes what concerns layers, sizes and the
// network, and not Loss, LayerLoss and Samples. A loss that fails is reported with the
// scores; options and pictures that won't do are an *OptionError here.
func NewScorer(content image.Image, styles []Style, names []string, o Options) (*Scorer, error) {
	o.MinSize, o.LayerLoss, o.Samples = o.Size, nil, 0
	if err := o.Check(); err != nil {
		return nil, err
	}
	if err := checkPictures(content, styles, o); err != nil {
		return nil, err
	}
	levels, err := pyramid(content, styles, o)
	if err != nil {
		return nil, err
	}
	s := &Scorer{level: levels[0], losses: names, options: o, styles: styles}
	if s.engine.parameters = o.Parameters; o.Parameters == nil {
		if s.engine.parameters, err = weights.Default(); err != nil {
			return nil, fmt.Errorf("model: embedded network: %w", err)
		}
	}
	if s.engine.device, err = openDevice(o.Device, o.Precision, cpu.Options{Threads: o.Threads, Exact: true}); err != nil {
		return nil, fmt.Errorf("model: open device: %w", err)
	}
	return s, nil
}

// Close frees the device.
func (s *Scorer) Close() error { return s.engine.device.Close() }

// Size is what pictures are resized to.
func (s *Scorer) Size() (width, height int) { return s.level.width, s.level.height }

// prepare computes the targets of every loss, once.
func (s *Scorer) prepare(ctx context.Context) error {
	if s.targets != nil {
		return nil
	}
	s.targets, s.failed = map[string][2]targets{}, map[string]string{}
	err := s.computeTargets(ctx)
	if err != nil {
		s.targets = nil
	}
	return err
}

func (s *Scorer) computeTargets(ctx context.Context) error {
	for _, name := range s.losses {
		var both [2]targets
		for i, target := range []level{{styles: s.level.styles}, {styles: []*picture.Picture{s.level.content}}} {
			e, err := s.styleEngine(name, i == 1)
			if err != nil {
				return err
			}
			if both[i], err = e.targets(ctx, target); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				s.failed[name] = err.Error()
				break
			}
		}
		s.targets[name] = both
	}
	e, err := s.contentEngine()
	if err != nil || len(e.recipe.content) == 0 {
		return err
	}
	s.kept, err = e.features(s.level.content)
	return err
}

// styleEngine compares under one loss, with the styles or, as if it were one,
// the content.
func (s *Scorer) styleEngine(loss string, withContent bool) (engine, error) {
	o, styles := s.options, s.styles
	o.Loss, o.ContentLayers = loss, nil
	if withContent {
		styles = []Style{{Weight: 1}}
	}
	e := s.engine
	var err error
	e.recipe, err = recipeOf(o, styles)
	return e, err
}

// contentEngine compares the content layers. Their weights sum to 1.
func (s *Scorer) contentEngine() (engine, error) {
	o := s.options
	o.ContentWeight = 1
	if !(sumOf(o.ContentLayers) > 0) {
		o.ContentLayers = nil
	}
	e := s.engine
	var err error
	e.recipe, err = recipeOf(o, s.styles)
	return e, err
}

// Score resizes a picture to Size and scores it. One of another shape than the
// content's keeps its own and has no content loss. It fails only where ctx ends,
// the picture can't be resized or the network doesn't run.
func (s *Scorer) Score(ctx context.Context, img image.Image) (Scores, error) {
	if err := s.prepare(ctx); err != nil {
		return Scores{}, withContext("model: score", err)
	}
	scores := Scores{Style: map[string]float64{}, Content: map[string]float64{}, Kept: math.NaN(), Problems: maps.Clone(s.failed)}
	p, sameShape, err := s.resize(img)
	if err != nil {
		return scores, fmt.Errorf("model: score: %w", err)
	}
	for _, name := range s.losses {
		if err := ctx.Err(); err != nil {
			return scores, err
		}
		if scores.Problems[name] != "" {
			continue
		}
		values, err := s.style(name, p)
		if err != nil {
			scores.Problems[name] = err.Error()
			continue
		}
		scores.Style[name], scores.Content[name] = values[0], values[1]
	}
	switch {
	case s.kept == nil:
		return scores, nil
	case !sameShape:
		scores.Problems[contentLossName] = "the picture has another shape than the content"
		return scores, nil
	}
	if scores.Kept, err = s.content(p); err != nil {
		scores.Kept, scores.Problems[contentLossName] = math.NaN(), err.Error()
	}
	return scores, nil
}

// resize brings a picture to the size of the scores. The shape is the content's
// where it is to 2 %, which rounding to pixels may make of it.
func (s *Scorer) resize(img image.Image) (p *picture.Picture, sameShape bool, err error) {
	if p, err = picture.FromImage(img); err != nil {
		return nil, false, err
	}
	width, height := s.level.width, s.level.height
	aspect := float64(p.Width) / float64(p.Height) * float64(height) / float64(width)
	if sameShape = math.Abs(math.Log(aspect)) < 0.02; !sameShape {
		width, height = fit(p.Width, p.Height, max(width, height), true)
	}
	p, err = p.Resize(width, height, picture.Lanczos)
	return p, sameShape, err
}

// style is the distance from the styles and from the content under one loss.
func (s *Scorer) style(loss string, p *picture.Picture) (values [2]float64, err error) {
	for i, against := range s.targets[loss] {
		e, err := s.styleEngine(loss, i == 1)
		if err != nil {
			return values, err
		}
		values[i], err = e.measure(p, func(o *objective, taps map[string]*gorgonia.Node) error {
			return o.addStyle(e.recipe, taps, against.style)
		})
		if err != nil {
			return values, err
		}
	}
	return values, nil
}

func (s *Scorer) content(p *picture.Picture) (float64, error) {
	e, err := s.contentEngine()
	if err != nil {
		return 0, err
	}
	e.recipe.style = nil
	return e.measure(p, func(o *objective, taps map[string]*gorgonia.Node) error {
		return o.addContent(e.recipe, taps, s.kept)
	})
}

// measure evaluates the weighted sum of the terms that add gives an objective,
// without a gradient.
func (e engine) measure(p *picture.Picture, add func(*objective, map[string]*gorgonia.Node) error) (value float64, err error) {
	defer ops.Catch(&err, "build the loss")
	o := &objective{picture: pictureNode(p.Width, p.Height)}
	taps, err := vgg19.Build(o.picture, e.parameters, e.recipe.network, e.recipe.layers()...)
	if err != nil {
		return 0, err
	}
	if err := add(o, taps); err != nil {
		return 0, err
	}
	weights, nodes := make([]float64, len(o.terms)), make([]*gorgonia.Node, len(o.terms))
	for i, t := range o.terms {
		weights[i], nodes[i] = t.weight, t.node
	}
	if o.cost, err = losses.Sum(weights, nodes...); err != nil {
		return 0, err
	}
	schedule, err := plan.Make(o.cost)
	if err != nil {
		return 0, err
	}
	if o.machine, err = e.device.Compile(schedule); err != nil {
		return 0, err
	}
	defer o.machine.Close()
	for _, in := range o.inputs {
		if err := in.values.WriteTo(o.machine, in.node); err != nil {
			return 0, err
		}
	}
	if err := o.machine.Write(o.picture, p.RGB); err != nil {
		return 0, err
	}
	if value, err = o.evaluate(); err != nil {
		return 0, err
	}
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return 0, fmt.Errorf("the value is %v", value)
	}
	return value, nil
}
