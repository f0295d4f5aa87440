package cuda

import (
	"context"

	"impasto/cuda/kernels"
)

// Launched is one launch of a kernel, as a Recorder saw it.
type Launched struct {
	kernels.Launch
	// Seconds is the time between an event before and one after the launch, on a device
	// that had nothing else to do.
	Seconds float64
}

// recorderKey is that of a Recorder in a context.
type recorderKey struct{}

// With returns a context in which runs of a GPU's machines are recorded.
func (r *Recorder) With(ctx context.Context) context.Context {
	return context.WithValue(ctx, recorderKey{}, r)
}
