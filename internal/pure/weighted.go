package pure

// WeightedMoments is Moments where each position counts by its weight, from 0:
//
//	mean = X·w/total    second = X·diag(w)·Xᵀ/total
//
// total is the sum of the weights of the whole map, so that the moments of its parts
// add up.
func WeightedMoments[T Float](mean, second []float64, x, weights []T, total float64, channels int) {
	n := len(weights)
	for i := range channels {
		a := x[i*n : (i+1)*n]
		var sum float64
		for k, v := range a {
			sum += float64(weights[k]) * float64(v)
		}
		mean[i] = sum / total
		for j := range i + 1 {
			b := x[j*n : (j+1)*n]
			var dot float64
			for k, v := range a {
				dot += float64(weights[k]) * float64(v) * float64(b[k])
			}
			second[i*channels+j] = dot / total
			second[j*channels+i] = dot / total
		}
	}
}

// WeightedMomentsGradient computes dx from the cotangents of WeightedMoments' results:
//
//	dX = (dmean·1ᵀ + (D + Dᵀ)·X)·diag(w)/total    with D = dsecond
func WeightedMomentsGradient[T Float](dx, x, weights []T, dmean, dsecond []float64, total float64, channels int) {
	n := len(weights)
	row := make([]float64, n)
	for i := range channels {
		momentsSlopes(row, x, dmean, dsecond, i)
		for k, v := range row {
			dx[i*n+k] = T(v * float64(weights[k]) / total)
		}
	}
}

// WeightedChannelMoments is ChannelMoments likewise: each row's mean and mean square.
func WeightedChannelMoments[T Float](mean, square []float64, x, weights []T, total float64) {
	n := len(weights)
	for i := range mean {
		var sum, sum2 float64
		for k, v := range x[i*n : (i+1)*n] {
			w := float64(weights[k]) * float64(v)
			sum += w
			sum2 += w * float64(v)
		}
		mean[i], square[i] = sum/total, sum2/total
	}
}

// WeightedChannelMomentsGradient computes dx from the cotangents of
// WeightedChannelMoments' results: dx = (dmean + 2·dsquare·x)·w/total, row by row.
func WeightedChannelMomentsGradient[T Float](dx, x, weights []T, dmean, dsquare []float64, total float64) {
	n := len(weights)
	for i := range dmean {
		for k, v := range x[i*n : (i+1)*n] {
			dx[i*n+k] = T((dmean[i] + 2*dsquare[i]*float64(v)) * float64(weights[k]) / total)
		}
	}
}
