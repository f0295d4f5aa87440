package model

import (
	"context"
	"fmt"
	"image"

	"impasto/internal/engine"
	"impasto/internal/picture"
	"impasto/internal/recolour"
)

// Series stylises pictures one after the other in the same styles, as the frames of a video.
// What follows from the styles alone is made once: the network is loaded once, and for each
// size of level the targets of the styles are computed once.
type Series struct {
	options Options
	styles  []Style
	network engine.Network
	opened  bool
	look    image.Image              // see Frame.Look; that of the first frame that has none is its content
	given   image.Image              // that of the frame under way
	colours []recolour.Colours       // of look and of each style, where they are kept
	targets map[string][]styleTarget // see targetsKey
}

// Frame is one picture of a series.
type Frame struct {
	Content image.Image
	Prior   *Prior      // instead of that of the series' options
	Start   image.Image // for StartFromImage, unless nil
	// Look is the picture whose colours, or lightness, styles are brought to where KeepColours
	// keeps them: the same for pictures that are to agree. Nil leaves it as it was with the
	// picture before, and is the content of the first.
	Look image.Image
	// MinSize, LevelsPerOctave, FirstIterations, MiddleIterations and Iterations, unless 0, stand
	// for those of the series' options.
	MinSize, LevelsPerOctave, FirstIterations, MiddleIterations, Iterations int

	Noise    *float64       // instead of that of the series' options, unless nil
	Progress func(Progress) // likewise
}

// NewSeries prepares a series. Its options are those of every picture, but for what a Frame
// has, and may not have a Checkpoint nor Resume; Planned is called before the first picture
// alone. It has to be closed.
func NewSeries(styles []Style, o Options) (*Series, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if o.Checkpoint != nil || o.Resume != nil {
		return nil, &OptionError{"Checkpoint", "pictures of a series have no checkpoints"}
	}
	return &Series{options: o, styles: styles, targets: map[string][]styleTarget{}}, nil
}

// Stylize is as the function Stylize for one of the pictures.
func (s *Series) Stylize(ctx context.Context, f Frame) (*Result, error) {
	o := s.options
	o.Prior = f.Prior
	if f.Start != nil {
		o.Start, o.StartImage = StartFromImage, f.Start
	}
	if f.Noise != nil {
		o.Noise = *f.Noise
	}
	if f.Progress != nil {
		o.Progress = f.Progress
	}
	for _, of := range []struct {
		to   *int
		from int
	}{
		{&o.MinSize, f.MinSize}, {&o.LevelsPerOctave, f.LevelsPerOctave},
		{&o.FirstIterations, f.FirstIterations}, {&o.MiddleIterations, f.MiddleIterations}, {&o.Iterations, f.Iterations},
	} {
		if of.from != 0 {
			*of.to = of.from
		}
	}
	o.LeastIterations = min(o.LeastIterations, o.Iterations)
	s.options.Planned, s.given = nil, f.Look
	return stylizeIn(ctx, f.Content, s.styles, o, s)
}

// Close frees what the series holds.
func (s *Series) Close() error {
	if !s.opened {
		return nil
	}
	s.opened = false
	return s.network.Close()
}

// open is the network of a run, which the series loads once.
func (s *Series) open(o Options, layers []string) (engine.Network, error) {
	if s == nil {
		return openNetwork(o, false, layers...)
	}
	if s.opened {
		return s.network, nil
	}
	var err error
	s.network, err = openNetwork(o, false, layers...)
	s.opened = err == nil
	return s.network, err
}

// coloursFor are the colours that a content is painted in, and those of the styles: of Look, at
// the size of the first level that it would have by itself. Targets that were made in others
// are forgotten.
func (s *Series) coloursFor(ctx context.Context, content image.Image) ([]recolour.Colours, error) {
	look := s.given
	switch {
	case look == nil && s.look == nil:
		look = content
	case look == nil || look == s.look:
		return s.colours, nil
	}
	first := emptyPyramid(look.Bounds().Size(), s.styles, s.options)[:1]
	if err := addContent(ctx, first, look, picture.ResizeOptions{Filter: picture.Lanczos}); err != nil {
		return nil, err
	}
	if err := addStyles(ctx, first, s.styles); err != nil {
		return nil, err
	}
	s.look, s.colours, s.targets = look, first[0].colours(), map[string][]styleTarget{}
	return s.colours, nil
}

// targetsKey tells what the targets of styles follow from within a series.
func targetsKey(l outline, w way) string { return fmt.Sprint(l.width, l.height, l.styles, w.String()) }

// has tells whether the targets of the styles are there for a level.
func (s *Series) has(l outline, w way) bool { return s != nil && s.targets[targetsKey(l, w)] != nil }

// styleTargets are the targets of the styles at a level, which compute computes.
func (s *Series) styleTargets(l outline, w way, compute func() ([]styleTarget, error)) ([]styleTarget, error) {
	if s.has(l, w) {
		return s.targets[targetsKey(l, w)], nil
	}
	made, err := compute()
	if err == nil && s != nil {
		s.targets[targetsKey(l, w)] = made
	}
	return made, err
}
