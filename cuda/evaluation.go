//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// evaluation is a step that computes a loss, its gradient or both, being bound. Kernels
// make both: what isn't asked for has a place all the same.
type evaluation struct {
	*binder
	inputs []*plan.Buffer // of the loss
	value  slot           // the loss
	// gradient is that by the first input, multiplied by *grad; it is nil where it isn't
	// asked for.
	gradient *plan.Buffer
	grad     pointer[float64]
}

// evaluation returns that of a step.
func (b *binder) evaluation(step plan.Step) evaluation {
	_, inputs, _ := step.Loss()
	e := evaluation{binder: b, inputs: inputs}
	switch step.Op.(type) {
	case *ops.ValueAndGradient:
		e.value, e.gradient = b.slotOf(step.Results[0]), step.Results[1]
	case *ops.LossGradient:
		e.value, e.gradient = b.slot(), step.Results[0]
	default:
		e.value, e.grad = b.slotOf(step.Results[0]), b.inTable(1)
		return e
	}
	e.grad = b.doubles(step.Inputs[len(inputs)])
	return e
}

// addsToValue refuses steps that would add to a loss, or mask it, rather than its gradient.
func addsToValue(_ *Device, step plan.Step) string {
	if _, alone := step.Op.(*ops.LossGradient); !alone && (step.AddTo != nil || step.Mask != nil) {
		return "its kernel adds to a gradient by itself only"
	}
	return ""
}

// comparison is the evaluation of a loss between two summaries.
type comparison struct {
	evaluation
	summary, target pointer[float64] // target is none where the loss takes none
	cotangent       pointer[float64] // where the gradient goes
}

// comparisonKernel is the kernel of a loss between two summaries.
func comparisonKernel[L pure.Comparison](bind func(*comparison, L)) kernel {
	return kernel{
		refuses: addsToValue,
		bind: func(b *binder, step plan.Step) {
			c := &comparison{evaluation: b.evaluation(step)}
			c.summary = b.doubles(c.inputs[0])
			if len(c.inputs) > 1 {
				c.target = b.doubles(c.inputs[1])
			}
			if c.gradient != nil {
				c.cotangent = b.doubles(c.gradient)
			} else {
				c.cotangent = workspace[float64](b, c.inputs[0].Len())
			}
			loss, _, _ := step.Loss()
			bind(c, loss.(*ops.Comparison[L]).Loss)
			c.readyPull()
		},
	}
}

// mapLoss is the evaluation of a loss between two maps.
type mapLoss struct {
	evaluation
	x, y     *plan.Buffer
	channels int
	n, m     int              // positions of x and y
	slopes   pointer[float32] // the gradient, n × channels, before it is multiplied
}

// mapLossKernel is the kernel of a loss between two maps.
func mapLossKernel[L ops.Loss](bind func(*mapLoss, L)) kernel {
	return kernel{
		able: plan.Ability{Adds: plan.AddsAny, Masks: plan.MasksByAny},
		refuses: func(d *Device, step plan.Step) string {
			if why := addsToValue(d, step); why != "" {
				return why
			}
			return narrowInput(d, step)
		},
		bind: func(b *binder, step plan.Step) {
			l := &mapLoss{evaluation: b.evaluation(step)}
			l.x, l.y = l.inputs[0], l.inputs[1]
			l.channels, l.n = geometry(l.x)
			_, l.m = geometry(l.y)
			l.slopes = workspace[float32](b, l.x.Len())
			loss, _, _ := step.Loss()
			bind(l, loss.(L))
			if dx := l.gradient; dx != nil {
				b.add(b.device.maps().ScaleMap(over(dx.Len()), b.elements(dx), l.slopes, l.grad,
					b.elements(step.AddTo), b.elements(step.Mask), dx.Len()))
			}
		},
	}
}
