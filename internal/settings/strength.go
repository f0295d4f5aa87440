package settings

import (
	"errors"
	"fmt"
	"strings"

	"impasto/model"
)

// noStrength is that of a stylisation whose content weight isn't chosen by a strength.
const noStrength = -1

// HasStrength tells whether the content weight is chosen by a strength.
func (s Stylization) HasStrength() bool { return s.Strength != noStrength }

// DropStrength leaves the content weight as it is, whatever strength it came from.
func (s *Stylization) DropStrength() { s.Strength = noStrength }

// SettleStrength makes the content weight that of the strength, if there is one, under the
// losses that there are now. It is an error where both were given.
func (s *Stylization) SettleStrength(given func(name string) bool) error {
	if !s.HasStrength() {
		return nil
	}
	if given("content-weight") {
		return fmt.Errorf("--strength %g and --content-weight %g both say how much the content counts; give one of them",
			s.Strength, s.Options.ContentWeight)
	}
	o := s.Options
	o.StyleTerms = s.StyleTerms()
	if err := o.SetStrength(s.Strength); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "model: "))
	}
	s.Options.ContentWeight = o.ContentWeight
	return nil
}

// strengthUsage is the help of the setting.
func strengthUsage() string {
	return fmt.Sprintf("how much style, 0 to %d, in steps that look equal under every loss: 0 barely touches the content, %d is the default's look, "+
		"%d is nearly all style; it chooses --content-weight; for larger or smaller brush strokes see --style-scale", model.MaxStrength, model.DefaultStrength, model.MaxStrength)
}

// optionalNumber is a number that may be left out, which a value below its bounds stands
// for and an empty text.
type optionalNumber struct{ realNumber }

func (n optionalNumber) String() string {
	if *n.target < n.low {
		return ""
	}
	return n.realNumber.String()
}
