package settings

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"impasto/internal/names"
	"impasto/internal/picture"
	"impasto/losses"
	"impasto/model"
	"impasto/vgg19"
	"impasto/weights"
)

// Stylization is all settings that make a picture what it is, those of the library
// and those that stand for files or for others. Start from Default.
type Stylization struct {
	// Options are the library's but for StyleTerms, Start, StartImage and Parameters,
	// which Open sets.
	Options model.Options

	// Losses are those that have names here, which differ; nil stands for losses.All.
	Losses []losses.Loss
	// Loss is that of the style layers but those which LayerLoss has another for.
	Loss      losses.Loss
	LayerLoss map[string]losses.Loss
	// Samples is how many positions losses.Sampled losses look at, or 0 for as many as
	// they do by themselves.
	Samples     int
	StyleLayers []model.LayerWeight
	// Strength is how much style there shall be, of which Settle makes the content weight;
	// see HasStrength.
	Strength float64

	Masks   Masks  // parts of the output that take styles of their own
	Protect string // a mask of what stays as it is, or empty
	Quality string // how long to go on, one of model.Qualities
	// Start is what to start from: content, style, grey, noise, a file, or result: and the
	// file of a smaller result; see StartFile.
	Start string
	// Weights is a file of weights, or the name of a fetched one; empty for the
	// embedded ones.
	Weights string
}

// Default is the settings that make good pictures without further thought.
func Default() Stylization {
	o := model.DefaultOptions()
	s := Stylization{Options: o, Loss: o.StyleTerms[0].Loss, Strength: noStrength, Quality: "good", Start: string(o.Start)}
	for _, t := range o.StyleTerms {
		s.StyleLayers = append(s.StyleLayers, model.LayerWeight{Layer: t.Layer, Weight: t.Weight})
	}
	return s
}

// known are the losses that have names.
func (s Stylization) known() []losses.Loss {
	if s.Losses == nil {
		return losses.All()
	}
	return s.Losses
}

// StyleTerms are those of the library's options: one for each style layer.
func (s Stylization) StyleTerms() []model.StyleTerm {
	var terms []model.StyleTerm
	for _, l := range s.StyleLayers {
		loss := s.Loss
		if own, ok := s.LayerLoss[l.Layer]; ok {
			loss = own
		}
		if sampled, ok := loss.(losses.Sampled); ok && s.Samples > 0 {
			loss = sampled.WithSample(s.Samples)
		}
		terms = append(terms, model.StyleTerm{Layer: l.Layer, Loss: loss, Weight: l.Weight})
	}
	return terms
}

// starts are those that aren't files.
func starts() []string {
	return slices.DeleteFunc(model.StartNames(), func(name string) bool { return model.Start(name).IsPicture() })
}

// resultPrefix stands before the file of a smaller result to go on from.
const resultPrefix = string(model.StartFromResult) + ":"

// StartFile says what is started from and, where that is a picture, its file.
func (s Stylization) StartFile() (start model.Start, path string) {
	if slices.Contains(starts(), s.Start) {
		return model.Start(s.Start), ""
	}
	if path, ok := strings.CutPrefix(s.Start, resultPrefix); ok {
		return model.StartFromResult, path
	}
	return model.StartFromImage, s.Start
}

// StartFrom is Start's text for a picture of a file, the reverse of StartFile.
func StartFrom(start model.Start, path string) string {
	if start == model.StartFromResult {
		return resultPrefix + path
	}
	if strings.HasPrefix(path, resultPrefix) || slices.Contains(starts(), path) {
		return "./" + path // which is no name of anything else
	}
	return path
}

// Set sets the setting of a name, which Table has to have, as text says.
func (s *Stylization) Set(name, text string) error {
	for _, setting := range s.Table() {
		if setting.Name != name {
			continue
		}
		if err := setting.Value.Set(text); err != nil {
			return fmt.Errorf("%s %q: %w", name, text, err)
		}
		return nil
	}
	return fmt.Errorf("%q: no such setting%s", name, names.DidYouMean(name, slices.Sorted(maps.Keys(s.Values())), ""))
}

// Read is the settings of values by name, as Values gives them; those that aren't there are
// the defaults.
func Read(values map[string]string) (Stylization, error) {
	s := Default()
	for _, setting := range s.Table() {
		if value, given := values[setting.Name]; given && value != setting.Value.String() {
			if err := setting.Value.Set(value); err != nil {
				return s, fmt.Errorf("%s %q: %w", setting.Name, value, err)
			}
		}
	}
	return s, nil
}

// Values are the values of all settings as text, by name.
func (s Stylization) Values() map[string]string {
	values := map[string]string{}
	for _, setting := range s.Table() {
		values[setting.Name] = setting.Value.String()
	}
	return values
}

// Settle fits the settings that weren't given to those that were: the first scale
// isn't larger than the last, the optimiser and the iterations are those of the
// quality, and the content weight is that of the strength. Iterations that were given
// are made at every scale.
func (s *Stylization) Settle(given func(name string) bool) error {
	if err := s.SettleStrength(given); err != nil {
		return err
	}
	if !given("min-size") {
		s.Options.MinSize = min(s.Options.MinSize, s.Options.Size)
	}
	s.Options.StyleTerms = s.StyleTerms()
	before := s.Options
	if err := s.Options.SetQuality(s.Quality); err != nil {
		return err
	}
	if given("optimizer") {
		s.Options.Optimizer = before.Optimizer
	}
	if given("first-iterations") {
		s.Options.FirstIterations = before.FirstIterations
	}
	if given("iterations") {
		n := before.Iterations
		s.Options.MiddleIterations, s.Options.Iterations, s.Options.LeastIterations = n, n, n
	}
	if given("middle-iterations") {
		s.Options.MiddleIterations = before.MiddleIterations
	}
	if given("least-iterations") {
		s.Options.LeastIterations = before.LeastIterations
	}
	if given("least-iterations") && s.Options.Optimizer.Averages() {
		return fmt.Errorf("--least-iterations is L-BFGS's, and --optimizer is %s, which makes as many iterations at every scale", s.Options.Optimizer)
	}
	if s.Options.Optimizer.Averages() { // which has no use for it
		s.Options.LeastIterations = s.Options.Iterations
	}
	for _, name := range []string{"step-size", "average-decay"} {
		if given(name) && !s.Options.Optimizer.Averages() {
			return fmt.Errorf("--%s is Adam's, and --optimizer is %s; add --optimizer adam", name, s.Options.Optimizer)
		}
	}
	if given("style-size") && given("style-scale") && s.Options.StyleSize > 0 {
		return fmt.Errorf("--style-size %d and --style-scale %g both size the styles; give one of them", s.Options.StyleSize, s.Options.StyleScale)
	}
	return nil
}

// Check reports settings that are right by themselves but not together, and a
// start that isn't there.
func (s Stylization) Check() error {
	o := s.Options
	if o.MinSize > o.Size {
		return fmt.Errorf("--min-size %d is larger than --size %d", o.MinSize, o.Size)
	}
	for _, layer := range slices.Sorted(maps.Keys(s.LayerLoss)) {
		if !slices.ContainsFunc(s.StyleLayers, func(w model.LayerWeight) bool { return w.Layer == layer }) {
			return fmt.Errorf("--layer-loss %s=%s: %s is no style layer; add it to --style-layers", layer, s.LayerLoss[layer].Description().Name, layer)
		}
	}
	if s.Samples != 0 && (s.Samples < minSamples || s.Samples > maxSamples) {
		return fmt.Errorf("number of sampled positions is %d, want %d to %d, or 0 to leave it to the loss", s.Samples, minSamples, maxSamples)
	}
	if err := s.checkStart(); err != nil {
		return err
	}
	o.StyleTerms = s.StyleTerms()
	if err := o.Check(); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "model: "))
	}
	return nil
}

func (s Stylization) checkStart() error {
	start, path := s.StartFile()
	if !start.IsPicture() {
		return nil
	}
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if start == model.StartFromResult {
		return fmt.Errorf("--start %q: there is no file %q to go on from", s.Start, path)
	}
	return fmt.Errorf("--start %q: neither %s nor a file%s", s.Start, alternatives(" or ", starts(), noHelp), names.DidYouMean(s.Start, starts(), ""))
}

// Files are those that the settings name.
func (s Stylization) Files() []string {
	var files []string
	if start, path := s.StartFile(); start.IsPicture() {
		files = append(files, path)
	}
	if s.Weights != "" {
		files = append(files, s.WeightsFile())
	}
	for _, mask := range s.Masks.Files {
		files = append(files, mask.Files()...)
	}
	if s.Protect != "" {
		files = append(files, s.Protect)
	}
	return files
}

// WeightsFile is the file of the weights, wherever their name stands for, or "" for
// the embedded ones. What isn't found is named as it is.
func (s Stylization) WeightsFile() string {
	if path, err := weights.Locate(s.Weights); err == nil {
		return path
	}
	return s.Weights
}

// Open reads the files that the settings name and returns the library's options, which have
// no regions until Guide adds them.
func (s Stylization) Open(ctx context.Context, networks Networks) (model.Options, error) {
	o := s.Options
	o.StyleTerms = s.StyleTerms()
	start, path := s.StartFile()
	if o.Start = start; start.IsPicture() {
		image, err := picture.OpenSource(ctx, path)
		if err != nil {
			return o, err
		}
		o.StartImage = image
	}
	if s.Protect != "" {
		mask, err := picture.OpenSource(ctx, s.Protect)
		if err != nil {
			return o, err
		}
		o.Protect = mask
	}
	var err error
	o.Parameters, err = networks.Open(ctx, s.Weights)
	return o, err
}

// Networks holds networks by the file that they come from, so that each is read
// once; the empty name is the embedded one. Start from Networks{}. A nil one holds
// none, and leaves the embedded network to the library, which keeps no more of it than
// it needs.
type Networks map[string]*vgg19.Parameters

// Open returns the network of a file.
func (n Networks) Open(ctx context.Context, file string) (*vgg19.Parameters, error) {
	if p, ok := n[file]; ok {
		return p, nil
	}
	read := weights.Default
	if file != "" {
		read = func() (*vgg19.Parameters, error) { return weights.Open(ctx, file) }
	}
	if n == nil && file == "" {
		return nil, nil
	}
	p, err := read()
	if err == nil && n != nil {
		n[file] = p
	}
	return p, err
}
