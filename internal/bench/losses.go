package bench

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"time"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/device"
	"impasto/internal/engine"
	"impasto/internal/memory"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/losses"
	"impasto/vgg19"
)

// LossOptions are the settings of Losses.
type LossOptions struct {
	Losses []losses.Loss // of different names
	Layers []string      // convolutions or rectifications, as relu1_1
	// Sizes are the sides of square pictures, in pixels; the layers have the
	// features that the network would make of them.
	Sizes []int
	Runs  int // timed, after one that isn't
	// Budget is the most that one loss at one layer and size may take. Runs end
	// early at it, and what one run of smaller sizes lets expect to go beyond it is
	// skipped; 0 sets no limit.
	Budget time.Duration
	// OnePass times, of losses that go through the same pairs of positions many
	// times, as sinkhorn does, a single pass, which is half an iteration.
	OnePass bool
	Device  device.Name // auto where empty
	Threads int         // of the processor; 0 uses every core
}

func (o LossOptions) open() (plan.Device, error) {
	return engine.Open(engine.Options{Device: o.Device, Threads: o.Threads})
}

// LossTiming is what one loss takes at one layer of a picture of one size: its
// value and the gradient to the features.
type LossTiming struct {
	Loss      string `json:"loss"`
	Layer     string `json:"layer"`
	Size      int    `json:"size"`      // the picture's side, in pixels
	Channels  int    `json:"channels"`  // C of the layer
	Positions int    `json:"positions"` // N of the layer, of picture and target alike
	// Part is what of the loss was timed: "one pass", or all of it where empty.
	Part string `json:"part,omitempty"`
	// Skipped says why the rest is zero; it is empty where there is a timing.
	Skipped string `json:"skipped,omitempty"`
	Runs    int    `json:"runs"` // that were timed
	// Seconds is the median, Least and Most are the extremes.
	Seconds float64 `json:"seconds"`
	Least   float64 `json:"least"`
	Most    float64 `json:"most"`
	// Memory is what the loss holds beyond the features of the picture and the
	// target and the gradient, in bytes: the larger of what its graph plans and
	// what the process was found to hold.
	Memory int64 `json:"memory"`
	// Operations are those that losses.Description counts; 0 where there is no count.
	Operations float64 `json:"operations"`
}

// Rate is operations a second, 0 where they aren't counted.
func (t LossTiming) Rate() float64 {
	if t.Seconds == 0 {
		return 0
	}
	return t.Operations / t.Seconds
}

// Losses times every loss at every layer and size, on features that are
// seeded noise after rectification, and calls each with every timing as it
// comes: layer by layer, in each size by size from the smallest, and in each
// loss by loss.
func Losses(ctx context.Context, o LossOptions, each func(LossTiming) error) error {
	if err := losses.CheckNames(o.Losses); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	for _, layer := range o.Layers {
		before := map[string][]LossTiming{} // of the smaller sizes, by loss
		for _, size := range slices.Sorted(slices.Values(o.Sizes)) {
			channels, side, err := featureShape(layer, size)
			if err != nil {
				return err
			}
			shape := tensor.Shape{channels, side, side}
			if err := featuresFit(layer, size, shape); err != nil {
				return err
			}
			picture, target := rectifiedNoise(shape, 1), rectifiedNoise(shape, 2)
			for _, loss := range o.Losses {
				if err := ctx.Err(); err != nil {
					return err
				}
				name := loss.Description().Name
				t := LossTiming{Loss: name, Layer: layer, Size: size, Channels: channels, Positions: side * side}
				if o.OnePass && isIterative(loss) {
					t.Part = onePass
				}
				if expected := foretell(before[name], t.Positions); o.Budget > 0 && expected > o.Budget.Seconds() {
					t.Skipped = fmt.Sprintf("one run would take about %.2g s, beyond the budget", expected)
				} else if err := timeLoss(ctx, o, loss, &t, picture, target); err != nil {
					return fmt.Errorf("bench: %s at %s of %d×%d: %w", name, layer, size, size, err)
				}
				if t.Skipped == "" {
					before[name] = append(before[name], t)
				}
				if err := each(t); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// featureShape is the number of channels and the side of a layer's features of a
// square picture.
func featureShape(layer string, size int) (channels, side int, err error) {
	for _, c := range vgg19.Convolutions {
		if layer == c.Name || layer == "relu"+strings.TrimPrefix(c.Name, "conv") {
			if side = size >> (c.Block - 1); side < 1 {
				return 0, 0, fmt.Errorf("bench: a picture of %d pixels has none left at %s", size, layer)
			}
			return c.Out, side, nil
		}
	}
	return 0, 0, fmt.Errorf("bench: losses are timed at convolutions and rectifications, as relu1_1; %s is neither", layer)
}

// foretell is the time of one run at so many positions, by the power law through
// the last two sizes, or as if time went with the square after one. Without any
// there is nothing to tell, and it is 0.
func foretell(before []LossTiming, positions int) float64 {
	if len(before) == 0 {
		return 0
	}
	last, exponent := before[len(before)-1], 2.0
	if len(before) > 1 {
		earlier := before[len(before)-2]
		slope := math.Log(last.Seconds/earlier.Seconds) / math.Log(float64(last.Positions)/float64(earlier.Positions))
		exponent = min(max(slope, 0), 3)
	}
	return last.Seconds * math.Pow(float64(positions)/float64(last.Positions), exponent)
}

// featuresFit reports features that, with the target's, the gradient and a copy of
// each on the device, are more than there is memory for.
func featuresFit(layer string, size int, shape tensor.Shape) error {
	needed := 5 * 4 * int64(shape.TotalSize())
	if available, known := memory.Available(); known && needed > available {
		return fmt.Errorf("bench: losses at %s of %d×%d: %w", layer, size, size, &plan.MemoryError{Needed: needed, Available: available})
	}
	return nil
}

// rectifiedNoise are the positive halves of normal deviates, zeros else.
func rectifiedNoise(shape tensor.Shape, seed uint64) plan.Values {
	r := rand.New(rand.NewPCG(seed, uint64(shape[0])))
	values := make([]float32, shape.TotalSize())
	for i := range values {
		values[i] = float32(max(0, r.NormFloat64()))
	}
	return plan.Values{Shape: shape, Single: values}
}

// timeLoss fills in a timing. The device is its own, so that memory which others
// left for reuse doesn't count.
func timeLoss(ctx context.Context, o LossOptions, loss losses.Loss, t *LossTiming, features, targetFeatures plan.Values) error {
	if t.Part == onePass {
		return timePass(ctx, o, loss.(losses.Iterative), t, features, targetFeatures)
	}
	if count := loss.Description().Operations; count != nil {
		t.Operations = count(t.Channels, t.Positions, t.Positions)
	}
	target, err := targetOf(ctx, o, loss, targetFeatures)
	if err != nil {
		return err
	}
	held := heldBytes()
	device, err := o.open()
	if err != nil {
		return err
	}
	defer device.Close()
	graph, err := lossGraph(device, loss, features, target)
	if err != nil {
		return err
	}
	defer graph.Close()
	if err := t.take(timeRuns(ctx, seedingAnew(graph), o)); err != nil {
		return err
	}
	beyond := int64(2 * 4 * features.Shape.TotalSize())
	for _, kept := range target.Values {
		if kept.Single != nil && kept.Shape.Eq(targetFeatures.Shape) {
			beyond += int64(4 * kept.Shape.TotalSize())
		}
	}
	t.Memory = max(0, graph.Memory()-beyond, heldBytes()-held-beyond)
	runtime.KeepAlive(graph)
	return nil
}

// seedingAnew runs a graph as the first evaluation of an iteration does: losses with
// chance in them get a new seed.
func seedingAnew(graph *engine.Executable) func(context.Context) error {
	seed := graph.Input(losses.KeyName)
	if seed == nil {
		return graph.Run
	}
	turn := 0.
	return func(ctx context.Context) error {
		turn++
		if err := graph.WriteFloat64(seed, []float64{turn}); err != nil {
			return err
		}
		return graph.Run(ctx)
	}
}

// take fills in the times of runs, unless they failed.
func (t *LossTiming) take(seconds []float64, err error) error {
	if err != nil {
		return err
	}
	timing := newTiming(t.Loss, t.Operations, seconds)
	t.Runs, t.Seconds, t.Least, t.Most = len(seconds), timing.Seconds, timing.Least, timing.Most
	return nil
}

// onePass is the Part that stands for a pass of a loss that makes many.
const onePass = "one pass"

func isIterative(loss losses.Loss) bool {
	_, iterative := loss.(losses.Iterative)
	return iterative
}

// timePass fills in the timing of one pass. Memory is all that evaluations hold beyond
// the features of the picture and the target.
func timePass(ctx context.Context, o LossOptions, loss losses.Iterative, t *LossTiming, features, target plan.Values) error {
	if _, gpu := o.Device.Index(); !gpu {
		o.Device = device.CPU // GPUs make no single passes
	}
	kept, err := targetOf(ctx, o, loss, target)
	if err != nil {
		return err
	}
	held := heldBytes()
	opened, err := o.open()
	if err != nil {
		return err
	}
	defer opened.Close()
	graph, err := passGraph(opened, loss, features, kept)
	if err != nil {
		return err
	}
	defer graph.Close()
	t.Operations = loss.PassOperations(t.Channels, t.Positions, t.Positions)
	err = t.take(timeRuns(ctx, graph.Run, o))
	t.Memory = max(0, heldBytes()-held-int64(2*4*features.Shape.TotalSize()))
	runtime.KeepAlive(graph)
	runtime.KeepAlive(kept)
	return err
}

// heldBytes is the memory that the process holds after collection: the second
// one, since what is pooled survives the first.
func heldBytes() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc) + memory.Allocated()
}

// lossGraph compiles the normalised value of a loss between features and a target, and
// its gradient to the features.
func lossGraph(device plan.Device, loss losses.Loss, features plan.Values, target engine.Kept) (_ *engine.Executable, err error) {
	defer ops.Catch(&err, "build the loss")
	form := loss.Normalised()
	x, y, inputs, err := summarise(form, features, target)
	if err != nil {
		return nil, err
	}
	value, err := form.Value(x, y)
	if err != nil {
		return nil, err
	}
	gradients, err := gorgonia.Grad(value, inputs[0].Node)
	if err != nil {
		return nil, err
	}
	return engine.Compile(device, inputs, value, gradients[0])
}

// passGraph compiles a single pass of a loss.
func passGraph(device plan.Device, loss losses.Iterative, features plan.Values, target engine.Kept) (_ *engine.Executable, err error) {
	defer ops.Catch(&err, "build the loss")
	x, y, inputs, err := summarise(loss.Normalised(), features, target)
	if err != nil {
		return nil, err
	}
	pass, err := loss.Pass(x, y)
	if err != nil {
		return nil, err
	}
	return engine.Compile(device, inputs, pass)
}

// summarise begins a graph with the summaries of features and a target's. The first
// input is the features.
func summarise(f losses.Form, features plan.Values, target engine.Kept) (x, y []losses.Summarised, inputs []engine.Input, err error) {
	g := gorgonia.NewGraph()
	inputs = []engine.Input{{Node: features.Input(g, "features"), Values: features}}
	y, others := target.Inputs(g, "target")
	x, err = f.Summarise(inputs[0].Node, losses.Positions{})
	return x, y, append(inputs, others...), err
}

// targetOf is what a loss keeps of a target's features.
func targetOf(ctx context.Context, o LossOptions, loss losses.Loss, features plan.Values) (_ engine.Kept, err error) {
	defer ops.Catch(&err, "build the loss")
	input := features.Input(gorgonia.NewGraph(), "features")
	summaries, err := loss.Normalised().Target(input, losses.Positions{})
	if err != nil {
		return engine.Kept{}, err
	}
	device, err := o.open()
	if err != nil {
		return engine.Kept{}, err
	}
	defer device.Close()
	values, err := engine.Evaluate(ctx, device, []engine.Input{{Node: input, Values: features}}, engine.Nodes(summaries)...)
	if err != nil {
		return engine.Kept{}, err
	}
	kept, _ := engine.Keep(summaries, values)
	return kept, nil
}

// timeRuns times runs after a first one, which counts only where it alone used
// the budget up.
func timeRuns(ctx context.Context, once func(context.Context) error, o LossOptions) ([]float64, error) {
	var seconds []float64
	started := time.Now()
	for run := range 1 + o.Runs {
		began := time.Now()
		if err := once(ctx); err != nil {
			return nil, err
		}
		over := o.Budget > 0 && time.Since(started) >= o.Budget
		if run > 0 || over {
			seconds = append(seconds, time.Since(began).Seconds())
		}
		if over {
			break
		}
	}
	return seconds, nil
}
