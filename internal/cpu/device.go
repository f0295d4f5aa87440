// Package cpu runs schedules on the processor. A machine binds every step of a
// schedule to a kernel of package kernels, or to the definition in package pure
// where there is none. Results are the same bit by bit for any number of threads.
package cpu

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"sync"
	"time"

	"impasto/device"
	"impasto/internal/cpu/kernels"
	"impasto/internal/memory"
	"impasto/internal/optim"
	"impasto/internal/plan"
)

// Device is the processor.
type Device struct {
	optim.Host
	workers *kernels.Workers
	exact   bool
	method  kernels.Method // of convolutions
	float16 bool           // features between steps
	// prepared are the convolutions of machines so far, by their filters: one
	// network serves the machines of every scale.
	prepared map[filterKey]prepared
	spare    []byte // memory of machines that were closed
	closed   bool
	// workspaces are what Gaussian losses work with. Those that run at a time may ask for
	// theirs at a time.
	workspaces     map[workspaceKey]*transportWorkspace
	workspacesLock sync.Mutex
	lines          *lineWorkspace // what sliced losses work with
	kernels        map[reflect.Type]kernel
	memory         func() (available int64, known bool)
}

// Options are the settings of a device. The zero value is good.
type Options struct {
	Threads int // 0 takes all cores
	// Exact computes convolutions directly, without Winograd's algorithm: some
	// three times slower, and off by 1e-6 instead of 1e-5 through the network. A
	// smaller error flips fewer of the units that are nearly zero or nearly equal,
	// and it is such flips that show in a gradient.
	Exact bool
	// Precision is f32 where empty. AutoPrecision is BFloat16 with AMX, whose products
	// round once, and else Float32. BFloat16 multiplies numbers of 8 bits' precision
	// in convolutions, for processors that do so at twice the rate. Float16 keeps
	// features that the network makes in 16 bits, as kernels.Half, in some three quarters
	// of the arena; arithmetic and cotangents stay float32. Exact overrides both.
	Precision device.Precision
}

// NewDevice returns the processor. It fails on a precision that the processor doesn't
// know, and on BFloat16 where it lacks the instructions.
func NewDevice(o Options) (plan.Device, error) {
	precision := cmp.Or(o.Precision, device.Float32)
	if err := precision.CheckOn(device.CPU); err != nil {
		return nil, fmt.Errorf("cpu: %w", err)
	}
	workers, err := kernels.NewWorkers(o.Threads)
	if err != nil {
		return nil, err
	}
	if precision == device.AutoPrecision {
		precision = device.Float32
		if workers.HasTiles() {
			precision = device.BFloat16
		}
	}
	method := kernels.Fastest
	switch {
	case o.Exact:
		method = kernels.Direct
	case precision == device.BFloat16:
		method = kernels.BFloat16
		if err := workers.CheckBFloat16(); err != nil {
			workers.Close()
			return nil, err
		}
	}
	return &Device{
		workers:    workers,
		exact:      o.Exact,
		method:     method,
		float16:    precision == device.Float16 && !o.Exact,
		prepared:   map[filterKey]prepared{},
		workspaces: map[workspaceKey]*transportWorkspace{},
		lines:      newLineWorkspace(workers.Threads()),
		kernels:    kernelTable(),
		memory:     memory.Available,
	}, nil
}

// Name implements plan.Device.
func (d *Device) Name() string {
	name := fmt.Sprintf("cpu (%s, %d threads", d.workers.ISA(), d.workers.Threads())
	switch {
	case d.float16:
		name += ", " + string(device.Float16)
	case d.method == kernels.BFloat16:
		name += ", " + string(device.BFloat16)
	}
	return name + ")"
}

// Arithmetic implements plan.Device: results don't depend on the number of threads.
func (d *Device) Arithmetic() string { return fmt.Sprintf("cpu (%s)", d.workers.Arithmetic(d.method)) }

// Close implements plan.Device.
func (d *Device) Close() error {
	spare := d.spare
	d.spare, d.closed = nil, true
	d.workers.Close()
	for _, workspace := range d.workspaces {
		workspace.workers.Close()
	}
	return memory.Free(spare)
}

// MatrixRate implements plan.Device: the best of several products of 1024×1024
// matrices.
func (d *Device) MatrixRate() (float64, error) {
	const n, runs = 1024, 7
	a, b, c := make([]float32, n*n), make([]float32, n*n), make([]float32, n*n)
	for i := range a {
		a[i], b[i] = float32(i%7), float32(i%5)
	}
	best := math.Inf(1)
	for range runs {
		began := time.Now()
		kernels.MatrixProduct32(d.workers, c, a, b, n, n, n)
		best = min(best, time.Since(began).Seconds())
	}
	return 2 * n * n * n / best, nil
}

// workspaceKey tells apart what Gaussian losses of so many channels work with: those
// that run at a time have seats of their own, and threads of their own, or, with
// none, the device's.
type workspaceKey struct{ channels, seat, threads int }

// transportWorkspace returns what a Gaussian loss works with, which all machines share.
func (d *Device) transportWorkspace(key workspaceKey) (*transportWorkspace, error) {
	d.workspacesLock.Lock()
	defer d.workspacesLock.Unlock()
	if workspace, ok := d.workspaces[key]; ok {
		return workspace, nil
	}
	workers := d.workers
	if key.threads > 0 {
		var err error
		if workers, err = kernels.NewWorkers(key.threads); err != nil {
			return nil, err
		}
	}
	workspace, err := newTransportWorkspace(workers, key.channels)
	if err == nil {
		d.workspaces[key] = workspace
	}
	return workspace, err
}
