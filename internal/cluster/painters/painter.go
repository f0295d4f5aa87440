package painters

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"impasto/device"
	"impasto/internal/batch"
	"impasto/internal/cluster"
	"impasto/model"
)

// Painter paints the pictures of a cluster's jobs. It is a cluster.Kind.
type Painter struct {
	// Local paints them, and describes them as it does those of a batch.
	Local *batch.Local
	// Devices are those of the worker's seats.
	Devices []device.Name
	Threads int // of the processor for each picture; 0 for all
	// Log is told in a line what goes wrong and doesn't end a job; nil for none.
	Log func(line string)
	// Pause is waited after each iteration: for tests of slow machines.
	Pause time.Duration
}

// checkpointShare is how many times as long as a checkpoint took it is until the next, at
// least.
const checkpointShare = 20

// Run implements cluster.Kind.
func (p *Painter) Run(ctx context.Context, task *cluster.Task) (cluster.Outcome, error) {
	job, err := p.jobOf(task)
	if err != nil {
		return cluster.Outcome{}, &cluster.PermanentError{Err: err}
	}
	watch := batch.Watch{
		Progress: func(now model.Progress) {
			task.Progress(func() any { return now })
			if p.Pause > 0 {
				select {
				case <-ctx.Done():
				case <-time.After(p.Pause):
				}
			}
		},
		Checkpoint: p.keeper(ctx, task),
	}
	if task.Checkpoint != "" {
		file, err := os.Open(task.Checkpoint)
		if err != nil {
			return cluster.Outcome{}, err
		}
		defer file.Close()
		if watch.Resume, err = model.OpenCheckpoint(file); err != nil {
			p.log("%s begins anew: %v", job.Name(), err)
		}
	}
	result, err := p.Local.Make(ctx, 0, job, watch)
	var option *model.OptionError
	if watch.Resume != nil && errors.As(err, &option) && option.Option == "Resume" {
		p.log("%s begins anew: %v", job.Name(), err)
		watch.Resume = nil
		result, err = p.Local.Make(ctx, 0, job, watch)
	}
	return cluster.Outcome{Files: map[string]string{pictureFile: job.Output}, Result: result}, err
}

func (p *Painter) log(format string, values ...any) {
	if p.Log != nil {
		p.Log(fmt.Sprintf(format, values...))
	}
}

// jobOf is the batch's job of a task.
func (p *Painter) jobOf(task *cluster.Task) (job batch.Job, err error) {
	contents, styles := task.Inputs(contentRole), task.Inputs(styleRole)
	if len(contents) != 1 || len(styles) != 1 {
		return job, fmt.Errorf("the job has %d contents and %d styles, want one of each", len(contents), len(styles))
	}
	var with parameters
	if err := json.Unmarshal(task.Job.Parameters, &with); err != nil {
		return job, fmt.Errorf("the job's parameters: %w", err)
	}
	values, err := valuesOf(task.Job.Settings, task.Inputs(settingRole))
	if err != nil {
		return job, err
	}
	values["device"], values["threads"] = string(p.Devices[task.Seat%len(p.Devices)]), strconv.Itoa(p.Threads)
	job = batch.Job{
		Number: 1, Content: contents[0], Style: styles[0], Output: filepath.Join(task.Folder, pictureFile+filepath.Ext("x"+with.Extension)),
		Settings: values, Depth: with.Depth, Quality: with.Quality,
	}
	_, err = job.Stylization()
	return job, err
}

// keeper stores checkpoints where they are due.
func (p *Painter) keeper(ctx context.Context, task *cluster.Task) func(model.Moment) {
	last, took := time.Now(), time.Duration(0)
	return func(m model.Moment) {
		ended := m.LevelEnded && m.Last.Level == m.Last.Levels
		if ended || !m.Stopped && time.Since(last) < max(task.CheckpointEvery, checkpointShare*took) {
			return
		}
		began := time.Now()
		if err := task.Keep(ctx, func(w io.Writer) error { return m.Write(w, nil) }); err != nil && ctx.Err() == nil {
			p.log("%s goes on without a checkpoint: %v", task.Job.Name, err)
		}
		last, took = time.Now(), time.Since(began)
	}
}
