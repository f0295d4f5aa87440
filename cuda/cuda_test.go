//go:build gpu && cgo && linux

package cuda

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"impasto/cuda/standin"
	"impasto/device"
	"impasto/internal/optim"
)

func TestMain(m *testing.M) { os.Exit(standin.Main(m)) }

// testedPrecisions are those that tests go through: with -short float32 and float16 alone, since
// the others' kernels come from the same sources.
func testedPrecisions(t *testing.T) (names []device.Precision) {
	t.Helper()
	for _, row := range device.Precisions {
		if !testing.Short() || row.Name == device.Float32 || row.Name == device.Float16 {
			names = append(names, row.Name)
		}
	}
	return names
}

// open opens a device and checks, when the test ends, that closing it frees all.
func open(t *testing.T, o Options) *Device {
	t.Helper()
	d, err := NewDevice(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d.(*Device)
}

func random(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(r.NormFloat64())
	}
	return values
}

// near compares with a tolerance in units of the root mean square of want.
func near(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	var squares float64
	for _, v := range want {
		squares += float64(v) * float64(v)
	}
	size := math.Sqrt(squares/float64(len(want))) + 1e-30
	for i, v := range want {
		if d := math.Abs(float64(got[i])-float64(v)) / size; !(d <= tolerance) {
			t.Errorf("%s: element %d is %g, want %g, off by %.2g of the root mean square", what, i, got[i], v, d)
			return
		}
	}
}

func TestVectorsMatchTheHosts(t *testing.T) {
	for _, n := range []int{1, 255, 1000, 70001} {
		values := [4][]float32{random(1, n), random(2, n), random(3, n), random(4, n)}
		for i, v := range values[3] {
			values[3][i] = v * v
		}
		for name, act := range map[string]func(on optim.Vectors, v []optim.Vector){
			"scale":      func(on optim.Vectors, v []optim.Vector) { on.Scale(1.5, v[0]) },
			"add scaled": func(on optim.Vectors, v []optim.Vector) { on.AddScaled(v[0], -0.3, v[1]) },
			"copy":       func(on optim.Vectors, v []optim.Vector) { on.Copy(v[0], v[1]) },
			"clamp":      func(on optim.Vectors, v []optim.Vector) { on.Clamp(v[0], -0.5, 0.7) },
			"average":    func(on optim.Vectors, v []optim.Vector) { on.Average(v[0], 0.99, v[1]) },
			"adam": func(on optim.Vectors, v []optim.Vector) {
				on.AdamStep(optim.AdamStep{Point: v[0], Gradient: v[1], Mean: v[2], Square: v[3],
					StepSize: 0.02, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Iteration: 3})
			},
			"adam within bounds": func(on optim.Vectors, v []optim.Vector) {
				on.AdamStep(optim.AdamStep{Point: v[0], Gradient: v[1], Mean: v[2], Square: v[3],
					StepSize: 0.02, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Iteration: 3, Bounds: optim.Bounds{Low: -0.5, High: 0.7}})
			},
		} {
			d := open(t, Options{})
			want := run(t, optim.Host{}, values, act)
			got := run(t, d, values, act)
			for i := range want {
				near(t, name, got[i], want[i], 1e-5)
			}
		}
	}
}

func run(t *testing.T, on optim.Vectors, values [4][]float32, act func(on optim.Vectors, v []optim.Vector)) (results [4][]float32) {
	t.Helper()
	var made []optim.Vector
	for _, v := range values {
		vector, err := on.NewVector(len(v))
		if err != nil {
			t.Fatal(err)
		}
		defer on.Free(vector)
		if err := on.Upload(vector, v); err != nil {
			t.Fatal(err)
		}
		made = append(made, vector)
	}
	act(on, made)
	for i, v := range made {
		results[i] = make([]float32, v.Len())
		if err := on.Download(results[i], v); err != nil {
			t.Fatal(err)
		}
	}
	return results
}

func TestDotIsSummedInDoublePrecision(t *testing.T) {
	d := open(t, Options{})
	for _, n := range []int{1, 300, 100_000} {
		values := [4][]float32{random(1, n), random(2, n)}
		dot := func(on optim.Vectors) (dot float64) {
			run(t, on, values, func(on optim.Vectors, v []optim.Vector) {
				var err error
				if dot, err = on.Dot(v[0], v[1]); err != nil {
					t.Fatal(err)
				}
			})
			return dot
		}
		if got, want := dot(d), dot(optim.Host{}); math.Abs(got-want) > 1e-12*float64(n) {
			t.Errorf("of %d elements: %v, want %v", n, got, want)
		}
	}
}

// smoothings are of planes of odd shapes, and ones that smooth nothing.
var smoothings = []struct {
	planes int
	optim.Smoothing
}{
	{1, optim.Smoothing{Width: 4, Height: 4, Levels: 1, Gain: 0.35}},
	{3, optim.Smoothing{Width: 5, Height: 7, Levels: 4, Gain: 0.35}},
	{3, optim.Smoothing{Width: 37, Height: 22, Levels: 2, Gain: 0.5}},
	{2, optim.Smoothing{Width: 129, Height: 130, Levels: 40, Gain: 0.35}},
	{3, optim.Smoothing{Width: 6, Height: 301, Levels: 4, Gain: 1}},
	{3, optim.Smoothing{Width: 3, Height: 50, Levels: 4, Gain: 0.35}}, // too narrow to have coarser grids
	{3, optim.Smoothing{Width: 20, Height: 20, Levels: 4}},
	{0, optim.Smoothing{Width: 20, Height: 20, Levels: 4, Gain: 0.35}},
}

func TestSmoothingMatchesTheHosts(t *testing.T) {
	d := open(t, Options{})
	for _, s := range smoothings {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			n := s.planes * s.Width * s.Height
			values := [4][]float32{random(1, n), random(2, n), random(3, n)}
			smooth := func(on optim.Vectors) (results [4][]float32, square float64) {
				results = run(t, on, values, func(on optim.Vectors, v []optim.Vector) {
					var err error
					if square, err = on.SmoothedSquare(v[0], v[1], s.Smoothing); err != nil {
						t.Fatal(err)
					}
					if err = on.Smooth(v[2], v[1], s.Smoothing); err != nil {
						t.Fatal(err)
					}
				})
				return results, square
			}
			got, square := smooth(d)
			want, wantSquare := smooth(optim.Host{})
			near(t, "smoothed", got[2], want[2], 1e-5)
			near(t, "what the square is of", got[0], values[0], 0)
			// The host's is of a smoothed vector, which is rounded to float32.
			if !(math.Abs(square-wantSquare) <= 1e-6*wantSquare) {
				t.Errorf("the square is %v, want %v", square, wantSquare)
			}
		})
	}
}

// TestMeasuresOfAStepAreItsProducts compares what comes in one wait with what comes in two.
func TestMeasuresOfAStepAreItsProducts(t *testing.T) {
	d := open(t, Options{})
	for _, s := range smoothings {
		n := s.planes * s.Width * s.Height
		run(t, d, [4][]float32{random(1, n), random(2, n), random(3, n)}, func(_ optim.Vectors, v []optim.Vector) {
			want, err := d.Dots([2]optim.Vector{v[0], v[0]}, [2]optim.Vector{v[0], v[1]}, [2]optim.Vector{v[1], v[1]})
			if err != nil {
				t.Fatal(err)
			}
			square, err := d.SmoothedSquare(v[1], v[2], s.Smoothing)
			if err != nil {
				t.Fatal(err)
			}
			ss, sy, yy, smoothed, err := d.Measure(v[0], v[1], v[2], s.Smoothing)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := []float64{ss, sy, yy, smoothed}, append(want, square); !slices.Equal(got, want) {
				t.Errorf("%v: %v, want %v", s, got, want)
			}
		})
	}
}

// direction is what the two-loop recursion makes of a vector, under a history of so many
// pairs.
func direction(t *testing.T, on optim.Vectors, n, length int, s optim.Smoothing) []float32 {
	t.Helper()
	vector := func(values []float32) optim.Vector {
		v, err := on.NewVector(n)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { on.Free(v) })
		if err := on.Upload(v, values); err != nil {
			t.Fatal(err)
		}
		return v
	}
	room := vector(random(2, n))
	var history []optim.Curvature
	for i := range length {
		step, change := random(uint64(2*i+5), n), random(uint64(2*i+6), n)
		for k, s := range step { // curvatures of 0.5 to 1.5
			change[k] = s * (1 + 0.5*float32(math.Sin(float64(change[k]))))
		}
		p := optim.Curvature{Step: vector(step), Change: vector(change)}
		var err error
		if p.Product, err = on.Dot(p.Step, p.Change); err != nil {
			t.Fatal(err)
		}
		if p.Square, err = on.SmoothedSquare(p.Change, room, s); err != nil {
			t.Fatal(err)
		}
		history = append(history, p)
	}
	q := vector(random(1, n))
	if err := on.TwoLoop(q, room, history, s); err != nil {
		t.Fatal(err)
	}
	values := make([]float32, n)
	if err := on.Download(values, q); err != nil {
		t.Fatal(err)
	}
	return values
}

// TestTheTwoLoopRecursionMatchesTheHosts takes histories of several lengths, the
// longest longer than the GPU has room for.
func TestTheTwoLoopRecursionMatchesTheHosts(t *testing.T) {
	d := open(t, Options{})
	matches := func(n, length int, s optim.Smoothing) {
		t.Run(fmt.Sprint(n, " elements, ", length, " pairs, ", s), func(t *testing.T) {
			near(t, "direction", direction(t, d, n, length, s), direction(t, optim.Host{}, n, length, s), 2e-4)
		})
	}
	for _, length := range []int{0, 1, 2, 10, mostPairs + 1} {
		for _, n := range []int{3, 1000, 70001} {
			if length <= 10 || n <= 1000 {
				matches(n, length, optim.Smoothing{})
			}
		}
		for _, s := range smoothings {
			if n := s.planes * s.Width * s.Height; length <= 10 || n <= 1000 {
				matches(n, length, s.Smoothing)
			}
		}
	}
}

// TestDirectionsAreTheSameFromRunToRun finds one under a smoothing twice.
func TestDirectionsAreTheSameFromRunToRun(t *testing.T) {
	d := open(t, Options{})
	s := optim.Smoothing{Width: 37, Height: 22, Levels: 4, Gain: 0.35}
	n := 3 * s.Width * s.Height
	near(t, "direction", direction(t, d, n, 3, s), direction(t, d, n, 3, s), 0)
}

func TestProductsOfManyPairsComeBackInTheirOrder(t *testing.T) {
	d := open(t, Options{})
	var vectors [3]optim.Vector
	for i := range vectors {
		v, err := d.NewVector(500)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Free(v)
		if err := d.Upload(v, random(uint64(i), 500)); err != nil {
			t.Fatal(err)
		}
		vectors[i] = v
	}
	var pairs [][2]optim.Vector
	for i := range 3*mostDots + 1 {
		pairs = append(pairs, [2]optim.Vector{vectors[i%3], vectors[i/3%3]})
	}
	got, err := d.Dots(pairs...)
	if err != nil {
		t.Fatal(err)
	}
	for i, pair := range pairs {
		if want, err := d.Dot(pair[0], pair[1]); err != nil || got[i] != want {
			t.Errorf("product %d is %v, want %v (%v)", i, got[i], want, err)
		}
	}
}

func TestNewVectorsAreZero(t *testing.T) {
	d := open(t, Options{})
	v, err := d.NewVector(1000)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Free(v)
	got := random(1, 1000)
	if err := d.Download(got, v); err != nil {
		t.Fatal(err)
	}
	near(t, "a new vector", got, make([]float32, 1000), 0)
}

// TestWhatCannotBeUsedIsExplained opens devices of machines that lack something.
func TestWhatCannotBeUsedIsExplained(t *testing.T) {
	for _, c := range []struct {
		name, environment string
		index             int
		want              []string
	}{
		{"no GPU", "STANDIN_INIT=100", 0, []string{"finds no GPU", "nvidia-smi"}},
		{"no permission", "STANDIN_INIT=999", 0, []string{"doesn't start", "CUDA_ERROR_UNKNOWN", "/dev/nvidia0"}},
		{"old driver", "STANDIN_DRIVER=11080", 0, []string{"too old", "CUDA 11.8", "12.0", "525"}},
		{"old GPU", "STANDIN_CAPABILITY=7.5", 0, []string{"stand-in 0", "7.5", "8.0"}},
		{"index", "STANDIN_DEVICES=2", 2, []string{"no GPU 2", "has 2"}},
		{"no driver", "LD_LIBRARY_PATH=", 0, []string{"no NVIDIA driver", "libcuda.so.1", "525"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !standin.Again(t, c.environment) {
				return
			}
			_, err := NewDevice(Options{Index: c.index})
			if _, ok := err.(*UnavailableError); !ok {
				t.Fatalf("error %v, want an UnavailableError", err)
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q, want %q in it", err, part)
				}
			}
		})
	}
}

func TestDevicesAreListed(t *testing.T) {
	if !standin.Again(t, "STANDIN_DEVICES=3", "STANDIN_CAPABILITY=7.5") {
		return
	}
	infos, err := Devices()
	if err != nil {
		t.Fatal(err)
	}
	if len(infos) != 3 || infos[2].Name != "stand-in 2" || infos[2].Capability != "7.5" || infos[2].Driver != "13.0" ||
		infos[2].Memory != 4<<30 || !strings.Contains(infos[2].Problem, "8.0") {
		t.Errorf("devices %+v, want three stand-ins that are too old", infos)
	}
}

func TestAutoPrecisionIsFloat16(t *testing.T) {
	if name := open(t, Options{Precision: device.AutoPrecision}).Name(); !strings.HasSuffix(name, ", f16)") {
		t.Errorf("the device is %s, want one in f16", name)
	}
}

func TestPrecisionsAreChecked(t *testing.T) {
	if _, err := NewDevice(Options{Precision: "f8"}); err == nil || !strings.Contains(err.Error(), `"f8"`) {
		t.Errorf("error %v, want one that names f8", err)
	}
}
