package cpu

import (
	"fmt"
	"slices"

	"impasto/internal/cpu/pairwise"
	"impasto/internal/plan"
)

// keeper is an evaluation that goes on from the one before. Others, such as those that
// hold directions under a key, depend on nothing before once they get another key.
type keeper interface {
	record() plan.Record
	restore(plan.Record) error
}

// State implements plan.Machine.
func (m *machine) State() (records []plan.Record, complete bool) {
	for _, k := range m.keepers {
		records = append(records, k.record())
	}
	return records, true
}

// Restore implements plan.Machine.
func (m *machine) Restore(records []plan.Record) error {
	if len(records) != len(m.keepers) {
		return fmt.Errorf("cpu: a state has the records of %d steps, want %d", len(records), len(m.keepers))
	}
	for i, k := range m.keepers {
		if err := k.restore(records[i]); err != nil {
			return fmt.Errorf("cpu: record %d of a state: %w", i+1, err)
		}
	}
	return nil
}

// record has the key, ε and the potentials, and of samples the points, channel by
// channel.
func (s *sinkhorn) record() plan.Record {
	r := plan.Record{Doubles: slices.Concat([]float64{s.by, s.epsilon}, s.now.f, s.now.g, s.now.p, s.now.q)}
	if s.key != nil {
		for _, cloud := range []*pairwise.Cloud{s.now.x, s.now.y} {
			r.Singles = append(r.Singles, s.planes(cloud)...)
		}
	}
	return r
}

// planes are the points of a cloud as maps have them.
func (c clouds) planes(cloud *pairwise.Cloud) []float32 {
	count := cloud.Points()
	planes := make([]float32, c.channels*count)
	cloud.Each(c.workers, func(first, n, stride int, points []float32) {
		for channel := range c.channels {
			copy(planes[channel*count+first:][:n], points[channel*stride:])
		}
	})
	return planes
}

// restore is the reverse of record.
func (s *sinkhorn) restore(r plan.Record) error {
	singles := 0
	if s.key != nil {
		singles = s.channels * (s.n + s.m)
	}
	if doubles := 2 + 2*(s.n+s.m); len(r.Doubles) != doubles || len(r.Singles) != singles {
		return fmt.Errorf("%d doubles and %d singles of a Sinkhorn loss, want %d and %d", len(r.Doubles), len(r.Singles), doubles, singles)
	}
	s.by, s.epsilon, s.restored = r.Doubles[0], r.Doubles[1], true
	rest := r.Doubles[2:]
	for _, potential := range [][]float64{s.now.f, s.now.g, s.now.p, s.now.q} {
		rest = rest[copy(potential, rest):]
	}
	if s.key != nil {
		s.fill(s.now.x, r.Singles[:s.channels*s.n], nil)
		s.fill(s.now.y, r.Singles[s.channels*s.n:], nil)
	}
	return nil
}
