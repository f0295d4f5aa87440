package optim

import "impasto/internal/pure"

// Smoothing is the matrix M that the inverse Hessian of L-BFGS begins with, γM in the place
// of γ times 1. So steps are larger along what is smooth in the picture, of which each
// pixel's gradient has only a small part, and which takes many iterations else.
type Smoothing = pure.Smoothing

// Smooth computes x = M·x.
func (Host) Smooth(x, _ Vector, s Smoothing) error {
	values, plane := x.(HostVector), s.Width*s.Height
	for first := 0; first < len(values) && !s.None(); first += plane {
		s.Smooth(values[first:][:plane])
	}
	return nil
}

// SmoothedSquare returns xᵀMx.
func (h Host) SmoothedSquare(x, _ Vector, s Smoothing) (float64, error) {
	smoothed := make(HostVector, x.Len())
	h.Copy(smoothed, x)
	if err := h.Smooth(smoothed, nil, s); err != nil {
		return 0, err
	}
	return h.Dot(x, smoothed)
}
