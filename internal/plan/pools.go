package plan

import "impasto/internal/ops"

// fusePools has poolings made by the convolutions before them and their gradients by
// the convolutions' gradients, where the device can, which spares passes through the
// largest maps. Of the map that is pooled, a gradient needs the choices alone, which the
// convolution makes for it; the map itself is made only where something else reads it.
func (p *Program) fusePools() {
	u, dead := p.uses(), map[int]bool{}
	for i, step := range p.Steps {
		switch op := step.Op.(type) {
		case *ops.Pool:
			y := step.Inputs[0]
			at, made := u.made[y]
			if !made {
				continue
			}
			fused := p.Steps[at]
			convolution, ok := fused.Op.(*ops.Convolution)
			if !ok {
				continue
			}
			fused.Op = &ops.PooledConvolution{Convolution: convolution, Pool: op}
			fused.Results = []*Buffer{step.Results[0], y}
			if p.can(fused) {
				p.Steps[at], dead[i] = fused, true
			}
		case *ops.ConvolutionGradient:
			dy := step.Inputs[0]
			if at, made := u.made[dy]; made && u.only(dy) && step.InputMask == nil && p.fusePoolGradient(u, at, i) {
				dead[at] = true
			}
		}
	}
	p.drop(dead)
	p.dropPooledMaps()
}

// fusePoolGradient has the gradient of a convolution, step i, take over the gradient of
// a pooling, step at, by choices that the pooled convolution makes. It tells whether
// that can be done.
func (p *Program) fusePoolGradient(u uses, at, i int) bool {
	before, step := p.Steps[at], p.Steps[i]
	pool, ok := before.Op.(*ops.PoolGradient)
	if !ok || before.AddTo != nil || before.Mask != before.Inputs[1] {
		return false
	}
	y := before.Inputs[1]
	maker, made := u.made[y]
	if !made {
		return false
	}
	pooled := p.Steps[maker]
	if _, ok := pooled.Op.(*ops.PooledConvolution); !ok || len(pooled.Results) != 2 {
		return false
	}
	choices := &Buffer{Node: y.Node, Dtype: y.Dtype, Shape: y.Shape, Keeps: Choices}
	pooled.Results = []*Buffer{pooled.Results[0], choices, y}
	step.Op = &ops.PooledConvolutionGradient{Convolution: step.Op.(*ops.ConvolutionGradient), Pool: pool}
	step.Inputs = []*Buffer{before.Inputs[0], choices, step.Inputs[1]}
	if !p.can(pooled) || !p.can(step) {
		return false
	}
	p.Steps[maker], p.Steps[i] = pooled, step
	return true
}

// dropPooledMaps leaves out the maps that nothing reads beside the poolings of them.
func (p *Program) dropPooledMaps() {
	u := p.uses()
	for i, step := range p.Steps {
		if _, ok := step.Op.(*ops.PooledConvolution); !ok {
			continue
		}
		last := len(step.Results) - 1
		if y := step.Results[last]; u.reads[y] == 0 && !y.Kept() {
			without := step
			without.Results = step.Results[:last:last]
			if p.can(without) {
				p.Steps[i] = without
			}
		}
	}
}
