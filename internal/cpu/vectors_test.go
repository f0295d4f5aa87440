package cpu

import (
	"math"
	"math/rand/v2"
	"testing"

	"impasto/internal/optim"
)

func TestVectorsComputeWhatTheHostDoes(t *testing.T) {
	device, err := NewDevice(Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	for _, n := range []int{1, 15, 16, 17, 1000, 40000} {
		vectors := func() []optim.Vector {
			r := rand.New(rand.NewPCG(uint64(n), 1))
			made := make([]optim.Vector, 4)
			for k := range made {
				v := make(optim.HostVector, n)
				for i := range v {
					v[i] = float32(r.NormFloat64())
					if k == 3 {
						v[i] = max(v[i], -v[i]) // a mean square
					}
				}
				made[k] = v
			}
			return made
		}
		for name, apply := range map[string]func(optim.Vectors, []optim.Vector){
			"scale":      func(on optim.Vectors, v []optim.Vector) { on.Scale(0.7, v[0]) },
			"add scaled": func(on optim.Vectors, v []optim.Vector) { on.AddScaled(v[0], -1.3, v[1]) },
			"clamp":      func(on optim.Vectors, v []optim.Vector) { on.Clamp(v[0], -0.5, 0.25) },
			"average":    func(on optim.Vectors, v []optim.Vector) { on.Average(v[0], 0.99, v[1]) },
			"adam": func(on optim.Vectors, v []optim.Vector) {
				on.AdamStep(optim.AdamStep{Point: v[0], Gradient: v[1], Mean: v[2], Square: v[3],
					StepSize: 0.02, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Iteration: 3})
			},
			"adam within bounds": func(on optim.Vectors, v []optim.Vector) {
				on.AdamStep(optim.AdamStep{Point: v[0], Gradient: v[1], Mean: v[2], Square: v[3],
					StepSize: 0.02, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Iteration: 3, Bounds: optim.Bounds{Low: -0.5, High: 0.7}})
			},
			"dot": func(on optim.Vectors, v []optim.Vector) {
				dot, err := on.Dot(v[0], v[1])
				if err != nil {
					t.Fatal(err)
				}
				v[0].(optim.HostVector)[0] = float32(dot)
			},
			"dot of compact": func(on optim.Vectors, v []optim.Vector) {
				c := packed(t, on, v[1], v[2])
				x, err := on.Dot(c, v[0])
				if err != nil {
					t.Fatal(err)
				}
				xx, err := on.Dot(c, c)
				if err != nil {
					t.Fatal(err)
				}
				v[0].(optim.HostVector)[0], v[1].(optim.HostVector)[0] = float32(x), float32(xx)
			},
			"pack alone": func(on optim.Vectors, v []optim.Vector) {
				c := packed(t, on, v[0], nil)
				if err := on.Download(v[1].(optim.HostVector), c); err != nil {
					t.Fatal(err)
				}
			},
			"add compact": func(on optim.Vectors, v []optim.Vector) {
				on.AddScaled(v[0], -1.3, packed(t, on, v[1], v[2]))
			},
			"upload and download compact": func(on optim.Vectors, v []optim.Vector) {
				c := packed(t, on, v[1], v[1])
				if err := on.Upload(c, v[0].(optim.HostVector)); err != nil {
					t.Fatal(err)
				}
				if err := on.Download(v[1].(optim.HostVector), c); err != nil {
					t.Fatal(err)
				}
			},
			"smooth": func(on optim.Vectors, v []optim.Vector) {
				s := optim.Smoothing{Width: v[0].Len(), Height: 1, Levels: 2, Gain: 0.4}
				if n := v[0].Len(); n >= 1000 {
					s = optim.Smoothing{Width: n / 40, Height: 20, Levels: 3, Gain: 0.4}
				}
				if err := on.Smooth(v[0], v[1], s); err != nil {
					t.Fatal(err)
				}
				if err := on.Smooth(v[2], packed(t, on, v[3], nil), s); err != nil {
					t.Fatal(err)
				}
				square, err := on.SmoothedSquare(v[3], v[1], s)
				if err != nil {
					t.Fatal(err)
				}
				halves, err := on.SmoothedSquare(packed(t, on, v[3], nil), packed(t, on, v[2], nil), s)
				if err != nil {
					t.Fatal(err)
				}
				clear(v[1].(optim.HostVector))
				v[3].(optim.HostVector)[0], v[1].(optim.HostVector)[0] = float32(square), float32(halves)
			},
			"copy compact": func(on optim.Vectors, v []optim.Vector) {
				on.Copy(v[1], packed(t, on, v[0], nil))
			},
			"pack from compact": func(on optim.Vectors, v []optim.Vector) {
				c := packed(t, on, v[0], packed(t, on, v[1], nil))
				if err := on.Download(v[2].(optim.HostVector), c); err != nil {
					t.Fatal(err)
				}
			},
			"dots of differences with compact": func(on optim.Vectors, v []optim.Vector) {
				c, x := on.Compact(), packed(t, on, v[3], nil)
				dot, err := c.DotDifference(x, v[1], v[2])
				if err != nil {
					t.Fatal(err)
				}
				xx, xz, zz, err := c.DotDifferences(v[0], v[1], v[2], x)
				if err != nil {
					t.Fatal(err)
				}
				for k, sum := range []float64{dot, xx, xz, zz} {
					v[k].(optim.HostVector)[0] = float32(sum)
				}
			},
			"dots of differences": func(on optim.Vectors, v []optim.Vector) {
				c := on.Compact()
				dot, err := c.DotDifference(v[0], v[1], v[2])
				if err != nil {
					t.Fatal(err)
				}
				xx, xz, zz, err := c.DotDifferences(v[0], v[1], v[2], v[3])
				if err != nil {
					t.Fatal(err)
				}
				for k, sum := range []float64{dot, xx, xz, zz} {
					v[k].(optim.HostVector)[0] = float32(sum)
				}
			},
		} {
			got, want := vectors(), vectors()
			apply(device, got)
			apply(optim.Host{}, want)
			for k := range got {
				for i, v := range got[k].(optim.HostVector) {
					w := want[k].(optim.HostVector)[i]
					// Fused multiply-add rounds once where the loops round twice.
					if math.Abs(float64(v-w)) > 1e-6*max(1, math.Abs(float64(w))) {
						t.Fatalf("%s of %d: vector %d has %g at %d, want %g", name, n, k, v, i, w)
					}
				}
			}
		}
	}
}

// packed is x − y in 16 bits, in units of 2⁻⁵.
func packed(t *testing.T, on optim.Vectors, x, y optim.Vector) *optim.Compact {
	c, err := on.Compact().NewCompact(x.Len())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { on.Free(c) })
	on.Compact().Pack(c, 1./32, x, y)
	return c
}
