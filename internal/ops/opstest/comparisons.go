package opstest

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

// comparisons are of losses between summaries.
func comparisons() []*Case {
	const both = Compared | Differentiated
	x, y := features("x", 1, 4, 3, 5), features("y", 5, 4, 1, 11)
	large, target := apart("x", 1, 64, 12, 14), features("y", 5, 64, 7, 40)
	cases := []*Case{
		comparison("gram", "plain", both, secondMoments, pure.Gram{Channels: 4}, x, y),
		comparison("gram", "scaled", both, secondMoments, pure.Gram{Channels: 4, Scaled: true}, x, y),
		comparison("gram", "plain", Compared, secondMoments, pure.Gram{Channels: 64}, large, target),
		comparison("gram", "scaled", Compared, secondMoments, pure.Gram{Channels: 64, Scaled: true}, large, target),
		comparison("channel statistics", "plain", both, channelMoments, pure.ChannelStatistics{Channels: 4}, x, y),
		comparison("channel statistics", "scaled", both, channelMoments, pure.ChannelStatistics{Channels: 4, Scaled: true}, x, y),
		comparison("channel statistics", "scaled", Compared, channelMoments, pure.ChannelStatistics{Channels: 64, Scaled: true}, large, target),
		comparison("central moments", "plain", both, powerMoments, pure.CentralMoments{Channels: 4}, x, y),
		comparison("central moments", "scaled and smooth", both, powerMoments, pure.CentralMoments{Channels: 4, Smoothing: 0.5, Scaled: true}, x, y),
		comparison("central moments", "scaled and smooth", both, powerMoments, pure.CentralMoments{Channels: 3, Smoothing: 0.5, Scaled: true},
			features("x", 1, 3, 1, 1), features("y", 5, 3, 1, 11)),
		comparison("central moments", "scaled and smooth", Compared, powerMoments, pure.CentralMoments{Channels: 64, Smoothing: 0.5, Scaled: true}, large, target),
		mapDifference("plain", both, pure.Difference{}, 2, 3, 4),
		mapDifference("scaled", both, pure.Difference{Scaled: true}, 2, 3, 4),
		mapDifference("plain", Compared, pure.Difference{}, 64, 13, 7),
		mapDifference("scaled", Compared, pure.Difference{Scaled: true}, 64, 13, 7),
		mapDifference("scaled", Timed, pure.Difference{Scaled: true}, 512, 28, 28),
		alone("gram", secondMoments, pure.Gram{Channels: 64, Scaled: true}, activity("x", 1, 64, 1, 128), activity("y", 2, 64, 1, 128)),
		alone("gram", secondMoments, pure.Gram{Channels: 512, Scaled: true}, activity("x", 1, 512, 1, 128), activity("y", 2, 512, 1, 128)),
		alone("channel statistics", channelMoments, pure.ChannelStatistics{Channels: 512, Scaled: true}, activity("x", 1, 512, 1, 128), activity("y", 2, 512, 1, 128)),
		alone("central moments", powerMoments, pure.CentralMoments{Channels: 512, Smoothing: 0.5, Scaled: true}, activity("x", 1, 512, 1, 128), activity("y", 2, 512, 1, 128)),
	}
	return append(cases, gaussians()...)
}

// gaussians are of features that are a network's, and of such as leave covariances
// singular.
func gaussians() []*Case {
	of := func(what string, uses Use, g pure.Gaussian, x, y Input) *Case {
		g.Channels = x.Shape[0]
		c := comparison("gaussian", what, uses, secondMoments, g, x, y)
		target := g.Target(c.Inputs[1].Values())
		c.Magnitude = target.Scale * target.Trace
		return c
	}
	const both = Compared | Differentiated
	usual := pure.Gaussian{Ridge: 1e-4, Scaled: true}
	// The root of an eigenvalue that is zero but for rounding is the root of that.
	singular := of("singular features", both, pure.Gaussian{}, features("x", 1, 6, 2, 2), features("y", 5, 6, 1, 11))
	singular.Sensitivity = 300
	cases := []*Case{
		of("plain", both, pure.Gaussian{}, features("x", 1, 4, 3, 5), features("y", 5, 4, 1, 11)),
		of("scaled with a ridge", both, usual, features("x", 1, 4, 3, 5), features("y", 5, 4, 1, 11)),
		singular,
		of("a singular target", both, pure.Gaussian{}, features("x", 1, 6, 4, 4), features("y", 5, 6, 1, 4)),
		of("both singular with a ridge", both, pure.Gaussian{Ridge: 1e-2, Scaled: true}, features("x", 1, 6, 2, 2), features("y", 5, 6, 1, 3)),
		of("one channel", Compared, usual, activity("x", 1, 1, 5, 10), activity("y", 2, 1, 1, 60)),
		of("a network's", Compared, usual, activity("x", 1, 64, 20, 20), activity("y", 2, 64, 1, 300)),
		of("odd channels", Compared, usual, activity("x", 1, 67, 15, 20), activity("y", 2, 67, 1, 200)),
		of("few positions", Compared, usual, activity("x", 1, 130, 4, 4), activity("y", 2, 130, 1, 25)),
	}
	for _, channels := range []int{64, 128, 256, 512} {
		c := alone("gaussian", secondMoments, pure.Gaussian{Channels: channels, Ridge: usual.Ridge, Scaled: true},
			activity("x", 1, channels, 1, 1024), activity("y", 2, channels, 1, 1024))
		cases = append(cases, c)
	}
	return cases
}

// mapDifference is the difference of two maps by way of its sums.
func mapDifference(what string, uses Use, d pure.Difference, shape ...int) *Case {
	return &Case{
		Operation: "map difference", Variant: what + " " + size(shape...), Uses: uses,
		Inputs: []Input{features("x", 1, shape...), features("target", 2, shape...)},
		Apply:  func(in []*gorgonia.Node) (*gorgonia.Node, error) { return ops.CompareMaps(d, in[0], in[1]) },
	}
}

// summary is what a comparison compares, and how it is made of a map.
type summary struct {
	of     func(x *gorgonia.Node) (*gorgonia.Node, error)
	values func(x []float64, channels int) []float64
}

var (
	secondMoments = summary{
		func(x *gorgonia.Node) (*gorgonia.Node, error) { return ops.SummariseMoments(x, false) },
		func(x []float64, channels int) []float64 {
			s := make([]float64, channels+channels*channels)
			pure.Moments(s[:channels], s[channels:], x, channels)
			return s
		},
	}
	channelMoments = summary{
		func(x *gorgonia.Node) (*gorgonia.Node, error) { return ops.SummariseMoments(x, true) },
		func(x []float64, channels int) []float64 {
			s := make([]float64, 2*channels)
			pure.ChannelMoments(s[:channels], s[channels:], x)
			return s
		},
	}
	powerMoments = summary{
		ops.SummarisePowers,
		func(x []float64, channels int) []float64 {
			s, n := make([]float64, channels*pure.Orders), len(x)/channels
			for c := range channels {
				pure.PowerMoments(s[c*pure.Orders:(c+1)*pure.Orders], x[c*n:(c+1)*n])
			}
			return s
		},
	}
)

// target is the summary of a map, as an input.
func (s summary) target(name string, of Input) Input {
	channels := of.Shape[0]
	length := len(s.values(make([]float64, channels), channels))
	return vector(name, length, func() []float64 { return s.values(of.Values(), channels) })
}

// comparison is a case of a loss between the summary of a map and that of another, so
// that both are such as a map can have.
func comparison[L pure.Comparison](operation, what string, uses Use, s summary, of L, x, y Input) *Case {
	return &Case{
		Operation: operation, Uses: uses,
		Variant: fmt.Sprintf("%s %s and %d", what, size(x.Shape...), y.Shape[1]*y.Shape[2]),
		Inputs:  []Input{x, s.target("target", y)},
		Apply: func(in []*gorgonia.Node) (*gorgonia.Node, error) {
			summarised, err := s.of(in[0])
			if err != nil {
				return nil, err
			}
			return ops.Compare(of, summarised, in[1])
		},
	}
}

// alone is the comparison of two summaries by itself, to be timed.
func alone[L pure.Comparison](operation string, s summary, of L, x, y Input) *Case {
	picture := s.target("summary", x)
	return &Case{
		Operation: operation, Variant: fmt.Sprintf("%d numbers", picture.Shape[0]), Uses: Timed,
		Inputs: []Input{picture, s.target("target", y)},
		Apply:  func(in []*gorgonia.Node) (*gorgonia.Node, error) { return ops.Compare(of, in[0], in[1]) },
	}
}
