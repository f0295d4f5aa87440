package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"impasto/internal/atomicfile"
	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/regions"
	"impasto/internal/settings"
	"impasto/model"
)

// masksOptions are the settings of impasto masks.
type masksOptions struct {
	Auto   int    // how many regions to find
	Output string // with numberKey in it
	Size   int    // longer side of the masks at most, 0 for the picture's
}

// numberKey stands for the number of a mask, from 1, in names.
const numberKey = "{n}"

func newMasksCommand(global *globalOptions) *cobra.Command {
	o := &masksOptions{Auto: 2}
	cmd := &cobra.Command{
		Use:   "masks PICTURE -o NAME-{n}.png",
		Short: "Write the regions of a picture that its colours make",
		Long: `Masks finds regions of a picture by its colours, as "impasto stylize --mask auto:K"
does, from dark to light, and writes each as a picture that is white there and black
elsewhere, to be looked at, edited and given to --mask. {n} in the name stands for the
region's number. The method is in docs/masks.md.

With --json it prints an object for each, with the keys event ("mask"), number, path,
width, height and share (of the picture that the region is, 0 to 1).`,
		Example: `  impasto masks photo.jpg --auto 3 -o photo-{n}.png
  impasto stylize photo.jpg -o painted.png --mask photo-3.png=sky.jpg --mask photo-1.png=trees.jpg`,
		ValidArgsFunction: pictures,
		Args:              cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runMasks(cmd.Context(), *o, *global, args[0], streamsOf(cmd))
		},
	}
	f := flagsOf(cmd, "Masks")
	f.add(settings.Whole(&o.Auto, 2, regions.MostClusters, "K"), "auto", "", fmt.Sprintf("how many regions to find, 2 to %d", regions.MostClusters))
	f.add(settings.Text(&o.Output, "NAME"), "output", "o", "what to call the masks, with {n} for their number; .png, .jpg, .tif or .webp")
	f.add(settings.Whole(&o.Size, 0, model.MaxSize, "PIXELS"), "size", "s", "longer side of the masks; 0 takes the picture's")
	return cmd
}

// maskEvent is what masks prints of one as JSON. The keys are a promise to scripts.
type maskEvent struct {
	Event  string  `json:"event"` // "mask"
	Number int     `json:"number"`
	Path   string  `json:"path"`
	Width  int     `json:"width"`
	Height int     `json:"height"`
	Share  float64 `json:"share"`
}

// runMasks does what the command says.
func runMasks(ctx context.Context, o masksOptions, global globalOptions, path string, std streams) error {
	paths, err := o.paths(path)
	if err != nil {
		return err
	}
	if err := std.checkInputs([]string{path}); err != nil {
		return err
	}
	source, err := std.open(ctx, path, global.Quiet)
	if err != nil {
		return err
	}
	masks, err := regions.Clusters(ctx, source, o.Auto)
	if err != nil {
		return fmt.Errorf("masks: %s: %w", quote.Name(path), err)
	}
	size := source.Bounds().Size()
	width, height := size.X, size.Y
	if o.Size > 0 {
		width, height = picture.FitSize(width, height, o.Size)
	}
	for i, mask := range masks {
		sized, err := mask.Resize(width, height)
		if err != nil {
			return fmt.Errorf("masks: %w", err)
		}
		if err := picture.Save(paths[i], sized.Image(), picture.SaveOptions{}); err != nil {
			return fmt.Errorf("masks: %w", err)
		}
		event := maskEvent{"mask", i + 1, paths[i], width, height, mask.Sum() / float64(len(mask.Values))}
		switch {
		case global.JSON:
			err = printJSON(std.out, event)
		case !global.Quiet:
			_, err = fmt.Fprintf(std.out, "wrote %s: %d×%d, %.0f %% of the picture\n", quote.Name(paths[i]), width, height, 100*event.Share)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// paths are the names of the masks. Those that can't be written are reported before any work.
func (o masksOptions) paths(input string) ([]string, error) {
	if o.Output == "" {
		return nil, usagef("masks: nowhere to write; name the masks with -o, as in -o mask-%s.png", numberKey)
	}
	if !strings.Contains(o.Output, numberKey) {
		return nil, usagef("masks: -o %s would be the name of all %d masks; put %s where their number is to stand", quote.Name(o.Output), o.Auto, numberKey)
	}
	var paths []string
	for n := range o.Auto {
		path := strings.ReplaceAll(o.Output, numberKey, strconv.Itoa(n+1))
		if _, err := picture.FormatOf(path); err != nil {
			return nil, usage(err)
		}
		if err := checkNotInput(path, []string{input}); err != nil {
			return nil, err
		}
		if err := atomicfile.Check(path); err != nil {
			return nil, fmt.Errorf("masks: %w", err)
		}
		paths = append(paths, path)
	}
	return paths, nil
}
