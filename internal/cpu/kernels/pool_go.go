package kernels

import "math"

func maxPoolGo(y, top, bottom []float32) {
	for j := range y {
		y[j] = max(top[2*j], top[2*j+1], bottom[2*j], bottom[2*j+1])
	}
}

func maxPoolGradientGo(dTop, dBottom, dy, top, bottom []float32) {
	for j, d := range dy {
		a, b, c, e := top[2*j], top[2*j+1], bottom[2*j], bottom[2*j+1]
		var da, db, dc, de float32
		switch m := max(a, b, c, e); m {
		case a:
			da = d
		case b:
			db = d
		case c:
			dc = d
		case e:
			de = d
		}
		dTop[2*j], dTop[2*j+1], dBottom[2*j], dBottom[2*j+1] = da, db, dc, de
	}
}

func meanPoolGo(y, top, bottom []float32, scale float32) {
	for j := range y {
		y[j] = scale * (top[2*j] + top[2*j+1] + (bottom[2*j] + bottom[2*j+1]))
	}
}

func meanPoolGradientGo(dTop, dBottom, dy []float32, scale float32) {
	for j, d := range dy {
		d *= scale
		dTop[2*j], dTop[2*j+1], dBottom[2*j], dBottom[2*j+1] = d, d, d, d
	}
}

func l2PoolGo(y, top, bottom []float32, scale float32) {
	for j := range y {
		y[j] = scale * norm(top[2*j], top[2*j+1], bottom[2*j], bottom[2*j+1])
	}
}

func l2PoolGradientGo(dTop, dBottom, dy, top, bottom []float32, scale float32) {
	for j, d := range dy {
		n := norm(top[2*j], top[2*j+1], bottom[2*j], bottom[2*j+1])
		d *= scale
		if n > 0 {
			d /= n
		} else {
			d = 0
		}
		dTop[2*j], dTop[2*j+1] = d*top[2*j], d*top[2*j+1]
		dBottom[2*j], dBottom[2*j+1] = d*bottom[2*j], d*bottom[2*j+1]
	}
}

func norm(a, b, c, d float32) float32 {
	return float32(math.Sqrt(float64(a*a + b*b + c*c + d*d)))
}
