package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/report"
	"impasto/internal/settings"
	"impasto/internal/theory"
)

// theoryOptions are the settings of impasto theory.
type theoryOptions struct {
	Seed       uint64
	Directions int
	Plot       string // a folder; empty draws nothing
}

func newTheoryOptions() *theoryOptions { return &theoryOptions{Directions: 64} }

func (o *theoryOptions) addFlags(f flagSet) {
	f.add(settings.Whole(&o.Directions, 1, 65536, "COUNT"), "directions", "", "directions of the sliced distance, for its cost; 1 to 65536")
	f.add(settings.Text(&o.Plot, "FOLDER"), "plot", "", "draw the clouds of the four distributions there, as clouds.png and clouds.svg; made if it isn't there")
	f.addSettings(settings.Seed(&o.Seed))
}

func newTheoryCommand(global *globalOptions) *cobra.Command {
	o := newTheoryOptions()
	cmd := &cobra.Command{
		Use:   "theory",
		Short: "Show why Gram matrices don't make a distance, and what does",
		Long: `Theory computes the numbers of the essay that impasto began with: Vincent
Marron, "Style Transfer as Optimal Transport"
(github.com/VinceMarron/style_transfer). It shows two distributions that differ
but have the same Gram matrix, the distance that tells them apart, which of
impasto's losses can, and what the full earth mover's distance would cost.

With --json it prints one object with the keys

  wdist_xy, wdist_wz    Wasserstein-2 distances of the pairs X, Y and W, Z
  gram_xy, gram_wz      Gram losses of 10,000 samples of each
  symmetric, triangle   whether the distances of X, Y, W and Z are so
  emd_bytes, emd_flop   cost of the earth mover's distance at relu1_1 of two
                        224×224 pictures, as the essay counts it
  losses                an object for each loss: loss, xy and wz (its value
                        between samples of the pairs), noise_xy and noise_wz
                        (the most between two samples of the same), tells_xy
                        and tells_wz (whether it tells the pairs apart)`,
		Example: `  impasto theory --plot clouds
  impasto theory --json --seed 7`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runTheory(*o, *global, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.addFlags(flagsOf(cmd, "Flags"))
	return cmd
}

// theoryReport is what theory --json prints.
type theoryReport struct {
	theory.Numbers
	Losses []theory.Verdict `json:"losses"`
}

func runTheory(o theoryOptions, global globalOptions, out, stderr io.Writer) error {
	if o.Plot != "" {
		if err := checkFile(o.Plot); err != nil {
			return err
		}
		if err := os.MkdirAll(o.Plot, 0o777); err != nil {
			return fmt.Errorf("theory: make the folder: %w", err)
		}
		for _, format := range report.Formats {
			if err := picture.CheckFile(o.plotPath(format)); err != nil {
				return err
			}
		}
	}
	numbers, err := theory.Compute(o.Seed)
	if err != nil {
		return err
	}
	verdicts, err := theory.Verdicts(o.Seed)
	if err != nil {
		return err
	}
	if err := drawClouds(o, global, stderr); err != nil {
		return err
	}
	if global.JSON {
		return printJSON(out, theoryReport{numbers, verdicts})
	}
	rounded, err := theory.RoundedDistance(theory.X(), theory.Y())
	if err != nil {
		return err
	}
	distances, err := theory.Distances(theory.X(), theory.Y(), theory.W(), theory.Z())
	if err != nil {
		return err
	}
	var text strings.Builder
	writeGramSection(&text, numbers)
	writeDistanceSection(&text, numbers, rounded, distances)
	writeLossSection(&text, verdicts)
	writeCostSection(&text, theory.EssayClouds(), o.Directions)
	_, err = io.WriteString(out, text.String())
	return err
}

func writeGramSection(out io.Writer, n theory.Numbers) {
	fmt.Fprint(out, `1. Two different distributions can have the same Gram matrix

The style of a picture is how its features are distributed. The loss of Gatys
et al. sees of that only the Gram matrix E[xxᵀ] = Σ + μμᵀ, in which mean and
covariance can make up for each other. Four normal distributions in three
dimensions:

`)
	for _, d := range theory.Essay() {
		c := d.Covariance
		fmt.Fprintf(out, "  %s  mean %-14s  covariance %s %s %s\n", d.Name, vector(d.Mean), vector(c[:3]), vector(c[3:6]), vector(c[6:]))
	}
	fmt.Fprintf(out, `
                                                   X and Y    W and Z
  largest difference between the Gram matrices    %8.1g   %8.1g
  Gram loss of %d samples of each              %.6f   %.6f

What is left of the loss is the noise of sampling. The Gram loss here is
Σ(S−T)² with S = Σxxᵀ/N and no other factor; in C dimensions Gatys et al.
divide it by 4C², here 36.
`, theory.GramDifference(theory.X(), theory.Y()), theory.GramDifference(theory.W(), theory.Z()), theory.Samples, n.GramXY, n.GramWZ)
}

func writeDistanceSection(out io.Writer, n theory.Numbers, rounded float64, distances [][]float64) {
	fmt.Fprintf(out, `
2. The Wasserstein distance tells them apart

It is the least root-mean-square way that one distribution's mass must be moved
to become the other. For normal distributions it has a closed form,
√(|μ−ν|² + tr(Σ + Σ′ − 2(Σ^½ Σ′ Σ^½)^½)); its square is impasto's loss
"gaussian".

  distance of X and Y   %.15f
  distance of W and Z   %.15f

The latter is √6: W is the point (1, 1, 1), whose squared distance from Z's
centre is 3, and Z's variance around its centre is 3 more.

The essay prints 1.5135220191046239 for X and Y. Computed in its way it comes
out as %.15f here too, which is %.1e too much. Y's covariance is
singular, so an eigenvalue of ΣΣ′ is zero; computed, it may come out below,
where it has no root. The essay's program therefore rounds the eigenvalues to
five decimals before it takes roots, and that moves the other two. Leaving the
rounding out wouldn't do: 1e-16 instead of zero has a root of 1e-8. impasto
takes the singular values of Σ^½Σ′^½, which are those roots without having been
squared.

It is a distance: zero only at equality, symmetric, and no detour is shorter:

         X         Y         W         Z
`, n.WassersteinXY, n.WassersteinWZ, rounded, rounded-n.WassersteinXY)
	for i, row := range distances {
		fmt.Fprintf(out, "  %c", "XYWZ"[i])
		for _, d := range row {
			fmt.Fprintf(out, "  %.6f", d)
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintf(out, "\n  symmetric over all pairs               %s\n  triangle inequality over all triples   %s\n", yesNo(n.Symmetric), yesNo(n.Triangle))
}

func writeLossSection(out io.Writer, verdicts []theory.Verdict) {
	fmt.Fprintf(out, `
3. Which losses tell them apart

Each loss by its plain value between %d points of each, the mean of a few
draws, and beside it the noise: the most that it finds between two samples of
the same distribution. It tells a pair apart where every draw is above that.

  loss                 X and Y     noise  apart     W and Z     noise  apart
`, theory.LossSamples)
	for _, v := range verdicts {
		fmt.Fprintf(out, "  %-17s %10.4f %9.4f  %-5s  %10.4f %9.4f  %s\n", v.Loss, v.XY, v.NoiseXY, yesNo(v.TellsXY), v.WZ, v.NoiseWZ, yesNo(v.TellsWZ))
	}
	fmt.Fprint(out, `
cmd finds more of a difference than most, and far more noise. Third and fifth
moments of these distributions are zero, and those of samples off by about
1/√N. cmd compares their third and fifth roots, and the fifth root of 1/√N is
0.5 even at a thousand points, 0.25 at a million. Features are another matter:
after rectification their odd moments are far from zero.
`)
}

// plotPath is where the figure of a format goes.
func (o *theoryOptions) plotPath(format string) string {
	return filepath.Join(o.Plot, "clouds."+format)
}

// drawClouds writes the figure of the four distributions in every format.
func drawClouds(o theoryOptions, global globalOptions, stderr io.Writer) error {
	if o.Plot == "" {
		return nil
	}
	figure, err := theory.Figure(o.Seed)
	if err != nil {
		return err
	}
	for _, format := range report.Formats {
		path := o.plotPath(format)
		if err := picture.SaveWith(path, func(w io.Writer) error { return figure.Draw(w, format) }); err != nil {
			return err
		}
		if !global.Quiet {
			fmt.Fprintf(stderr, "wrote %s\n", quote.Name(path))
		}
	}
	return nil
}

func writeCostSection(out io.Writer, clouds theory.Clouds, directions int) {
	fmt.Fprintf(out, `
4. What it costs to assume nothing

Features needn't be normally distributed. The full earth mover's distance
doesn't care, but compares every position with every other: at relu1_1 of two
224×224 pictures, N = %d positions of C = %d channels. By the essay's count
it needs N²·C·4 bytes and N³ operations. Two ways round that: make the cost
matrix tile by tile and never keep it (Sinkhorn's algorithm), or compare along
lines in many directions, where sorting solves it (sliced).

                               memory   arithmetic   beside it
`, clouds.Points, clouds.Channels)
	for _, row := range []struct {
		name string
		cost theory.Cost
	}{
		{"earth mover's", clouds.EarthMover()},
		{"Sinkhorn, half an iteration", clouds.Tiled()},
		{fmt.Sprintf("sliced, %d directions", directions), clouds.Sliced(directions)},
	} {
		fmt.Fprintf(out, "  %-27s %8s %12s", row.name, scaled(row.cost.Bytes, "B"), scaled(row.cost.Flop, "FLOP"))
		if row.cost.Other > 0 {
			fmt.Fprintf(out, "   %.0f million %s", float64(row.cost.Other)/1e6, row.cost.OtherKind)
		}
		fmt.Fprintln(out)
	}
	fmt.Fprint(out, `
With D directions, the target projected on 16 of them at a time, these are

  Sinkhorn  (2·N·C + 8·N)·4 bytes, 2·N²·C operations, N² exponentials
  sliced    (3·N·C + 16·N)·4 bytes with its gradient, 6·N·C·D operations,
            2·D·N·log₂N comparisons
`)
}

// vector writes numbers for people: -0.5, not -0.49999999999999994.
func vector(values []float64) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = fmt.Sprintf("%.4g", v+0) // −0 + 0 is 0
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// scaled writes a count with a prefix, as in 644.5 GB.
func scaled(count int64, unit string) string {
	value, prefixes := float64(count), []string{"", "k", "M", "G", "T"}
	i := 0
	for ; value >= 1000 && i < len(prefixes)-1; i++ {
		value /= 1000
	}
	return fmt.Sprintf("%.1f %s%s", value, prefixes[i], unit)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
