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

func TestGaussianOfValuesThatAreNotFiniteIsAnError(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		summary, target := momentsOf(features(3, 9, 5), 3), momentsOf(features(3, 9, 6), 3)
		summary[4] = bad
		if _, err := (Gaussian{Channels: 3}).Compare(make([]float64, len(summary)), summary, target); err == nil {
			t.Errorf("%g in the summary: no error", bad)
		}
	}
}
