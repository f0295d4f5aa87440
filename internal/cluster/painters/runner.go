package painters

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"impasto/internal/batch"
	"impasto/internal/cluster"
	"impasto/internal/quote"
	"impasto/internal/records"
	"impasto/model"
)

// Runner has the jobs of a batch done by a cluster. It is a batch.Crowd.
type Runner struct {
	Cluster *cluster.Cluster
	Program string // the version of this program
	Batch   string // what jobs of this run are called together
	// Log is told in a line what people should know; nil for none.
	Log func(line string)

	plans *batch.Local
	hands int
}

// NewRunner returns one, and says in its log where there is nobody to do jobs.
func NewRunner(ctx context.Context, c *cluster.Cluster, program, group string, log func(line string)) (*Runner, error) {
	workers, err := c.Workers(ctx)
	if err != nil {
		return nil, err
	}
	r := &Runner{Cluster: c, Program: program, Batch: group, Log: log, plans: batch.NewLocal()}
	for _, w := range workers {
		if w.Program == program {
			r.hands += w.Seats
		}
	}
	if log == nil {
		r.Log = func(string) {}
	}
	switch {
	case len(workers) == 0:
		r.Log("the cluster has no worker by now; jobs wait for one: `impasto worker --cluster …`")
	case r.hands == 0:
		r.Log(fmt.Sprintf("the cluster has no worker of this version by now, and jobs wait for one: this is %s, and there is %s", program, workers[0].Program))
	}
	return r, nil
}

// underWay is how many jobs a batch has in the cluster at a time.
const underWay = 512

// Seats implements batch.Runner.
func (r *Runner) Seats(map[string]string) int { return max(underWay, 2*r.hands) }

// Hands implements batch.Crowd: the jobs that the workers which were there in the beginning
// do at a time.
func (r *Runner) Hands() int { return max(1, r.hands) }

// Plan implements batch.Runner, by this machine.
func (r *Runner) Plan(ctx context.Context, job batch.Job) (model.Plan, error) {
	return r.plans.Plan(ctx, job)
}

// Run implements batch.Runner. Where ctx ends, the job stays in the cluster.
func (r *Runner) Run(ctx context.Context, _ int, job batch.Job, progress func(model.Progress)) (batch.Result, error) {
	j, files, err := newJob(job, r.Program, r.Batch)
	if err != nil {
		return batch.Result{}, err
	}
	for again := false; ; again = true {
		j.Inputs = nil
		for _, f := range files {
			object, err := r.Cluster.Upload(ctx, f.path)
			if err != nil {
				return batch.Result{}, err
			}
			j.Inputs = append(j.Inputs, cluster.Input{Role: f.role, Object: object})
		}
		result, err := r.have(ctx, j, job.Output, progress)
		if again || !cluster.IsLost(err) {
			return result, err
		}
		r.Cluster.Forget() // what was brought there before isn't there any more
	}
}

// have submits a job, waits for it and fetches its picture.
func (r *Runner) have(ctx context.Context, j cluster.Job, output string, progress func(model.Progress)) (result batch.Result, err error) {
	s, err := r.Cluster.Submit(ctx, j)
	if err == nil && !s.Phase.Ended() {
		s, err = r.Cluster.Wait(ctx, s.Key, func(s cluster.State) {
			var p model.Progress
			if len(s.Progress) > 0 && json.Unmarshal(s.Progress, &p) == nil && p.Total > 0 {
				progress(p)
			}
		})
	}
	if err != nil {
		return result, err
	}
	switch s.Phase {
	case cluster.Cancelled:
		return result, errors.New("the job was cancelled in the cluster; the same command submits it anew")
	case cluster.Failed:
		return result, fmt.Errorf("the cluster gave it up after %d tries: %s", s.Begun, quote.Line(s.Reason()))
	}
	if err := json.Unmarshal(s.Result, &result); err != nil {
		return result, fmt.Errorf("the result from the worker %s: %w", quote.Name(s.Worker), err)
	}
	if err := r.Cluster.Download(ctx, s.Outputs[pictureFile], output); err != nil {
		return batch.Result{}, fmt.Errorf("fetch the picture %s: %w", quote.Name(output), err)
	}
	result.Picture, err = records.FileDigest(ctx, output)
	return result, err
}

// NewBatch is a name for the jobs of a run: the time, and something that no other has.
func NewBatch() string { return time.Now().UTC().Format("20060102-150405-") + cluster.Unique() }
