package model

import (
	"context"
	"math"
	"slices"

	"impasto/internal/picture"
	"impasto/internal/recolour"
)

// ColourMethods are the ways to keep the content's colours, the default first.
func ColourMethods() []string { return recolour.Names() }

// ColourMethodHelp describes one of them in a line.
func ColourMethodHelp(name string) string { return recolour.Method(name).Help() }

// keepsColours tells whether colours are kept in a way.
func (o Options) keepsColours(by recolour.Method) bool {
	return o.KeepColours > 0 && recolour.Method(o.ColourMethod) == by
}

// addPictures gives levels their pictures, in the colours in which they are compared. The
// first levels come first: what is known of colours is known of these.
func (r *run) addPictures(ctx context.Context, levels []level) error {
	if r.series != nil && r.colours == nil && r.options.KeepColours > 0 {
		var err error
		if r.colours, err = r.series.coloursFor(ctx, r.content); err != nil {
			return err
		}
	}
	if err := addContent(ctx, levels, r.content, picture.ResizeOptions{Filter: picture.Lanczos}); err != nil {
		return err
	}
	if err := r.addStyles(ctx, levels); err != nil {
		return err
	}
	if err := r.keep(ctx, levels); err != nil {
		return err
	}
	if err := r.recolourAll(ctx, levels); err != nil {
		return err
	}
	return r.addPrior(ctx, levels)
}

// addStyles gives levels their style pictures, unless a series has all that they are for.
func (r *run) addStyles(ctx context.Context, levels []level) error {
	if r.options.Start == StartFromStyle {
		return addStyles(ctx, levels, r.styles)
	}
	for i := range levels {
		if r.series.has(levels[i].outline(), r.wayOf(levels[i])) {
			continue
		}
		if err := addStyles(ctx, levels[i:], r.styles); err != nil { // these and those behind in one pass
			return err
		}
		break
	}
	return nil
}

// wayOf is how one of the run's levels goes through the network.
func (r *run) wayOf(l level) way {
	i := slices.IndexFunc(r.levels, func(other level) bool { return other.width == l.width && other.height == l.height })
	return r.ways[i]
}

// recolourAll gives levels' pictures the colours in which they are compared.
func (r *run) recolourAll(ctx context.Context, levels []level) error {
	if r.options.KeepColours == 0 {
		return nil
	}
	if r.colours == nil {
		r.colours = levels[0].colours()
	}
	for i := range levels {
		if err := r.recolour(ctx, &levels[i]); err != nil {
			return err
		}
		levels[i].held = levels[i].content
	}
	return nil
}

// colours are those of the level's content and of its styles.
func (l level) colours() []recolour.Colours {
	all := []recolour.Colours{recolour.Of(l.content)}
	for _, style := range l.styles {
		all = append(all, recolour.Of(style))
	}
	return all
}

// recolour gives a level's styles what is to be kept of the content's colours. These are the
// colours themselves, or how light they are; then the network sees all pictures in grey, and
// colours are added in the end. Colours of the styles, of which some are left at strengths
// below 1, are reduced half here and half in the end.
func (r *run) recolour(ctx context.Context, l *level) (err error) {
	strength, content := r.options.KeepColours, r.colours[0]
	if r.options.keepsColours(recolour.Luminance) {
		if l.content, err = recolour.Relight(ctx, l.content, content, content, 0, math.Sqrt(1-strength)); err != nil {
			return err
		}
	}
	for s, style := range l.styles {
		own := r.colours[1+s]
		if r.options.keepsColours(recolour.Luminance) {
			style, err = recolour.Relight(ctx, style, own, content, strength, math.Sqrt(1-strength))
		} else {
			style, err = recolour.Match(ctx, style, own, content, strength)
		}
		if err != nil {
			return err
		}
		l.styles[s] = style
	}
	return nil
}

// show makes a picture of a level's size one to hand out, in the content's colours where
// these are kept.
func (r *run) show(ctx context.Context, l level, p *picture.Picture) (*picture.Picture, error) {
	p = l.show(p)
	if !r.options.keepsColours(recolour.Luminance) {
		l.blend(p)
		return p, nil
	}
	colours, err := picture.ResizedTo(ctx, r.content, onWhite, l.width, l.height)
	if err != nil {
		return nil, pictureError("content picture", err)
	}
	strength := r.options.KeepColours
	if p, err = recolour.Paint(ctx, p, colours, math.Sqrt(1-strength), strength); err != nil {
		return nil, err
	}
	l.blend(p)
	return p, nil
}

// picturesAsked is how many pictures of the output's size are there at a time where Progress
// asks for one: that, and where colours are kept, these and what both make.
func (o Options) picturesAsked() int64 {
	switch {
	case !o.AsksForPictures:
		return 0
	case o.keepsColours(recolour.Luminance):
		return 3
	}
	return 1
}
