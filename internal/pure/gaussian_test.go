package pure

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// features are channels×n values after ReLU, of different sizes by channel.
func features(channels, n int, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	x := make([]float64, channels*n)
	for i := range x {
		x[i] = max(0, (r.NormFloat64()+0.5)*float64(1+i/n))
	}
	return x
}

func momentsOf(x []float64, channels int) []float64 {
	summary := make([]float64, channels+channels*channels)
	Moments(summary[:channels], summary[channels:], x, channels)
	return summary
}

// TestGaussianGradientIsTheTransportMap holds the gradient of the loss by the
// features against dX = (2/N)[X − (μₜ + T(X−μ))], where T, taken from the
// cotangent, is shown to be the map that carries one covariance to the other.
func TestGaussianGradientIsTheTransportMap(t *testing.T) {
	const channels, n = 6, 50
	x := features(channels, n, 1)
	summary, target := momentsOf(x, channels), momentsOf(features(channels, 70, 2), channels)
	cotangent := make([]float64, len(summary))
	if _, err := (Gaussian{Channels: channels}).Compare(cotangent, summary, target); err != nil {
		t.Fatal(err)
	}
	transport := mat.NewDense(channels, channels, nil)
	for i := range channels {
		for j := range channels {
			v := -cotangent[channels+i*channels+j]
			if i == j {
				v++
			}
			transport.Set(i, j, v)
		}
	}
	covariance := func(s []float64) *mat.Dense {
		c := mat.NewDense(channels, channels, nil)
		for i := range channels {
			for j := range channels {
				c.Set(i, j, s[channels+i*channels+j]-s[i]*s[j])
			}
		}
		return c
	}
	var carried mat.Dense
	carried.Product(transport, covariance(summary), transport)
	if want := covariance(target); !mat.EqualApprox(&carried, want, 1e-9*mat.Norm(want, 2)) {
		t.Errorf("TΣT is\n%v\nwant Σₜ,\n%v", mat.Formatted(&carried), mat.Formatted(want))
	}
	if !mat.EqualApprox(transport, transport.T(), 1e-10) {
		t.Error("T is not symmetric")
	}
	got := make([]float64, len(x))
	MomentsGradient(got, x, cotangent[:channels], cotangent[channels:], channels)
	for i := range channels {
		for k := range n {
			moved := target[i]
			for j := range channels {
				moved += transport.At(i, j) * (x[j*n+k] - summary[j])
			}
			want := 2. / n * (x[i*n+k] - moved)
			if math.Abs(got[i*n+k]-want) > 1e-9 {
				t.Fatalf("dX at channel %d, position %d is %g, want %g", i, k, got[i*n+k], want)
			}
		}
	}
}

// TestGaussianAgreesWithSingularValues compares the loss with the distance that
// takes no roots of eigenvalues of a product, on full and on singular covariances.
func TestGaussianAgreesWithSingularValues(t *testing.T) {
	const channels = 8
	for _, n := range []int{100, 9, 5, 2, 1} {
		summary, target := momentsOf(features(channels, n, 3), channels), momentsOf(features(channels, 40, 4), channels)
		got, err := Gaussian{Channels: channels}.Compare(make([]float64, len(summary)), summary, target)
		if err != nil {
			t.Fatal(err)
		}
		split := func(s []float64) (mean, covariance []float64) {
			mean, covariance = s[:channels], make([]float64, channels*channels)
			for i := range covariance {
				covariance[i] = s[channels+i] - mean[i/channels]*mean[i%channels]
			}
			return mean, covariance
		}
		meanX, covarianceX := split(summary)
		meanY, covarianceY := split(target)
		want, err := GaussianDistanceSquared(meanX, covarianceX, meanY, covarianceY, channels)
		if err != nil {
			t.Fatal(err)
		}
		// Compare takes roots of eigenvalues, where 1e-16 becomes 1e-8.
		if math.Abs(got-want) > 1e-6*want {
			t.Errorf("%d positions: %g, want %g", n, got, want)
		}
	}
}

// flatFeatures are channels×n values that are the same at every position.
func flatFeatures(channels, n int) []float64 {
	x := make([]float64, channels*n)
	for i := range x {
		x[i] = float64(1 + i/n%3)
	}
	return x
}

// ridgedGaussians are pairs of a picture's features and a target's for which one ridge or
// the other counts.
var ridgedGaussians = []struct {
	name      string
	x, target []float64
}{
	{"many positions", features(8, 50, 1), features(8, 70, 2)},
	{"fewer positions than channels", features(8, 4, 1), features(8, 5, 2)},
	{"a target of one position", features(8, 50, 1), features(8, 1, 2)},
	{"a target of two positions", features(8, 50, 1), features(8, 2, 2)},
	{"a target of one colour", features(8, 50, 1), flatFeatures(8, 30)},
	{"both of one position", features(8, 1, 1), features(8, 1, 2)},
	{"a picture of one colour", flatFeatures(8, 30), features(8, 50, 2)},
	{"both of one colour", flatFeatures(8, 30), flatFeatures(8, 20)},
	{"a far weaker target", scaled(100, features(8, 50, 1)), features(8, 50, 2)},
	{"a far stronger target", features(8, 50, 1), scaled(100, features(8, 50, 2))},
}

func rootMeanSquare(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v * v
	}
	return math.Sqrt(sum / float64(len(x)))
}

func scaled(factor float64, x []float64) []float64 {
	for i := range x {
		x[i] *= factor
	}
	return x
}

// TestRidgedGaussianIsTheDistanceOfRidgedCovariances goes by the singular values of the
// covariances' roots, each with the ridge that it is documented to have.
func TestRidgedGaussianIsTheDistanceOfRidgedCovariances(t *testing.T) {
	const channels, ridge = 8, 1e-4
	for _, tt := range ridgedGaussians {
		t.Run(tt.name, func(t *testing.T) {
			summary, target := momentsOf(tt.x, channels), momentsOf(tt.target, channels)
			covariance := func(s []float64) (c []float64, variance, square float64) {
				c = make([]float64, channels*channels)
				for i := range c {
					c[i] = s[channels+i] - s[i/channels]*s[i%channels]
				}
				return c, trace(c, channels) / channels, trace(s[channels:], channels) / channels
			}
			x, _, squareX := covariance(summary)
			y, varianceY, squareY := covariance(target)
			ridgeY := max(ridge*varianceY, roundingRidge*squareY)
			ridgeX := max(ridgeY, roundingRidge*squareX)
			for i := range channels {
				x[i*channels+i] += ridgeX
				y[i*channels+i] += ridgeY
			}
			want, err := GaussianDistanceSquared(summary[:channels], x, target[:channels], y, channels)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Gaussian{Channels: channels, Ridge: ridge}.Compare(make([]float64, len(summary)), summary, target)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(got-want) > 1e-9*(want+ridgeX) {
				t.Errorf("%.12g, want %.12g", got, want)
			}
		})
	}
}

func TestRidgedGaussianGradientIsThatOfFiniteDifferences(t *testing.T) {
	const channels = 8
	loss := Gaussian{Channels: channels, Ridge: 1e-4, Scaled: true}
	for _, tt := range ridgedGaussians {
		t.Run(tt.name, func(t *testing.T) {
			target := momentsOf(tt.target, channels)
			value := func(x []float64) float64 {
				summary := momentsOf(x, channels)
				v, err := loss.Compare(make([]float64, len(summary)), summary, target)
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			summary := momentsOf(tt.x, channels)
			cotangent, got := make([]float64, len(summary)), make([]float64, len(tt.x))
			if _, err := loss.Compare(cotangent, summary, target); err != nil {
				t.Fatal(err)
			}
			MomentsGradient(got, tt.x, cotangent[:channels], cotangent[channels:], channels)
			// The step is small beside the least deviation that a direction is taken to have.
			step := 1e-5 * math.Sqrt(trace(summary[channels:], channels)/channels)
			for i := 0; i < len(tt.x); i += 3 {
				x := append([]float64(nil), tt.x...)
				x[i] += step
				above := value(x)
				x[i] -= 2 * step
				want := (above - value(x)) / (2 * step)
				if size := math.Abs(want) + 1e-2*rootMeanSquare(got) + 1e-6; math.Abs(got[i]-want) > 1e-3*size {
					t.Fatalf("by value %d it is %.9g, want %.9g", i, got[i], want)
				}
			}
		})
	}
}

func TestGaussianOfValuesThatAreNotFiniteIsAnError(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		summary, target := momentsOf(features(3, 9, 5), 3), momentsOf(features(3, 9, 6), 3)
		summary[4] = bad
		if _, err := (Gaussian{Channels: 3}).Compare(make([]float64, len(summary)), summary, target); err == nil {
			t.Errorf("%g in the summary: no error", bad)
		}
	}
}
