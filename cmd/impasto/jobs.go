package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"impasto/internal/cluster"
	"impasto/internal/quote"
	"impasto/internal/report"
	"impasto/internal/settings"
)

// jobsOptions are the settings of impasto jobs and of what is below it.
type jobsOptions struct {
	clusterOptions
	Batch  string
	States []string
}

// stateNames are the states that jobs can be listed by.
func stateNames() (names []string) {
	for _, phase := range cluster.Phases {
		names = append(names, string(phase))
	}
	return names
}

func (o *jobsOptions) addFlags(f flagSet, states bool) {
	f.add(settings.Text(&o.Batch, "BATCH"), "batch", "", "only jobs that were submitted together, by the name in the list")
	if states {
		f.add(settings.Names(&o.States, "state", stateNames()), "state", "", "only jobs in these states, with commas between them: "+strings.Join(stateNames(), ", "))
	}
	o.clusterOptions.addFlags(f, "the NATS server: nats://HOST:PORT, or tls://HOST:PORT; several with commas between them")
}

// wants tells whether a job is one of those that the options are about.
func (o jobsOptions) wants(s cluster.State) bool {
	return (o.Batch == "" || s.Batch == o.Batch) && (len(o.States) == 0 || slices.Contains(o.States, string(s.Phase)))
}

func newJobsCommand(global *globalOptions) *cobra.Command {
	o := new(jobsOptions)
	cmd := &cobra.Command{
		Use:   "jobs --cluster URL",
		Short: "List what a cluster has to paint, is painting and has painted",
		Long: `Jobs lists the pictures that were handed over to a cluster: the beginning of the key,
the state (queued, running, done, failed or cancelled), how often it was begun, its
name, its batch, the worker that it is or was with and, of one that failed, why. Those
that failed are kept as dead letters: "impasto jobs retry" queues them anew, and so
does the command that handed them over.

With --json it prints an object for each, with the keys key, kind, name, batch,
program, subject, phase (the state), submitted, started, ended, worker, begun, try,
reasons (a list), checkpoint, outputs and result; docs/json.md describes them.`,
		Example: `  impasto jobs --cluster nats://localhost:4222 --state queued,running
  impasto jobs watch --cluster nats://localhost:4222
  impasto jobs cancel --batch 20260801-101500-abcdefgh --cluster nats://localhost:4222`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd, *global, "jobs", func(c *cluster.Cluster) error {
				return listJobs(cmd.Context(), c, *o, *global, streamsOf(cmd))
			})
		},
	}
	o.addFlags(flagsOf(cmd, "Jobs"), true)
	cmd.AddCommand(newJobsWatchCommand(global), newJobsChangeCommand(global, cancelling), newJobsChangeCommand(global, retrying))
	return cmd
}

// run connects to the cluster for what f does.
func (o *jobsOptions) run(cmd *cobra.Command, global globalOptions, name string, f func(*cluster.Cluster) error) error {
	if err := o.check(name, true); err != nil {
		return err
	}
	c, err := cluster.Connect(cmd.Context(), o.asking(name, newSayer(cmd.ErrOrStderr(), global.Quiet)))
	if err != nil {
		return err
	}
	defer c.Close()
	return f(c)
}

// jobsOf are the states of the jobs that the options are about, in the order in which they
// were submitted.
func jobsOf(ctx context.Context, c *cluster.Cluster, o jobsOptions) (all []cluster.State, err error) {
	err = c.States(ctx, func(s cluster.State) bool {
		if o.wants(s) {
			all = append(all, s)
		}
		return true
	})
	slices.SortFunc(all, func(a, b cluster.State) int {
		if order := a.Submitted.Compare(b.Submitted); order != 0 {
			return order
		}
		return strings.Compare(a.Key, b.Key)
	})
	return all, err
}

func listJobs(ctx context.Context, c *cluster.Cluster, o jobsOptions, global globalOptions, std streams) error {
	all, err := jobsOf(ctx, c, o)
	if err != nil {
		return err
	}
	if global.JSON {
		for _, s := range all {
			if err := printJSON(std.out, s); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "key\tstate\tbegun\tname\tbatch\tworker\treason")
	for _, s := range all {
		reason := ""
		if s.Phase != cluster.Done {
			reason = s.Reason()
		}
		fmt.Fprintf(table, "%s\t%s\t%d×\t%s\t%s\t%s\t%s\n", s.Key[:12], s.Phase, s.Begun, quote.Name(s.Name), quote.Name(s.Batch), quote.Name(s.Worker), quote.Line(reason))
	}
	return table.Flush()
}

func newJobsWatchCommand(global *globalOptions) *cobra.Command {
	o := new(jobsOptions)
	cmd := &cobra.Command{
		Use:   "watch --cluster URL",
		Short: "Tell what happens to jobs, as it happens",
		Long: `Watch prints a line for everything that happens to jobs, until Ctrl-C: that one is
queued, begun, done, failed or cancelled, and about once a second how far it has come.

With --json it prints the objects that "impasto jobs --json" does, and in those of
jobs that are under way the key progress, with what the worker tells of it.`,
		Example: `  impasto jobs watch --cluster nats://localhost:4222`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd, *global, "jobs watch", func(c *cluster.Cluster) error {
				return watchJobs(cmd.Context(), c, *o, *global, streamsOf(cmd))
			})
		},
	}
	o.addFlags(flagsOf(cmd, "Jobs"), true)
	return cmd
}

func watchJobs(ctx context.Context, c *cluster.Cluster, o jobsOptions, global globalOptions, std streams) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var failed error
	err := c.Listen(ctx, func(s cluster.State) {
		if !o.wants(s) || failed != nil {
			return
		}
		if global.JSON {
			failed = printJSON(std.out, s)
		} else {
			_, failed = fmt.Fprintln(std.out, quote.Line(jobLine(s)))
		}
		if failed != nil {
			cancel()
		}
	})
	if failed != nil || err != nil {
		return errors.Join(failed, err)
	}
	return errInterrupted
}

// jobLine says in a line what has become of a job.
func jobLine(s cluster.State) string {
	line := fmt.Sprintf("%s  %s  %-9s  %s", time.Now().Format(time.TimeOnly), s.Key[:12], s.Phase, quote.Name(s.Name))
	var at struct {
		Done, Total int
		Waits       string
	}
	switch {
	case len(s.Progress) > 0 && json.Unmarshal(s.Progress, &at) == nil:
		if at.Waits != "" {
			line += "  waits: " + at.Waits
		} else if at.Total > 0 {
			line += fmt.Sprintf("  iteration %d of %d", at.Done, at.Total)
		}
	case s.Phase == cluster.Running:
		line += "  on " + quote.Name(s.Worker)
	case s.Phase != cluster.Done && s.Reason() != "":
		line += "  " + s.Reason()
	}
	return line
}

// jobsChange is a command that changes jobs.
type jobsChange struct {
	verb, past  string
	short, long string
	state       []string // of jobs that it changes
	apply       func(*cluster.Cluster, context.Context, string) (cluster.State, error)
	becomes     cluster.Phase
}

var cancelling = jobsChange{
	verb: "cancel", past: "cancelled", short: "Take jobs out of a cluster",
	long: `Cancel ends jobs that aren't done, by their keys or the beginnings of these, or all of
a batch: those that wait leave the queue, and workers leave those that are under way.
What is done stays.

With --json it prints an object for each, as "impasto jobs --json" does.`,
	state: []string{string(cluster.Queued), string(cluster.Running)}, apply: (*cluster.Cluster).Cancel, becomes: cluster.Cancelled,
}

var retrying = jobsChange{
	verb: "retry", past: "queued", short: "Queue jobs anew that failed",
	long: `Retry queues jobs anew that failed too often, by their keys or the beginnings of these,
or all of a batch. They go on from their last checkpoints.

With --json it prints an object for each, as "impasto jobs --json" does.`,
	state: []string{string(cluster.Failed)}, apply: (*cluster.Cluster).Retry, becomes: cluster.Queued,
}

func newJobsChangeCommand(global *globalOptions, change jobsChange) *cobra.Command {
	o := new(jobsOptions)
	cmd := &cobra.Command{
		Use:     change.verb + " KEY… | --batch BATCH",
		Short:   change.short,
		Long:    change.long,
		Example: fmt.Sprintf("  impasto jobs %s --batch 20260801-101500-abcdefgh --cluster nats://localhost:4222", change.verb),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 && o.Batch == "" {
				return errors.New("want the keys of jobs, or a --batch of them")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd, *global, "jobs "+change.verb, func(c *cluster.Cluster) error {
				return changeJobs(cmd.Context(), c, *o, change, args, *global, streamsOf(cmd))
			})
		},
	}
	o.addFlags(flagsOf(cmd, "Jobs"), false)
	return cmd
}

// changeJobs does what a command says to the jobs of the keys and of the options' batch.
func changeJobs(ctx context.Context, c *cluster.Cluster, o jobsOptions, change jobsChange, keys []string, global globalOptions, std streams) error {
	all, err := jobsOf(ctx, c, o)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if !slices.ContainsFunc(all, func(s cluster.State) bool { return strings.HasPrefix(s.Key, key) }) {
			return fmt.Errorf("jobs %s: the cluster knows no job whose key begins with %s", change.verb, quote.Name(key))
		}
	}
	count := 0
	for _, s := range all {
		named := len(keys) == 0 || slices.ContainsFunc(keys, func(key string) bool { return strings.HasPrefix(s.Key, key) })
		if !named || !slices.Contains(change.state, string(s.Phase)) {
			continue
		}
		now, err := change.apply(c, ctx, s.Key)
		if err != nil {
			return err
		}
		if now.Phase == change.becomes {
			count++
		}
		if global.JSON {
			if err := printJSON(std.out, now); err != nil {
				return err
			}
		}
	}
	if !global.Quiet {
		fmt.Fprintf(std.err, "%s %s\n", report.Count(count, "job"), change.past)
	}
	return nil
}
