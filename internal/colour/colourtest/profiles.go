// Package colourtest makes ICC profiles to test with.
package colourtest

import (
	"encoding/binary"
	"math"
)

// Profile is an ICC profile in the making.
type Profile struct {
	Version    byte
	Space, PCS string // four letters each
	names      []string
	data       map[string][]byte
}

// New begins a profile.
func New(version byte, space, pcs string) *Profile {
	return &Profile{Version: version, Space: space, PCS: pcs, data: map[string][]byte{}}
}

// Add sets a tag.
func (p *Profile) Add(name string, data []byte) *Profile {
	if p.data[name] == nil {
		p.names = append(p.names, name)
	}
	p.data[name] = data
	return p
}

// Bytes is the profile as a file has it.
func (p *Profile) Bytes() []byte {
	head := make([]byte, 128)
	copy(head[8:], []byte{p.Version, 0x20, 0, 0})
	copy(head[12:], "mntr"+p.Space+p.PCS)
	copy(head[24:], []byte{0x07, 0xe8, 0, 1, 0, 1})
	copy(head[36:], "acsp")
	copy(head[68:], XYZ(0.9642, 1, 0.8249)[8:])
	table := binary.BigEndian.AppendUint32(nil, uint32(len(p.names)))
	var body []byte
	for _, name := range p.names {
		table = append(table, name...)
		table = binary.BigEndian.AppendUint32(table, uint32(132+12*len(p.names)+len(body)))
		table = binary.BigEndian.AppendUint32(table, uint32(len(p.data[name])))
		body = append(body, p.data[name]...)
		body = append(body, make([]byte, -len(body)&3)...)
	}
	file := append(append(head, table...), body...)
	binary.BigEndian.PutUint32(file, uint32(len(file)))
	return file
}

func fixed(data []byte, values ...float64) []byte {
	for _, v := range values {
		data = binary.BigEndian.AppendUint32(data, uint32(int32(math.Round(v*65536))))
	}
	return data
}

// XYZ is a tag with a colour.
func XYZ(x, y, z float64) []byte { return fixed([]byte("XYZ \x00\x00\x00\x00"), x, y, z) }

// Gamma is a curve of one exponent, which is kept in steps of 1/256.
func Gamma(exponent float64) []byte {
	return binary.BigEndian.AppendUint16([]byte("curv\x00\x00\x00\x00\x00\x00\x00\x01"), uint16(math.Round(exponent*256)))
}

// Parametric is a parametric curve with its function's number and parameters.
func Parametric(function uint16, values ...float64) []byte {
	data := binary.BigEndian.AppendUint16([]byte("para\x00\x00\x00\x00"), function)
	return fixed(append(data, 0, 0), values...)
}

// Table is a curve with values of f at even distances.
func Table(count int, f func(float64) float64) []byte {
	data := binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), uint32(count))
	return append(data, Words(count, f)...)
}

// Words are values of f at even distances, 16 bits each.
func Words(count int, f func(float64) float64) (data []byte) {
	for i := range count {
		data = binary.BigEndian.AppendUint16(data, uint16(math.Round(65535*f(float64(i)/float64(count-1)))))
	}
	return data
}

// Matrix is a profile with the primaries' colours and one curve.
func Matrix(version byte, columns [3][3]float64, curve []byte) *Profile {
	p := New(version, "RGB ", "XYZ ").Add("wtpt", XYZ(0.9642, 1, 0.8249))
	for i, name := range []string{"r", "g", "b"} {
		p.Add(name+"XYZ", XYZ(columns[i][0], columns[i][1], columns[i][2])).Add(name+"TRC", curve)
	}
	return p
}

// The colours of primaries under D50, as the profiles of their makers have them: Apple's
// Display P3, Adobe RGB (1998) and ProPhoto RGB.
var (
	DisplayP3 = [3][3]float64{{0.51512, 0.2412, -0.00105}, {0.29198, 0.69225, 0.04189}, {0.1571, 0.06657, 0.78407}}
	AdobeRGB  = [3][3]float64{{0.60974, 0.31111, 0.01947}, {0.20528, 0.62567, 0.06087}, {0.14919, 0.06322, 0.74457}}
	ProPhoto  = [3][3]float64{{0.79767, 0.28804, 0}, {0.13519, 0.71188, 0}, {0.03134, 0.00008, 0.82491}}
)

// SRGBCurve is the transfer function of sRGB and of Display P3.
func SRGBCurve() []byte { return Parametric(3, 2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045) }
