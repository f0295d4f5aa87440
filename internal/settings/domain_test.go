package settings

import (
	"math"
	"slices"
	"testing"
)

func TestDomainsSayWhichValuesThereAre(t *testing.T) {
	s, domains := Default(), map[string]Domain{}
	for _, one := range s.Table() {
		domains[one.Name] = DomainOf(one.Value)
	}
	for name, want := range map[string]Domain{
		"size": {Kind: Integer, Minimum: 1, Maximum: 16384}, "keep-colors": {Kind: Number, Maximum: 1}, "strength": {Kind: Number, Maximum: 100},
		"seed": {Kind: Integer, Maximum: math.Inf(1)}, "plain-pooling": {Kind: OnOff}, "style-layers": {Kind: Free}, "protect": {Kind: Free},
	} {
		got := domains[name]
		if got.Kind != want.Kind || got.Minimum != want.Minimum || got.Maximum != want.Maximum || got.Choices != nil {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	for name, has := range map[string]string{"loss": "gram", "quality": "draft", "start": "noise", "pooling": "avg", "color-method": "luminance"} {
		d := domains[name]
		if d.Kind != OneOf || !slices.ContainsFunc(d.Choices, func(c Candidate) bool { return c.Text == has && !c.More }) {
			t.Errorf("%s: %+v, want a choice of %s", name, d, has)
		}
		for _, choice := range d.Choices {
			if err := s.Set(name, choice.Text); err != nil {
				t.Errorf("%s can't be %s: %v", name, choice.Text, err)
			}
		}
	}
}
