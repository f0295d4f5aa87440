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

// Runner has the jobs of a batch, or the cells of a comparison, done by a cluster. It is a
// batch.Crowd and a compare.Painter.
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
func (r *Runner) Run(ctx context.Context, _ int, job batch.Job, progress func(model.Progress)) (result batch.Result, err error) {
	j, files, err := newJob(job, r.Program, r.Batch)
	if err != nil {
		return result, err
	}
	var of outcome
	err = r.submit(ctx, j, files, progress, func(s cluster.State) error {
		if err := json.Unmarshal(s.Result, &of); err != nil {
			return fmt.Errorf("the result from the worker %s: %w", quote.Name(s.Worker), err)
		}
		if err := r.Cluster.Download(ctx, s.Outputs[pictureFile], job.Output); err != nil {
			return fmt.Errorf("fetch %s: %w", quote.Name(job.Output), err)
		}
		of.Picture, err = records.FileDigest(ctx, job.Output)
		return err
	})
	if err != nil {
		return result, err
	}
	if of.Error != "" {
		err = errors.New(of.Error)
	}
	return of.Result, err
}

// submit brings a job's files to the cluster, submits it, and waits until it is done, for what
// fetch does with it. What isn't in the store any more when it is needed is made again.
func (r *Runner) submit(ctx context.Context, j cluster.Job, files []roleFile, progress func(model.Progress), fetch func(cluster.State) error) error {
	for again := false; ; again = true {
		j.Inputs = nil
		for _, f := range files {
			object, err := r.Cluster.Upload(ctx, f.path)
			if err != nil {
				return err
			}
			j.Inputs = append(j.Inputs, cluster.Input{Role: f.role, Object: object})
		}
		s, err := r.await(ctx, j, progress)
		if err == nil {
			err = fetch(s)
		}
		if again || !cluster.IsLost(err) {
			return err
		}
		r.Cluster.Forget() // what was brought there before isn't there any more
	}
}

// await submits a job, and waits until it is done.
func (r *Runner) await(ctx context.Context, j cluster.Job, progress func(model.Progress)) (cluster.State, error) {
	s, err := r.Cluster.Submit(ctx, j)
	if err == nil && !s.Phase.Ended() {
		s, err = r.Cluster.Wait(ctx, s.Key, func(s cluster.State) {
			var p model.Progress
			if progress != nil && len(s.Progress) > 0 && json.Unmarshal(s.Progress, &p) == nil && p.Total > 0 {
				progress(p)
			}
		})
	}
	switch {
	case err != nil:
		return s, err
	case s.Phase == cluster.Cancelled:
		return s, errors.New("the job was cancelled in the cluster; the same command submits it anew")
	case s.Phase == cluster.Failed:
		return s, fmt.Errorf("the cluster gave it up after it was begun %d times: %s", s.Begun, quote.Line(s.Reason()))
	}
	return s, nil
}

// NewBatch is a name for the jobs of a run: the time, and something that no other has.
func NewBatch() string { return time.Now().UTC().Format("20060102-150405-") + cluster.Unique() }
