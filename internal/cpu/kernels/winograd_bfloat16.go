package kernels

import "math"

// The kernels for bfloat16 are those of winograd.go, except that a word of V and U
// holds two neighbouring channels: the even one in its lower half, the odd one in its
// upper half, both rounded to the nearest bfloat16.

// roundBFloat16 returns the bits of the bfloat16 nearest to v.
func roundBFloat16(v float32) uint32 { return (math.Float32bits(v) + 1<<15) >> 16 }

// pairOf packs two channels into a word.
func pairOf(even, odd float32) float32 {
	return math.Float32frombits(roundBFloat16(even) | roundBFloat16(odd)<<16)
}

// unpair returns the two channels of a word.
func unpair(word float32) (even, odd float32) {
	bits := math.Float32bits(word)
	return math.Float32frombits(bits << 16), math.Float32frombits(bits &^ (1<<16 - 1))
}

// bfloat16Go is the smaller form with products of bfloat16.
func bfloat16Go() *winogradForm {
	f := form4Go.kernels()
	f.pack, f.multiply, f.transformRows, f.transformFilter = 2, multiplyBFloat16Go, transformRowsBFloat16Go, transformFilterBFloat16Go
	return &f
}

func transformRowsBFloat16Go(v, x []float32, step, row, n int) {
	for i := range 6 {
		for t := range n {
			for c := 0; c < channelBlock; c += 2 {
				var even, odd [6]float32
				for j := range even {
					pixel := x[i*row+(4*t+j)*channelBlock:]
					even[j], odd[j] = pixel[c], pixel[c+1]
				}
				even, odd = transform4(even), transform4(odd)
				for j := range even {
					v[(6*i+j)*step+(t*channelChunk+c)/2] = pairOf(even[j], odd[j])
				}
			}
		}
	}
}

func transformFilterBFloat16Go(u, filters []float32, step, turned int) {
	single := make([]float32, 36*channelBlock*channelChunk)
	form4Go.transformFilter(single, filters, channelBlock*channelChunk, turned)
	for k := range 36 {
		for i := 0; i < channelBlock; i += 2 {
			even := single[(k*channelBlock+i)*channelChunk:]
			odd := even[channelChunk:]
			for o := range channelBlock {
				u[k*step+i/2*channelChunk+o] = pairOf(even[o], odd[o])
			}
		}
	}
}

func multiplyBFloat16Go(m, v, u []float32, n, depth, accumulate int) {
	for t := range n {
		to := m[t*channelChunk:][:channelChunk]
		if accumulate == 0 {
			clear(to)
		}
		for k, word := range v[t*channelChunk/2:][:depth/2] {
			even, odd := unpair(word)
			for o, weights := range u[k*channelChunk:][:channelChunk] {
				evenWeight, oddWeight := unpair(weights)
				to[o] += even*evenWeight + odd*oddWeight
			}
		}
	}
}
