package model

import (
	"context"
	"fmt"
	"image"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/engine"
	"impasto/internal/picture"
	"impasto/internal/plan"
	"impasto/internal/regions"
	"impasto/losses"
)

// Prior is a picture that the result should agree with where it can be trusted: for a frame of
// a video, the frame before it, warped along the optical flow (Ruder, Dosovitskiy and Brox
// 2016, "Artistic Style Transfer for Videos"). There every level begins with it, and differing
// from it costs.
type Prior struct {
	// Image is a result of the same settings, which is resized to each level.
	Image image.Image
	// Trusted is a mask, as regions have, that is white where Image can be trusted; nil
	// stands for all of it. What is more than half grey doesn't count.
	Trusted image.Image
	// Still, unless nil, is a mask that is white where the result has Image's very pixels. It
	// counts where Image is trusted.
	Still image.Image
	// Weight, 0 to MaxWeight, is that of the squared differences of values in 0–1 where Image
	// is trusted, divided by the number of all values. With 0 levels only begin with Image.
	Weight float64
}

// check reports a prior that won't do.
func (p *Prior) check() error {
	if p == nil {
		return nil
	}
	for _, of := range []struct {
		what string
		img  image.Image
	}{{"picture to agree with", p.Image}, {"mask of what is trusted", p.Trusted}, {"mask of what is still", p.Still}} {
		if of.img != nil && of.img.Bounds().Empty() {
			return &OptionError{"Prior", fmt.Sprintf("the %s is empty", of.what)}
		}
	}
	if p.Image == nil {
		return &OptionError{"Prior", "there is no picture to agree with"}
	}
	return checkRange("Prior", "weight of agreeing with a picture", p.Weight, 0, MaxWeight)
}

// priorLevel is a Prior at a level.
type priorLevel struct {
	picture        *picture.Picture
	trusted, still regions.Mask // of 0 and 1
}

// addPrior gives levels the picture that they are to agree with. They have their content.
func (r *run) addPrior(ctx context.Context, levels []level) error {
	prior := r.options.Prior
	if prior == nil {
		return nil
	}
	masks := func(what string, img image.Image) ([]regions.Mask, error) {
		sizes := make([]image.Point, len(levels))
		for i, l := range levels {
			sizes[i] = image.Pt(l.width, l.height)
		}
		made, err := regions.Resized(ctx, img, sizes...)
		if err != nil {
			return nil, pictureError(what, err)
		}
		for i, mask := range made {
			made[i] = mask.Hard()
		}
		return made, nil
	}
	var trusted, still []regions.Mask
	var err error
	if prior.Trusted != nil {
		if trusted, err = masks("mask of what is trusted", prior.Trusted); err != nil {
			return err
		}
	}
	if prior.Still != nil {
		if still, err = masks("mask of what is still", prior.Still); err != nil {
			return err
		}
	}
	for i := range levels {
		l := &levels[i]
		p := &priorLevel{trusted: regions.Full(l.width, l.height), still: regions.NewMask(l.width, l.height)}
		if p.picture, err = l.before(ctx, prior.Image, r.options); err != nil {
			return pictureError("picture to agree with", err)
		}
		if trusted != nil {
			p.trusted = trusted[i]
		}
		if still != nil {
			p.still = still[i]
		}
		for at, v := range p.trusted.Values {
			p.still.Values[at] *= v
		}
		l.prior = p
	}
	return nil
}

// near tells whether a level begins with some of the prior.
func (p *priorLevel) near() bool { return p != nil && !p.trusted.All(0) }

// overlay puts the prior over a picture that a level begins with.
func (p *priorLevel) overlay(on *picture.Picture) {
	if p == nil {
		return
	}
	plane := on.Width * on.Height
	for i, v := range p.trusted.Values {
		if v > 0 {
			for at := i; at < len(on.RGB); at += plane {
				on.RGB[at] = p.picture.RGB[at]
			}
		}
	}
}

// agreement is the part of the loss that a prior makes. Without values it has the shapes of
// one that is trusted all over.
type agreement struct {
	weight float64
	mask   []int32   // the pixels that are trusted, in order; nil for all
	values []float32 // of these, in three planes
}

// agreement is the level's, nil where nothing is trusted or it doesn't count.
func (p *priorLevel) agreement(weight float64) *agreement {
	if p == nil || weight == 0 {
		return nil
	}
	a := &agreement{weight: weight, mask: p.trusted.Positions()}
	if len(a.mask) == 0 {
		return nil
	}
	a.values = make([]float32, 0, channels*len(a.mask))
	plane := len(p.trusted.Values)
	for channel := range channels {
		for _, at := range a.mask {
			a.values = append(a.values, p.picture.RGB[channel*plane+int(at)])
		}
	}
	return a
}

// add adds the term to the loss of a picture, and what is to be written to its input.
func (a *agreement) add(t *total, of *gorgonia.Node) error {
	if a == nil {
		return nil
	}
	squares, err := losses.ContentNamed("mse")
	if err != nil {
		return fmt.Errorf("prior: %w", err)
	}
	height, width := of.Shape()[1], of.Shape()[2]
	places := losses.Positions{Height: height, Width: width, Mask: a.mask}
	values := plan.Values{Shape: tensor.Shape{channels, height, width}, Single: a.values}
	if places.Count() < height*width {
		values.Shape = tensor.Shape{channels, 1, places.Count()}
	}
	target := values.Input(of.Graph(), "prior")
	sums, err := squares.Summarise(of, target, places)
	if err != nil {
		return fmt.Errorf("prior: %w", err)
	}
	node, err := squares.Value(sums, of.Shape().TotalSize())
	if err != nil {
		return fmt.Errorf("prior: %w", err)
	}
	t.terms = append(t.terms, term{name: "prior", weight: a.weight, node: node})
	t.targets = append(t.targets, engine.Input{Node: target, Values: values})
	return nil
}
