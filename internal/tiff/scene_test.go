package tiff

import (
	"encoding/binary"
	"math"
)

// libtiffCase is a picture, and how tiffcp is to write it.
type libtiffCase struct {
	name, picture, arguments string
	tolerance                int
}

// libtiffCases are the kinds of files that tiffcp writes. Their pixels come as exactly as
// 8 bits hold them, but where JPEG's cosines, or the rounding of products and shares, are
// within a level or two of libtiff's.
func libtiffCases() []libtiffCase {
	cases := []libtiffCase{
		{"jpeg of grey", "grey", "-c jpeg:90", 1},
		{"jpeg of YCbCr", "rgb", "-c jpeg:90", 3},
		{"jpeg of RGB", "rgb", "-c jpeg:r:90", 1},
		{"jpeg of YCbCr in tiles", "rgb", "-c jpeg:80 -t -w 16 -l 16", 3},
		{"jpeg of RGB in planes", "rgb", "-c jpeg:r:90 -p separate", 1},
		{"jpeg of YCbCr in strips", "rgb", "-c jpeg:90 -r 16", 3},
		{"jpeg of CMYK", "cmyk", "-c jpeg:90", 2},
		{"cmyk", "cmyk", "-c lzw", 1},
		{"cmyk of 16 bits", "cmyk16", "-c zip:2", 1},
		{"alpha", "rgba", "-c lzw:2", 1},
		{"associated alpha", "associated", "-c zip", 1},
		{"alpha in planes", "rgba", "-c zip -p separate", 1},
		{"float and predictor 3", "float", "-c zip:3", 0},
		{"float and predictor 3, LZW", "float", "-c lzw:3", 0},
		{"float of 64 bits and predictor 3", "float64", "-c zip:3", 0},
		{"float of 16 bits and predictor 3", "float16", "-c zip:3", 0},
		{"float colours", "floatRGB", "-c lzw:3 -t -w 16 -l 16", 0},
		{"32 bits and predictor 2", "grey32", "-c zip:2", 0},
		{"32 bits and predictor 2, MM", "grey32", "-c zip:2 -B", 0},
		{"old Deflate", "rgb", "-c zip:s0", 0},
	}
	for _, picture := range []string{"grey", "rgb", "grey16", "rgb16", "palette", "bilevel"} {
		tolerance := 0
		if picture == "grey16" {
			tolerance = 1 // libtiff looks at the higher byte alone
		}
		for _, arguments := range []string{"-c none", "-c lzw", "-c zip", "-c packbits"} {
			cases = append(cases, libtiffCase{picture + " " + arguments, picture, arguments, tolerance})
		}
		for _, arguments := range []string{
			"-c none -B", "-c zip -8", "-c lzw -8 -B", "-c lzw -t -w 16 -l 16", "-c zip -r 4",
			"-c packbits -f lsb2msb", "-c lzw -f lsb2msb",
		} {
			cases = append(cases, libtiffCase{picture + " " + arguments, picture, arguments, tolerance})
		}
	}
	for _, arguments := range []string{"-c zip:2 -p separate", "-c none -p separate -r 3", "-c lzw:2 -p separate -t -w 16 -l 16"} {
		cases = append(cases, libtiffCase{"rgb " + arguments, "rgb", arguments, 0})
	}
	for _, picture := range []string{"rgb", "rgb16"} {
		for _, arguments := range []string{"-c lzw:2 -t -w 16 -l 32", "-c zip:2 -B"} {
			cases = append(cases, libtiffCase{picture + " " + arguments, picture, arguments, 0})
		}
	}
	for _, picture := range []string{"bilevel", "fax", "lines"} {
		for _, arguments := range []string{
			"-c g4", "-c g3:1d", "-c g3:2d", "-c g3:1d:fill", "-c g3:2d:fill", "-c g4 -f lsb2msb",
			"-c g3:2d -f lsb2msb", "-c g4 -r 5", "-c g3:2d -r 4 -B", "-c g4 -t -w 32 -l 16",
		} {
			cases = append(cases, libtiffCase{picture + " " + arguments, picture, arguments, 0})
		}
	}
	return cases
}

// scene is a value of 0–1 that changes with place and colour, with edges.
func scene(x, y, colour int) float64 {
	v := 0.5 + 0.4*math.Sin(float64(x)/(3+float64(colour)))*math.Cos(float64(y)/(2+float64(colour)))
	if x > 9 && x < 15 && y > 3 && y < 9 {
		v = float64(colour) / 4
	}
	return v
}

const sceneWidth, sceneHeight = 19, 17

// libtiffPictures are uncompressed files.
func libtiffPictures() map[string][]byte {
	picture := func(photometric, samples, bits, format int, more ...testField) []byte {
		d := (&testDirectory{}).set(short(tagImageWidth, sceneWidth), short(tagImageLength, sceneHeight),
			short(tagSamplesPerPixel, samples), short(tagPhotometric, photometric), short(tagSampleFormat, format),
			short(tagPlanar, 1), short(tagRowsPerStrip, sceneHeight), short(tagCompression, 1)).set(more...)
		d.set(testField{tag: tagBitsPerSample, kind: 3, numbers: bytesOf(samples, bits)})
		d.chunks = [][]byte{sceneSamples(photometric, samples, bits, format)}
		return little(d)
	}
	var colourMap testField
	colourMap.tag, colourMap.kind = tagColorMap, 3
	for i := range 3 * 16 {
		colourMap.numbers = append(colourMap.numbers, uint64(i*i*977%256*257))
	}
	return map[string][]byte{
		"grey": picture(minIsBlack, 1, 8, 1), "grey16": picture(minIsWhite, 1, 16, 1), "grey32": picture(minIsBlack, 1, 32, 1),
		"rgb": picture(photoRGB, 3, 8, 1), "rgb16": picture(photoRGB, 3, 16, 1),
		"rgba": picture(photoRGB, 4, 8, 1, short(tagExtraSamples, 2)), "associated": picture(photoRGB, 4, 8, 1, short(tagExtraSamples, 1)),
		"cmyk": picture(separated, 4, 8, 1), "cmyk16": picture(separated, 4, 16, 1), "palette": picture(palette, 1, 4, 1, colourMap),
		"bilevel": picture(minIsBlack, 1, 1, 1), "fax": picture(minIsWhite, 1, 1, 1), "lines": linesPicture(),
		"float": picture(minIsBlack, 1, 32, 3), "float64": picture(minIsBlack, 1, 64, 3), "float16": picture(minIsBlack, 1, 16, 3),
		"floatRGB": picture(photoRGB, 3, 32, 3),
	}
}

func bytesOf(count, value int) []uint64 {
	numbers := make([]uint64, count)
	for i := range numbers {
		numbers[i] = uint64(value)
	}
	return numbers
}

// sceneSamples packs the scene.
func sceneSamples(photometric, samples, bits, format int) []byte {
	var data []byte
	order := binary.LittleEndian
	for y := range sceneHeight {
		var held, count int
		for x := range sceneWidth {
			for s := range samples {
				v := scene(x, y, s)
				if photometric == photoRGB && samples == 4 && s < 3 {
					v *= scene(x, y, 3) // no larger than alpha
				}
				level := uint64(math.Round(v * (math.Exp2(float64(bits)) - 1)))
				switch {
				case format == 3 && bits == 64:
					data = order.AppendUint64(data, math.Float64bits(v))
				case format == 3 && bits == 32:
					data = order.AppendUint32(data, math.Float32bits(float32(v)))
				case format == 3:
					data = order.AppendUint16(data, uint16(0x3000+level>>5)) // from 1/8 on
				case bits == 32:
					data = order.AppendUint32(data, uint32(level))
				case bits == 16:
					data = order.AppendUint16(data, uint16(level))
				default:
					if held, count = held<<bits|int(level), count+bits; count == 8 {
						data, held, count = append(data, byte(held)), 0, 0
					}
				}
			}
		}
		if count > 0 {
			data = append(data, byte(held<<(8-count)))
		}
	}
	return data
}

// linesPicture has white rows, black rows, single pixels and runs of more than 2560.
func linesPicture() []byte {
	const width, height = 5300, 8
	data := make([]byte, 0, width/8*height)
	for y := range height {
		row := make([]byte, ceilDivide(width, 8))
		switch y {
		case 1, 2:
			setBits(row, 0, width)
		case 3:
			setBits(row, 5, 5200)
			setBits(row, 5210, 5211)
		case 4:
			for x := 0; x < 300; x += 3 {
				setBits(row, x, x+1)
			}
		case 6:
			setBits(row, 2600, 2601)
			setBits(row, width-1, width)
		}
		data = append(data, row...)
	}
	return little(grey8(width, height, data...).set(short(tagBitsPerSample, 1), short(tagPhotometric, minIsWhite),
		short(tagSamplesPerPixel, 1), short(tagPlanar, 1), short(tagRowsPerStrip, height), short(tagCompression, 1)))
}
