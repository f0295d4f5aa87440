//go:build !(gpu && cgo && (linux || windows))

package cuda

import "impasto/internal/plan"

var notBuilt = &UnavailableError{"this program was built without GPU support; it is there for Linux and Windows, " +
	"built with the tag gpu and a C compiler (make build does that where it can)"}

// Built tells whether the program can use GPUs.
const Built = false

// Devices lists the GPUs of the machine. It fails with an *UnavailableError where
// there is no driver that works, or none can be used by this program.
func Devices() ([]Info, error) { return nil, notBuilt }

// NewDevice opens a GPU. It fails with an *UnavailableError where there is none
// that can be used.
func NewDevice(Options) (plan.Device, error) { return nil, notBuilt }
