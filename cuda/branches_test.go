//go:build gpu && cgo && linux

package cuda

import (
	"fmt"
	"slices"
	"testing"

	"impasto/internal/cpu"
	"impasto/internal/ops"
	"impasto/internal/plan"
)

// branched is a network of two Gaussian losses whose summaries nobody reads, so that
// their memory is free for others once they have been compared.
func branched(t *testing.T) network {
	t.Helper()
	n := lossNetwork(t, "gaussian", 11, 14)
	n.outputs = n.outputs[2:]
	return n
}

// TestBranchesMatchTheProcessor makes runs that nothing comes to the aid of where a
// transport map isn't found.
func TestBranchesMatchTheProcessor(t *testing.T) {
	n, m := compileBranched(t)
	exact, err := cpu.NewDevice(cpu.Options{Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	defer exact.Close()
	want := evaluate(t, exact, n, 1)
	for _, in := range m.program.Inputs {
		if err := n.inputs[in.Node.Name()].WriteTo(m, in.Node); err != nil {
			t.Fatal(err)
		}
	}
	for run := range 6 {
		if err := m.device.do("run", m.runAtOnce); err != nil {
			t.Fatal(err)
		}
		if !m.allFound() {
			t.Errorf("run %d doesn't find all transport maps", run)
		}
		compareOutputs(t, fmt.Sprint("run ", run), m, n, want)
	}
}

func compileBranched(t *testing.T) (network, *machine) {
	t.Helper()
	n := branched(t)
	s, err := plan.Make(n.outputs...)
	if err != nil {
		t.Fatal(err)
	}
	m, err := open(t, Options{}).Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return n, m.(*machine)
}

func TestBranchesShareNoMemoryWithWhatRunsBesideThem(t *testing.T) {
	_, m := compileBranched(t)
	b, beside := m.program.Branches, 0
	if b.Count != 2 {
		t.Errorf("%d branches, want one for each loss", b.Count)
	}
	for i, step := range m.program.Steps {
		switch step.Op.(type) {
		case *ops.Sum, *ops.MomentsGradient:
		default:
			if len(b.Joins[i]) > 0 {
				t.Errorf("%v waits for branches, which only gradients of losses and their sum should", step.Op)
			}
		}
		for k := i + 1; k < b.Ends[i]; k++ {
			other := m.program.Steps[k]
			if b.Of[k] != b.Of[i] && b.Of[k] > 0 {
				beside++
			}
			for _, mine := range slices.Concat(step.Results, step.Reads()) {
				for _, its := range other.Results {
					at, to := m.places[mine], m.places[its]
					if mine != its && int(at) < int(to)+m.device.size(its) && int(to) < int(at)+m.device.size(mine) {
						t.Errorf("%v, beside %v, writes over %v", other.Op, step.Op, mine.Node)
					}
				}
			}
		}
	}
	if beside == 0 {
		t.Error("no branch runs beside another")
	}
	end := m.layout.stateAt + m.layout.stateBytes
	for branch, at := range m.layout.workspaceAt {
		if at < end {
			t.Errorf("the workspace of branch %d begins at byte %d, before %d, where what is before it ends", branch, at, end)
		}
		end = at + m.layout.workspaceBytes[branch]
	}
	if end > m.memory.bytes {
		t.Errorf("workspaces end at byte %d of %d", end, m.memory.bytes)
	}
}
