package made

import (
	"context"
	"errors"
	"fmt"
	"image"

	"impasto/internal/metadata"
	"impasto/internal/picture"
	"impasto/internal/regular"
	"impasto/internal/settings"
	"impasto/weights"
)

// Inputs are the files that a picture is made of.
type Inputs struct {
	Content, Weights metadata.Input
	Styles           []metadata.Style // but those of masks
	Start            *metadata.Input  // where that is a picture
	Masks            []metadata.Mask
	Protect          *metadata.Input
}

// Picture describes a picture that was opened, which has to be a *picture.Source, by its
// name or path; an empty one is that of a picture without a name.
func Picture(name string, img image.Image) (metadata.Input, error) {
	source, ok := img.(*picture.Source)
	if !ok {
		return metadata.Input{}, errors.New("a picture that is from no file")
	}
	sum, size := source.Digest()
	return metadata.NewInput(name, size, sum), nil
}

// File describes a file, which is read.
func File(ctx context.Context, path string) (metadata.Input, error) {
	file, size, err := regular.Open(path)
	if err != nil {
		return metadata.Input{}, err
	}
	defer file.Close()
	sum, err := regular.Digest(ctx, file)
	if err != nil {
		return metadata.Input{}, fmt.Errorf("read %s: %w", path, err)
	}
	return metadata.NewInput(path, size, sum), nil
}

// EmbeddedWeights describes the network that is in the program.
func EmbeddedWeights() metadata.Input { return metadata.Input{SHA256: weights.EmbeddedSHA256} }

// AddFiles describes the network of the settings and the files of their masks, which are
// read.
func (in *Inputs) AddFiles(ctx context.Context, s settings.Stylization) (err error) {
	if in.Weights = EmbeddedWeights(); s.Weights != "" {
		if in.Weights, err = File(ctx, s.WeightsFile()); err != nil {
			return err
		}
	}
	for _, mask := range s.Masks.Files {
		var of [3]metadata.Input
		for i, path := range mask.Files() {
			if of[i], err = File(ctx, path); err != nil {
				return err
			}
		}
		described := metadata.Mask{Region: of[0], Style: of[1]}
		if mask.StyleRegion != "" {
			described.StyleRegion = &of[2]
		}
		in.Masks = append(in.Masks, described)
	}
	if s.Protect == "" {
		return nil
	}
	protect, err := File(ctx, s.Protect)
	in.Protect = &protect
	return err
}
