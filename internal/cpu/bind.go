package cpu

import (
	"gorgonia.org/tensor"

	"impasto/internal/ops"
	"impasto/internal/plan"
)

// bind returns a step's run: by its kernel, or else by its definition.
func (m *machine) bind(step plan.Step) (func() error, error) {
	if step.How == plan.ByDefinition {
		return m.define(step), nil
	}
	k, _ := m.device.kernelOf(step)
	if k.evaluate == nil {
		return k.bind(m, step)
	}
	loss, inputs, _ := step.Loss()
	return m.bindLoss(step, k.evaluate(m, loss, inputs)), nil
}

// define returns a run that computes a step by its definition.
func (m *machine) define(step plan.Step) func() error {
	inputs, results := make([]*tensor.Dense, len(step.Inputs)), make([]*tensor.Dense, len(step.Results))
	for i, b := range step.Inputs {
		inputs[i] = m.dense(b)
	}
	for i, b := range step.Results {
		results[i] = m.dense(b)
	}
	if both, ok := step.Op.(*ops.ValueAndGradient); ok {
		return func() error { return both.Define(results[0], results[1], inputs...) }
	}
	op := step.Op.(ops.Operation)
	return func() error { return op.Define(results[0], inputs...) }
}

// bindLoss returns a run of a step that computes a loss, its gradient or both, by an
// evaluation of both. Where there is no gradient among the results, it is scratch
// memory.
func (m *machine) bindLoss(step plan.Step, evaluate func(gradient value) (float64, error)) func() error {
	var ignored [1]float64
	loss, gradient := ignored[:], value{}
	switch step.Op.(type) {
	case ops.Loss:
		loss = m.values[step.Results[0]].double
		gradient = m.scratch(step.Scratch[0], step.Inputs[0])
		return func() (err error) {
			loss[0], err = evaluate(gradient)
			return err
		}
	case *ops.LossGradient:
		gradient = m.values[step.Results[0]]
	default:
		loss, gradient = m.values[step.Results[0]].double, m.values[step.Results[1]]
	}
	grad := m.values[step.Inputs[len(step.Inputs)-1]].double
	return func() (err error) {
		if loss[0], err = evaluate(gradient); err != nil {
			return err
		}
		if gradient.single != nil {
			scaleTo(m.device.workers, gradient.single, gradient.single, float32(grad[0]))
		}
		for i := range gradient.double {
			gradient.double[i] *= grad[0]
		}
		return nil
	}
}

// always is a run that can't fail.
func always(run func()) func() error {
	return func() error {
		run()
		return nil
	}
}
