package neon

import (
	"math/bits"

	"impasto/internal/cpu/_generate/arm64"
)

// cursor is an address that advances by so many bytes, a power of two, a pixel or value.
type cursor struct {
	address arm64.R
	bytes   int
}

// eachFour calls four for every four of n values. Where n isn't a multiple of four, the
// last four overlap those before, or, if there are fewer, one is called for each.
func (k kernel) eachFour(label string, n arm64.R, four, one func(), cursors ...cursor) {
	total := k.copyOf(n)
	k.Label(label)
	k.JumpLess(n, 4, label+"Rest")
	k.Scope(four)
	for _, c := range cursors {
		k.Add(c.address, 4*c.bytes)
	}
	k.Sub(n, 4)
	k.Jump(label)
	k.Label(label + "Rest")
	k.JumpZero(n, label+"Done")
	k.JumpLess(total, 4, label+"One")
	k.Sub(n, 4)
	for _, c := range cursors {
		k.AddTo(c.address, c.address, n, bits.TrailingZeros(uint(c.bytes)))
	}
	k.Set(n, 4)
	k.Jump(label)
	k.Label(label + "One")
	k.Scope(one)
	for _, c := range cursors {
		k.Add(c.address, c.bytes)
	}
	k.Sub(n, 1)
	k.JumpNotZero(n, label+"One")
	k.Label(label + "Done")
}

// gather does without its prefetches: what they are worth on these processors has not
// been measured.
func gather(f *arm64.File) {
	k := begin(f, "gather", "func(to, x, mask []float32, plane, n, ahead int)")
	to, x, mask, plane, n := k.Base("to"), k.Base("x"), k.Base("mask"), k.stride("plane"), k.Integer("n")
	from, masks := k.General(), k.General()
	// four and one load values of neighbouring pixels, or of channels of one pixel.
	four := func(r arm64.V, _ int) { k.LoadThen(from, plane, r) }
	one := func(r arm64.V, i int) { k.LoadLaneThen(from, plane, r, "S", i) }
	start := func() { k.Copy(from, x) }
	k.JumpNotZero(mask, "masked")
	k.eachFour("loop", n, func() { start(); k.gatherFour(to, four) }, func() { start(); k.gatherOne(to, one, func(arm64.V) {}) },
		cursor{to, pixelBytes}, cursor{x, 4})
	k.End()

	k.Label("masked")
	startMasked := func() { start(); k.Copy(masks, mask) }
	k.eachFour("maskedLoop", n, func() {
		startMasked()
		k.gatherFour(to, func(r arm64.V, i int) {
			four(r, i)
			k.Scope(func() {
				positive := k.Vector()
				k.LoadThen(masks, plane, positive)
				k.keepWherePositive(r, positive)
			})
		})
	}, func() {
		startMasked()
		positive := k.Vector()
		k.gatherOne(to, func(r arm64.V, i int) {
			one(r, i)
			k.LoadLaneThen(masks, plane, positive, "S", i)
		}, func(r arm64.V) { k.keepWherePositive(r, positive) })
	}, cursor{to, pixelBytes}, cursor{x, 4}, cursor{mask, 4})
	k.End()
}

// keepWherePositive makes values zero where of isn't positive. It changes of.
func (k kernel) keepWherePositive(values, of arm64.V) {
	k.FCMGTZero(k.arrangement(), of, of)
	k.AND(values, values, of)
}

// gatherFour writes four pixels. load loads four neighbouring values of the next channel.
func (k kernel) gatherFour(to arm64.R, load func(r arm64.V, i int)) {
	k.eachVectorOfPixel(func(offset int) {
		rows := k.Vectors(4)
		for i, r := range rows {
			load(r, i)
		}
		k.transpose4(rows)
		for p, r := range rows {
			k.Store(r, at(to, p*pixelBytes+offset))
		}
	})
}

// gatherOne writes one pixel. load loads the value of the next channel to lane i, finish
// changes four of them.
func (k kernel) gatherOne(to arm64.R, load func(r arm64.V, i int), finish func(r arm64.V)) {
	k.eachVectorOfPixel(func(offset int) {
		r := k.Vector()
		for i := range 4 {
			load(r, i)
		}
		finish(r)
		k.Store(r, at(to, offset))
	})
}

func scatter(f *arm64.File) {
	k := begin(f, "scatter", "func(y, from []float32, plane, n int)")
	y, from, plane, n := k.Base("y"), k.Base("from"), k.stride("plane"), k.Integer("n")
	to := k.General()
	k.eachFour("loop", n, func() {
		k.Copy(to, y)
		k.scatterFour(from, func(r arm64.V) { k.StoreThen(r, to, plane) })
	}, func() {
		k.Copy(to, y)
		k.eachVectorOfPixel(func(offset int) {
			r := k.Vector()
			k.Load(at(from, offset), r)
			for i := range 4 {
				k.StoreLaneThen(r, "S", i, to, plane)
			}
		})
	}, cursor{y, 4}, cursor{from, pixelBytes})
	k.End()
}

// scatterFour reads four pixels. put stores their values of the next channel.
func (k kernel) scatterFour(from arm64.R, put func(r arm64.V)) {
	k.eachVectorOfPixel(func(offset int) {
		pixels := k.Vectors(4)
		for p, r := range pixels {
			k.Load(at(from, p*pixelBytes+offset), r)
		}
		k.transpose4(pixels)
		for _, r := range pixels {
			put(r)
		}
	})
}

func transposeSquare(f *arm64.File) {
	k := begin(f, "transpose", "func(to, from []float32, toRow, fromRow int)")
	to, from, toRow, fromRow := k.Base("to"), k.Base("from"), k.stride("toRow"), k.stride("fromRow")
	source, target := k.General(), k.General()
	for column := 0; column < 4*channelBlock; column += vectorBytes {
		k.Offset(source, from, column)
		for row := 0; row < 4*channelBlock; row += vectorBytes {
			k.Scope(func() {
				rows := k.Vectors(4)
				for _, r := range rows {
					k.LoadThen(source, fromRow, r)
				}
				k.transpose4(rows)
				k.Offset(target, to, row)
				for _, r := range rows {
					k.StoreThen(r, target, toRow)
				}
			})
		}
		k.AddTo(to, to, toRow, 2)
	}
	k.End()
}
