package painters

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"time"

	"impasto/device"
	"impasto/internal/batch"
	"impasto/internal/cluster"
	"impasto/internal/settings"
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

// outcome is a batch's result, and why the picture isn't finished that a run left which
// failed on its way.
type outcome struct {
	batch.Result
	Error string `json:"error,omitempty"`
}

// Run implements cluster.Kind.
func (p *Painter) Run(ctx context.Context, task *cluster.Task) (cluster.Outcome, error) {
	job, err := p.jobOf(task)
	if err != nil {
		return cluster.Outcome{}, &cluster.PermanentError{Err: err}
	}
	var of outcome
	err = p.resume(task, func(from *model.Checkpoint) error {
		keep := p.keeper(ctx, task)
		of.Result, err = p.Local.Make(ctx, 0, job, batch.Watch{
			Progress:   func(now model.Progress) { p.progress(ctx, task, now) },
			Checkpoint: func(m model.Moment) { keep(m, nil) },
			Resume:     from,
		})
		return err
	})
	if err != nil && ctx.Err() == nil && of.Picture != "" { // it would fail elsewhere, too
		of.Error, err = err.Error(), nil
	}
	return cluster.Outcome{Files: map[string]string{pictureFile: job.Output}, Result: of}, err
}

// progress tells where a task stands.
func (p *Painter) progress(ctx context.Context, task *cluster.Task, now model.Progress) {
	task.Progress(func() any { return now })
	if p.Pause > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(p.Pause):
		}
	}
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
	values, err := p.valuesOf(task, task.Job.Settings, settingRole)
	if err != nil {
		return job, err
	}
	job = batch.Job{
		Number: 1, Content: contents[0], Style: styles[0], Output: filepath.Join(task.Folder, pictureFile+filepath.Ext("x"+with.Extension)),
		Settings: values, Depth: with.Depth, Quality: with.Quality,
	}
	return job, nil
}

// valuesOf are settings of a task with the paths of the inputs of a role, and with the device
// and the threads that it is to be done on.
func (p *Painter) valuesOf(task *cluster.Task, tokens map[string]string, role string) (map[string]string, error) {
	values, err := valuesOf(tokens, task.Inputs(role))
	if err == nil {
		values["device"], values["threads"] = string(p.Devices[task.Seat%len(p.Devices)]), strconv.Itoa(p.Threads)
		_, err = settings.Read(values)
	}
	return values, err
}

// keeper stores checkpoints where they are due, each with an attachment.
func (p *Painter) keeper(ctx context.Context, task *cluster.Task) func(m model.Moment, attachment []byte) {
	last, took := time.Now(), time.Duration(0)
	return func(m model.Moment, attachment []byte) {
		ended := m.LevelEnded && m.Last.Level == m.Last.Levels
		if ended || !m.Stopped && time.Since(last) < max(task.CheckpointEvery, checkpointShare*took) {
			return
		}
		began := time.Now()
		if err := task.Keep(ctx, func(w io.Writer) error { return m.Write(w, attachment) }); err != nil && ctx.Err() == nil {
			p.log("%s goes on without a checkpoint: %v", task.Job.Name, err)
		}
		last, took = time.Now(), time.Since(began)
	}
}
