package tiff

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"impasto/internal/float16"
)

var bothOrders = []struct {
	name string
	file func(big bool) *testFile
}{
	{"II", func(big bool) *testFile { return &testFile{order: binary.LittleEndian, big: big} }},
	{"MM", func(big bool) *testFile { return &testFile{order: binary.BigEndian, big: big} }},
}

// packed packs numbers of some bits, width×samples a row, as a file of an order has them.
func packed(f *testFile, bits, perRow int, numbers []uint64) []byte {
	var data []byte
	for len(numbers) > 0 {
		row := numbers[:perRow]
		numbers = numbers[perRow:]
		var held uint64
		count := 0
		for _, n := range row {
			switch bits {
			case 16:
				data = f.order.AppendUint16(data, uint16(n))
			case 24:
				b := f.order.AppendUint32(nil, uint32(n))
				if b[0] == 0 && f.order.Uint16([]byte{0, 1}) == 1 {
					data = append(data, b[1:]...)
				} else {
					data = append(data, b[:3]...)
				}
			case 32:
				data = f.order.AppendUint32(data, uint32(n))
			case 64:
				data = f.order.AppendUint64(data, n)
			default:
				held, count = held<<bits|n, count+bits
				for count >= 8 {
					data = append(data, byte(held>>(count-8)))
					count -= 8
				}
			}
		}
		if count > 0 {
			data = append(data, byte(held<<(8-count)))
		}
	}
	return data
}

func deflate(data []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write(data) // to memory
	_ = w.Close()
	return b.Bytes()
}

// wantValues compares exactly.
func wantValues(t *testing.T, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d values, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("value %d is %v, want %v", i, got[i], want[i])
		}
	}
}

func TestIntegersOfAllSizesAreExact(t *testing.T) {
	const width, height, samples = 7, 3, 3
	random := rand.New(rand.NewPCG(1, 2))
	for _, order := range bothOrders {
		for _, big := range []bool{false, true} {
			for _, bits := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 32} {
				for _, format := range []sampleFormat{unsignedSamples, signedSamples} {
					name := fmt.Sprintf("%s big %v, %d bits, format %d", order.name, big, bits, format)
					top := uint64(1)<<bits - 1
					numbers := make([]uint64, width*height*samples)
					want := make([]float32, len(numbers))
					for i := range numbers {
						level := random.Uint64() & top
						want[i] = float32(level) / float32(top)
						numbers[i] = level
						if format == signedSamples {
							numbers[i] = (level - 1<<(bits-1)) & top
						}
					}
					f := order.file(big)
					d := rgb8(width, height, packed(f, bits, width*samples, numbers)...).set(
						short(tagBitsPerSample, bits, bits, bits), short(tagSampleFormat, int(format), int(format), int(format)))
					_, got := decoded(t, f.write(d))
					t.Run(name, func(t *testing.T) { wantValues(t, got, want) })
				}
			}
		}
	}
}

func TestFloatsOfAllSizesAreExact(t *testing.T) {
	const width, height = 5, 2
	values := []float32{0, 0.25, 1, 0.125, -3, 2, 0.5, float32(math.NaN()), float32(math.Inf(1)), 0.75}
	want := []float32{0, 0.25, 1, 0.125, 0, 1, 0.5, 0, 1, 0.75}
	for _, order := range bothOrders {
		for _, bits := range []int{16, 32, 64} {
			for _, predictor := range []int{1, 3} {
				t.Run(fmt.Sprintf("%s, %d bits, predictor %d", order.name, bits, predictor), func(t *testing.T) {
					f := order.file(false)
					data := packed(f, bits, width, floatNumbers(bits, values))
					if predictor == 3 {
						data = floatDifferences(packed(bothOrders[1].file(false), bits, width, floatNumbers(bits, values)), bits/8, width)
					}
					d := grey8(width, height, deflate(data)...).set(short(tagBitsPerSample, bits), short(tagSampleFormat, 3),
						short(tagCompression, adobeDeflate), short(tagPredictor, predictor))
					_, got := decoded(t, f.write(d))
					wantValues(t, got, want)
				})
			}
		}
	}
}

func floatNumbers(bits int, values []float32) []uint64 {
	numbers := make([]uint64, len(values))
	for i, v := range values {
		switch bits {
		case 16:
			numbers[i] = uint64(float16.FromFloat32(v))
		case 32:
			numbers[i] = uint64(math.Float32bits(v))
		default:
			numbers[i] = math.Float64bits(float64(v))
		}
	}
	return numbers
}

// floatDifferences is predictor 3 as the supplement to TIFF 6.0 defines it, of big-endian
// numbers in rows of one sample a pixel.
func floatDifferences(data []byte, size, width int) []byte {
	var out []byte
	for ; len(data) > 0; data = data[size*width:] {
		row := make([]byte, size*width)
		for i := range width {
			for b := range size {
				row[b*width+i] = data[i*size+b]
			}
		}
		for i := len(row) - 1; i > 0; i-- {
			row[i] -= row[i-1]
		}
		out = append(out, row...)
	}
	return out
}

func TestFloatsOnOtherScalesAreDivided(t *testing.T) {
	tests := []struct {
		name   string
		values []float32
		want   []float32
		remark string
	}{
		{"levels of 255", []float32{0, 51, 255, 102}, []float32{0, 0.2, 1, 0.4}, "go up to 255, and were divided by 255"},
		{"levels of 65535", []float32{0, 65535, 13107, 300}, []float32{0, 1, 0.2, 300.0 / 65535}, "divided by 65535"},
		{"any", []float32{0, 1e6, 5e5, 2e5}, []float32{0, 1, 0.5, 0.2}, "divided by 1e+06"},
		{"some highlights", []float32{0.25, 0.5, 7, 0.75}, []float32{0.25, 0.5, 1, 0.75}, "25.0 % of the TIFF file's floating-point values are above 1"},
		{"plain", []float32{0, 1, 0.5, 0.25}, []float32{0, 1, 0.5, 0.25}, ""},
	}
	for _, test := range tests {
		f := bothOrders[0].file(false)
		d := grey8(2, 2, packed(f, 32, 2, floatNumbers(32, test.values))...).set(short(tagBitsPerSample, 32), short(tagSampleFormat, 3))
		p, got := decoded(t, f.write(d))
		t.Run(test.name, func(t *testing.T) {
			wantValues(t, got, test.want)
			wantRemark(t, p, test.remark)
		})
	}
}

// wantRemark wants one remark with the words, or none at all.
func wantRemark(t *testing.T, p *Picture, words string) {
	t.Helper()
	if words == "" && len(p.Remarks) == 0 {
		return
	}
	if len(p.Remarks) != 1 || words == "" || !bytes.Contains([]byte(p.Remarks[0]), []byte(words)) {
		t.Errorf("remarks %q, want %q", p.Remarks, words)
	}
}

func TestPredictor2IsUndoneInBothOrders(t *testing.T) {
	const width, height, samples = 6, 2, 3
	random := rand.New(rand.NewPCG(3, 4))
	for _, order := range bothOrders {
		for _, bits := range []int{8, 16, 24, 32} {
			for _, planar := range []int{1, 2} {
				t.Run(fmt.Sprintf("%s, %d bits, planar %d", order.name, bits, planar), func(t *testing.T) {
					f := order.file(false)
					top := uint64(1)<<bits - 1
					var planes [samples][]uint64
					var beside []uint64
					var want []float32
					for range width * height {
						for s := range samples {
							level := random.Uint64() & top
							planes[s], beside = append(planes[s], level), append(beside, level)
							want = append(want, float32(level)/float32(top))
						}
					}
					d := rgb8(width, height).set(short(tagBitsPerSample, bits, bits, bits), short(tagPlanar, planar),
						short(tagCompression, oldDeflate), short(tagPredictor, 2))
					d.chunks = [][]byte{deflate(packed(f, bits, width*samples, differences(beside, samples, width*samples, top)))}
					if planar == 2 {
						d.chunks = nil
						for _, plane := range planes {
							d.chunks = append(d.chunks, deflate(packed(f, bits, width, differences(plane, 1, width, top))))
						}
					}
					_, got := decoded(t, f.write(d))
					wantValues(t, got, want)
				})
			}
		}
	}
}

func differences(numbers []uint64, step, perRow int, top uint64) []uint64 {
	out := make([]uint64, len(numbers))
	for i, n := range numbers {
		if i%perRow >= step {
			n -= numbers[i-step]
		}
		out[i] = n & top
	}
	return out
}

func TestLowestBitFirstIsReversed(t *testing.T) {
	// 0x1e is 0x78 reversed.
	_, got := decoded(t, little(grey8(2, 1, 0x1e, 0x01).set(short(tagFillOrder, 2))))
	wantValues(t, got, []float32{0x78 / 255.0, 0x80 / 255.0})
	_, got = decoded(t, little(grey8(5, 1, 0b00010011).set(short(tagFillOrder, 2), short(tagBitsPerSample, 1))))
	wantValues(t, got, []float32{1, 1, 0, 0, 1})
}
