package losses

import "impasto/internal/pure"

// The normalised forms are multiplied by these. A nearest point is nearer than the
// one that a transport plan would give, so these losses, lower bounds, pull less than
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
// difference of moments for that reason, so does the cosine's normalised form that
// of the loss moments, of all positions, by a half. It looks at 2048 positions of
// either side, drawn anew from iteration to iteration, and the plain form at 4096:
// two passes of 2·N·M·C operations. STROTSS draws 1024. The Euclidean one is divided
// by the target's mean square activation, summed over channels.
type relaxed struct {
	euclidean bool
	sample    sample
}

// Description implements Loss. Operations counts two passes over all pairs of the
// samples.
func (r relaxed) Description() Description {
	d := Description{
		Name:      "relaxed",
		Help:      "a like direction on the other side for each position",
		Formula:   "max(1/N Σᵢ minⱼ c(xᵢ,yⱼ), 1/M Σⱼ minᵢ c(xᵢ,yⱼ)), c(x,y) = 1 − x·y/|x||y|",
		Reference: "Kolkin, Salavon and Shakhnarovich 2019, “Style Transfer by Relaxed Optimal Transport and Self-Similarity”",
		Sees:      "whether each position has one of a like direction on the other side, among 2048 sampled ones, and, as in STROTSS, means and deviations",
		Blind:     "how many positions go to the same one",
		Growth:    SampledPairs,
		Cost:      "2·C·2048²",
		Operations: func(channels, positions, targetPositions int) float64 {
			return 4 * r.sample.pairs(positions, targetPositions) * float64(channels)
		},
	}
	if r.euclidean {
		d.Name = "relaxed-euclidean"
		d.Help = "a near point on the other side for each position"
		d.Formula = "max(1/N Σᵢ minⱼ c(xᵢ,yⱼ), 1/M Σⱼ minᵢ c(xᵢ,yⱼ)), c(x,y) = |x−y|²"
		d.Sees = "whether each position has a near one on the other side, among 2048 sampled ones"
	}
	return d
}

// Plain implements Loss.
func (r relaxed) Plain() Form {
	return compareClouds(fixedSample, func(channels int) pure.Relaxed {
		return pure.Relaxed{Channels: channels, Euclidean: r.euclidean}
	})
}

// Normalised implements Loss.
func (r relaxed) Normalised() Form {
	strength := cosineStrength
	if r.euclidean {
		strength = euclideanStrength
	}
	nearest := compareClouds(r.sample.points(), func(channels int) pure.Relaxed {
		return pure.Relaxed{Channels: channels, Euclidean: r.euclidean, Factor: strength, Scaled: true}
	})
	if r.euclidean {
		return nearest
	}
	return Combine([]float64{1, momentsBesideCosine}, nearest, moments{}.Normalised())
}

// WithSample implements Sampled.
func (r relaxed) WithSample(positions int) Loss {
	r.sample = sample(positions)
	return r
}
