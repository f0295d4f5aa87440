package model

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"time"

	"impasto/internal/plan"
)

// Moment is a point between two iterations from which the run can be gone on from later,
// by Options.Resume, bit for bit as if it had never stopped.
type Moment struct {
	// Last is the last progress made. Its Picture can't be asked for any more.
	Last Progress
	// LevelEnded tells that the iteration was the last of its level.
	LevelEnded bool
	// Stopped tells that ctx has ended and that the run ends here.
	Stopped bool
	// Write writes a checkpoint, with an attachment for whoever goes on. It costs the time
	// of writing some bytes for each pixel, 80 with Adam and up to 160 with L-BFGS, and on
	// a GPU memory for 12 of them. It has to be called before the callback returns.
	Write func(w io.Writer, attachment []byte) error
}

// Checkpoint is where a run stood at a Moment, by ReadCheckpoint or OpenCheckpoint. Long
// vectors stay in the source until they are wanted.
type Checkpoint struct {
	header header
	source io.ReaderAt
	blocks []block
	seed   maphash.Seed // of the blocks' sums
}

// block is where a block begins in the source, and the sum of its bytes as it was first
// read.
type block struct {
	offset int64
	sum    uint64
}

// Attachment is what whoever wrote the checkpoint gave Moment.Write.
func (c *Checkpoint) Attachment() []byte { return c.header.Attachment }

// Last is the last progress made before the checkpoint, without a picture.
func (c *Checkpoint) Last() Progress { return c.header.Last }

// header is what a checkpoint begins with: all but the long vectors.
type header struct {
	Attachment []byte   `json:"attachment,omitempty"`
	Inputs     []input  `json:"inputs"`           // what the run has to be made of again
	Arithmetic string   `json:"arithmetic"`       // see plan.Device
	Before     []string `json:"before,omitempty"` // the arithmetic of other devices, which the run was on before
	Complete   bool     `json:"complete"`         // all of what losses keep is there
	Level      int      `json:"level"`            // from 0
	Iteration  int      `json:"iteration"`        // the last one made at this level, 0 before the first
	Ended      bool     `json:"ended"`            // no more are to be made at it
	Iterations []int    `json:"iterations"`       // of all levels
	Ways       []way    `json:"ways"`             // of all levels
	Variant    int      `json:"variant"`          // of the optimiser
	Moved      float64  `json:"moved"`
	Stall      stall    `json:"stall"`
	Last       Progress `json:"last"`
	Curve      curve    `json:"curve"`
	Base       [2]int   `json:"base"` // width and height of the picture that the level was made from
	// Numbers of the optimiser, and of the average where there is one.
	Optimiser []float64 `json:"optimiser"`
	Average   []float64 `json:"average,omitempty"`
	// Vectors is how many the optimiser has, Records how many steps keep something.
	Vectors int         `json:"vectors"`
	Records int         `json:"records"`
	Blocks  []blockSize `json:"blocks"` // what follows the header
}

var errCheckpointShape = errors.New("its parts don't fit each other, though it is whole; it is another program's, or of another version")

// checkResume compares a checkpoint with the run that is to go on from it.
func (r *run) checkResume(c *Checkpoint) error {
	inputs, err := r.list()
	if err != nil {
		return fmt.Errorf("model: %w", err)
	}
	if err := sameInputs(c.header.Inputs, inputs); err != nil {
		return &OptionError{"Resume", fmt.Sprintf("the checkpoint is of another run: %s", err)}
	}
	h := c.header
	if h.Level < 0 || h.Level >= len(r.levels) || h.Iteration < 0 || len(h.Iterations) != len(r.levels) || len(h.Ways) != len(r.levels) {
		return &OptionError{"Resume", fmt.Sprintf("the checkpoint: %s", errCheckpointShape)}
	}
	return nil
}

// goOn takes over from a checkpoint what isn't of its level alone.
func (r *run) goOn(c *Checkpoint) error {
	if err := r.checkResume(c); err != nil {
		return err
	}
	h := c.header
	base, err := c.base()
	if err != nil {
		return &OptionError{"Resume", fmt.Sprintf("the checkpoint: %s", err)}
	}
	r.best, r.moved, r.curve = base, h.Moved, h.Curve
	r.first, r.reached = h.Level, max(h.Level-1, 0)
	r.began = time.Now().Add(-h.Last.Elapsed)
	for i := range r.levels[:h.Level+1] {
		r.levels[i].iterations = h.Iterations[i]
	}
	r.before = h.Before
	if here := r.extractor.Device.Arithmetic(); here != h.Arithmetic {
		r.before = append(slices.Clone(h.Before), h.Arithmetic)
		r.remarks = append(r.remarks, fmt.Sprintf(
			"the checkpoint was made on %s and this is %s: the picture may differ in its last bits from that of an uninterrupted run", h.Arithmetic, here))
	} else if !h.Complete {
		r.remarks = append(r.remarks, fmt.Sprintf(
			"the checkpoint lacks what a Sinkhorn loss goes on from on %s: the picture may differ a little from that of an uninterrupted run", here))
	}
	return nil
}

// moment calls Options.Checkpoint.
func (d *descent) moment(ended, stopped bool) {
	r := d.run
	current := true
	r.options.Checkpoint(Moment{
		Last: r.last, LevelEnded: ended, Stopped: stopped,
		Write: func(w io.Writer, attachment []byte) error {
			if !current {
				return errors.New("model: checkpoint of a moment that has passed; write it before Checkpoint returns")
			}
			return d.write(w, attachment, ended)
		},
	})
	current = false
}

// stopped calls Options.Checkpoint where the end of the context stops the run.
func (d *descent) stopped(levelEnded bool) {
	if d.run.options.Checkpoint != nil && d.run.last.Done > 0 {
		d.moment(levelEnded, true)
	}
}

// write writes a checkpoint of a descent as it stands after an iteration.
func (d *descent) write(w io.Writer, attachment []byte, ended bool) error {
	r, optimiser := d.run, d.run.optimiser.State()
	inputs, err := r.list()
	if err != nil {
		return fmt.Errorf("model: %w", err)
	}
	h := header{
		Attachment: attachment, Inputs: inputs, Arithmetic: r.extractor.Device.Arithmetic(), Before: r.before, Complete: d.kept.complete,
		Level: d.index, Iteration: d.done, Ended: ended, Ways: r.ways, Variant: r.variant, Moved: r.moved, Stall: d.stall, Last: r.last, Curve: r.curve,
		Base: [2]int{r.base.width, r.base.height}, Optimiser: optimiser.Numbers,
		Vectors: len(optimiser.Vectors), Records: len(d.kept.records),
	}
	for _, l := range r.levels {
		h.Iterations = append(h.Iterations, l.iterations)
	}
	out := blockWriter{header: &h, device: r.extractor.Device}
	out.rounded(r.base)
	out.vector(d.point)
	if d.average != nil {
		state := d.average.State()
		h.Average = state.Numbers
		out.vector(state.Vectors[0])
	}
	for _, v := range optimiser.Vectors {
		out.vector(v)
	}
	for _, record := range d.kept.records {
		out.singles(record.Singles)
		out.doubles(record.Doubles)
	}
	return out.write(w)
}

// restore has a new descent go on from a checkpoint of its level. It takes memory for one
// vector.
func (d *descent) restore(c *Checkpoint) error {
	h, blocks := c.header, blockReader{checkpoint: c, next: 1} // after the base, which was taken before
	values := make([]float32, d.point.Len())
	if err := blocks.singles(values); err != nil {
		return err
	}
	if err := d.run.extractor.Device.Upload(d.point, values); err != nil {
		return err
	}
	if d.average != nil {
		if err := d.average.Restore(blocks.vectors(1, values), h.Average); err != nil {
			return err
		}
	}
	if err := d.run.optimiser.Restore(blocks.vectors(h.Vectors, values), h.Optimiser); err != nil {
		return err
	}
	records, err := blocks.records(h.Records)
	if err != nil {
		return err
	}
	if !blocks.ended() {
		return errCheckpointShape
	}
	if h.Complete {
		if err := d.objective.Restore(records); err != nil && h.Arithmetic == d.run.extractor.Device.Arithmetic() {
			return err
		}
	}
	d.done, d.ended, d.stall = h.Iteration, h.Ended, h.Stall
	d.run.last = h.Last
	return nil
}

// kept is what a device keeps from run to run, as of the end of an iteration: a descent
// that is stopped within one goes back to it.
type kept struct {
	records  []plan.Record
	complete bool
}

// keep takes that in where somebody may want a checkpoint.
func (d *descent) keep() {
	if d.run.options.Checkpoint != nil {
		d.kept.records, d.kept.complete = d.objective.State()
	}
}
