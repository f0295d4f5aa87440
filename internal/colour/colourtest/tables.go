package colourtest

import (
	"encoding/binary"
	"math"
)

// lab is a made-up device: its Lab by one, three or four values in 0–1. That of
// CMYK has a black that isn't quite black.
func lab(x []float64) (l, a, b float64) {
	switch len(x) {
	case 1:
		return 100 * math.Pow(x[0], 0.8), 3 * x[0] * (1 - x[0]), -6 * x[0] * (1 - x[0])
	case 3:
		y := 0.3*x[0] + 0.6*x[1] + 0.1*x[2]
		return 5 + 95*y, 60 * (x[0] - x[1]), 50 * (0.5*x[0] + 0.5*x[1] - x[2])
	}
	rest := (1 - 0.9*x[3])
	return 8 + 92*rest*(1-0.35*x[0])*(1-0.45*x[1])*(1-0.08*x[2]),
		60 * rest * (x[1] - 0.6*x[0]), 60 * rest * (x[2] - 0.7*x[0])
}

// grid calls f with the nodes of a grid in order, the last axis fastest.
func grid(sizes []int, f func(x []float64)) {
	count := 1
	for _, size := range sizes {
		count *= size
	}
	x := make([]float64, len(sizes))
	for i := range count {
		node := i
		for axis := len(sizes) - 1; axis >= 0; axis-- {
			x[axis] = float64(node%sizes[axis]) / float64(sizes[axis]-1)
			node /= sizes[axis]
		}
		f(x)
	}
}

func sides(channels, side int) (sizes []int) {
	for range channels {
		sizes = append(sizes, side)
	}
	return sizes
}

// Tables16 is a tag of lut16Type to Lab, with input curves of an exponent.
func Tables16(channels, side int, exponent float64) []byte {
	data := append([]byte("mft2\x00\x00\x00\x00"), byte(channels), 3, byte(side), 0)
	data = fixed(data, 1, 0, 0, 0, 1, 0, 0, 0, 1)
	data = append(data, 0x01, 0x00, 0x00, 0x02) // 256 entries and 2
	for range channels {
		data = append(data, Words(256, func(v float64) float64 { return math.Pow(v, exponent) })...)
	}
	grid(sides(channels, side), func(x []float64) {
		l, a, b := lab(x)
		for _, v := range []float64{l * 652.8, (a + 128) * 256, (b + 128) * 256} {
			data = binary.BigEndian.AppendUint16(data, uint16(math.Round(v)))
		}
	})
	for range 3 {
		data = append(data, Words(2, func(v float64) float64 { return v })...)
	}
	return data
}

// Tables8 is a tag of lut8Type to Lab.
func Tables8(channels, side int) []byte {
	data := append([]byte("mft1\x00\x00\x00\x00"), byte(channels), 3, byte(side), 0)
	data = fixed(data, 1, 0, 0, 0, 1, 0, 0, 0, 1)
	identity := make([]byte, 256)
	for i := range identity {
		identity[i] = byte(i)
	}
	for range channels {
		data = append(data, identity...)
	}
	grid(sides(channels, side), func(x []float64) {
		l, a, b := lab(x)
		data = append(data, byte(math.Round(l*2.55)), byte(math.Round(a+128)), byte(math.Round(b+128)))
	})
	for range 3 {
		data = append(data, identity...)
	}
	return data
}

// Elements is a tag of lutAToBType to Lab with a grid of these sizes, curves before it,
// and a matrix that swaps nothing but is there.
func Elements(sizes []int, exponent float64) []byte {
	data := append([]byte("mAB \x00\x00\x00\x00"), byte(len(sizes)), 3, 0, 0)
	data = append(data, make([]byte, 20)...)
	place := func(field int, part []byte) {
		binary.BigEndian.PutUint32(data[12+4*field:], uint32(len(data)))
		data = append(data, part...)
		data = append(data, make([]byte, -len(data)&3)...)
	}
	repeat := func(count int, curve []byte) (all []byte) {
		for range count {
			all = append(append(all, curve...), make([]byte, -len(curve)&3)...)
		}
		return all
	}
	identity := Parametric(0, 1)
	place(0, repeat(3, identity))
	place(1, fixed(nil, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0))
	place(2, repeat(3, identity))
	cells := make([]byte, 20)
	for i, size := range sizes {
		cells[i] = byte(size)
	}
	cells[16] = 2
	grid(sizes, func(x []float64) {
		l, a, b := lab(x)
		for _, v := range []float64{l / 100, (a + 128) / 255, (b + 128) / 255} {
			cells = binary.BigEndian.AppendUint16(cells, uint16(math.Round(v*65535)))
		}
	})
	place(3, cells)
	place(4, repeat(len(sizes), Gamma(exponent)))
	return data
}

// CMYK is a profile for printers, by 16-bit tables.
func CMYK() []byte { return New(2, "CMYK", "Lab ").Add("A2B0", Tables16(4, 9, 1)).Bytes() }

// Samples are profiles of all kinds, by name.
func Samples() map[string][]byte {
	gamma := Gamma(563. / 256)
	power := func(v float64) float64 { return math.Pow(v, 1.8) }
	return map[string][]byte{
		"P3 v4, parametric":       Matrix(4, DisplayP3, SRGBCurve()).Bytes(),
		"P3 v2, table":            Matrix(2, DisplayP3, Table(1024, srgb)).Bytes(),
		"Adobe RGB v2, gamma":     Matrix(2, AdobeRGB, gamma).Bytes(),
		"Adobe RGB v4, parameter": Matrix(4, AdobeRGB, Parametric(0, 563./256)).Bytes(),
		"ProPhoto v2, gamma":      Matrix(2, ProPhoto, Gamma(1.8)).Bytes(),
		"ProPhoto v4, table":      Matrix(4, ProPhoto, Table(256, power)).Bytes(),
		"ProPhoto v4, function 4": Matrix(4, ProPhoto, Parametric(4, 1.8, 1, 0, 1./16, 1./512, 0, 0)).Bytes(),
		"P3 v4, function 1":       Matrix(4, DisplayP3, Parametric(1, 2.2, 1, 0)).Bytes(),
		"P3 v4, function 2":       Matrix(4, DisplayP3, Parametric(2, 2.2, 0.98, 0.01, 0.02)).Bytes(),
		"linear P3":               Matrix(4, DisplayP3, Table(0, nil)).Bytes(),
		"grey, gamma":             New(2, "GRAY", "XYZ ").Add("wtpt", XYZ(0.9642, 1, 0.8249)).Add("kTRC", Gamma(1.8)).Bytes(),
		"grey to Lab":             New(4, "GRAY", "Lab ").Add("wtpt", XYZ(0.9642, 1, 0.8249)).Add("kTRC", Gamma(1)).Bytes(),
		"grey by 16-bit tables":   New(2, "GRAY", "Lab ").Add("A2B0", Tables16(1, 33, 1)).Bytes(),
		"RGB by 16-bit tables":    New(2, "RGB ", "Lab ").Add("A2B0", Tables16(3, 17, 2)).Bytes(),
		"RGB by 8-bit tables":     New(2, "RGB ", "Lab ").Add("A2B0", Tables8(3, 9)).Bytes(),
		"RGB v4, by elements":     New(4, "RGB ", "Lab ").Add("A2B0", Elements([]int{9, 9, 9}, 1.5)).Bytes(),
		"RGB v4, uneven grid":     New(4, "RGB ", "Lab ").Add("A2B0", Elements([]int{5, 9, 17}, 1)).Bytes(),
		"CMYK v2, 16-bit tables":  CMYK(),
		"CMYK v4, by elements":    New(4, "CMYK", "Lab ").Add("A2B0", Elements([]int{5, 6, 7, 9}, 1)).Bytes(),
	}
}

func srgb(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}
