package optim

import (
	"fmt"
	"math"

	"impasto/internal/float16"
)

// CompactVectors is the arithmetic of a device that can also keep vectors in 16 bits. Len,
// Free, Upload and Download take compact vectors like others, and so do Dot and AddScaled
// for x, Copy for src, and of the operations below those that say so; no others do.
type CompactVectors interface {
	Vectors
	// NewCompact returns n zeros.
	NewCompact(n int) (*Compact, error)
	// Pack computes dst = x − y in a unit, rounded to the nearest; y may be nil for zeros,
	// or compact.
	Pack(dst *Compact, unit float32, x, y Vector)
	// DotDifference returns Σ z·(x − y): differences in float32, products and sum in
	// float64. z may be compact.
	DotDifference(z, x, y Vector) (float64, error)
	// DotDifferences returns (x−y)ᵀ(x−y), (x−y)ᵀ(z−w) and (z−w)ᵀ(z−w) likewise. y and w
	// may be compact.
	DotDifferences(x, y, z, w Vector) (xx, xz, zz float64, err error)
}

// Compact is a vector of float16s in a unit: element i is the number that Bits[i] stands
// for, times Unit.
type Compact struct {
	Unit float32 // a power of two
	Bits []uint16
}

// Len returns the number of elements.
func (c *Compact) Len() int { return len(c.Bits) }

// unitFor is the unit for a vector of n elements, given the sum of their squares: the
// power of two at or below their root mean square. No element is larger than √n times
// that mean, so that none becomes infinite where n is below 2²⁹; float16s are multiples
// of 2⁻²⁴ units.
func unitFor(sum float64, n int) float32 {
	rms := math.Sqrt(sum / float64(n))
	if !(rms > 0) {
		return 1
	}
	_, exponent := math.Frexp(rms)
	// Both the unit and its inverse are to be normal numbers of float32.
	return float32(math.Ldexp(1, min(max(exponent-1, -100), 100)))
}

// Compact implements Vectors.
func (h Host) Compact() CompactVectors { return h }

// NewCompact returns n zeros.
func (Host) NewCompact(n int) (*Compact, error) {
	if n < 0 {
		return nil, fmt.Errorf("optim: new vector of %d elements, want none or more", n)
	}
	return &Compact{Unit: 1, Bits: make([]uint16, n)}, nil
}

// Pack implements CompactVectors.
func (Host) Pack(dst *Compact, unit float32, x, y Vector) {
	dst.Unit = unit
	xs := x.(HostVector)
	if y == nil {
		dst.Set(xs)
		return
	}
	ys := at(y)
	for i := range dst.Bits {
		dst.Bits[i] = float16.FromFloat32((xs[i] - ys(i)) / unit)
	}
}

// DotDifference returns Σ z·(x − y).
func (Host) DotDifference(z, x, y Vector) (float64, error) {
	xs, ys, zs := x.(HostVector), y.(HostVector), at(z)
	var sum float64
	for i := range xs {
		sum += float64(zs(i)) * float64(xs[i]-ys[i])
	}
	return sum, nil
}

// DotDifferences returns (x−y)ᵀ(x−y), (x−y)ᵀ(z−w) and (z−w)ᵀ(z−w).
func (Host) DotDifferences(x, y, z, w Vector) (xx, xz, zz float64, err error) {
	xs, ys, zs, ws := x.(HostVector), at(y), z.(HostVector), at(w)
	for i := range xs {
		s, t := float64(xs[i]-ys(i)), float64(zs[i]-ws(i))
		xx += s * s
		xz += s * t
		zz += t * t
	}
	return xx, xz, zz, nil
}

// at returns element i of a vector of the host.
func at(v Vector) func(i int) float32 {
	if c, ok := v.(*Compact); ok {
		return func(i int) float32 { return c.Value(c.Bits[i]) }
	}
	values := v.(HostVector)
	return func(i int) float32 { return values[i] }
}

// Value is the number that an element's bits stand for, times the unit, exactly.
func (c *Compact) Value(bits uint16) float32 { return float16.ToFloat32(bits) * c.Unit }

// Expand writes the values of a compact vector, exactly.
func (c *Compact) Expand(to []float32) {
	for i, bits := range c.Bits {
		to[i] = c.Value(bits)
	}
}

// Set takes values in the vector's unit, each rounded to the nearest.
func (c *Compact) Set(values []float32) {
	float16.Narrow(c.Bits, values, c.Unit)
}
