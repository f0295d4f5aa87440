package kernels

// workspace is scratch memory in numbered slots, which outlives an operation. What a
// slot holds at first is undefined.
type workspace struct {
	singles [6][]float32
	doubles [4][]float64
}

// float32s returns n values of a slot.
func (s *workspace) float32s(slot, n int) []float32 { return grown(&s.singles[slot], n) }

// float64s returns n values of a slot.
func (s *workspace) float64s(slot, n int) []float64 { return grown(&s.doubles[slot], n) }

// grown returns the first n values of a slot, which it replaces where it is too short.
func grown[T float32 | float64](slot *[]T, n int) []T {
	if cap(*slot) < n {
		*slot = make([]T, n)
	}
	return (*slot)[:n]
}
