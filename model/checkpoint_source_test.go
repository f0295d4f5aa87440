package model

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"impasto/internal/optim"
)

// allocated is how many bytes of the heap a function takes, garbage included.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// TestResumingTakesMemoryForOneVector holds what checkpoints take of the heap, written and
// gone on from, against the length of one vector. The file has 14 of them with L-BFGS.
func TestResumingTakesMemoryForOneVector(t *testing.T) {
	const little = 512 << 10 // for buffers and headers
	for _, optimizer := range []Optimizer{Adam, LBFGS} {
		o := resumable(optimizer, "gaussian")
		o.Size, o.MinSize, o.FirstIterations = 288, 288, 7
		vector := pictureBytes(288, 192)
		path := filepath.Join(t.TempDir(), "run.checkpoint")
		writing := o
		writing.Checkpoint = func(m Moment) {
			switch m.Last.Done {
			case 1: // the first takes the sums of the network
				_ = m.Write(io.Discard, nil)
				return
			case 6:
			default:
				return
			}
			file, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			if took := allocated(func() { err = errors.Join(m.Write(file, nil), file.Close()) }); err != nil || took > little {
				t.Errorf("%s: writing takes %d bytes, want %d at most (error %v)", optimizer, took, int64(little), err)
			}
		}
		want, err := stylize(t, t.Context(), oneStyle, writing)
		if err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if took := allocated(func() { o.Resume, err = OpenCheckpoint(file) }); err != nil || took > little {
			t.Errorf("%s: opening takes %d bytes, want %d at most (error %v)", optimizer, took, int64(little), err)
		}
		r := newTestRun(t, o)
		objective, err := r.prepareLevel(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		took := allocated(func() {
			var d *descent
			if d, err = r.newDescent(0, objective); err == nil {
				defer d.close()
				err = d.restore(o.Resume)
			}
		})
		objective.Close()
		if err != nil || took > vector+little {
			t.Errorf("%s: going on takes %d bytes, want %d at most (error %v)", optimizer, took, vector+little, err)
		}
		got, err := stylize(t, t.Context(), oneStyle, o)
		if err != nil {
			t.Fatal(err)
		}
		checkSame(t, string(optimizer), got, want)
	}
}

// changing is a source whose bytes may become others.
type changing struct{ data []byte }

func (c *changing) ReadAt(to []byte, offset int64) (int, error) {
	return bytes.NewReader(c.data).ReadAt(to, offset)
}

func TestCheckpointThatChangesAfterItWasOpenedIsRefused(t *testing.T) {
	for optimizer, moment := range map[Optimizer]int{Adam: 2, LBFGS: 4} {
		o := resumable(optimizer, "sinkhorn")
		_, at := checkpoints(t, o)
		data := at[moment-1]
		blocks := readFrom(t, data).blocks
		for i, b := range blocks {
			altered := slices.Clone(data)
			altered[b.offset] ^= 1
			for message, now := range map[string][]byte{
				"altered since it was read first":   altered,
				"cut short since it was read first": data[:b.offset+1],
			} {
				source := &changing{data}
				var err error
				if o.Resume, err = OpenCheckpoint(source); err != nil {
					t.Fatal(err)
				}
				source.data = now
				result, err := stylize(t, t.Context(), oneStyle, o)
				if err == nil || !strings.Contains(err.Error(), message) || result != nil && result.Last.Done > 0 {
					t.Errorf("%s, block %d of %d: error %v, want one that says %s, and no iterations", optimizer, i+1, len(blocks), err, message)
				}
			}
		}
	}
}

// elsewhere has vectors that the process can't look into.
type elsewhere struct{ optim.Host }

type distant struct{ optim.HostVector }

func (e elsewhere) Download(to []float32, from optim.Vector) error {
	return e.Host.Download(to, from.(distant).HostVector)
}

func TestVectorsAreWrittenAlikeWhereverTheyAre(t *testing.T) {
	values := make(optim.HostVector, 1<<13+5)
	compact := &optim.Compact{Unit: 0.25, Bits: make([]uint16, len(values))}
	for i := range values {
		values[i] = float32(i%2048) / 8 // which 16 bits have exactly
	}
	compact.Set(values)
	var want bytes.Buffer
	if err := writeSingles(&want, values); err != nil {
		t.Fatal(err)
	}
	for _, v := range []optim.Vector{values, compact, distant{values}, optim.HostVector{}, &optim.Compact{Unit: 1}, distant{}} {
		out := blockWriter{header: &header{}, device: elsewhere{}}
		out.vector(v)
		var written bytes.Buffer
		if err := out.write(&written); err != nil {
			t.Fatal(err)
		}
		c, err := OpenCheckpoint(bytes.NewReader(written.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(io.NewSectionReader(c.source, c.blocks[0].offset, c.header.Blocks[0].bytes()))
		if err != nil || len(got) != 4*v.Len() || !bytes.Equal(got, want.Bytes()[:len(got)]) {
			t.Errorf("%T of %d values is written otherwise (error %v)", v, v.Len(), err)
		}
	}
}
