package compare

import (
	"impasto/internal/settings"
	"impasto/model"
)

// Event is something that happened to a comparison.
type Event struct {
	Kind EventKind
	// Picture is the one that it happened to, as far as it is known by now; Written
	// has none. It is the one of this Number, from 1, of Count that are painted or,
	// from Scoring on, scored.
	Picture       Picture
	Number, Count int

	Plan      Plan                 // of Planned
	Settings  settings.Stylization // that a picture is painted with; of Painting
	Iteration model.Progress       // of Iterated
	Path      string               // of the file; of Painted and Written
	Loss      string               // of Unscored
	Remark    string               // on how the picture's file was read; of Remarked
}

// EventKind says what happened.
type EventKind string

// What happens. First, files that the options name may be Remarked on. Then, what is
// going to be painted is Planned, where the options ask for that. Each picture that is made is Reused; or Painting, Iterated after each iteration, Painted
// once it is written, and Failed where it isn't finished. Once all are made, each
// picture is Scoring, unless its scores are known; Unscored under each loss that
// fails; and Complete, whether it was scored or isn't there. In the end the files that
// show all are Written.
const (
	Remarked EventKind = "remarked" // of a file that the options name, which is the Path
	Planned  EventKind = "planned"  // of all pictures, not of one
	Reused   EventKind = "reused"
	Painting EventKind = "painting"
	Iterated EventKind = "iterated"
	Painted  EventKind = "painted" // of a run that failed, it is the last good picture
	Failed   EventKind = "failed"
	Scoring  EventKind = "scoring"
	Unscored EventKind = "unscored"
	Complete EventKind = "complete"
	Written  EventKind = "written"
)

// tell passes an event on.
func (c *Comparison) tell(e Event) error {
	if c.options.Progress == nil {
		return nil
	}
	return c.options.Progress(e)
}
