//go:build gpu && cgo && linux

package kernels_test

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"sync"
	"testing"

	"impasto/cuda/kernels/host"
	"impasto/cuda/kernels/ondevice"
	"impasto/cuda/standin"
)

// machine runs the kernels: the emulation, or a GPU where IMPASTO_GPU is set.
type machine interface {
	Launch(name string, grid, block host.Dim, shared int, arguments ...any) error
	TensorMap(tensor host.Memory, brain bool, sizes, box []int) (host.Memory, error)
	SetOrder(host.Order)
	Kernels() []string
}

// build opens the kernels, once: as they are compiled for the host, in what stands in for a
// driver, or on a GPU. That happens within tests, for the go command's cache of their results to
// see what is read.
var build = sync.OnceValues(func() (machine, error) {
	if standin.Real() {
		return ondevice.Open()
	}
	path, err := standin.Library()
	if err != nil {
		return nil, err
	}
	return host.Open(path)
})

func library(t *testing.T) machine {
	t.Helper()
	l, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// needsHopper skips a test on GPUs that haven't what kernels for compute capability 9.0 use.
func needsHopper(t *testing.T) {
	t.Helper()
	if d, real := library(t).(*ondevice.Device); real && d.Architecture != "90a" {
		t.Skip("the GPU isn't of compute capability 9.0")
	}
}

// launched are the kernels that tests have run.
var launched = map[string]bool{}

// TestMain fails where there is a kernel that no test runs, unless not all tests were
// asked for, and where accesses of hot kernels meet on banks of shared memory.
func TestMain(m *testing.M) {
	status := m.Run()
	if status == 0 && !standin.Real() && flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == "" {
		l, err := build()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		for _, name := range l.Kernels() {
			if !launched[name] {
				fmt.Fprintf(os.Stderr, "no test runs the kernel %s\n", name)
				status = 1
			}
		}
	}
	for _, conflict := range conflicts() {
		fmt.Fprintln(os.Stderr, conflict)
		status = 1
	}
	os.Exit(status)
}

// TestEveryKernelHasAFunction looks whether launches.go names each entry point that a
// compiler finds.
func TestEveryKernelHasAFunction(t *testing.T) {
	named := launchable(t)
	for _, name := range library(t).Kernels() {
		if !named[name] {
			t.Errorf("no function launches the kernel %s", name)
		}
	}
}

// inEveryOrder runs a test once for each order of threads, in which races show. Where
// kernels are checked for races one order is enough.
func inEveryOrder(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	orders := host.Orders
	if host.Checked() || standin.Real() {
		orders = host.Forward + 1
	}
	for order := range orders {
		library(t).SetOrder(order)
		test(t)
	}
	library(t).SetOrder(host.Forward)
}

func launch(t *testing.T, name string, grid, block host.Dim, shared int, arguments ...any) {
	t.Helper()
	launched[name] = true
	run := func() {
		if err := library(t).Launch(name, grid, block, shared, arguments...); err != nil {
			t.Fatal(err)
		}
	}
	if !host.Checked() || !isHot(name) {
		run()
		return
	}
	countBanks(library(t).(*host.Library), name, run)
}

func normal(n int, seed uint64) []float32 {
	random := rand.New(rand.NewPCG(seed, 1))
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(random.NormFloat64())
	}
	return values
}

type number interface{ ~float32 | ~float64 }

// near fails unless got is want to within tolerance times want's root mean square or
// the element, whichever is larger, and what follows in got, padding, isn't touched.
func near[G, W number](t *testing.T, what string, got []G, want []W, tolerance float64) {
	t.Helper()
	var squares float64
	for _, v := range want {
		squares += float64(v) * float64(v)
	}
	size := math.Sqrt(squares/float64(len(want))) + 1e-30
	for i, v := range want {
		if d := math.Abs(float64(got[i])-float64(v)) / max(size, math.Abs(float64(v))); !(d <= tolerance) {
			t.Fatalf("%s: element %d is %g, want %g, off by %.2g, want %.2g at most", what, i, got[i], v, d, tolerance)
		}
	}
	for i := len(want); i < len(got); i++ {
		if got[i] == got[i] {
			t.Fatalf("%s: wrote %g past the end", what, got[i])
		}
	}
}
