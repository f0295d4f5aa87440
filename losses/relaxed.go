package losses

import (
	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

// The objectives are multiplied by these. A nearest point is nearer than the one
// that a transport plan would give, so these losses, lower bounds, pull less than
// others in units of the target's energy; and past some strength they copy the style
// picture, every place of which has its nearest. Of the factors ¾, 1½, 3 and 8 for
// the Euclidean cost, and 1, 2, 4 and 12 for the cosine, the first leave the default
// pictures pale, and from the third on the style's objects replace the content's.
// With these, the content's term at the end is within a fifth of gaussian's.
const (
	cosineStrength    = 1.5
	euclideanStrength = 1.25
)

// momentsBesideCosine is what moments count beside the cosine's distance, which
// leaves the size of features open: without them blacks turn grey.
const momentsBesideCosine = 0.5

// relaxed is the relaxed earth mover's distance of STROTSS (Kolkin, Salavon and
// Shakhnarovich 2019, "Style Transfer by Relaxed Optimal Transport and
// Self-Similarity"; Kusner et al. 2015) between the features as clouds of points,
//
//	max(1/N Σ_i min_j c(x_i,y_j), 1/M Σ_j min_i c(x_i,y_j))
//
// with the cost c(x,y) = 1 − x·y/|x||y| or, in relaxed-euclidean, |x−y|². It asks
// that everything in the picture be near something in the style, and the other
// way round, not that it be there as often: a lower bound of the transport cost,
// and cheap, for no plan has to be found. Its gradient moves each point towards
// its nearest one, or, where the other term is the greater, those that are the
// nearest of some point of the style.
//
// Pitfalls: a nearest point changes abruptly. The cosine leaves the size of
// features open, so brightness and contrast would drift; as STROTSS adds a
// difference of moments for that reason, so does the cosine's objective that of the
// loss moments, by a half. The objective looks at 2048 positions of either side, drawn
// anew from iteration to iteration, and the plain distance at 4096: two passes
// of 2·N·M·C operations. STROTSS draws 1024. The Euclidean objective is divided
// by the target's mean square activation, summed over channels.
type relaxed struct {
	euclidean bool
	sample    int // positions; 0 for pairSample
}

func (r relaxed) Name() string {
	if r.euclidean {
		return "relaxed-euclidean"
	}
	return "relaxed"
}

func (relaxed) Blends() bool { return false }

// Summarise returns the features themselves.
func (relaxed) Summarise(features *gorgonia.Node) (*gorgonia.Node, error) { return features, nil }

func (r relaxed) Distance(features, target *gorgonia.Node) (*gorgonia.Node, error) {
	loss := pure.Relaxed{Channels: features.Shape()[0], Euclidean: r.euclidean}
	return compareClouds(loss, pure.Sample{Most: measureSample}, features, target, nil)
}

func (r relaxed) Objective(features, target *gorgonia.Node) (*gorgonia.Node, error) {
	loss := pure.Relaxed{Channels: features.Shape()[0], Euclidean: r.euclidean, Factor: cosineStrength, Scaled: true}
	if r.euclidean {
		loss.Factor = euclideanStrength
	}
	nearest, err := compareClouds(loss, sampleOf(r.sample), features, target, drawInput(features.Graph()))
	if err != nil || r.euclidean {
		return nearest, err
	}
	sizes, err := momentsBetween(features, target)
	if err != nil {
		return nil, err
	}
	return ops.WeightedSum([]float64{1, momentsBesideCosine}, nearest, sizes)
}

// momentsBetween is the objective of moments between two maps.
func momentsBetween(features, target *gorgonia.Node) (*gorgonia.Node, error) {
	var summaries [2]*gorgonia.Node
	for i, each := range []*gorgonia.Node{features, target} {
		var err error
		if summaries[i], err = (moments{}).Summarise(each); err != nil {
			return nil, err
		}
	}
	return moments{}.Objective(summaries[0], summaries[1])
}

// WithSample implements Sampled.
func (r relaxed) WithSample(positions int) Loss {
	r.sample = positions
	return r
}

// Operations counts two passes over all pairs of the samples.
func (r relaxed) Operations(channels, positions, targetPositions int) float64 {
	sample := sampleOf(r.sample)
	return 4 * float64(sample.Of(positions)) * float64(sample.Of(targetPositions)) * float64(channels)
}
