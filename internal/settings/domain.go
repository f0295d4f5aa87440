package settings

import (
	"math"

	"impasto/model"
)

// Kind is what the values of a setting are like.
type Kind string

// The kinds.
const (
	Number  Kind = "number"
	Integer Kind = "integer"
	OneOf   Kind = "choice" // one of Domain.Choices
	OnOff   Kind = "switch"
	Free    Kind = "text" // read by the setting itself, such as layers with weights
)

// Domain says which values a setting can have.
type Domain struct {
	Kind Kind
	// Minimum and Maximum are the bounds of numbers, both included; infinite where there is
	// none.
	Minimum, Maximum float64
	Choices          []Candidate
}

// DomainOf says which values one of this package can have. What isn't known is text.
func DomainOf(v Value) Domain {
	if of, ok := v.(interface{ domain() Domain }); ok {
		return of.domain()
	}
	return Domain{Kind: Free}
}

func (n realNumber) domain() Domain { return Domain{Kind: Number, Minimum: n.low, Maximum: n.high} }

func (n wholeNumber) domain() Domain {
	return Domain{Kind: Integer, Minimum: float64(n.low), Maximum: float64(n.high)}
}

func (unsigned) domain() Domain { return Domain{Kind: Integer, Maximum: math.Inf(1)} }

func (onOff) domain() Domain { return Domain{Kind: OnOff} }

func (c choice[T]) domain() Domain { return Domain{Kind: OneOf, Choices: c.Complete("")} }

func (l lossName) domain() Domain { return Domain{Kind: OneOf, Choices: l.Complete("")} }

// domain leaves out files.
func (startValue) domain() Domain {
	help := func(name string) string { return model.Start(name).Help() }
	return Domain{Kind: OneOf, Choices: candidates("", starts(), help)}
}
