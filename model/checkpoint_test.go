package model

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"impasto/internal/picture"
	"impasto/losses"
)

// resumable are options of a run of two levels that takes a moment.
func resumable(optimizer Optimizer, loss string) Options {
	o := DefaultOptions()
	o.StyleTerms = []StyleTerm{{"relu1_1", named(loss), 1}, {"relu2_1", named(loss), 1}}
	o.ContentLayers = []LayerWeight{{"relu2_1", 1}}
	o.Size, o.MinSize = 32, 22
	o.FirstIterations, o.Iterations = 3, 3
	o.Optimizer, o.Device, o.Threads = optimizer, "cpu", 1
	o.Seed = 5
	return o
}

// checkpoints runs to the end and returns the result, with the checkpoint of each moment.
func checkpoints(t *testing.T, o Options) (result *Result, at [][]byte) {
	t.Helper()
	o.Checkpoint = func(m Moment) {
		var data bytes.Buffer
		if err := m.Write(&data, []byte("a note")); err != nil {
			t.Error(err)
		}
		at = append(at, data.Bytes())
	}
	result, err := stylize(t, t.Context(), oneStyle, o)
	if err != nil {
		t.Fatal(err)
	}
	return result, at
}

func readFrom(t *testing.T, data []byte) *Checkpoint {
	t.Helper()
	c, err := ReadCheckpoint(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// checkSame demands that two results are the same bit by bit, but for times.
func checkSame(t *testing.T, what string, got, want *Result) {
	t.Helper()
	if !slices.Equal(got.Image.(*picture.Picture).RGB, want.Image.(*picture.Picture).RGB) {
		t.Errorf("%s: the picture is another", what)
	}
	if got.Last.Loss != want.Last.Loss || got.Last.Done != want.Last.Done || !slices.Equal(got.Last.Terms, want.Last.Terms) {
		t.Errorf("%s: the end is at %d with loss %v, want %d with %v", what, got.Last.Done, got.Last.Loss, want.Last.Done, want.Last.Loss)
	}
	same := func(a, b CurvePoint) bool { return a.Done == b.Done && a.Level == b.Level && a.Loss == b.Loss }
	if !slices.EqualFunc(got.Curve, want.Curve, same) || !slices.Equal(got.Remarks, want.Remarks) {
		t.Errorf("%s: curve or remarks are others", what)
	}
}

// TestResumedRunIsTheSameBitByBit goes on from every moment under each optimiser, and from one
// with losses that draw or that remember what they saw.
func TestResumedRunIsTheSameBitByBit(t *testing.T) {
	for optimizer, names := range map[Optimizer][]string{
		Adam:  {"gram", "max-sliced", "sinkhorn"},
		LBFGS: {"gram", "gaussian", "sliced", "max-sliced", "sinkhorn", "sinkhorn-whole", "mmd"},
	} {
		for _, loss := range names {
			t.Run(fmt.Sprintf("%s %s", optimizer, loss), func(t *testing.T) {
				o := resumable(optimizer, loss)
				plain, err := stylize(t, t.Context(), oneStyle, o)
				if err != nil {
					t.Fatal(err)
				}
				want, at := checkpoints(t, o)
				checkSame(t, "with checkpoints", want, plain)
				for i, data := range at {
					if loss != "gram" && i != len(at)/4 {
						continue // of the rest, one within the first level, which goes on to the second
					}
					resumed := o
					resumed.Resume, resumed.Threads = readFrom(t, data), 1+i%2
					got, err := stylize(t, t.Context(), oneStyle, resumed)
					if err != nil {
						t.Fatal(err)
					}
					checkSame(t, fmt.Sprintf("after moment %d", i+1), got, want)
				}
			})
		}
	}
}

// Wherever the end of the context is noticed, in the middle of an iteration too.
// TestWhoListensMayBeAnother keeps functions out of what a checkpoint is compared by.
func TestWhoListensMayBeAnother(t *testing.T) {
	o := resumable(LBFGS, "gram")
	want, at := checkpoints(t, o)
	for _, listens := range []bool{false, true} {
		resumed := o
		if resumed.Resume = readFrom(t, at[len(at)/2]); listens {
			resumed.Planned, resumed.Begin, resumed.Progress = func(Plan) {}, func(Level) {}, func(Progress) {}
			resumed.Checkpoint = func(Moment) {}
		}
		got, err := stylize(t, t.Context(), oneStyle, resumed)
		if err != nil {
			t.Fatal(err)
		}
		checkSame(t, fmt.Sprintf("with listeners: %t", listens), got, want)
	}
}

// TestResumedRunFromAResultIsTheSameBitByBit has the result to go on from read again.
func TestResumedRunFromAResultIsTheSameBitByBit(t *testing.T) {
	o := resumable(LBFGS, "gram")
	o.Size, o.Start, o.StartImage = 45, StartFromResult, waves(22, 15, 0.5)
	want, at := checkpoints(t, o)
	for _, i := range []int{0, len(at) - 2} {
		resumed := o
		resumed.Resume = readFrom(t, at[i])
		got, err := stylize(t, t.Context(), oneStyle, resumed)
		if err != nil {
			t.Fatal(err)
		}
		checkSame(t, fmt.Sprintf("after moment %d", i+1), got, want)
	}
	other := o
	other.Resume, other.StartImage = readFrom(t, at[0]), waves(22, 15, 0.6)
	if _, err := stylize(t, t.Context(), oneStyle, other); err == nil || !strings.Contains(err.Error(), "its start picture is another") {
		t.Errorf("went on with another result: %v", err)
	}
}

func TestStoppedRunGoesOnAsIfItHadNot(t *testing.T) {
	for optimizer, loss := range map[Optimizer]string{Adam: "sinkhorn", LBFGS: "gram"} {
		t.Run(fmt.Sprintf("%s %s", optimizer, loss), func(t *testing.T) {
			o := resumable(optimizer, loss)
			o.FirstIterations = 5
			want := must(t)(stylize(t, t.Context(), oneStyle, o))
			stops := 0
			for good := 1; good < 9; good++ {
				var data bytes.Buffer
				stopped := o
				stopped.Checkpoint = func(m Moment) {
					if m.Stopped {
						if err := m.Write(&data, nil); err != nil {
							t.Error(err)
						}
					}
				}
				if err := runUntil(t, stopped, good); err == nil {
					break
				}
				if data.Len() == 0 {
					continue // before the first iteration
				}
				stops++
				resumed := o
				resumed.Resume = readFrom(t, data.Bytes())
				if got := must(t)(stylize(t, t.Context(), oneStyle, resumed)); !slices.Equal(got, want) {
					t.Errorf("stopped after %d evaluations of a level, the picture is another", good)
				}
			}
			if stops < 3 {
				t.Errorf("the run was stopped at %d places, want some", stops)
			}
		})
	}
}

// runUntil runs until so many evaluations of one machine were made and returns the error.
func runUntil(t *testing.T, o Options, good int) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := newTestRun(t, o)
	r.extractor.Device = &faultyDevice{Device: r.extractor.Device, good: good, cancel: cancel}
	return r.climb(ctx)
}

func TestCheckpointOfAnotherRunIsRefused(t *testing.T) {
	o := resumable(LBFGS, "gram")
	_, at := checkpoints(t, o)
	for name, test := range map[string]struct {
		change func(o *Options, styles *[]Style)
		want   string
	}{
		"style":     {func(_ *Options, s *[]Style) { *s = []Style{{waves(50, 50, 0.8), 1}} }, "style picture 1 is another"},
		"size":      {func(o *Options, _ *[]Style) { o.Size = 40 }, `option Size is "32", and here it is "40"`},
		"seed":      {func(o *Options, _ *[]Style) { o.Seed = 6 }, `option Seed is "5", and here it is "6"`},
		"loss":      {func(o *Options, _ *[]Style) { o.SetLoss(named("gaussian")) }, "style term 1"},
		"more":      {func(_ *Options, s *[]Style) { *s = append(slices.Clone(*s), (*s)[0]) }, "it has no style picture 2"},
		"optimizer": {func(o *Options, _ *[]Style) { o.Optimizer = Adam }, `option Optimizer is "lbfgs"`},
	} {
		other, styles := o, oneStyle
		other.Resume = readFrom(t, at[2])
		test.change(&other, &styles)
		if _, err := stylize(t, t.Context(), styles, other); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one that says %s", name, err, test.want)
		}
	}
}

func TestAlteredCheckpointIsRefused(t *testing.T) {
	_, at := checkpoints(t, resumable(LBFGS, "sinkhorn"))
	data := at[3]
	if got := readFrom(t, data); string(got.Attachment()) != "a note" || got.Last().Done != 4 {
		t.Errorf("the checkpoint has %q after %d iterations, want a note after 4", got.Attachment(), got.Last().Done)
	}
	for i := 0; i < len(data); i += 1 + len(data)/200 {
		altered := slices.Clone(data)
		altered[i] ^= 0x10
		if _, err := ReadCheckpoint(bytes.NewReader(altered)); err == nil {
			t.Errorf("byte %d of %d is another, and nobody notices", i, len(data))
		}
		if _, err := ReadCheckpoint(bytes.NewReader(data[:i])); err == nil || !strings.Contains(err.Error(), "checkpoint: ") {
			t.Errorf("cut at %d of %d: error %v", i, len(data), err)
		}
	}
	if _, err := ReadCheckpoint(bytes.NewReader(append(slices.Clone(data), 0))); err == nil || !strings.Contains(err.Error(), "after its end") {
		t.Errorf("a byte more: error %v", err)
	}
}

func TestAnotherInstructionSetIsTold(t *testing.T) {
	o := resumable(Adam, "sinkhorn")
	_, at := checkpoints(t, o)
	c := readFrom(t, at[1])
	c.header.Arithmetic = "cpu (abacus)"
	o.Resume = c
	result, err := stylize(t, t.Context(), oneStyle, o)
	if err != nil || len(result.Remarks) != 1 || !strings.Contains(result.Remarks[0], "made on cpu (abacus) and this is cpu (") {
		t.Errorf("error %v, remarks %q", err, result.Remarks)
	}
}

func TestStoppedEarlyThePictureHasTheSizeAskedFor(t *testing.T) {
	o := resumable(LBFGS, "gram")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o.Progress = func(p Progress) {
		if p.Done == 2 {
			cancel()
		}
	}
	result, err := stylize(t, ctx, oneStyle, o)
	if err == nil || result == nil {
		t.Fatalf("error %v, result %v", err, result)
	}
	if size := result.Image.Bounds().Size(); size.X != 32 || result.Last.Width != 23 {
		t.Errorf("the picture is %v, painted at %d×%d, want 32×21 from 23×15", size, result.Last.Width, result.Last.Height)
	}
}

// A process may have its functions elsewhere than the one that wrote the checkpoint had.
func TestLossesAreToldWithoutAddressesOfFunctions(t *testing.T) {
	for _, loss := range losses.All() {
		full := loss.Description()
		without := full
		for fields, i := reflect.ValueOf(&without).Elem(), 0; i < fields.NumField(); i++ {
			if fields.Field(i).Kind() == reflect.Func {
				fields.Field(i).SetZero()
			}
		}
		if sumDescription(full) != sumDescription(without) {
			t.Errorf("%s is another loss without its functions", full.Name)
		}
		if without.Formula += "x"; sumDescription(full) == sumDescription(without) {
			t.Errorf("%s is the same loss by another formula", full.Name)
		}
	}
}

func FuzzReadCheckpoint(f *testing.F) {
	f.Add([]byte(checkpointMagic))
	f.Add([]byte(checkpointMagic + "\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	var data bytes.Buffer
	h := header{Base: [2]int{1, 1}}
	out := blockWriter{header: &h}
	out.singles([]float32{1, 2, 3})
	out.doubles([]float64{4})
	if err := out.write(&data); err != nil {
		f.Fatal(err)
	}
	f.Add(data.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ReadCheckpoint(bytes.NewReader(data))
		if (c == nil) == (err == nil) {
			t.Errorf("checkpoint %v, error %v", c, err)
		}
		opened, openErr := OpenCheckpoint(bytes.NewReader(data))
		if fmt.Sprint(openErr) != fmt.Sprint(err) {
			t.Errorf("error %v where it is opened, %v where it is read", openErr, err)
		}
		if err != nil || openErr != nil {
			return
		}
		_, err = c.base()
		if _, openErr = opened.base(); fmt.Sprint(openErr) != fmt.Sprint(err) {
			t.Errorf("error %v of the base where it is opened, %v where it is read", openErr, err)
		}
		for blocks := (&blockReader{checkpoint: opened}); !blocks.ended(); {
			if opened.header.Blocks[blocks.next].Double {
				err = blocks.doubles(make([]float64, blocks.length()))
			} else {
				err = blocks.singles(make([]float32, blocks.length()))
			}
			if err != nil {
				t.Errorf("block %d: %v", blocks.next, err)
			}
		}
	})
}
