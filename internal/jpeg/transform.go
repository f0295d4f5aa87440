package jpeg

import "math"

// cosines are those of the discrete cosine transform of eight samples: by symmetry, even
// coefficients need the sums of opposite samples, odd ones their differences.
var cosines = func() (c [8][4]float32) {
	for u := range c {
		scale := 0.5
		if u == 0 {
			scale = math.Sqrt(1. / 8)
		}
		for x := range c[u] {
			c[u][x] = float32(scale * math.Cos(float64((2*x+1)*u)*math.Pi/16))
		}
	}
	return c
}()

// transform is the discrete cosine transform of a block (T.81, A.3.3), in place.
func transform(b *[64]float32) {
	for i := range 8 {
		transform8(b, 8*i, 1)
	}
	for i := range 8 {
		transform8(b, i, 8)
	}
}

// transform8 transforms eight values of b, from one on and so far apart.
func transform8(b *[64]float32, from, step int) {
	var sums, differences [4]float32
	for i := range 4 {
		low, high := b[from+i*step], b[from+(7-i)*step]
		sums[i], differences[i] = low+high, low-high
	}
	for u := 0; u < 8; u += 2 {
		even, odd := &cosines[u], &cosines[u+1]
		b[from+u*step] = even[0]*sums[0] + even[1]*sums[1] + even[2]*sums[2] + even[3]*sums[3]
		b[from+(u+1)*step] = odd[0]*differences[0] + odd[1]*differences[1] + odd[2]*differences[2] + odd[3]*differences[3]
	}
}

// quantiser divides coefficients by steps.
type quantiser struct {
	steps    [64]byte
	inverses [64]float32
}

// newQuantiser scales a table for quality 50 to another quality, 1–100.
func newQuantiser(table *[64]byte, quality int) (q quantiser) {
	scale := 200 - 2*quality
	if quality < 50 {
		scale = 5000 / quality
	}
	for i, v := range table {
		step := min(max((int(v)*scale+50)/100, 1), 255)
		q.steps[i], q.inverses[i] = byte(step), 1/float32(step)
	}
	return q
}

// apply rounds to multiples of the steps, in zigzag order.
func (q *quantiser) apply(to *[64]int32, from *[64]float32) {
	for i, at := range zigzag {
		// At most 1024, for which baseline codes are there but for AC coefficients.
		limit := float32(1023)
		if i == 0 {
			limit = 1024
		}
		v := min(max(from[at]*q.inverses[at], -limit), limit)
		if v < 0 {
			to[i] = int32(v - 0.5)
		} else {
			to[i] = int32(v + 0.5)
		}
	}
}
