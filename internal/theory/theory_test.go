package theory

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"impasto/internal/cpu"
	"impasto/losses"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %.17g, want %.17g to %g", what, got, want, tolerance)
	}
}

// exactXY is d(X, Y) by 50-digit arithmetic.
const exactXY = 1.51352189809478750

func TestNumbersAreTheEssays(t *testing.T) {
	n, err := Compute(0)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "wdist_xy", n.WassersteinXY, exactXY, 1e-12)
	near(t, "wdist_wz", n.WassersteinWZ, math.Sqrt(6), 1e-12)
	if !n.Symmetric || !n.Triangle {
		t.Errorf("symmetric %v, triangle %v; want both", n.Symmetric, n.Triangle)
	}
	if n.EMDBytes != 644_513_529_856 || n.EMDFlop != 126_324_651_851_776 {
		t.Errorf("earth mover's distance: %d bytes, %d flop", n.EMDBytes, n.EMDFlop)
	}
}

func TestRoundedDistanceIsWhatTheEssayPrints(t *testing.T) {
	d, err := RoundedDistance(X(), Y())
	if err != nil {
		t.Fatal(err)
	}
	near(t, "the essay's distance of X and Y", d, 1.5135220191046239, 2e-15)
	near(t, "its error", d-exactXY, 1.2e-7, 2e-9)
}

// The nine entries of Z's sampled Gram matrix are all the mean of 10,000 z²,
// whose standard deviation is 0.0141: at five deviations the loss is
// 9·0.071² = 0.045.
func TestGramLossOfSamplesIsNoiseOnly(t *testing.T) {
	for seed := range uint64(20) {
		n, err := Compute(seed)
		if err != nil {
			t.Fatal(err)
		}
		for what, loss := range map[string]float64{"X, Y": n.GramXY, "W, Z": n.GramWZ} {
			if !(loss > 0 && loss < 0.05) {
				t.Errorf("seed %d: Gram loss of %s is %g", seed, what, loss)
			}
		}
	}
}

func TestSameSeedGivesSameSamples(t *testing.T) {
	a, errA := Compute(7)
	b, errB := Compute(7)
	c, errC := Compute(8)
	if errA != nil || errB != nil || errC != nil {
		t.Fatal(errA, errB, errC)
	}
	if a != b {
		t.Errorf("seed 7 gives %v and %v", a, b)
	}
	if a.GramXY == c.GramXY {
		t.Error("seeds 7 and 8 give the same samples")
	}
}

// firstVerdicts are those of seed 0, for all tests.
var firstVerdicts = sync.OnceValues(func() ([]Verdict, error) { return Verdicts(0) })

func TestOnlyGramIsBlindToThePairs(t *testing.T) {
	for seed, of := range []func() ([]Verdict, error){firstVerdicts, func() ([]Verdict, error) { return Verdicts(1) }} {
		verdicts, err := of()
		if err != nil {
			t.Fatal(err)
		}
		if len(verdicts) != len(losses.Usable()) {
			t.Fatalf("%d verdicts of %d losses", len(verdicts), len(losses.Usable()))
		}
		for _, v := range verdicts {
			// TestNoiseOfCmdIsThatOfItsRoots says why cmd's verdict is open.
			if tells := v.Loss != "gram"; v.Loss != "cmd" && (v.TellsXY != tells || v.TellsWZ != tells) {
				t.Errorf("seed %d: %+v, want %v for both", seed, v, tells)
			}
			// Between points on a line through 0, a loss of angles finds none.
			if !(v.NoiseXY > 0) || !(v.NoiseWZ >= 0) {
				t.Errorf("seed %d: %s finds noise of %g and %g between samples", seed, v.Loss, v.NoiseXY, v.NoiseWZ)
			}
		}
	}
}

// The fifth moment of X is zero and that of N samples off by about N^−½, so its
// root is off by N^−⅒, and squared by N^−⅕: 64 times the points make the noise of
// the distance 2.3 times less, where that of moments falls by 64.
func TestNoiseOfCmdIsThatOfItsRoots(t *testing.T) {
	device, err := cpu.NewDevice(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	fall := func(name string) float64 {
		loss, err := losses.Named(name)
		if err != nil {
			t.Fatal(err)
		}
		var noise [2]float64
		random := rand.New(rand.NewPCG(1, 1))
		for i, points := range []int{1000, 64_000} {
			for range 10 {
				a, errA := X().Sample(random, points)
				b, errB := X().Sample(random, points)
				value, err := lossBetween(device, loss, a, b, 3)
				if err = errors.Join(err, errA, errB); err != nil {
					t.Fatal(err)
				}
				noise[i] += value
			}
		}
		return noise[0] / noise[1]
	}
	if by := fall("cmd"); by < 1.3 || by > 4 {
		t.Errorf("cmd's noise falls by %g, want about 2.3", by)
	}
	if by := fall("moments"); by < 20 {
		t.Errorf("the noise of moments falls by %g, want about 64", by)
	}
}

// The closed form between the distributions, 1.5135² and 6, is what gaussian
// finds between samples, but for their noise.
func TestGaussianBetweenSamplesIsTheClosedForm(t *testing.T) {
	verdicts, err := firstVerdicts()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verdicts {
		if v.Loss == "gaussian" {
			near(t, "X and Y", v.XY, exactXY*exactXY, 0.2)
			near(t, "W and Z", v.WZ, 6, 0.5)
		}
	}
}

func TestGramMatricesOfThePairsAreEqual(t *testing.T) {
	for _, pair := range [][2]Normal{{X(), Y()}, {W(), Z()}} {
		a, b := pair[0].Gram(), pair[1].Gram()
		for i := range a {
			near(t, "a Gram matrix's entry", a[i], b[i], 1e-15)
		}
	}
}

func TestSamplesHaveTheirDistributionsMoments(t *testing.T) {
	for name, d := range map[string]Normal{"X": X(), "Y": Y(), "W": W(), "Z": Z()} {
		points, err := d.Sample(rand.New(rand.NewPCG(1, 2)), 100_000)
		if err != nil {
			t.Fatal(err)
		}
		gram := sampleGram(points, 3)
		for i, want := range d.Gram() {
			near(t, name+"'s Gram matrix", gram[i], want, 0.03)
		}
		var mean [3]float64
		for i, x := range points {
			mean[i%3] += x / 100_000
		}
		for i, want := range d.Mean {
			near(t, name+"'s mean", mean[i], want, 0.02)
		}
	}
}

func TestDistanceIsZeroOnlyToItself(t *testing.T) {
	distances, err := Distances(X(), Y(), W(), Z())
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range distances {
		for j, d := range row {
			if (i == j) != (d < 1e-7) {
				t.Errorf("distance of %c and %c is %g", "XYWZ"[i], "XYWZ"[j], d)
			}
		}
	}
}

func TestBrokenTablesAreNoDistances(t *testing.T) {
	if symmetric([][]float64{{0, 1}, {2, 0}}) {
		t.Error("1 ≠ 2 passes as symmetric")
	}
	if triangle([][]float64{{0, 1, 3}, {1, 0, 1}, {3, 1, 0}}) {
		t.Error("3 > 1 + 1 passes the triangle inequality")
	}
}

func TestTiledAndSlicedCostsFollowTheirFormulas(t *testing.T) {
	const n, c = 50_176, 64
	tiled := EssayClouds().Tiled()
	if tiled.Flop != 322_256_764_928 || tiled.Other != n*n {
		t.Errorf("tiled: %d flop, %d exponentials", tiled.Flop, tiled.Other)
	}
	if want := int64(4 * (2*n*c + 8*n)); tiled.Bytes != want {
		t.Errorf("tiled: %d bytes, want %d", tiled.Bytes, want)
	}
	sliced := EssayClouds().Sliced(64)
	if sliced.Flop != 6*n*c*64 || sliced.Bytes != 4*(3*n*c+16*n) {
		t.Errorf("sliced: %d flop, %d bytes", sliced.Flop, sliced.Bytes)
	}
	if few := EssayClouds().Sliced(4); few.Bytes != 4*(3*n*c+4*n) {
		t.Errorf("sliced in 4 directions: %d bytes", few.Bytes)
	}
	near(t, "sliced comparisons", float64(sliced.Other), 2*n*64*15.6147, 1e3)
}

func TestFigureHasAPairUnderEachHeading(t *testing.T) {
	figure, err := Figure(0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, group := range figure.Groups {
		for _, cloud := range group.Clouds {
			names = append(names, cloud.Name)
			if len(cloud.Points) == 0 || len(cloud.Points)%cloud.Dimensions != 0 {
				t.Errorf("%s has %d coordinates", cloud.Name, len(cloud.Points))
			}
		}
	}
	if got := strings.Join(names, " "); got != "X Y W Z" || len(figure.Groups) != 2 {
		t.Errorf("%d groups of %s, want two of X Y W Z", len(figure.Groups), got)
	}
	if d := GramDifference(X(), Z()); d < 0.1 {
		t.Errorf("the Gram matrices of X and Z differ by %g", d)
	}
}
