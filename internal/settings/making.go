package settings

import (
	"image"

	"impasto/model"
)

// Making is how a run makes a picture: what it is made of, and by what computation.
type Making struct {
	Content     image.Image
	Styles      []model.Style
	Start       image.Image // nil where the start is no picture
	Computation model.Computation
	Last        model.Progress // the last that was made
	Unfinished  bool           // the run ended before its time
}
