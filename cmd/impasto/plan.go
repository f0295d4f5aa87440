package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"impasto/internal/report"
	"impasto/model"
)

func newPlanCommand(global *globalOptions) *cobra.Command {
	o := newStylizeOptions()
	cmd := &cobra.Command{
		Use:   "plan CONTENT STYLE[:WEIGHT]…",
		Short: "Say what time and memory stylize would take",
		Long: `Plan takes the arguments and flags of stylize and says what that would take: the
size, iterations, memory and time of every scale, and of all. It starts nothing
and writes nothing but what --save-config asks for; -o and what goes with it may be
left out, and aren't looked at. The time follows from the work of every scale and from a few evaluations of
the loss at a small size on this machine, which take some tenths of a second. So
it is of the machine as busy as it is now. "impasto stylize --dry-run" says the
same, and checks the output too. Saving the picture isn't in it.
Memory is what stylize reserves for a scale, beside the network's parameters and
the pictures as they were read.

With --json it prints one object, with the keys scales (a list of objects with
the keys scale, width, height, iterations, memory (bytes), seconds and, where the
scale is looked at in tiles, remark), device, iterations (over all scales), memory
(the most of any scale), seconds (of all) and remarks (on masks; missing where there
are none).`,
		Example: `  impasto plan photo.jpg painting.jpg --size 1024
  impasto plan photo.jpg wave.jpg:2 scream.jpg --loss sliced --quality draft`,
		ValidArgsFunction: pictures,
		Args:              func(_ *cobra.Command, args []string) error { return o.checkCount(args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.checkSettings(cmd.Flags().Changed); err != nil {
				return err
			}
			styles, err := parseStyles(args[1:])
			if err != nil {
				return err
			}
			if err := o.CheckStyles(len(styles)); err != nil {
				return usage(err)
			}
			return runPlan(cmd.Context(), *o, *global, stylizeJob{content: args[0], styles: styles}, streamsOf(cmd))
		},
	}
	o.addFlags(flagsOf(cmd, "Output"))
	return cmd
}

// runPlan does what the command says.
func runPlan(ctx context.Context, o stylizeOptions, global globalOptions, job stylizeJob, std streams) error {
	inputs := inputsOf(job.content, job.styles)
	if err := std.checkInputs(inputs); err != nil {
		return err
	}
	if err := o.sources.save(append(inputs, o.Files()...)); err != nil {
		return err
	}
	return printPlan(ctx, o, global, job, std)
}

// runDry does what stylize --dry-run says.
func runDry(ctx context.Context, o stylizeOptions, global globalOptions, job stylizeJob, std streams) error {
	remark, err := o.prepare(job, global, std)
	if err != nil {
		return err
	}
	if remark != "" && !global.Quiet {
		fmt.Fprintln(std.err, remark)
	}
	return printPlan(ctx, o, global, job, std)
}

// printPlan prints what a job would take.
func printPlan(ctx context.Context, o stylizeOptions, global globalOptions, job stylizeJob, std streams) error {
	if text := understood(job.content, job.styles); text != "" && !global.Quiet {
		fmt.Fprintln(std.err, text)
	}
	content, painted, err := openPictures(ctx, job.content, job.styles, std, global.Quiet)
	if err != nil {
		return err
	}
	if err := o.checkSize(content); err != nil {
		return err
	}
	options, err := o.Open(ctx, nil)
	if err != nil {
		return err
	}
	if painted, err = o.guide(ctx, content, painted, &options, std, global.Quiet); err != nil {
		return err
	}
	options.Resume, options.AsksForPictures = job.from, o.SaveEvery > 0
	plan, err := model.MakePlan(ctx, content, painted, options)
	if err != nil {
		return err
	}
	if global.JSON {
		return printJSON(std.out, newPlanReport(plan))
	}
	return writePlan(std.out, plan)
}

// planReport is what plan prints as JSON. The keys are a promise to scripts.
type planReport struct {
	Scales     []plannedScale `json:"scales"`
	Device     string         `json:"device"`
	Iterations int            `json:"iterations"` // over all scales
	Memory     int64          `json:"memory"`     // bytes, the most of any scale
	Seconds    float64        `json:"seconds"`
	Remarks    []string       `json:"remarks,omitempty"`
}

type plannedScale struct {
	Scale      int     `json:"scale"` // from 1
	Width      int     `json:"width"` // in pixels
	Height     int     `json:"height"`
	Iterations int     `json:"iterations"`
	Memory     int64   `json:"memory"` // bytes
	Seconds    float64 `json:"seconds"`
	Remark     string  `json:"remark,omitempty"`
}

func newPlanReport(p model.Plan) planReport {
	r := planReport{Device: p.Device, Memory: p.Memory, Seconds: p.Time.Seconds(), Remarks: p.Remarks}
	for _, l := range p.Levels {
		r.Scales = append(r.Scales, plannedScale{l.Number, l.Width, l.Height, l.Iterations, l.Memory, l.Time.Seconds(), l.Remark})
		r.Iterations += l.Iterations
	}
	return r
}

// writePlan writes a row for every scale, and what all take.
func writePlan(out io.Writer, p model.Plan) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "scale\tsize\titerations\tmemory\ttime\t\n")
	for _, l := range p.Levels {
		fmt.Fprintf(table, "%d\t%d×%d\t%d\t%s\t%s\t\n", l.Number, l.Width, l.Height, l.Iterations, mebibytes(l.Memory), report.Duration(l.Time))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, remark := range p.Remarks {
		fmt.Fprintln(out, remark)
	}
	for _, l := range p.Levels {
		if l.Remark != "" {
			fmt.Fprintf(out, "scale %d: %s\n", l.Number, l.Remark)
		}
	}
	_, err := fmt.Fprintln(out, summaryOf(p))
	return err
}

// summaryOf says in a line what all of a plan takes.
func summaryOf(p model.Plan) string {
	last := p.Levels[len(p.Levels)-1]
	return fmt.Sprintf("%s to %d×%d: about %s, and %s on %s", report.Count(len(p.Levels), "scale"), last.Width, last.Height,
		report.Duration(p.Time), mebibytes(p.Memory), p.Device)
}
