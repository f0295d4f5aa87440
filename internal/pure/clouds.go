package pure

// CloudLoss is a loss between two clouds of features that looks at their points
// pair by pair.
type CloudLoss interface {
	// Compare returns the loss between x (C×N) and y (C×M) and writes its gradient
	// by x.
	Compare(gradient, x, y []float64) (float64, error)
	// Dimensions is C.
	Dimensions() int
}

// Doubles returns values in float64.
func Doubles[T Float](x []T) []float64 {
	doubles := make([]float64, len(x))
	for i, v := range x {
		doubles[i] = float64(v)
	}
	return doubles
}

// pairCosts returns |x_i − y_j|² for the points of x (C×N) and y (C×M), N rows.
func pairCosts(x, y []float64, channels int) []float64 {
	n, m := len(x)/channels, len(y)/channels
	costs := make([]float64, n*m)
	for c := range channels {
		for i, v := range x[c*n : (c+1)*n] {
			for j, w := range y[c*m : (c+1)*m] {
				costs[i*m+j] += (v - w) * (v - w)
			}
		}
	}
	return costs
}

// transposed returns the columns of a matrix with n rows as rows.
func transposed(a []float64, n int) []float64 {
	m := len(a) / n
	t := make([]float64, len(a))
	for i := range n {
		for j := range m {
			t[j*n+i] = a[i*m+j]
		}
	}
	return t
}

// Spread describes a cloud: its mean, the mean |y|² and the mean |y − mean|².
type Spread struct {
	Mean           []float64
	Square, Within float64
}

// SpreadOf returns the spread of a cloud, the points of y (C×M).
func SpreadOf[T Float](y []T, channels int) Spread {
	m := len(y) / channels
	s := Spread{Mean: make([]float64, channels)}
	for c := range channels {
		s.Add(c, ChannelSpread(y[c*m:(c+1)*m]))
	}
	return s
}

// Add takes in the spread of one channel by itself.
func (s *Spread) Add(channel int, of Spread) {
	s.Mean[channel] = of.Mean[0]
	s.Square += of.Square
	s.Within += of.Within
}

// ChannelSpread is the spread of a single channel.
func ChannelSpread[T Float](row []T) Spread {
	var sum, square, within float64
	for _, v := range row {
		sum += float64(v)
	}
	count := float64(len(row))
	mean := sum / count
	for _, value := range row {
		v := float64(value)
		square += v * v
		within += (v - mean) * (v - mean)
	}
	return Spread{Mean: []float64{mean}, Square: square / count, Within: within / count}
}

// Constant tells whether the cloud's points are equal, as far as float32 tells: nearer to
// each other, they are all alike for exponents of their distances to points elsewhere.
func (s Spread) Constant() bool { return s.Within <= EqualPoints*s.Square }

// EqualPoints is the mean square distance from their mean, in units of their mean square,
// up to which points count as equal.
const EqualPoints = 1e-8

// scale is what a loss of second degree is divided by where it is Scaled: the
// target's mean square activation, summed over channels.
func (s Spread) scale() float64 { return s.Square + epsilon }

func meanOf(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
