package painters

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"impasto/internal/cluster"
	"impasto/internal/compare"
	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/model"
)

// CellKind is the kind of the cluster's jobs that are cells of a comparison. Their inputs are
// a "content", "styles", the files of settings, each a "setting", and of the settings that
// they are measured by, each a "measure"; their outputs are the "picture" and its "record".
const CellKind = "cell"

// More roles of inputs, and the name of another output.
const (
	measureRole = "measure"
	recordFile  = "record"
)

// Paint implements compare.Painter.
func (r *Runner) Paint(ctx context.Context, order compare.Order, content string, styles []string, picture, record string) error {
	settingFiles, tokens := filesOf(order.Settings)
	files := []roleFile{{contentRole, content}}
	for _, path := range styles {
		files = append(files, roleFile{styleRole, path})
	}
	for _, path := range settingFiles {
		files = append(files, roleFile{settingRole, path})
	}
	j := cluster.Job{
		Kind: CellKind, Batch: r.Batch, Name: order.Name, Program: r.Program, Device: deviceOf(order.Settings["device"]), Memory: order.Memory, Settings: tokens,
	}
	if j.Memory == 0 {
		j.Memory = unplanned
	}
	order.Settings = nil
	if by := order.Measure; by != nil {
		measure := *by
		var measureFiles []string
		measureFiles, measure.Settings = filesOf(by.Settings)
		for _, path := range measureFiles {
			files = append(files, roleFile{measureRole, path})
		}
		order.Measure = &measure
	}
	var err error
	if j.Parameters, err = json.Marshal(order); err != nil {
		return err
	}
	return r.submit(ctx, j, files, nil, func(s cluster.State) error {
		for name, path := range map[string]string{pictureFile: picture, recordFile: record} {
			if err := r.Cluster.Download(ctx, s.Outputs[name], path); err != nil {
				return fmt.Errorf("fetch %s: %w", quote.Name(path), err)
			}
		}
		return nil
	})
}

// AtOnce implements compare.Painter.
func (r *Runner) AtOnce() int { return r.Seats(nil) }

// CellPainter paints cells of comparisons. It is a cluster.Kind.
type CellPainter struct {
	Painter
	// Describe returns what says of a picture how it was made, of files with weights.
	Describe func(ctx context.Context, content string, styles []compare.Style, seconds float64) func(compare.Made) picture.Made
}

// Run implements cluster.Kind.
func (p *CellPainter) Run(ctx context.Context, task *cluster.Task) (cluster.Outcome, error) {
	order, err := p.orderOf(task)
	if err != nil {
		return cluster.Outcome{}, &cluster.PermanentError{Err: err}
	}
	content, styles := task.Inputs(contentRole)[0], task.Inputs(styleRole)
	watch := compare.Watch{
		Progress: func(now model.Progress) { p.progress(ctx, task, now) }, Checkpoint: p.keeper(ctx, task),
	}
	if !order.Bare && p.Describe != nil {
		var of []compare.Style
		for i, file := range styles {
			of = append(of, compare.Style{File: file, Weight: order.Weights[i]})
		}
		watch.Describe = p.Describe(ctx, content, of, order.Seconds)
	}
	var outcome cluster.Outcome
	err = p.resume(task, func(from *model.Checkpoint) error {
		watch.Resume = from
		picture, record, err := compare.FillOrder(ctx, order, content, styles, task.Folder, watch)
		outcome.Files = map[string]string{pictureFile: picture, recordFile: record}
		return err
	})
	return outcome, err
}

// orderOf is the order of a task.
func (p *CellPainter) orderOf(task *cluster.Task) (order compare.Order, err error) {
	if err := json.Unmarshal(task.Job.Parameters, &order); err != nil {
		return order, fmt.Errorf("the job's parameters: %w", err)
	}
	if contents, styles := task.Inputs(contentRole), task.Inputs(styleRole); len(contents) != 1 || len(styles) != len(order.Weights) {
		return order, fmt.Errorf("the job has %d contents and %d styles, want one and %d", len(contents), len(styles), len(order.Weights))
	}
	if order.Settings, err = p.valuesOf(task, task.Job.Settings, settingRole); err != nil {
		return order, err
	}
	if order.Measure != nil {
		order.Measure.Settings, err = p.valuesOf(task, order.Measure.Settings, measureRole)
	}
	return order, err
}

// resume has f go on from the task's checkpoint, or, where there is none or it won't do,
// begin anew.
func (p *Painter) resume(task *cluster.Task, f func(from *model.Checkpoint) error) error {
	if task.Checkpoint == "" {
		return f(nil)
	}
	file, err := os.Open(task.Checkpoint)
	if err != nil {
		return err
	}
	defer file.Close()
	from, err := model.OpenCheckpoint(file)
	if err == nil {
		err = f(from)
		var option *model.OptionError
		if !errors.As(err, &option) || option.Option != "Resume" {
			return err
		}
	}
	p.log("%s begins anew: %v", quote.Name(task.Job.Name), err)
	return f(nil)
}
