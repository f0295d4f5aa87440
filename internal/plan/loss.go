package plan

import "impasto/internal/ops"

// Loss is the loss that a step computes, or the gradient of, or both, with the loss's
// own inputs; ok is false of other steps.
func (s Step) Loss() (loss ops.Loss, inputs []*Buffer, ok bool) {
	switch op := s.Op.(type) {
	case ops.Loss:
		return op, s.Inputs, true
	case *ops.LossGradient:
		return op.Of, s.Inputs[:len(s.Inputs)-1], true
	case *ops.ValueAndGradient:
		return op.Of, s.Inputs[:len(s.Inputs)-1], true
	}
	return nil, nil, false
}
