package flow

// Parameters of Sundaram, Brox and Keutzer, as Ruder, Dosovitskiy and Brox take them for
// video: what the two ways may disagree, in squared pixels, and where a field changes so
// much that it is a border between motions.
const (
	disagreementShare, disagreementLeast = 0.01, 0.5
	borderShare, borderLeast             = 0.01, 0.002
)

// Occlusions are where a flow from one picture to another isn't to be trusted, given that
// from the other one back.
type Occlusions struct {
	// Hidden are pixels that the other picture doesn't show: going there and back doesn't
	// lead to where it began, or there is outside the picture.
	Hidden []bool
	// Border are pixels at a border between motions, where flow is least exact.
	Border []bool
}

// FindOcclusions compares the flow from a first picture to a second with that back.
func FindOcclusions(there, back Field) Occlusions {
	n := there.Width * there.Height
	o := Occlusions{make([]bool, n), make([]bool, n)}
	for y := range there.Height {
		for x := range there.Width {
			i := y*there.Width + x
			if there.LeadsOut(x, y) {
				o.Hidden[i] = true
				continue
			}
			u, v := there.U[i], there.V[i]
			backU, backV := back.At(float32(x)+u, float32(y)+v)
			apart := square(u+backU) + square(v+backV)
			o.Hidden[i] = apart > float32(disagreementShare*(square(u)+square(v)+square(backU)+square(backV)))+disagreementLeast

			right, below := i+min(1, there.Width-1-x), i+min(1, there.Height-1-y)*there.Width
			slope := square(there.U[right]-u) + square(there.U[below]-u) + square(there.V[right]-v) + square(there.V[below]-v)
			o.Border[i] = slope > float32(borderShare*(square(u)+square(v)))+borderLeast
		}
	}
	return o
}

func square(x float32) float32 { return float32(x * x) }
