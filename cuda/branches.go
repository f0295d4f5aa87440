//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"errors"
	"slices"

	"gorgonia.org/cu"

	"impasto/cuda/internal/driver"
	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// branches are which steps of a schedule run beside others where a run is a graph. Each
// Gaussian loss has one, with some hundred small kernels in a row that leave most of a
// GPU idle: all layers' together then take the time of the longest.
type branches struct {
	count int
	of    []int   // the branch of each step, and of the end of a run; 0 is the trunk
	joins [][]int // what branches the trunk waits for before a step, and the end
	ends  []int   // before which step each has surely ended, for plan's ArrangeBeside
}

func branchesOf(s *plan.Schedule) branches {
	n := len(s.Steps)
	b := branches{of: make([]int, n+1), joins: make([][]int, n+1), ends: make([]int, n)}
	branched := func(step plan.Step) bool {
		op, ok := newTask(step).op.(*ops.Comparison)
		if !ok {
			return false
		}
		loss, ok := op.Loss.(pure.Gaussian)
		return ok && loss.Ridge != 0
	}
	made := map[*plan.Buffer]int{} // the branches that values are made on
	var open []int                 // branches that the trunk hasn't waited for
	join := func(before, branch int) {
		open = slices.DeleteFunc(open, func(other int) bool { return other == branch })
		b.joins[before] = append(b.joins[before], branch)
		for i := range before {
			if b.of[i] == branch {
				b.ends[i] = before
			}
		}
	}
	for i, step := range s.Steps {
		b.ends[i] = i + 1
		_, value := newTask(step).op.(*ops.ComparisonValue)
		if on := made[step.Inputs[0]]; value && slices.Contains(open, on) {
			b.of[i], made[step.Result] = on, on
			continue
		}
		for _, input := range step.Inputs {
			if on := made[input]; slices.Contains(open, on) {
				join(i, on)
			}
		}
		if branched(step) {
			b.count++
			b.of[i], made[step.Result] = b.count, b.count
			open = append(open, b.count)
		}
	}
	for len(open) > 0 {
		join(n, open[0])
	}
	return b
}

// branch makes streams for so many branches.
func (d *Device) branch(count int) error {
	for len(d.branches) < count {
		stream, err := cu.MakeStream(cu.NonBlocking)
		if err != nil {
			return err
		}
		d.branches = append(d.branches, stream)
	}
	return nil
}

// capture makes a graph of a run.
func (m *machine) capture() (*driver.Graph, error) {
	event, err := cu.MakeEvent(cu.DisableTiming)
	if err != nil {
		return nil, err
	}
	graph, err := driver.Capture(m.device.stream, func() error { return m.issueOnBranches(event) })
	return graph, errors.Join(err, cu.DestroyEvent(&event))
}

// issueOnBranches puts a whole run on the trunk's stream and those of the branches, in an
// order that events tell.
func (m *machine) issueOnBranches(event cu.Event) error {
	trunk, begun := m.device.stream, make([]bool, m.branches.count+1)
	wait := func(stream, other cu.Stream) error {
		if err := event.Record(other); err != nil {
			return err
		}
		return stream.Wait(event, 0)
	}
	for _, p := range m.work {
		stream := trunk
		for _, branch := range p.joins {
			if err := wait(trunk, m.device.branches[branch-1]); err != nil {
				return err
			}
		}
		if p.branch > 0 {
			stream = m.device.branches[p.branch-1]
		}
		if !begun[p.branch] && p.branch > 0 {
			begun[p.branch] = true
			if err := wait(stream, trunk); err != nil {
				return err
			}
		}
		if err := p.issue(stream); err != nil {
			return err
		}
	}
	return m.fetchResults()
}
