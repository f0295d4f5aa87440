package kernels

// tilesGo are the inner loops in Go.
var tilesGo = tileKernels{packPixelsGo, packFiltersGo, convolveTilesGo}

func packPixelsGo(v, x []float32, n int) {
	for p := range n {
		for c := 0; c < channelBlock; c += 2 {
			v[p*channelBlock+c/2] = pairOf(x[p*channelBlock+c], x[p*channelBlock+c+1])
		}
	}
}

func packFiltersGo(u, filters []float32, turned int) {
	for i := 0; i < channelBlock; i += 2 {
		for tap := range 9 {
			from := filters[(i*9+tap)*channelBlock:]
			to := u[(tap+turned*(8-2*tap))*channelBlock*channelBlock+i/2*channelBlock:]
			for o := range channelBlock {
				to[o] = pairOf(from[o], from[9*channelBlock+o])
			}
		}
	}
}

func convolveTilesGo(m, v, u, biases []float32, n, row, plane, chunks, rectify int) {
	for o := range tileOuts {
		for p := range n {
			sum := biases[o]
			for k := range chunks {
				for tap := range 9 {
					pixel := v[k*plane+tap/3*row+(p+tap%3)*channelBlock:]
					weights := u[((o/channelBlock*chunks+k)*9+tap)*channelBlock*channelBlock+o%channelBlock:]
					for i := range channelBlock {
						even, odd := unpair(pixel[i])
						evenWeight, oddWeight := unpair(weights[i*channelBlock])
						sum += even*evenWeight + odd*oddWeight
					}
				}
			}
			if rectify == 1 && sum < 0 {
				sum = 0
			}
			m[(o/channelBlock*n+p)*channelBlock+o%channelBlock] = sum
		}
	}
}
