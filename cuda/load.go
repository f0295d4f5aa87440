//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"errors"
	"fmt"
	"os"

	"impasto/cuda/internal/driver"
	"impasto/cuda/kernels"
)

// load loads the kernels: machine code for the device's generation, or else PTX, which
// the driver compiles, for half a minute or so when it sees it first.
func (d *Device) load() error {
	var image []byte
	var err error
	if os.Getenv("IMPASTO_CUDA_PTX") != "1" {
		d.code = kernels.Architecture(d.info.Capability)
	}
	if d.code == "" {
		image, err = kernels.PTX()
	} else {
		image, err = kernels.Cubin(d.code)
	}
	if err != nil {
		return err
	}
	if d.module, err = driver.LoadModule(image); err == nil {
		return nil
	}
	var refused *driver.LoadError
	if !errors.As(err, &refused) || refused.Status == driver.OutOfMemory {
		return fmt.Errorf("load the kernels: %w", err)
	}
	what, help := fmt.Sprintf("load the kernels' machine code for architecture %s", d.code), ", or set IMPASTO_CUDA_PTX=1, so that it compiles them itself"
	if d.code == "" {
		what, help = "compile the kernels' PTX", "; on Linux its compiler is libnvidia-ptxjitcompiler.so.1"
	}
	return &UnavailableError{fmt.Sprintf("the NVIDIA driver (CUDA %s) can't %s for GPU %d (%s, compute capability %s): %v; install a newer driver, all of it%s",
		d.info.Driver, what, d.info.Index, d.info.Name, d.info.Capability, refused, help)}
}
