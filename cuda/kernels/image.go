//go:build gpu

package kernels

import _ "embed"

// Image is the fat binary of all kernels, for the driver's module loader: code for
// compute capability 8.0 and 9.0, and PTX that the driver compiles for later ones.
//
//go:embed kernels.fatbin
var Image string
