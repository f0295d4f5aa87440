//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"errors"

	"gorgonia.org/cu"

	"impasto/cuda/internal/driver"
)

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
	trunk := m.device.stream
	wait := func(stream, other cu.Stream) error {
		if err := event.Record(other); err != nil {
			return err
		}
		return stream.Wait(event, 0)
	}
	for _, p := range m.parts {
		stream := trunk
		for _, branch := range p.joins {
			if err := wait(trunk, m.device.branches[branch-1]); err != nil {
				return err
			}
		}
		if p.branch > 0 {
			stream = m.device.branches[p.branch-1]
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
