//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"

	"gorgonia.org/cu"

	"impasto/cuda/internal/driver"
	"impasto/cuda/kernels"
	"impasto/device"
	"impasto/internal/optim"
	"impasto/internal/plan"
)

// Device is a GPU. All its work is done on one stream, one call at a time; within a graph
// some of it may go on beside the rest.
type Device struct {
	info      Info
	precision kernels.Precision
	ampere    bool   // leave out what only newer GPUs have
	code      string // of kernels.Architectures, what the kernels are loaded for; empty for PTX
	// polarFrom is how many channels a distribution has at least whose transport map is looked
	// for by float32 first; 0 is none.
	polarFrom int
	// multiprocessors is how many there are.
	multiprocessors int

	mutex     sync.Mutex
	context   cu.CUContext
	stream    cu.Stream
	branches  []cu.Stream // for parts of captured runs that go on beside others
	module    cu.Module
	table     map[reflect.Type]kernel
	functions map[string]cu.Function
	allowed   map[string]int // shared memory that kernels may have beyond 48 KiB
	fault     error          // what stopped the device; nothing works after it
	recorder  *Recorder      // of launches, or nil

	workspace memory // of sums
	pinned    driver.HostMemory
	prepared  map[constantKey]memory // constants of machines so far
	keep      [][]float32            // their values, whose addresses are keys
	foreseen  foreseen               // what comes along with the next run
	known     map[vectorPair]float64 // products of vectors as they are
	made      *optim.AdamStep        // along with the last run
	told      cu.Event               // after which a run has told all that it has to
	spare     memory                 // of machines that were closed
}

var _ plan.Device = (*Device)(nil)

const pinnedBytes = 4096

// precisions are those of the kernels by their names.
var precisions = map[device.Precision]kernels.Precision{
	device.Float32: kernels.F32, device.TensorFloat32: kernels.TF32, device.Float16: kernels.F16, device.BFloat16: kernels.BF16,
}

// NewDevice opens a GPU. It fails with an *UnavailableError where there is none
// that can be used.
func NewDevice(o Options) (plan.Device, error) {
	if o.Precision == "" {
		o.Precision = device.Float32
	}
	if o.Precision == device.AutoPrecision {
		o.Precision = device.Float16
	}
	if err := o.Precision.CheckOn(device.CUDA); err != nil {
		return nil, fmt.Errorf("cuda: %w", err)
	}
	handle, info, err := usable(o.Index)
	if err != nil {
		return nil, err
	}
	d := &Device{
		info: info, precision: precisions[o.Precision],
		ampere: forced("ampere"), polarFrom: polarFrom(info.Capability),
		table: kernelTable(), functions: map[string]cu.Function{}, allowed: map[string]int{}, prepared: map[constantKey]memory{},
	}
	if d.multiprocessors, err = handle.Attribute(cu.MultiprocessorCount); err != nil {
		return nil, d.explain("count the multiprocessors of "+info.Name, err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if d.context, err = handle.MakeContext(cu.SchedAuto); err != nil {
		return nil, d.explain("open "+info.Name, err)
	}
	if err := d.prepare(); err != nil {
		err = d.explain("open "+info.Name, err)
		return nil, errors.Join(err, d.release())
	}
	return d, nil
}

// forced tells whether the environment asks for a way that another GPU takes: IMPASTO_CUDA has
// names with commas between them.
func forced(way string) bool {
	return slices.Contains(strings.Split(os.Getenv("IMPASTO_CUDA"), ","), way)
}

// prepare makes what every use of the device needs.
func (d *Device) prepare() (err error) {
	if d.stream, err = cu.MakeStream(cu.NonBlocking); err != nil {
		return err
	}
	if err = d.load(); err != nil {
		return err
	}
	if d.pinned, err = driver.NewHostMemory(pinnedBytes); err != nil {
		return err
	}
	if d.told, err = cu.MakeEvent(cu.DisableTiming); err != nil {
		return err
	}
	d.workspace, err = d.allocate("workspace", workspaceBytes)
	return err
}

// Name implements plan.Device.
func (d *Device) Name() string {
	return fmt.Sprintf("cuda:%d (%s, %s)", d.info.Index, d.info.Name, d.precision)
}

// Arithmetic implements plan.Device. Cards of another kind add in another order.
func (d *Device) Arithmetic() string {
	return fmt.Sprintf("cuda (%s, %s)", d.info.Name, d.precision)
}

// Available implements plan.Device: what is free, and what the device keeps for reuse.
func (d *Device) Available() (bytes int64, known bool) {
	err := d.look("look for free memory", func() (err error) {
		bytes, _, err = cu.MemInfo()
		return err
	})
	return bytes + int64(d.spare.bytes), err == nil
}

// OnHost implements plan.Device.
func (d *Device) OnHost() bool { return false }

// Close implements plan.Device.
func (d *Device) Close() error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.context == (cu.CUContext{}) {
		return nil
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cu.SetCurrentContext(d.context); err != nil {
		return d.explain("close", err)
	}
	return d.release()
}

// release frees all that the device has, in its context. After a fault there is
// nothing to free: the context takes all with it.
func (d *Device) release() error {
	var failed []error
	if d.fault == nil {
		for _, m := range d.prepared {
			failed = append(failed, m.free())
		}
		failed = append(failed, d.workspace.free(), d.spare.free(), d.pinned.Free())
		if d.module != (cu.Module{}) {
			failed = append(failed, d.module.Unload())
		}
		for _, branch := range d.branches {
			failed = append(failed, branch.Destroy())
		}
		if d.told != (cu.Event{}) {
			failed = append(failed, cu.DestroyEvent(&d.told))
		}
		if d.stream != (cu.Stream{}) {
			failed = append(failed, d.stream.Destroy())
		}
	}
	err := d.context.Destroy()
	if d.fault == nil {
		failed = append(failed, err)
	}
	d.prepared, d.keep, d.workspace, d.spare, d.functions = nil, nil, memory{}, memory{}, nil
	return errors.Join(failed...)
}

var errClosed = errors.New("cuda: the device is closed")

// do runs f with the device's context current. What f issues may run later than
// do returns; an error that the device has met stays.
func (d *Device) do(doing string, f func() error) error {
	return d.look(doing, func() error {
		d.known = nil
		return f()
	})
}

// look does the same with what leaves vectors as they are.
func (d *Device) look(doing string, f func() error) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.fault != nil {
		return d.fault
	}
	if d.context == (cu.CUContext{}) {
		return errClosed
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cu.SetCurrentContext(d.context); err != nil {
		return d.explain(doing, err)
	}
	return d.explain(doing, f())
}

// failed tells whether the device has met a fault that stays.
func (d *Device) failed() bool {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.fault != nil
}

// explain says what was being done when the driver failed, and what may help.
// Faults of the device's own make all later calls fail with the same error.
func (d *Device) explain(doing string, err error) error {
	var tooLarge *MemoryError
	var unavailable *UnavailableError
	if err == nil || errors.As(err, &tooLarge) || errors.As(err, &unavailable) {
		return err
	}
	status := driver.StatusOf(err)
	switch status {
	case 0: // not the driver's
		return fmt.Errorf("cuda: %s: %w", doing, err)
	case driver.OutOfMemory:
		return fmt.Errorf("cuda: %s: the GPU's memory doesn't suffice (%w); make the picture smaller, or end other programs that use this GPU", doing, status)
	}
	err = fmt.Errorf("cuda: %s: the GPU (%s) failed: %w (status %d); see nvidia-smi and the system's log for its state", doing, d.info.Name, status, int(status))
	if status.Stops() {
		d.fault = err
	}
	return err
}

// function returns the kernel of that name.
func (d *Device) function(name string, shared int) (cu.Function, error) {
	f, ok := d.functions[name]
	if !ok {
		var err error
		if f, err = d.module.Function(name); err != nil {
			return f, fmt.Errorf("find the kernel %s: %w", name, err)
		}
		d.functions[name] = f
	}
	if shared > max(48<<10, d.allowed[name]) {
		if err := driver.AllowShared(f, shared); err != nil {
			return f, fmt.Errorf("give the kernel %s %d bytes of shared memory: %w", name, shared, err)
		}
		d.allowed[name] = shared
	}
	return f, nil
}
