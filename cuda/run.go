//go:build gpu && cgo && (linux || windows)

package cuda

import (
	"cmp"
	"context"
	"errors"
	"slices"
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
	branch   int         // that they are made on
	joins    []int       // branches that have to have ended before
	wanted   func() bool // tells whether they are made, as they always are where it is nil
	result   fallible    // that they may not come to, or nil
	// otherwise are launches that may come to the result where the others didn't.
	otherwise []bound
}

// made tells whether the launches are made.
func (p part) made() bool { return p.wanted == nil || p.wanted() }

func (p part) issue(stream cu.Stream) error {
	if !p.made() {
		return nil
	}
	return issue(p.launches, stream)
}

func issue(launches []bound, stream cu.Stream) error {
	for _, l := range launches {
		if err := l.issue(stream); err != nil {
			return err
		}
	}
	return nil
}

// RunAll implements gorgonia.VM.
func (m *machine) RunAll() error { return m.Run(context.Background()) }

// Run implements plan.Machine. The first run issues step by step; what runs
// again is captured as a graph, and goes out as one. Where runs differ in what they have
// to do, as where directions are only turned after a key, each kind has a graph. The
// context is looked at before each graph, and where a run is made in parts, before each
// part.
func (m *machine) Run(ctx context.Context) error {
	err := m.device.do("run", func() error {
		defer func() { m.device.foreseen = foreseen{} }()
		m.device.made = nil
		if m.places == nil {
			return errMachineClosed
		}
		m.device.attach(ctx)
		for {
			if err := m.run(ctx); err != nil {
				return err
			}
			if again, err := m.ended(); err != nil || !again {
				return err
			}
		}
	})
	if stop := ctx.Err(); stop != nil && errors.Is(err, stop) {
		return stop
	}
	return err
}

// ended tells the states that a run has ended, and whether one of them wants it again.
func (m *machine) ended() (again bool, err error) {
	for _, s := range m.states {
		wants, err := s.ended()
		if err != nil {
			return false, err
		}
		again = again || wants
	}
	return again, nil
}

// isFinal tells whether nothing but a number that isn't finite makes a run be made again, or
// part of it otherwise.
func (m *machine) isFinal() bool {
	return !slices.ContainsFunc(m.parts, func(p part) bool { return p.result != nil }) &&
		!slices.ContainsFunc(m.states, func(s state) bool { _, some := s.(*potentials); return some })
}

// run makes one run, and another one in parts where that missed a result. Where the last
// run missed one too, the first is left out.
func (m *machine) run(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.runs++
	hopeless := slices.ContainsFunc(m.parts, func(p part) bool { return p.result != nil && p.result.hopeless() })
	if !m.missed && !hopeless {
		if err := m.runAtOnce(); err != nil {
			return err
		}
		if m.allFound() {
			return nil
		}
	}
	return m.runInParts(ctx)
}

// allFound tells whether the last run came to all results.
func (m *machine) allFound() bool {
	return !slices.ContainsFunc(m.parts, func(p part) bool { return p.result != nil && !p.result.found() })
}

// runAtOnce makes a run that waits for nothing until its end, and what is foreseen to be asked
// for after it.
func (m *machine) runAtOnce() error {
	v := m.variant()
	v.runs++
	recording := m.device.recorder != nil
	if v.runs > 1 && v.graph == nil && !recording {
		graph, err := m.capture()
		if err != nil {
			return err
		}
		v.graph = graph
	}
	issue := m.issue
	if v.graph != nil && !recording {
		issue = func() error { return v.graph.Launch(m.device.stream) }
	}
	if err := issue(); err != nil {
		return err
	}
	return m.goAlong()
}

// variant is the runs of those parts that are wanted now.
func (m *machine) variant() *variant {
	var key []byte
	for _, p := range m.parts {
		if p.wanted != nil {
			key = strconv.AppendBool(key, p.wanted())
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
	for _, p := range m.parts {
		if err := p.issue(m.device.stream); err != nil {
			return err
		}
	}
	return m.fetchResults()
}

// runInParts makes a run that looks at each result that may be missed before it goes on,
// and where it was, makes the launches that may come to it otherwise, or has the host compute
// it as it is defined.
func (m *machine) runInParts(ctx context.Context) error {
	m.missed, m.onHost, m.device.known = false, false, nil
	for _, p := range m.parts {
		if err := ctx.Err(); err != nil {
			return cmp.Or(m.device.stream.Synchronize(), err)
		}
		if p.result == nil || !p.result.hopeless() {
			if err := p.issue(m.device.stream); err != nil {
				return err
			}
		}
		if p.result == nil || !p.made() {
			continue
		}
		if err := m.settle(p); err != nil {
			return err
		}
	}
	return m.fetch()
}

// settle waits for a result and, where it was missed, gets it otherwise.
func (m *machine) settle(p part) error {
	if err := m.fetch(); err != nil || p.result.found() {
		return err
	}
	m.missed = true
	if len(p.otherwise) > 0 && !p.result.hopeless() {
		if err := issue(p.otherwise, m.device.stream); err != nil {
			return err
		}
		if err := m.fetch(); err != nil || p.result.found() {
			return err
		}
	}
	m.onHost = true
	return p.result.define()
}

// fetch waits until the results are there.
func (m *machine) fetch() error {
	if err := m.fetchResults(); err != nil {
		return err
	}
	return m.device.stream.Synchronize()
}

// fetchResults puts the copy of the results on the stream.
func (m *machine) fetchResults() error {
	r := &m.results
	if r.count == 0 {
		return nil
	}
	return cu.MemcpyDtoHAsync(r.host.Pointer(), cu.DevicePtr(r.at), int64(8*r.count), m.device.stream)
}
