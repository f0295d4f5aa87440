package flow

import "math"

// Weights of the energy, those of the published method, for grey values of 0–255: of equal
// brightness, of equal derivatives, and of smoothness.
const (
	brightnessWeight = 5
	gradientWeight   = 10
	smoothnessWeight = 20
	// robust makes a penalty of √(x²+robust²), nearly that of |x|.
	robust = 1e-3
	// flatness keeps what is divided by derivatives finite where there are none.
	flatness = 0.1
	// overrelaxation is by how much more a relaxation goes than to its own end.
	overrelaxation = 1.6
)

// refinement is the state of refining a field at one level.
type refinement struct {
	field Field
	begin Field // that derivatives were taken at
	// Derivatives: of the mean of both pictures, once and twice, and of their difference.
	x, y, z, xx, xy, yy, xz, yz Plane
	inside                      []bool // pixels whose counterpart lies inside
	// The equations of a pixel: a11·U + a12·V plus what neighbours pull is c1, and so on.
	a11, a12, a22, c1, c2 []float32
	smooth                []float32 // weight of each pixel's smoothness
}

// refine minimises the energy about a field: the penalties' weights are computed in each of
// so many rounds, and the linear equations that remain are relaxed so many times.
func refine(l level, field Field, threads, rounds, relaxations int) error {
	r, err := newRefinement(l, field)
	if err != nil {
		return err
	}
	stripes := (field.Height + refinedRows - 1) / refinedRows
	each := func(f func(first, end int)) error {
		return inStripes(threads, stripes, func(stripe int) {
			f(stripe*refinedRows, min((stripe+1)*refinedRows, field.Height))
		})
	}
	for range rounds {
		if err := each(r.weigh); err != nil {
			return err
		}
		for range relaxations {
			for parity := range 2 {
				if err := each(func(first, end int) { r.relax(first, end, parity) }); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// refinedRows are the rows of a stripe.
const refinedRows = 32

func newRefinement(l level, field Field) (*refinement, error) {
	w, h := field.Width, field.Height
	r := &refinement{field: field, begin: Field{w, h, append([]float32(nil), field.U...), append([]float32(nil), field.V...)}}
	var warped []float32
	var err error
	if warped, r.inside, err = field.Warp(l.second.Values); err != nil {
		return nil, err
	}
	mean, difference := NewPlane(w, h), NewPlane(w, h)
	for i, a := range l.first.Values {
		mean.Values[i], difference.Values[i] = (a+warped[i])/2, warped[i]-a
	}
	r.x, r.y, r.z = centralX(mean), centralY(mean), difference
	r.xx, r.xy, r.yy = centralX(r.x), centralY(r.x), centralY(r.y)
	r.xz, r.yz = centralX(difference), centralY(difference)
	n := w * h
	r.a11, r.a12, r.a22, r.c1, r.c2 = make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	r.smooth = make([]float32, n)
	return r, nil
}

// weigh makes the equations of rows from first to before end at the field as it is.
func (r *refinement) weigh(first, end int) {
	w, u, v := r.field.Width, r.field.U, r.field.V
	for i := first * w; i < end*w; i++ {
		column := i % w
		right, below := i, i
		if column+1 < w {
			right++
		}
		if i+w < len(u) {
			below += w
		}
		slope := square(u[right]-u[i]) + square(u[below]-u[i]) + square(v[right]-v[i]) + square(v[below]-v[i])
		r.smooth[i] = smoothnessWeight / root(slope+robust*robust)

		if !r.inside[i] {
			r.a11[i], r.a12[i], r.a22[i], r.c1[i], r.c2[i] = 0, 0, 0, 0, 0
			continue
		}
		du, dv := u[i]-r.begin.U[i], v[i]-r.begin.V[i]
		x, y, z := r.x.Values[i], r.y.Values[i], r.z.Values[i]
		norm := 1 / (x*x + y*y + flatness*flatness)
		weight := norm * brightnessWeight / root(square(z+x*du+y*dv)*norm+robust*robust)
		a11, a12, a22, b1, b2 := weight*x*x, weight*x*y, weight*y*y, -weight*x*z, -weight*y*z

		xx, xy, yy, xz, yz := r.xx.Values[i], r.xy.Values[i], r.yy.Values[i], r.xz.Values[i], r.yz.Values[i]
		normX, normY := 1/(xx*xx+xy*xy+flatness*flatness), 1/(xy*xy+yy*yy+flatness*flatness)
		weight = gradientWeight / root(square(xz+xx*du+xy*dv)*normX+square(yz+xy*du+yy*dv)*normY+robust*robust)
		normX, normY = weight*normX, weight*normY
		a11 += normX*xx*xx + normY*xy*xy
		a12 += normX*xx*xy + normY*xy*yy
		a22 += normX*xy*xy + normY*yy*yy
		b1 -= normX*xx*xz + normY*xy*yz
		b2 -= normX*xy*xz + normY*yy*yz

		r.a11[i], r.a12[i], r.a22[i] = a11, a12, a22
		r.c1[i] = b1 + a11*r.begin.U[i] + a12*r.begin.V[i]
		r.c2[i] = b2 + a12*r.begin.U[i] + a22*r.begin.V[i]
	}
}

func root(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// relax solves the equations of every other pixel of rows from first to before end for what
// its neighbours are, those of a chess board's one colour by parity, and goes beyond that.
func (r *refinement) relax(first, end, parity int) {
	w, h, u, v, s := r.field.Width, r.field.Height, r.field.U, r.field.V, r.smooth
	for y := first; y < end; y++ {
		for x := (y + parity) % 2; x < w; x += 2 {
			i := y*w + x
			var pull, pullU, pullV float32
			toward := func(weight float32, n int) {
				pull += weight
				pullU += weight * u[n]
				pullV += weight * v[n]
			}
			if x > 0 {
				toward((s[i]+s[i-1])/2, i-1)
			}
			if x+1 < w {
				toward((s[i]+s[i+1])/2, i+1)
			}
			if y > 0 {
				toward((s[i]+s[i-w])/2, i-w)
			}
			if y+1 < h {
				toward((s[i]+s[i+w])/2, i+w)
			}
			u[i] += overrelaxation * ((r.c1[i]-r.a12[i]*v[i]+pullU)/(r.a11[i]+pull) - u[i])
			v[i] += overrelaxation * ((r.c2[i]-r.a12[i]*u[i]+pullV)/(r.a22[i]+pull) - v[i])
		}
	}
}
