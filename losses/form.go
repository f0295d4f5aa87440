package losses

import (
	"errors"
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/ops"
	"impasto/internal/pure"
)

// Form is one way to compute a loss.
type Form struct {
	// Summaries are what the form keeps of features.
	Summaries []Summary
	// Compare adds the loss between summaries and a target's, one for each of
	// Summaries, to their graph: a float64 scalar. Its gradient goes to x only.
	Compare func(x, target []Summarised) (*gorgonia.Node, error)
}

// Summary is what a form keeps of features: points, or a vector made of them.
type Summary struct {
	// Reduce adds a summary of points (C×H×W) to their graph: a float64 vector that
	// is a mean over positions, so that those of parts add up and those of several
	// pictures blend. nil keeps the points themselves.
	Reduce func(points *gorgonia.Node) (*gorgonia.Node, error)
	// ReduceWeighted is Reduce where points count by their weights (1×H×W), of which
	// total is the sum over the whole: the mean is the weighted sum by total. It is nil
	// where the loss knows no weights.
	ReduceWeighted func(points, weights *gorgonia.Node, total float64) (*gorgonia.Node, error)
	// Sample is how many positions the points are of at most, one from each of as
	// many equal runs of the map; 0 takes all. They are drawn by the graph's Key or,
	// where Fixed is set, always the same.
	Sample int
	Fixed  bool
	// Kept is how many positions the points of a target are of at most, always the same
	// ones; 0 keeps all, and is right where points are reduced.
	Kept int
	// TargetOnly leaves the summary out on the picture's side.
	TargetOnly bool
}

// Summarised is a summary in a graph.
type Summarised struct {
	// Node is a float64 vector or points (C×H×W). It is nil where the summary is
	// the target's only, and where no position of it is in a part.
	Node *gorgonia.Node
	// Weight is what the summary of a part counts for in the sum over all parts,
	// which is the summary of the whole; that of a whole counts for 1.
	Weight float64
	// Drawn tells that the points were drawn by the graph's Key.
	Drawn bool
}

// KeyName is the name of the input, a float64 scalar, that a graph has where a
// loss in it samples, points or directions. The loss depends on nothing else
// besides features and target: one key is one function, to be descended on with any
// method, and other keys make others that have the same mean. The function of
// max-sliced is that of the features which a key's first evaluation saw, and
// sinkhorn's is exact to its tolerance only.
const KeyName = "key"

// Key is the input of that name; a graph has but one.
func Key(g *gorgonia.ExprGraph) *gorgonia.Node {
	return gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName(KeyName))
}

// Blends tells that all summaries are vectors, which blend linearly to those of a
// target made of several pictures. Where they don't, such a target's loss is the
// weighted mean of the losses to each picture.
func (f Form) Blends() bool {
	for _, s := range f.Summaries {
		if s.Reduce == nil {
			return false
		}
	}
	return true
}

// Summarise adds the summaries of a picture's features (C×H×W), one for each of
// f.Summaries, to their graph. Of a part of a picture they count for their Weight
// in the sum over the parts.
func (f Form) Summarise(features *gorgonia.Node, p Positions) (_ []Summarised, err error) {
	defer ops.Catch(&err, "losses: summarise")
	if p, err = p.of(features); err != nil {
		return nil, err
	}
	summaries := make([]Summarised, len(f.Summaries))
	for i, s := range f.Summaries {
		if s.TargetOnly {
			continue
		}
		if summaries[i], err = s.summarise(features, p); err != nil {
			return nil, err
		}
	}
	return summaries, nil
}

func (s Summary) summarise(features *gorgonia.Node, p Positions) (Summarised, error) {
	here := p.here()
	if p.Weights != nil {
		return s.weigh(features, p, here)
	}
	if s.Reduce == nil {
		points := p.points(s.Sample)
		if here.Count() == 0 {
			return Summarised{Drawn: s.draws(points)}, nil
		}
		return s.draw(features, points)
	}
	if s.Sample > 0 {
		return Summarised{}, errors.New("losses: a summary samples points that it reduces, want all of them")
	}
	if here.Count() == 0 {
		return Summarised{}, nil
	}
	points, err := choose(here, features, nil)
	if err != nil {
		return Summarised{}, err
	}
	vector, err := s.Reduce(points)
	return Summarised{Node: vector, Weight: float64(here.Count()) / float64(p.Count())}, err
}

// weigh reduces points that count by their weights. Those of parts add up as they are.
func (s Summary) weigh(features *gorgonia.Node, p Positions, here pure.Selection) (Summarised, error) {
	if s.ReduceWeighted == nil {
		return Summarised{}, errors.New("losses: positions have weights, of which the loss knows none; take a mask")
	}
	if here.Count() == 0 {
		return Summarised{}, nil
	}
	var chosen [2]*gorgonia.Node
	for i, of := range []*gorgonia.Node{features, p.Weights} {
		var err error
		if chosen[i], err = choose(here, of, nil); err != nil {
			return Summarised{}, err
		}
	}
	vector, err := s.ReduceWeighted(chosen[0], chosen[1], p.TotalWeight)
	return Summarised{Node: vector, Weight: 1}, err
}

// Weighs tells that the form knows weights of positions.
func (f Form) Weighs() bool {
	for _, s := range f.Summaries {
		if s.ReduceWeighted == nil {
			return false
		}
	}
	return true
}

// draws tells whether the points of a selection depend on the graph's key.
func (s Summary) draws(of pure.Selection) bool { return of.Draws() && !s.Fixed }

// draw selects points of a map, by the graph's key where they depend on it.
func (s Summary) draw(features *gorgonia.Node, of pure.Selection) (Summarised, error) {
	points := Summarised{Weight: 1, Drawn: s.draws(of)}
	var key *gorgonia.Node
	if points.Drawn {
		key = Key(features.Graph())
	}
	var err error
	points.Node, err = choose(of, features, key)
	return points, err
}

// choose adds a selection to the graph, unless it is all of the map.
func choose(of pure.Selection, features, key *gorgonia.Node) (*gorgonia.Node, error) {
	if of.All() {
		return features, nil
	}
	return ops.Select(of, features, key)
}

// Target adds to their graph what is to be kept of a target's features, one for
// each of f.Summaries: vectors, and maps with all the points that Value samples by
// the key. What is kept of parts adds up like their summaries.
func (f Form) Target(features *gorgonia.Node, p Positions) ([]Summarised, error) {
	kept := Form{Summaries: make([]Summary, len(f.Summaries))}
	for i, s := range f.Summaries {
		kept.Summaries[i] = Summary{Reduce: s.Reduce, ReduceWeighted: s.ReduceWeighted, Sample: s.Kept, Fixed: true}
	}
	return kept.Summarise(features, p)
}

// Bounded is the form where points are of at most so many positions: of the picture's by
// a sample, drawn by the graph's Key unless the form's samples are fixed, and of a target's
// by a fixed one. Vectors are of all positions as before. It is for pictures of which all
// points together would take too much memory or time.
func (f Form) Bounded(most int) Form {
	bounded := Form{Summaries: append([]Summary(nil), f.Summaries...), Compare: f.Compare}
	for i := range bounded.Summaries {
		s := &bounded.Summaries[i]
		if s.Reduce != nil {
			continue
		}
		if s.Sample == 0 || s.Sample > most {
			s.Sample = most
		}
		s.Kept = most
	}
	return bounded
}

// Value adds the loss to the graph: a float64 scalar, from summaries as Summarise
// gives them and a target's as Target does, or inputs of the graph that stand for
// these. Of the target's points it takes a sample by the key that the picture's were
// drawn by. The gradient goes to x only.
func (f Form) Value(x, target []Summarised) (_ *gorgonia.Node, err error) {
	defer ops.Catch(&err, "losses: compare")
	if len(x) != len(f.Summaries) || len(target) != len(f.Summaries) {
		return nil, fmt.Errorf("losses: %d summaries and %d of the target, want %d of each", len(x), len(target), len(f.Summaries))
	}
	sampled := make([]Summarised, len(target))
	for i, s := range f.Summaries {
		if sampled[i] = target[i]; s.Reduce != nil {
			continue
		}
		points := target[i].Node
		if sampled[i], err = s.draw(points, Positions{Height: points.Shape()[1], Width: points.Shape()[2]}.points(s.Sample)); err != nil {
			return nil, err
		}
	}
	return f.Compare(x, sampled)
}

// Between adds the loss between two whole maps to their graph.
func (f Form) Between(features, target *gorgonia.Node) (*gorgonia.Node, error) {
	x, err := f.Summarise(features, Positions{})
	if err != nil {
		return nil, err
	}
	y, err := f.Target(target, Positions{})
	if err != nil {
		return nil, err
	}
	return f.Value(x, y)
}

// Combine is the weighted sum of forms.
func Combine(weights []float64, forms ...Form) Form {
	var all Form
	for _, f := range forms {
		all.Summaries = append(all.Summaries, f.Summaries...)
	}
	all.Compare = func(x, target []Summarised) (*gorgonia.Node, error) {
		values := make([]*gorgonia.Node, len(forms))
		first := 0
		for i, f := range forms {
			end := first + len(f.Summaries)
			var err error
			if values[i], err = f.Compare(x[first:end], target[first:end]); err != nil {
				return nil, err
			}
			first = end
		}
		return Sum(weights, values...)
	}
	return all
}
