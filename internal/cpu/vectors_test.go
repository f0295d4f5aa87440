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
			"dot": func(on optim.Vectors, v []optim.Vector) {
				dot, err := on.Dot(v[0], v[1])
				if err != nil {
					t.Fatal(err)
				}
				v[0].(optim.HostVector)[0] = float32(dot)
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
