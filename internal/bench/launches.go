package bench

import (
	"context"
	"errors"
	"fmt"

	"impasto/cuda"
	"impasto/cuda/kernels"
	"impasto/model"
)

// LaunchTiming is what one launch of a kernel takes, which an iteration makes on a GPU.
type LaunchTiming struct {
	Kernel string `json:"kernel"`
	// Grid and Block have three sizes each, and Shared is the dynamic shared memory of a
	// block in bytes.
	Grid   [3]int `json:"grid"`
	Block  [3]int `json:"block"`
	Shared int    `json:"shared"`
	// Seconds is the median of the launch's times, by the device's events.
	Seconds float64 `json:"seconds"`
	// Counted tells whether the kernel's work is counted; else the rest is zero.
	Counted bool `json:"counted"`
	// Operations are arithmetic on Unit; Bytes are of device memory, with each operand read
	// and each result written once.
	Operations float64 `json:"operations"`
	Unit       string  `json:"unit"`
	Bytes      float64 `json:"bytes"`
	// Bound is the least that the work can take by the figures of the GPU's maker, in
	// seconds, or 0 where they aren't known.
	Bound float64 `json:"bound"`
}

// LaunchReport is every launch of an iteration on a GPU.
type LaunchReport struct {
	Launches []LaunchTiming
	// Iterations is how many the medians are of.
	Iterations int
	// Empty is the time of a launch that has nothing to do: what each of the others has in
	// it besides its kernel.
	Empty float64
	Peak  cuda.Peak
}

// Launches times every launch of an iteration one by one, with no graph and no branches
// beside each other, and with all that an iteration needs: so the sum of the times is more
// than an iteration takes.
func Launches(ctx context.Context, o Options) (report LaunchReport, err error) {
	var recorder cuda.Recorder
	var iterations [][]cuda.Launched
	_, err = iterate(recorder.With(ctx), o, func(_ model.Progress, counts bool) (err error) {
		launched, err := recorder.Take()
		if err != nil {
			return err
		}
		if len(launched) == 0 {
			return errors.New("bench: launches are those of a GPU, which this device isn't; choose another with --device cuda")
		}
		if !counts {
			return nil
		}
		iterations = append(iterations, launched)
		if len(iterations) == 1 {
			if report.Peak, err = recorder.Peak(); err != nil {
				return err
			}
			report.Empty, err = recorder.Empty()
		}
		return err
	})
	if err != nil {
		return report, err
	}
	alike := commonest(iterations)
	report.Iterations = len(alike)
	for i, l := range alike[0] {
		var seconds []float64
		for _, launched := range alike {
			seconds = append(seconds, launched[i].Seconds)
		}
		report.Launches = append(report.Launches, newLaunchTiming(l.Launch, median(seconds), report.Peak))
	}
	return report, nil
}

// commonest are the iterations that make the same launches as most others do. Others are
// those of another number of evaluations, or with a new key.
func commonest(iterations [][]cuda.Launched) (alike [][]cuda.Launched) {
	kinds := map[string][][]cuda.Launched{}
	for _, launched := range iterations {
		var key []byte
		for _, l := range launched {
			key = fmt.Append(key, l.Kernel, l.Grid, ';')
		}
		kinds[string(key)] = append(kinds[string(key)], launched)
		if of := kinds[string(key)]; len(of) > len(alike) {
			alike = of
		}
	}
	return alike
}

func newLaunchTiming(l kernels.Launch, seconds float64, peak cuda.Peak) LaunchTiming {
	t := LaunchTiming{Kernel: l.Kernel, Grid: sizes(l.Grid), Block: sizes(l.Block), Shared: l.Shared, Seconds: seconds}
	work, counted := l.Work()
	if counted {
		t.Counted, t.Operations, t.Unit, t.Bytes, t.Bound = true, work.Operations, work.Unit.String(), work.Bytes, peak.Bound(work)
	}
	return t
}

// sizes are those of a grid or a block, in which zeros count as ones.
func sizes(d kernels.Dim) [3]int { return [3]int{max(d.X, 1), max(d.Y, 1), max(d.Z, 1)} }
