package neon

import "impasto/internal/cpu/_generate/arm64"

// notPositive is the choice in a window without a positive value; see winograd.go of
// package kernels.
const notPositive = 4

// poolPixels writes the maximum of every two by two pixels of two rows.
func poolPixels(f *arm64.File) {
	k := begin(f, "poolPixels", "func(to, x []float32, row, n int)")
	k.eachWindow(func(window) {}, func() {})
	k.End()
}

// choosePixels is poolPixels, and writes which pixel of the window is its maximum. Of
// those that are, the first is written over the later ones.
func choosePixels(f *arm64.File) {
	k := begin(f, "choosePixels", "func(to []float32, choices []uint8, x []float32, row, n int)")
	choices := k.Base("choices")
	numbers := k.Vectors(notPositive + 1)
	k.Scope(func() {
		r := k.General()
		for i, v := range numbers {
			k.Set(r, i)
			k.DUP(arm64.S4, v, r)
		}
	})
	chosen := k.Vectors(4) // of the vectors of a pixel
	k.eachWindow(func(w window) {
		choice, same := k.Vector(), k.Vector()
		k.MOV(choice, numbers[3])
		for i := 2; i >= 0; i-- {
			k.FCMEQ(arm64.S4, same, w.pixels[i], w.most)
			k.BIT(choice, numbers[i], same)
		}
		to := chosen[w.offset/vectorBytes]
		k.FCMGTZero(arm64.S4, to, w.most)
		k.BSL(to, choice, numbers[notPositive])
	}, func() {
		k.UZP1(arm64.H8, chosen[0], chosen[0], chosen[1])
		k.UZP1(arm64.H8, chosen[2], chosen[2], chosen[3])
		k.UZP1(arm64.B16, chosen[0], chosen[0], chosen[2])
		k.Store(chosen[0], at(choices, 0))
		k.Add(choices, channelBlock)
	})
	k.End()
}

// window is a vector of two by two pixels, row by row, and their maximum.
type window struct {
	pixels []arm64.V
	most   arm64.V
	offset int // of the vector in a pixel
}

// eachWindow stores the maximum of every window. It calls also with each vector of a
// window, and next after each window.
func (k kernel) eachWindow(also func(window), next func()) {
	to, x, n, row := k.Base("to"), k.Base("x"), k.Integer("n"), k.stride("row")
	below := k.General()
	k.AddTo(below, x, row, 0)
	k.Loop("loop", n, 1, func() {
		k.eachVectorOfPixel(func(offset int) {
			w := window{k.Vectors(4), k.Vector(), offset}
			for i, r := range w.pixels {
				from := []arm64.R{x, below}[i/2]
				k.Load(at(from, i%2*pixelBytes+offset), r)
			}
			k.Scope(func() {
				other := k.Vector()
				k.FMAX(arm64.S4, w.most, w.pixels[0], w.pixels[1])
				k.FMAX(arm64.S4, other, w.pixels[2], w.pixels[3])
				k.FMAX(arm64.S4, w.most, w.most, other)
			})
			also(w)
			k.Store(w.most, at(to, offset))
		})
		k.advance(2*pixelBytes, x, below)
		k.Add(to, pixelBytes)
		next()
	})
}

// expandPixels writes one row of windows from a pixel of each, which goes to the place
// in the window that was chosen.
func expandPixels(f *arm64.File) {
	k := begin(f, "expandPixels", "func(to, dy []float32, choices []uint8, n, below int)")
	to, dy, choices, n, position := k.Base("to"), k.Base("dy"), k.Base("choices"), k.Integer("n"), k.Integer("below")
	columns := k.Vectors(2)
	k.ShiftLeft(position, 1)
	for _, column := range columns {
		k.DUP(arm64.B16, column, position)
		k.Add(position, 1)
	}
	k.Loop("loop", n, 1, func() {
		d, choice := k.Vectors(4), k.Vector()
		k.loadRow(at(dy, 0), d)
		k.Load(at(choices, 0), choice)
		for i, column := range columns {
			k.Scope(func() {
				chosen := k.Vectors(4)
				k.CMEQ(arm64.B16, chosen[3], choice, column)
				k.SXTL(arm64.H8, chosen[1], chosen[3])
				k.SXTL2(arm64.H8, chosen[3], chosen[3])
				for h := 1; h < 4; h += 2 {
					k.SXTL(arm64.S4, chosen[h-1], chosen[h])
					k.SXTL2(arm64.S4, chosen[h], chosen[h])
				}
				for j, c := range chosen {
					k.AND(c, c, d[j])
				}
				k.storeRow(chosen, at(to, i*pixelBytes))
			})
		}
		k.Add(dy, pixelBytes)
		k.Add(choices, channelBlock)
		k.Add(to, 2*pixelBytes)
	})
	k.End()
}

// channelBits are integers of which each has the bit of one channel of a pixel.
func channelBits() []uint32 {
	words := make([]uint32, channelBlock)
	for c := range words {
		words[c] = 1 << c
	}
	return words
}

// loadChannelBits loads the table of them.
func (k kernel) loadChannelBits() []arm64.V {
	r := k.Vectors(4)
	k.Scope(func() { k.loadRow(at(k.Address("channelBits"), 0), r) })
	return r
}

// signPixels writes a bit for each channel of pixels, 1 where it is positive.
func signPixels(f *arm64.File) {
	k := begin(f, "signPixels", "func(signs []uint16, x []float32, n int)")
	signs, x, n := k.Base("signs"), k.Base("x"), k.Integer("n")
	bits, two := k.loadChannelBits(), k.number(channelBlock/8)
	k.Loop("loop", n, 1, func() {
		r := k.Vectors(4)
		k.loadRow(at(x, 0), r)
		for i, v := range r {
			k.FCMGTZero(arm64.S4, v, v)
			k.AND(v, v, bits[i])
		}
		k.ORR(r[0], r[0], r[1])
		k.ORR(r[2], r[2], r[3])
		k.ORR(r[0], r[0], r[2])
		k.ADDV(r[0], r[0])
		k.StoreLaneThen(r[0], "H", 0, signs, two)
		k.Add(x, pixelBytes)
	})
	k.End()
}

// maskPixels makes channels of pixels zero where their bit is.
func maskPixels(f *arm64.File) {
	k := begin(f, "maskPixels", "func(x []float32, signs []uint16, n int)")
	x, signs, n := k.Base("x"), k.Base("signs"), k.Integer("n")
	bits, two := k.loadChannelBits(), k.number(channelBlock/8)
	word := k.zeros(1)[0]
	k.Loop("loop", n, 1, func() {
		k.LoadLaneThen(signs, two, word, "H", 0)
		all, r := k.Vector(), k.Vectors(4)
		k.DUPElement(arm64.S4, all, word, 0)
		k.loadRow(at(x, 0), r)
		for i, v := range r {
			k.Scope(func() {
				positive := k.Vector()
				k.CMTST(arm64.S4, positive, all, bits[i])
				k.AND(v, v, positive)
			})
		}
		k.storeRow(r, at(x, 0))
		k.Add(x, pixelBytes)
	})
	k.End()
}
