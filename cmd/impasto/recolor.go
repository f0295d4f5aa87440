package main

import (
	"context"
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/recolour"
	"impasto/internal/settings"
)

// recolorOptions are the settings of impasto recolor.
type recolorOptions struct {
	Output   string
	Depth    int
	JPEG     int
	Strength float64
	Method   recolour.Method
}

func (o *recolorOptions) addFlags(f flagSet) {
	f.add(settings.Text(&o.Output, "FILE"), "output", "o", "where to write the picture: .png, .jpg or .tif")
	f.add(settings.Whole(&o.Depth, 8, 16, "BITS"), "depth", "", "bits a channel, 8 or 16; 16 in PNG and TIFF only")
	f.add(settings.Whole(&o.JPEG, 1, 100, "PERCENT"), "jpeg-quality", "", "quality of a JPEG, 1 to 100")
	f.add(settings.Real(&o.Strength, 0, 1, "STRENGTH"), "strength", "", "how much of the colours is taken over, from 0, nothing, to 1")
	f.add(settings.Choice(&o.Method, "color method", recolour.Names()), "color-method", "", settings.ColourMethodUsage())
}

func newRecolorCommand(global *globalOptions) *cobra.Command {
	o := &recolorOptions{Depth: 8, JPEG: 95, Strength: 1, Method: recolour.Luminance}
	cmd := &cobra.Command{
		Use:   "recolor PICTURE COLORS -o FILE",
		Short: "Give a finished picture the colours of another",
		Long: `Recolor gives PICTURE, as a painted one, the colours of COLORS, as those of the
photograph that it was painted from: what "impasto stylize --keep-colors" does, for
pictures that are there. With the method luminance, which is the default, every place
gets the colour that it has in COLORS, brought to the size of PICTURE, and keeps its own
lightness (in Oklab); what the screen can't show so becomes greyer. With distribution,
colours are moved to those of COLORS as a whole, of whatever shape that is.

How far local colours of both are apart is told before and after, as the mean
CIEDE2000 difference of regions: 1 can just be seen.

With --json it prints one object, with the keys path, width, height, difference_before
and difference.`,
		Example: `  impasto recolor painted.png photo.jpg -o recolored.png
  impasto recolor painted.png photo.jpg -o half.png --strength 0.5
  impasto recolor photo.jpg painting.jpg -o graded.jpg --color-method distribution`,
		ValidArgsFunction: pictures,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("want a picture and the one that has the colours, got %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRecolor(cmd.Context(), *o, *global, args[0], args[1], streamsOf(cmd))
		},
	}
	o.addFlags(flagsOf(cmd, "Flags"))
	return cmd
}

// check reports what can't be written before any work.
func (o recolorOptions) check(inputs []string) error {
	if o.Output == "" {
		return usagef("recolor: nowhere to write; name a file with -o, as in -o recolored.png")
	}
	if err := checkFile(o.Output); err != nil {
		return err
	}
	format, err := picture.FormatOf(o.Output)
	if err != nil {
		return usage(err)
	}
	if err := checkDepthOf(o.Depth, format); err != nil {
		return err
	}
	if err := checkNotInput(o.Output, inputs); err != nil {
		return err
	}
	return picture.CheckFile(o.Output)
}

// recoloured is what recolor did, as JSON has it.
type recoloured struct {
	Path   string  `json:"path"`
	Width  int     `json:"width"`
	Height int     `json:"height"`
	Before float64 `json:"difference_before"`
	After  float64 `json:"difference"`
}

func runRecolor(ctx context.Context, o recolorOptions, global globalOptions, path, coloursPath string, std streams) error {
	if err := std.checkInputs([]string{path, coloursPath}); err != nil {
		return err
	}
	if err := o.check([]string{path, coloursPath}); err != nil {
		return err
	}
	source, err := std.open(ctx, path, global.Quiet)
	if err != nil {
		return err
	}
	colours, err := std.open(ctx, coloursPath, global.Quiet)
	if err != nil {
		return err
	}
	p, err := source.Picture(ctx)
	if err != nil {
		return err
	}
	fitted, err := fitColours(ctx, colours, p, o.Method, coloursPath, path)
	if err != nil {
		return err
	}
	result := recoloured{Path: o.Output, Width: p.Width, Height: p.Height}
	if result.Before, err = recolour.Difference(p, fitted); err != nil {
		return err
	}
	if o.Method == recolour.Luminance {
		p, err = recolour.Paint(ctx, p, fitted, 1-o.Strength, o.Strength)
	} else {
		p, err = recolour.Match(ctx, p, recolour.Of(p), recolour.Of(fitted), o.Strength)
	}
	if err != nil {
		return err
	}
	if result.After, err = recolour.Difference(p, fitted); err != nil {
		return err
	}
	if err := picture.Save(o.Output, p, picture.SaveOptions{Depth: o.Depth, Quality: o.JPEG}); err != nil {
		return err
	}
	if global.JSON {
		return printJSON(std.out, result)
	}
	if !global.Quiet {
		fmt.Fprintf(std.err, "wrote %s: %d×%d, local colours differ by %.1f from those of %s, %.1f before\n",
			quote.Name(o.Output), p.Width, p.Height, result.After, quote.Name(coloursPath), result.Before)
	}
	return nil
}

// fitColours brings the picture that has the colours to the size of the other one. Where
// places keep their colours, both have to be of one shape, to 2 % or a pixel.
func fitColours(ctx context.Context, colours *picture.Source, p *picture.Picture, method recolour.Method, coloursPath, path string) (*picture.Picture, error) {
	size := colours.Bounds().Size()
	aspect := float64(size.X) / float64(size.Y) * float64(p.Height) / float64(p.Width)
	pixel := 1 / float64(min(p.Width, p.Height, size.X, size.Y))
	if method == recolour.Luminance && math.Abs(math.Log(aspect)) > max(0.02, pixel) {
		return nil, fmt.Errorf("%s is %d×%d and %s %d×%d, of another shape, so that places have no colours there; crop one of them, or add --color-method distribution",
			quote.Name(coloursPath), size.X, size.Y, quote.Name(path), p.Width, p.Height)
	}
	return picture.ResizedTo(ctx, colours, picture.ResizeOptions{Filter: picture.Lanczos, OnWhite: true}, p.Width, p.Height)
}
