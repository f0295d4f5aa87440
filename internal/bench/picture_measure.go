package bench

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"

	"impasto/losses"
	"impasto/model"
)

// measuredLayers are those at which pictures are compared with the style. They count alike.
var measuredLayers = []string{"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"}

// measuredLosses are those by which, in the order of values. All are squares of distances.
var measuredLosses = []string{"gram", "gaussian", "sliced"}

// contentAt is the layer whose scorer has the content loss too.
const contentAt = "relu4_1"

// pictureMeasure measures pictures of one content and one style. Under each loss it is the
// mean over the layers of d(picture, style)/d(content, style), where d is the root of the
// loss: 1 for the content itself, 0 for what the loss can't tell from the style. Its network
// and layers are the defaults' whatever pictures were painted with.
type pictureMeasure struct {
	scorers []*model.Scorer      // by layer
	content []map[string]float64 // by layer, the content's losses
}

// newPictureMeasure measures the content once. Of the options it takes size and machine;
// the others are the defaults.
func newPictureMeasure(ctx context.Context, content, style image.Image, o model.Options) (*pictureMeasure, error) {
	m := &pictureMeasure{}
	if err := m.prepare(ctx, content, style, o); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

// prepare adds a scorer for each layer, with what it says of the content.
func (m *pictureMeasure) prepare(ctx context.Context, content, style image.Image, o model.Options) error {
	var by []losses.Loss
	for _, name := range measuredLosses {
		by = append(by, losses.Must(losses.Named(name)))
	}
	o.ContentLoss = "mse"
	for _, layer := range measuredLayers {
		at := o
		at.StyleTerms = []model.StyleTerm{{Layer: layer, Loss: by[0], Weight: 1}}
		if layer != contentAt {
			at.ContentLayers, at.ContentWeight = nil, 0
		}
		scorer, err := model.NewScorer(content, []model.Style{{Image: style, Weight: 1}}, by, at)
		if err != nil {
			return fmt.Errorf("bench: measure at %s: %w", layer, err)
		}
		m.scorers = append(m.scorers, scorer)
		scores, err := scoresAt(ctx, scorer, layer, content)
		if err != nil {
			return err
		}
		for _, name := range measuredLosses {
			if !(scores.Style[name] > 0) {
				return fmt.Errorf("bench: measure at %s: %s can't tell the content from the style; want two pictures that differ", layer, name)
			}
		}
		m.content = append(m.content, scores.Style)
	}
	return nil
}

func (m *pictureMeasure) close() {
	for _, s := range m.scorers {
		s.Close()
	}
}

// of measures a picture. Content weight and seconds are left to others.
func (m *pictureMeasure) of(ctx context.Context, img image.Image) (PictureValues, error) {
	var v PictureValues
	under := map[string]*float64{"gram": &v.Gram, "gaussian": &v.Gaussian, "sliced": &v.Sliced}
	for i, layer := range measuredLayers {
		scores, err := scoresAt(ctx, m.scorers[i], layer, img)
		if err != nil {
			return v, err
		}
		for _, name := range measuredLosses {
			// Rounding may make nearly nothing of a loss negative.
			*under[name] += math.Sqrt(max(0, scores.Style[name])/m.content[i][name]) / float64(len(measuredLayers))
		}
		if layer == contentAt {
			v.ContentDistance = math.Sqrt(max(0, scores.Kept))
		}
	}
	v.Distance = (v.Gram + v.Gaussian + v.Sliced) / 3
	return v, nil
}

// scoresAt are the scores of a picture, of which none may be missing.
func scoresAt(ctx context.Context, s *model.Scorer, layer string, img image.Image) (model.Scores, error) {
	scores, err := s.Score(ctx, img)
	for name, problem := range scores.Problems {
		if err == nil {
			err = fmt.Errorf("%s: %w", name, errors.New(problem))
		}
	}
	if err != nil {
		return scores, fmt.Errorf("bench: measure at %s: %w", layer, err)
	}
	return scores, nil
}
