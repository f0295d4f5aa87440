package settings

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
	"strconv"
	"strings"

	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/regions"
	"impasto/model"
)

// Mask has a part of the output take a style of its own: the files of a mask, of a style
// picture and, unless it is empty, of a mask of that.
type Mask struct{ Region, Style, StyleRegion string }

// String is the mask as it is typed.
func (m Mask) String() string { return strings.Join(m.Files(), "=") }

// Files are those that the mask names, in the order in which they are typed.
func (m Mask) Files() []string {
	files := []string{m.Region, m.Style}
	if m.StyleRegion != "" {
		files = append(files, m.StyleRegion)
	}
	return files
}

// Masks are those that there are, or how many regions to find by colours; not both.
type Masks struct {
	Files []Mask
	Auto  int // 0 for none
}

// autoMask is how what finds regions begins.
const autoMask = "auto:"

// Texts are the masks as they are typed, each by itself.
func (m Masks) Texts() []string {
	var texts []string
	if m.Auto > 0 {
		texts = append(texts, autoMask+strconv.Itoa(m.Auto))
	}
	for _, mask := range m.Files {
		texts = append(texts, mask.String())
	}
	return texts
}

// On are masks with f's paths for their files.
func (m Masks) On(f func(path string) string) Masks {
	on := Masks{Auto: m.Auto}
	for _, mask := range m.Files {
		mask.Region, mask.Style = f(mask.Region), f(mask.Style)
		if mask.StyleRegion != "" {
			mask.StyleRegion = f(mask.StyleRegion)
		}
		on.Files = append(on.Files, mask)
	}
	return on
}

// maskValue reads and writes masks. Each Set adds some, with line breaks between them.
type maskValue struct{ target *Masks }

func (v maskValue) String() string { return strings.Join(v.target.Texts(), "\n") }

func (maskValue) Type() string { return "REGION=STYLE" }

// Set makes a new list, so that copies of settings don't share it.
func (v maskValue) Set(text string) error {
	all := Masks{slices.Clone(v.target.Files), v.target.Auto}
	for part := range strings.SplitSeq(text, "\n") {
		if err := all.add(part); err != nil {
			return err
		}
	}
	if all.Auto > 0 && len(all.Files) > 0 {
		return fmt.Errorf("%s%d finds regions and %s names one; give one or the other", autoMask, all.Auto, all.Files[0])
	}
	*v.target = all
	return nil
}

// add reads one mask.
func (m *Masks) add(text string) error {
	if count, auto := strings.CutPrefix(text, autoMask); auto {
		n, err := strconv.Atoi(count)
		if err != nil || n < 2 || n > regions.MostClusters {
			return fmt.Errorf("want %sK, where K, how many regions to find, is 2 to %d", autoMask, regions.MostClusters)
		}
		if m.Auto > 0 && m.Auto != n {
			return fmt.Errorf("there is %s%d already; give one of them", autoMask, m.Auto)
		}
		m.Auto = n
		return nil
	}
	names := strings.Split(text, "=")
	if len(names) < 2 || len(names) > 3 || slices.Contains(names, "") {
		return fmt.Errorf("want REGION=STYLE or REGION=STYLE=STYLEREGION, such as sky.png=painting.jpg, or %sK; names with = in them can't be given", autoMask)
	}
	mask := Mask{Region: names[0], Style: names[1]}
	if len(names) == 3 {
		mask.StyleRegion = names[2]
	}
	m.Files = append(m.Files, mask)
	return nil
}

// CheckStyles reports a number of style pictures that doesn't go with the masks.
func (s Stylization) CheckStyles(styles int) error {
	switch auto := s.Masks.Auto; {
	case auto > 0 && styles != 1 && styles != auto:
		return fmt.Errorf("--mask %s%d wants one style picture, or %d, and there are %d", autoMask, auto, auto, styles)
	case styles == 0 && len(s.Masks.Files) == 0:
		return errors.New("there is no style picture; want one at least, or --mask REGION=STYLE")
	}
	return nil
}

// Guide adds the style pictures of masks to those that were given, and the regions to the
// library's options. With Masks.Auto, the content is cut into regions of like colours, from
// dark to light, for the styles in their order; a single style is cut into as many, of which
// each goes to the content's of its rank. Files are opened by open, or, where that is nil, as
// they are.
func (s Stylization) Guide(ctx context.Context, content image.Image, styles []model.Style, o *model.Options, open func(path string) (*picture.Source, error)) ([]model.Style, error) {
	if err := s.CheckStyles(len(styles)); err != nil {
		return nil, err
	}
	if s.Masks.Auto > 0 {
		return s.find(ctx, content, styles, o)
	}
	if open == nil {
		open = func(path string) (*picture.Source, error) { return picture.OpenSource(ctx, path) }
	}
	styles = slices.Clone(styles)
	for _, m := range s.Masks.Files {
		var opened [3]*picture.Source
		for i, path := range m.Files() {
			var err error
			if opened[i], err = open(path); err != nil {
				return nil, err
			}
		}
		region := model.Region{Style: len(styles), Mask: opened[0]}
		if opened[2] != nil {
			region.StyleMask = opened[2]
		}
		o.Regions, styles = append(o.Regions, region), append(styles, model.Style{Image: opened[1], Weight: 1})
	}
	return styles, nil
}

// find finds regions of the content, and of a single style.
func (s Stylization) find(ctx context.Context, content image.Image, styles []model.Style, o *model.Options) ([]model.Style, error) {
	masks, err := regions.Clusters(ctx, content, s.Masks.Auto)
	if err != nil {
		return nil, fmt.Errorf("--mask %s%d: %s: %w", autoMask, s.Masks.Auto, nameOf(content, "content"), err)
	}
	for i, mask := range masks {
		o.Regions = append(o.Regions, model.Region{Style: i, Mask: mask.Image()})
	}
	if len(styles) == len(masks) {
		return styles, nil
	}
	parts, err := regions.Clusters(ctx, styles[0].Image, s.Masks.Auto)
	if err != nil {
		return nil, fmt.Errorf("--mask %s%d: %s: %w", autoMask, s.Masks.Auto, nameOf(styles[0].Image, "style"), err)
	}
	var each []model.Style
	for i, part := range parts {
		o.Regions[i].StyleMask = part.Image()
		each = append(each, styles[0])
	}
	return each, nil
}

// nameOf is the name of a picture's file, or what stands for one that is from none.
func nameOf(img image.Image, other string) string {
	if source, ok := img.(*picture.Source); ok {
		return quote.Name(source.Name())
	}
	return other
}
