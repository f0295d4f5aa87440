package losses

import "impasto/internal/pure"

// ridge is added to the diagonals of both covariances in the normalised form, in
// units of the target's mean variance. Deep layers of small pictures have fewer
// positions than channels, so their covariance is singular and the gradient
// unbounded without it. At 1e-4 the standard deviation that a direction without
// any variance is taken to have is one hundredth of the target's mean one. Where the
// target has next to no variance, the ridge is what rounding asks for; see pure.Gaussian.
const ridge = 1e-4

// gaussian is the squared Wasserstein-2 distance between the normal
// distributions with the features' means and covariances (Dowson and Landau
// 1982; for style transfer, Marron's essay "Style Transfer as Optimal
// Transport"):
//
//	|μ−μₜ|² + tr(Σ + Σₜ − 2(Σₜ^½ Σ Σₜ^½)^½)
//
// Its root is a metric between such distributions: zero only where means and
// covariances agree. The normalised form divides by the trace of the target's
// second raw moment, and so is the share of the target's energy that is amiss;
// its covariances have a ridge, those of the plain one have none. It costs what
// gram does and, for the transport map, about eight inverses of C×C matrices.
type gaussian struct{}

// Description implements Loss. The inverses of C×C matrices aren't counted, so a
// small rate at few positions is theirs.
func (gaussian) Description() Description {
	return Description{
		Name:       "gaussian",
		Help:       "mean and covariance, as the distance between normal distributions",
		Formula:    "|μ−μₜ|² + tr(Σ + Σₜ − 2(Σₜ^½ Σ Σₜ^½)^½)",
		Reference:  "Dowson and Landau 1982; Marron 2017, “Style Transfer as Optimal Transport”",
		Sees:       "mean and covariance, as the distance between normal distributions",
		Blind:      "all that isn't normal: several clusters, long tails",
		Growth:     Products,
		Cost:       "C²·N, and some inverses in C³",
		Operations: momentOperations,
		Fixed:      inverseOperations,
	}
}

// inverseOperations counts some inverses and products of C×C matrices: 20 products.
func inverseOperations(channels int) float64 {
	c := float64(channels)
	return 20 * 2 * c * c * c
}

// Plain implements Loss.
func (gaussian) Plain() Form {
	return compareVectors(secondMoments, func(length int) pure.Gaussian {
		return pure.Gaussian{Channels: secondMomentChannels(length)}
	})
}

// Normalised implements Loss.
func (gaussian) Normalised() Form {
	return compareVectors(secondMoments, func(length int) pure.Gaussian {
		return pure.Gaussian{Channels: secondMomentChannels(length), Ridge: ridge, Scaled: true}
	})
}
