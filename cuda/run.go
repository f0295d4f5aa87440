//go:build gpu && linux && amd64 && cgo

package cuda

import (
	"strconv"

	"gorgonia.org/cu"

	"impasto/cuda/internal/driver"
)

// variant is runs of the same parts.
type variant struct {
	runs  int
	graph *driver.Graph // from the second run on
}

// part is launches of one step.
type part struct {
	launches []bound
	branch   int           // that they are made on
	joins    []int         // branches that have to have ended before
	wanted   *bool         // tells whether they are made, as they always are where it is nil
	gaussian *gaussianLoss // whose transport map they end with, or nil
}

func (p part) left() bool { return p.wanted != nil && !*p.wanted }

func (p part) issue(stream cu.Stream) error {
	if p.left() {
		return nil
	}
	for _, l := range p.launches {
		if err := l.issue(stream); err != nil {
			return err
		}
	}
	return nil
}

// RunAll implements gorgonia.VM. The first run issues step by step; what runs
// again is captured as a graph, and goes out as one. Where runs differ in what they have
// to do, as where directions are only turned after a draw, each kind has a graph.
func (m *machine) RunAll() error {
	return m.device.do("run", func() error {
		if m.places == nil {
			return errMachineClosed
		}
		for {
			if err := m.run(); err != nil {
				return err
			}
			if again, err := m.wantsAnother(); err != nil || !again {
				return err
			}
		}
	})
}

// wantsAnother does what is to be done after a run, and tells whether that wants another
// one.
func (m *machine) wantsAnother() (bool, error) {
	another := false
	for _, end := range append([]func() (bool, error){m.lowered}, m.ended...) {
		again, err := end()
		if err != nil {
			return false, err
		}
		another = another || again
	}
	return another, nil
}

// run makes one run, and another one where that left a transport map to be desired.
func (m *machine) run() error {
	m.runs++
	if !m.doubtful {
		if err := m.runAtOnce(); err != nil {
			return err
		}
		if m.allFound() {
			return nil
		}
	}
	return m.runInParts()
}

// runAtOnce makes a run that waits for nothing until its end.
func (m *machine) runAtOnce() error {
	v := m.variant()
	v.runs++
	if v.runs > 1 && v.graph == nil {
		graph, err := m.capture()
		if err != nil {
			return err
		}
		v.graph = graph
	}
	issue := m.issue
	if v.graph != nil {
		issue = func() error { return v.graph.Launch(m.device.stream) }
	}
	if err := issue(); err != nil {
		return err
	}
	return m.device.stream.Synchronize()
}

// variant is the runs of those parts that are wanted now.
func (m *machine) variant() *variant {
	var key []byte
	for _, p := range m.work {
		if p.wanted != nil {
			key = strconv.AppendBool(key, *p.wanted)
		}
	}
	v, there := m.variants[string(key)]
	if !there {
		v = &variant{}
		m.variants[string(key)] = v
	}
	return v
}

// issue puts a whole run on the stream, one step after the other.
func (m *machine) issue() error {
	for _, p := range m.work {
		if err := p.issue(m.device.stream); err != nil {
			return err
		}
	}
	return m.fetchResults()
}

// fetchResults puts the copy of the results on the stream.
func (m *machine) fetchResults() error {
	if m.layout.resultCount == 0 {
		return nil
	}
	from := m.memory.at + cu.DevicePtr(m.layout.resultsAt)
	return cu.MemcpyDtoHAsync(m.results.Pointer(), from, int64(8*m.layout.resultCount), m.device.stream)
}
