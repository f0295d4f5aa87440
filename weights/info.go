package weights

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"
)

// Info describes a weight file.
type Info struct {
	Path   string `json:"path"`
	Format string `json:"format"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	// Published names the published file that this one is, byte for byte; empty
	// where it is none that is known.
	Published     string `json:"published,omitempty"`
	Source        string `json:"source,omitempty"`
	Licence       string `json:"licence,omitempty"`
	Preprocessing string `json:"preprocessing"` // as in Preprocessing.String
	// Remarks are what a user should know of how the network was found in the file.
	Remarks []string    `json:"remarks,omitempty"`
	Layers  []LayerInfo `json:"layers"`
}

// LayerInfo describes one convolution in a weight file.
type LayerInfo struct {
	Name      string  `json:"name"`      // conv1_1 … conv5_4
	Tensor    string  `json:"tensor"`    // the filters' name in the file
	Shape     []int64 `json:"shape"`     // of the filters in the file
	Precision string  `json:"precision"` // F64, F32, F16, BF16 or palette
}

// precisionPalette says that filters index a table of 256 values.
const precisionPalette = "palette"

// Inspect describes the file of that name, without decoding it. An empty name
// stands for the embedded network; others are as for Open.
func Inspect(ctx context.Context, name string) (*Info, error) {
	f, err := OpenAny(ctx, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Info()
}

// Verify checks that the file of that name, as for Inspect, holds VGG-19 with
// finite parameters, and that its SHA-256 begins as a name like
// vgg19-dcbb9e9d.pth promises.
func Verify(ctx context.Context, name string) (*Info, error) {
	f, err := OpenAny(ctx, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Info()
	if err != nil {
		return nil, err
	}
	want, advice := promisedDigest(info.Path), "as its name promises: fetch it again"
	if name == "" {
		want, advice = EmbeddedSHA256, "as the program was built with: install it again"
	}
	if !strings.HasPrefix(info.SHA256, want) {
		return nil, f.fail(fmt.Errorf("has SHA-256 %s, want %s, %s", info.SHA256, want, advice))
	}
	_, err = f.Parameters()
	return info, err
}

// OpenAny is OpenFile, but opens the embedded network for an empty name.
func OpenAny(ctx context.Context, name string) (*File, error) {
	if name == "" {
		return Embedded()
	}
	return OpenFile(ctx, name)
}

// Info describes the file. It reads all of it for the digest.
func (f *File) Info() (*Info, error) {
	info := &Info{
		Path:          f.from.name,
		Format:        f.contents.format,
		Bytes:         f.from.size,
		Source:        f.contents.metadata["source"],
		Licence:       f.contents.metadata["license"],
		Preprocessing: f.preprocessing.String(),
		Remarks:       f.remarks,
	}
	for _, l := range f.layers {
		precision := string(l.filter.kind)
		if l.palette != nil {
			precision = precisionPalette
		}
		info.Layers = append(info.Layers, LayerInfo{l.Name, l.filter.name, l.filter.shape, precision})
	}
	digests := []hash.Hash{sha256.New(), md5.New()}
	everything := io.NewSectionReader(f.from, 0, f.from.size)
	if _, err := io.Copy(io.MultiWriter(digests[0], digests[1]), everything); err != nil {
		return nil, f.fail(err)
	}
	info.SHA256 = hex.EncodeToString(digests[0].Sum(nil))
	if p := recognise(info.SHA256, hex.EncodeToString(digests[1].Sum(nil))); p != nil {
		info.Published = p.title
		if p.source != "" {
			info.Source, info.Licence = p.source, p.licence
		}
	}
	return info, nil
}
