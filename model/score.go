package model

import (
	"context"
	"fmt"
	"image"
	"maps"
	"math"
	"slices"
	"strings"

	"impasto/internal/engine"
	"impasto/internal/picture"
	"impasto/internal/plan"
	"impasto/losses"
)

// Scores say how far a picture is from the styles and from the content. All are
// normalised values, as the descent minimises them: a loss divided by the size of its
// target, so that 0 is equality and 1 is a difference as large as the target. A loss that couldn't be evaluated
// is missing from the maps.
type Scores struct {
	// Style is the distance from the styles under each loss, by name: the mean
	// over the layers of the style terms with their weights.
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
	network engine.Network
	level   level
	losses  []losses.Loss
	options Options
	styles  []Style

	criteria map[string][2]*criterion // nearness to the styles and to the content, by loss; nil until computed
	kept     *criterion               // nearness to the content at the content layers; nil without such
	failed   map[string]string        // losses without criteria, and why
}

// criterion is what a picture is compared with, and how.
type criterion struct {
	extractor extractor
	targets   targets
}

// contentLossName is under which Problems has what went wrong with Kept.
const contentLossName = "content"

// NewScorer makes a scorer by losses, whose names have to differ, or by losses.Usable
// where there are none; at one level, of which o.Size is the longer side. Of the options
// it takes what concerns sizes, the network and layers, and of the style terms only layers
// and weights. Where the content is so thin that some layer sees nothing of it at that
// size, the level is the smallest that will do. A loss that fails is reported with the
// scores; options and pictures that won't do are an *OptionError here.
func NewScorer(content image.Image, styles []Style, by []losses.Loss, o Options) (*Scorer, error) {
	if len(by) == 0 {
		by = losses.Usable()
	}
	if err := losses.CheckNames(by); err != nil {
		return nil, &OptionError{"Losses", strings.TrimPrefix(err.Error(), "losses: ")}
	}
	o.MinSize, o.StyleTerms = o.Size, oneLoss(o.StyleTerms, by[0])
	if err := o.Check(); err != nil {
		return nil, err
	}
	o = o.sizedFor(content)
	if err := checkPictures(content, styles, o); err != nil {
		return nil, err
	}
	if err := picturesFit(outlineOf(content.Bounds().Size(), styles, o, o.Size)); err != nil {
		return nil, err
	}
	levels := emptyPyramid(content.Bounds().Size(), styles, o)
	if err := addContent(context.Background(), levels, content, onWhite); err != nil {
		return nil, err
	}
	if err := addStyles(context.Background(), levels, styles); err != nil {
		return nil, err
	}
	network, err := openNetwork(o, true, o.layers()...)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	return &Scorer{network: network, level: levels[0], losses: slices.Clone(by), options: o, styles: styles}, nil
}

// sizedFor makes the one level as large as every layer needs it to see something of the
// content.
func (o Options) sizedFor(content image.Image) Options {
	if content == nil || content.Bounds().Empty() {
		return o
	}
	longest := longestFor(content.Bounds().Dx(), content.Bounds().Dy(), o.minimumSize())
	if longest > o.Size && longest <= MaxSize {
		o.Size, o.MinSize = longest, longest
	}
	return o
}

// Close frees the device.
func (s *Scorer) Close() error { return s.network.Close() }

// Size is what pictures are resized to.
func (s *Scorer) Size() (width, height int) { return s.level.width, s.level.height }

// prepare computes what pictures are compared with, once.
func (s *Scorer) prepare(ctx context.Context) error {
	if s.criteria != nil {
		return nil
	}
	criteria, failed := map[string][2]*criterion{}, map[string]string{}
	for _, loss := range s.losses {
		name := loss.Description().Name
		both, err := s.under(ctx, loss)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failed[name] = err.Error()
			continue
		}
		criteria[name] = both
	}
	if sumOf(s.options.ContentLayers) > 0 {
		o := s.options
		o.StyleTerms, o.ContentWeight = nil, 1
		var err error
		if s.kept, err = s.criterion(ctx, o, s.styles, level{content: s.level.content}); err != nil {
			return err
		}
	}
	s.criteria, s.failed = criteria, failed
	return nil
}

// under returns the criteria of one loss: nearness to the styles, and to the content as
// if that were a style.
func (s *Scorer) under(ctx context.Context, loss losses.Loss) (both [2]*criterion, err error) {
	o := s.options
	o.StyleTerms, o.ContentLayers = oneLoss(o.StyleTerms, loss), nil
	if both[0], err = s.criterion(ctx, o, s.styles, level{styles: s.level.styles}); err != nil {
		return both, err
	}
	both[1], err = s.criterion(ctx, o, []Style{{Weight: 1}}, level{styles: []*picture.Picture{s.level.content}})
	return both, err
}

// oneLoss makes terms of one loss at the layers of terms, each once and with all its
// weight.
func oneLoss(terms []StyleTerm, loss losses.Loss) []StyleTerm {
	var merged []StyleTerm
	for _, t := range terms {
		i := slices.IndexFunc(merged, func(other StyleTerm) bool { return other.Layer == t.Layer })
		if i < 0 {
			merged = append(merged, StyleTerm{t.Layer, loss, t.Weight})
		} else {
			merged[i].Weight += t.Weight
		}
	}
	return merged
}

// criterion computes the targets of the pictures of a level. Total variation, which has
// none, doesn't count, nor do regions: pictures are scored whole.
func (s *Scorer) criterion(ctx context.Context, o Options, styles []Style, l level) (*criterion, error) {
	o.TotalVariationWeight, o.Regions, o.Protect, o.Prior = 0, nil, nil, nil
	recipe, err := recipeOf(o, styles)
	if err != nil {
		return nil, err
	}
	c := &criterion{extractor: extractor{Network: s.network, recipe: recipe}}
	c.targets, err = c.extractor.targets(ctx, l)
	return c, err
}

// Score resizes a picture to Size and scores it. One of another shape than the
// content's keeps its own and has no content loss. It fails only where ctx ends,
// the picture can't be resized or the network doesn't run.
func (s *Scorer) Score(ctx context.Context, img image.Image) (Scores, error) {
	if err := s.prepare(ctx); err != nil {
		return Scores{}, withContext("model: score", err)
	}
	scores := Scores{Style: map[string]float64{}, Content: map[string]float64{}, Kept: math.NaN(), Problems: maps.Clone(s.failed)}
	p, sameShape, err := s.resize(ctx, img)
	if err != nil {
		return scores, fmt.Errorf("model: score: %w", err)
	}
	for _, name := range losses.NamesOf(s.losses) {
		if scores.Problems[name] != "" {
			continue
		}
		values, err := scoreBoth(ctx, s.criteria[name], p)
		if ctx.Err() != nil {
			return scores, ctx.Err()
		}
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
	if scores.Kept, err = s.kept.score(ctx, p); err != nil {
		scores.Kept, scores.Problems[contentLossName] = math.NaN(), err.Error()
	}
	return scores, nil
}

// resize brings a picture to the size of the scores. The shape is the content's
// where it is to 2 % or a pixel, which rounding to pixels may make of it.
func (s *Scorer) resize(ctx context.Context, img image.Image) (p *picture.Picture, sameShape bool, err error) {
	size := img.Bounds().Size()
	width, height := s.level.width, s.level.height
	aspect := float64(size.X) / float64(size.Y) * float64(height) / float64(width)
	w, h := fit(size.X, size.Y, max(width, height), true)
	sameShape = math.Abs(math.Log(aspect)) < 0.02 || max(w-width, width-w, h-height, height-h) <= 1
	if !sameShape {
		width, height = w, h
		if least := s.options.minimumSize(); min(width, height) < least {
			width, height = fit(size.X, size.Y, longestFor(size.X, size.Y, least), true)
		}
	}
	p, err = picture.ResizedTo(ctx, img, onWhite, width, height)
	return p, sameShape, err
}

func scoreBoth(ctx context.Context, criteria [2]*criterion, p *picture.Picture) (values [2]float64, err error) {
	for i, c := range criteria {
		if values[i], err = c.score(ctx, p); err != nil {
			return values, err
		}
	}
	return values, nil
}

// score is the normalised value of the recipe's losses on a picture: the weighted sum of
// its terms, without a gradient.
func (c *criterion) score(ctx context.Context, p *picture.Picture) (float64, error) {
	e := c.extractor
	input, sum, err := e.total(p.Width, p.Height, c.targets)
	if err != nil {
		return 0, err
	}
	inputs := append(sum.targets, engine.PictureInput(input, p))
	for _, key := range input.Graph().ByName(losses.KeyName) { // one for all pictures
		inputs = append(inputs, engine.Input{Node: key, Values: plan.Values{Double: []float64{0}}})
	}
	values, err := engine.Evaluate(ctx, e.Device, inputs, sum.node)
	if err != nil {
		return 0, err
	}
	value := values[0].Double[0]
	if !finite(value) {
		return 0, fmt.Errorf("the value is %v", value)
	}
	return value, nil
}
