package pure

// TotalVariation is a nine-point L2 total variation of planes×H×W values x,
// whose border is replicated (crowsonkb/style-transfer-pytorch):
//
//	⅔·mean(∂ₓ²) + ⅔·mean(∂ᵧ²) + ⅙·mean(∂⬊²) + ⅙·mean(∂⬋²)
//
// with differences to the right, downwards and along both diagonals, each mean
// over the positions that the padded planes have.
func TotalVariation[T Float](x []T, planes, height, width int) float64 {
	var sum float64
	variationPairs(planes, height, width, func(a, b int, weight float64) {
		d := float64(x[a]) - float64(x[b])
		sum += weight * d * d
	})
	return sum
}

// TotalVariationGradient computes dx = grad·∂variation/∂x.
func TotalVariationGradient[T Float](dx, x []T, planes, height, width int, grad float64) {
	sums := make([]float64, len(x))
	variationPairs(planes, height, width, func(a, b int, weight float64) {
		d := 2 * grad * weight * (float64(x[a]) - float64(x[b]))
		sums[a] += d
		sums[b] -= d
	})
	for i, v := range sums {
		dx[i] = T(v)
	}
}

// VariationWeights are what the squared difference of a pair counts that is in
// line and of one on a diagonal.
func VariationWeights(planes, height, width int) (straight, diagonal float64) {
	return 2. / 3 / float64(planes*height*width), 1. / 6 / float64(planes*(height+1)*(width+1))
}

// variationPairs visits each pair of neighbours with its weight. Padding by
// replication adds pairs across the border, which are of a pixel with itself or
// with its neighbour along the edge; only the latter, of the diagonals, count.
func variationPairs(planes, height, width int, visit func(a, b int, weight float64)) {
	straight, diagonal := VariationWeights(planes, height, width)
	for p := range planes {
		at := func(row, column int) int {
			row, column = min(max(row, 0), height-1), min(max(column, 0), width-1)
			return (p*height+row)*width + column
		}
		for row := -1; row < height; row++ {
			for column := -1; column < width; column++ {
				if row >= 0 && column >= 0 {
					visit(at(row, column+1), at(row, column), straight)
					visit(at(row+1, column), at(row, column), straight)
				}
				visit(at(row+1, column+1), at(row, column), diagonal)
				visit(at(row+1, column), at(row, column+1), diagonal)
			}
		}
	}
}
