package optim

import (
	"errors"
	"testing"
)

// counted counts the vectors that are in use, by their first element and with their bytes,
// and refuses more than a limit.
type counted struct {
	Host
	inUse map[any]int
	limit int
}

func (c *counted) bytes() (sum int) {
	for _, bytes := range c.inUse {
		sum += bytes
	}
	return sum
}

func (c *counted) NewVector(n int) (Vector, error) {
	if len(c.inUse) == c.limit {
		return nil, errors.New("no memory")
	}
	v := make(HostVector, n)
	c.inUse[&v[0]] = 4 * n
	return v, nil
}

func (c *counted) Compact() CompactVectors { return c }

func (c *counted) NewCompact(n int) (*Compact, error) {
	if len(c.inUse) == c.limit {
		return nil, errors.New("no memory")
	}
	v := &Compact{Unit: 1, Bits: make([]uint16, n)}
	c.inUse[&v.Bits[0]] = 2 * n
	return v, nil
}

func (c *counted) Free(v Vector) {
	var first any
	if compact, ok := v.(*Compact); ok {
		first = &compact.Bits[0]
	} else {
		first = &v.(HostVector)[0]
	}
	if c.inUse[first] == 0 {
		panic("freed twice, or never made")
	}
	delete(c.inUse, first)
}

func TestOptimisersFreeAllThatTheyMake(t *testing.T) {
	same := func(values []float32, _ Interpolation) ([]float32, error) { return values, nil }
	for name, make := range map[string]func(v Vectors, point, gradient Vector) (Optimiser, error){
		"adam": func(v Vectors, point, gradient Vector) (Optimiser, error) {
			return NewAdam(v, point, gradient, AdamOptions{})
		},
		"lbfgs": func(v Vectors, point, gradient Vector) (Optimiser, error) {
			return NewLBFGS(v, point, gradient, LBFGSOptions{History: 3})
		},
		"lbfgs, compact": func(v Vectors, point, gradient Vector) (Optimiser, error) {
			return NewLBFGS(v, point, gradient, LBFGSOptions{History: 3, Compact: true})
		},
		"lbfgs, compact gradient": func(v Vectors, point, gradient Vector) (Optimiser, error) {
			return NewLBFGS(v, point, gradient, LBFGSOptions{History: 3, Compact: true, CompactGradient: true})
		},
	} {
		for limit := range 20 {
			v := &counted{inUse: map[any]int{}, limit: limit}
			point, gradient := HostVector{3, -2}, HostVector{0, 0}
			quartic := func() (loss float64, err error) {
				for i, x := range point {
					loss += float64(x * x * x * x)
					gradient[i] = 4 * x * x * x
				}
				return loss, nil
			}
			o, err := make(v, point, gradient)
			if err == nil {
				for range 6 {
					if _, err = o.Step(quartic); err != nil {
						break
					}
				}
				if err == nil {
					err = o.Rescale(point, gradient, 0, 0, same)
				}
				if err == nil {
					_, err = o.Step(quartic)
				}
				o.Close()
			}
			if len(v.inUse) > 0 {
				t.Errorf("%s with memory for %d vectors: %d are left (%v)", name, limit, len(v.inUse), err)
			}
			if enough := 11; limit >= enough && err != nil {
				t.Errorf("%s with memory for %d vectors: %v", name, limit, err)
			}
		}
	}
}
