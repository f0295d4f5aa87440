package pure

// Moments computes the mean (C) and the second raw moment (C×C) of the columns
// of X (C×N):
//
//	mean = X·1/N    second = X·Xᵀ/N
//
// Both accumulate over parts of a picture and blend linearly between pictures,
// which a covariance does not.
func Moments[T Float](mean, second []float64, x []T, channels int) {
	n := len(x) / channels
	for i := range channels {
		a := x[i*n : (i+1)*n]
		var sum float64
		for _, v := range a {
			sum += float64(v)
		}
		mean[i] = sum / float64(n)
		for j := range i + 1 {
			b := x[j*n : (j+1)*n]
			var dot float64
			for k, v := range a {
				dot += float64(v) * float64(b[k])
			}
			second[i*channels+j] = dot / float64(n)
			second[j*channels+i] = dot / float64(n)
		}
	}
}

// MomentsGradient computes dx from the cotangents of Moments' results:
//
//	dX = (dmean·1ᵀ + (D + Dᵀ)·X)/N    with D = dsecond
func MomentsGradient[T Float](dx, x []T, dmean, dsecond []float64, channels int) {
	n := len(x) / channels
	scale := 1 / float64(n)
	row := make([]float64, n)
	for i := range channels {
		momentsSlopes(row, x, dmean, dsecond, i)
		for k, v := range row {
			dx[i*n+k] = T(v * scale)
		}
	}
}

// momentsSlopes computes row i of dmean·1ᵀ + (D + Dᵀ)·X with D = dsecond.
func momentsSlopes[T Float](row []float64, x []T, dmean, dsecond []float64, i int) {
	n, channels := len(row), len(dmean)
	for k := range row {
		row[k] = dmean[i]
	}
	for j := range channels {
		d := dsecond[i*channels+j] + dsecond[j*channels+i]
		for k, v := range x[j*n : (j+1)*n] {
			row[k] += d * float64(v)
		}
	}
}

// ChannelMoments computes the mean and the mean square of each row of X (C×N).
func ChannelMoments[T Float](mean, square []float64, x []T) {
	n := len(x) / len(mean)
	for i := range mean {
		var sum, sum2 float64
		for _, v := range x[i*n : (i+1)*n] {
			sum += float64(v)
			sum2 += float64(v) * float64(v)
		}
		mean[i], square[i] = sum/float64(n), sum2/float64(n)
	}
}

// ChannelMomentsGradient computes dx from the cotangents of ChannelMoments'
// results: dx = (dmean + 2·dsquare·x)/N, row by row.
func ChannelMomentsGradient[T Float](dx, x []T, dmean, dsquare []float64) {
	n := len(x) / len(dmean)
	for i := range dmean {
		for k, v := range x[i*n : (i+1)*n] {
			dx[i*n+k] = T((dmean[i] + 2*dsquare[i]*float64(v)) / float64(n))
		}
	}
}
