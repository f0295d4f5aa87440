package losses

import "impasto/internal/pure"

// moments compares each channel's mean and standard deviation, as adaptive
// instance normalisation does (Huang and Belongie 2017; Li et al. 2017,
// "Demystifying Neural Style Transfer"):
//
//	|μ−μₜ|² + |σ−σₜ|²
//
// It is gaussian for covariances taken to be diagonal: blind to how channels go
// together, and cheap at O(C·N). The normalised form divides by the sum of the
// target's mean squares.
type moments struct{}

// Description implements Loss.
func (moments) Description() Description {
	return Description{
		Name:      "moments",
		Help:      "mean and deviation of each channel",
		Formula:   "|μ−μₜ|² + |σ−σₜ|²",
		Reference: "Huang and Belongie 2017, “Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization”",
		Sees:      "mean and deviation of each channel",
		Blind:     "how channels go together",
		Growth:    Linear,
		Cost:      "C·N",
	}
}

// Plain implements Loss.
func (moments) Plain() Form {
	return compareVectors(channelMoments, func(length int) pure.ChannelStatistics {
		return pure.ChannelStatistics{Channels: length / 2}
	})
}

// Normalised implements Loss.
func (moments) Normalised() Form {
	return compareVectors(channelMoments, func(length int) pure.ChannelStatistics {
		return pure.ChannelStatistics{Channels: length / 2, Scaled: true}
	})
}
