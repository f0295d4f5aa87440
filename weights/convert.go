package weights

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"impasto/internal/atomicfile"
	"impasto/internal/float16"
	"impasto/internal/quote"
)

// Precisions are what Convert can write filters in; see Convert.
var Precisions = [...]string{"keep", "f32", "f16", "bf16"}

// Convert writes the network in the file of that name, as for Inspect, to out as
// safetensors: tensors conv1_1.weight and conv1_1.bias (or .palette, .index and
// .bias) to conv5_4's, with source, licence and pre-processing as metadata.
// Precision "keep", or an empty one, writes palettes as palettes and all else as
// F32, without loss from F32, F16 and BF16; "f32", "f16" and "bf16" write every
// value so, rounded to the nearest. Biases stay F32 beside palettes.
//
// The same input gives the same output, byte for byte. The output appears whole
// or not at all.
func Convert(ctx context.Context, name, out, precision string) error {
	f, err := OpenAny(ctx, name)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Convert(out, precision)
}

// Convert writes the network to out; see the function Convert.
func (f *File) Convert(out, precision string) error {
	kinds := map[string]kind{"": "", "keep": "", "f32": kindF32, "f16": kindF16, "bf16": kindBF16}
	to, ok := kinds[precision]
	if !ok {
		return fmt.Errorf("weights: precision %q is unknown, want one of %s", precision, strings.Join(Precisions[:], ", "))
	}
	info, err := f.Info()
	if err != nil {
		return err
	}
	parts, err := f.parts(to)
	if err != nil {
		return f.fail(err)
	}
	header, err := safetensorsHeader(f.metadata(info, to == "" && f.layers[0].palette != nil), parts)
	if err != nil {
		return f.fail(err)
	}
	err = atomicfile.Write(out, func(w io.Writer) error {
		if _, err := w.Write(header); err != nil {
			return err
		}
		for _, p := range parts {
			data, err := p.data()
			if err != nil {
				return f.fail(err)
			}
			if _, err := w.Write(data); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("weights: writing %s: %w", quote.Name(out), err)
	}
	return nil
}

// part is one tensor to be written.
type part struct {
	name  string
	kind  kind
	shape []int64
	data  func() ([]byte, error)
}

// parts lists what is to be written, filters as kind to, or as they are where it
// is empty.
func (f *File) parts(to kind) ([]part, error) {
	var parts []part
	for _, l := range f.layers {
		shape := []int64{int64(l.Out), int64(l.In), 3, 3}
		biasKind := kindF32
		if l.palette != nil && to == "" {
			parts = append(parts,
				part{l.Name + ".palette", kindF32, l.palette.shape, func() ([]byte, error) {
					return f.floatsAs(l.palette, kindF32)
				}},
				part{l.Name + ".index", kindU8, shape, func() ([]byte, error) {
					return f.from.load(l.filter)
				}})
		} else {
			filterKind := to
			if to == "" {
				filterKind = kindF32
			} else {
				biasKind = to
			}
			parts = append(parts, part{l.Name + ".weight", filterKind, shape, func() ([]byte, error) {
				filter, _, err := l.read(f.from)
				if err != nil {
					return nil, err
				}
				return encode(l.filter.name, filter, filterKind)
			}})
		}
		parts = append(parts, part{l.Name + ".bias", biasKind, l.bias.shape, func() ([]byte, error) {
			return f.floatsAs(l.bias, biasKind)
		}})
	}
	return parts, nil
}

func (f *File) floatsAs(t *tensor, to kind) ([]byte, error) {
	values, err := f.from.floats(t)
	if err != nil {
		return nil, err
	}
	return encode(t.name, values, to)
}

// encode writes values little-endian in the given precision.
func encode(name string, values []float32, to kind) ([]byte, error) {
	out := make([]byte, 0, int64(len(values))*kindSizes[to])
	for i, v := range values {
		switch to {
		case kindF16:
			half := float16.FromFloat32(v)
			if half&0x7fff == 0x7c00 {
				return nil, fmt.Errorf("%s has the value %g at place %d, too large for f16: use bf16 or f32", name, v, i)
			}
			out = binary.LittleEndian.AppendUint16(out, half)
		case kindBF16:
			brain := toBrain(v)
			if brain&0x7fff == 0x7f80 {
				return nil, fmt.Errorf("%s has the value %g at place %d, too large for bf16: use f32", name, v, i)
			}
			out = binary.LittleEndian.AppendUint16(out, brain)
		default:
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
		}
	}
	return out, nil
}

// toBrain rounds a finite number to the nearest bfloat16, ties to even.
func toBrain(v float32) uint16 {
	bits := math.Float32bits(v)
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

// metadata is what the written file says of itself.
func (f *File) metadata(info *Info, palettes bool) map[string]string {
	m := map[string]string{
		"network":       "VGG-19, the sixteen convolutions; filters Out×In×3×3, cross-correlation",
		"preprocessing": info.Preprocessing,
		"origin-sha256": info.SHA256,
	}
	if origin := f.contents.metadata["origin-sha256"]; origin != "" {
		m["origin-sha256"] = origin
	}
	if info.Source != "" {
		m["source"] = info.Source
	}
	if info.Licence != "" {
		m["license"] = info.Licence
	}
	if palettes {
		m["palette"] = "filters are palette[index]"
	}
	return m
}

// safetensorsHeader returns the length and the header, padded with spaces so
// that the data starts at a multiple of eight bytes.
func safetensorsHeader(metadata map[string]string, parts []part) ([]byte, error) {
	var b strings.Builder
	text, err := json.Marshal(metadata) // sorts the keys
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&b, `{"__metadata__":%s`, text)
	at := int64(0)
	for _, p := range parts {
		n, _ := elements(p.shape)
		shape, err := json.Marshal(p.shape)
		if err != nil {
			return nil, err
		}
		name, err := json.Marshal(p.name)
		if err != nil {
			return nil, err
		}
		end := at + n*kindSizes[p.kind]
		fmt.Fprintf(&b, `,%s:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`, name, p.kind, shape, at, end)
		at = end
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	header := binary.LittleEndian.AppendUint64(nil, uint64(b.Len()))
	return append(header, b.String()...), nil
}
