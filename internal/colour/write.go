package colour

import (
	"encoding/binary"
	"math"
	"sync"
	"unicode/utf16"
)

// SRGBProfile is an ICC profile of sRGB: version 4, a matrix and one parametric curve,
// less than 600 bytes. It isn't to be changed.
var SRGBProfile = sync.OnceValue(func() []byte {
	type tag struct {
		names []string
		data  []byte
	}
	column := func(i int) vector { return vector{srgbToD50[0][i], srgbToD50[1][i], srgbToD50[2][i]} }
	q := srgbCurve
	tags := []tag{
		{[]string{"desc"}, localised("sRGB")},
		{[]string{"cprt"}, localised("No copyright, use freely")},
		{[]string{"wtpt"}, fixedNumbers("XYZ ", d50[:])},
		{[]string{"chad"}, fixedNumbers("sf32", adaptationToD50())},
		{[]string{"rTRC", "gTRC", "bTRC"}, fixedNumbers("para\x00\x00\x00\x00\x00\x03\x00\x00", []float64{q.g, q.a, q.b, q.c, q.d})},
	}
	for i, name := range []string{"rXYZ", "gXYZ", "bXYZ"} {
		v := column(i)
		tags = append(tags, tag{[]string{name}, fixedNumbers("XYZ ", v[:])})
	}
	var table, body []byte
	var count int
	for _, t := range tags {
		count += len(t.names)
	}
	start := profileHeader + 4 + 12*count
	for _, t := range tags {
		for _, name := range t.names {
			table = append(table, name...)
			table = binary.BigEndian.AppendUint32(table, uint32(start+len(body)))
			table = binary.BigEndian.AppendUint32(table, uint32(len(t.data)))
		}
		body = append(body, t.data...)
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
	}
	profile := header(start + len(body))
	profile = binary.BigEndian.AppendUint32(profile, uint32(count))
	return append(append(profile, table...), body...)
})

// header is that of a profile for a display in RGB, version 4.
func header(size int) []byte {
	h := make([]byte, profileHeader)
	binary.BigEndian.PutUint32(h, uint32(size))
	copy(h[8:], "\x04\x20\x00\x00mntrRGB XYZ ")
	for i, n := range []uint16{2026, 1, 1, 0, 0, 0} { // the date is part of the format
		binary.BigEndian.PutUint16(h[24+2*i:], n)
	}
	copy(h[36:], "acsp")
	copy(h[68:], fixedNumbers("", d50[:]))
	return h
}

// fixedNumbers are s15Fixed16Numbers after the type's signature, and four zero bytes
// where that has no more than four.
func fixedNumbers(kind string, values []float64) []byte {
	data := []byte(kind)
	if len(data) == 4 {
		data = append(data, 0, 0, 0, 0)
	}
	for _, v := range values {
		data = binary.BigEndian.AppendUint32(data, uint32(int32(math.Round(v*(1<<16)))))
	}
	return data
}

// localised is a multiLocalizedUnicodeType with one text in English.
func localised(text string) []byte {
	units := utf16.Encode([]rune(text))
	data := []byte("mluc\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x0cenUS")
	data = binary.BigEndian.AppendUint32(data, uint32(2*len(units)))
	data = binary.BigEndian.AppendUint32(data, 28)
	for _, u := range units {
		data = binary.BigEndian.AppendUint16(data, u)
	}
	return data
}

// adaptationToD50 is Bradford's matrix from D65, row by row.
func adaptationToD50() []float64 {
	m := adaptation(d65)
	return append(append(append([]float64{}, m[0][:]...), m[1][:]...), m[2][:]...)
}
