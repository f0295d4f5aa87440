package model

import (
	"math"
	"strconv"
)

// DefaultStrength is the strength of DefaultOptions: there SetStrength leaves the content
// weight as it is.
const DefaultStrength = 50

// MaxStrength is the strength of nearly all style.
const MaxStrength = 100

// strengthStep is how far the strengths are apart that the table of strengths has weights
// for.
const strengthStep = 10

// strengthRow is a row of the table of strengths: what content weight a style loss takes
// under a content loss at the strengths 0, 10, … 100.
type strengthRow struct {
	loss, contentLoss string
	weights           [MaxStrength/strengthStep + 1]float64 // they fall, and are above 0
}

// SetStrength sets the content weight by how much style there shall be: from 0, which
// barely touches the content, by DefaultStrength to MaxStrength, which leaves next to
// nothing of it. Equal steps change a picture about equally, and under every loss it is
// about as far from the content: internal/calibrate measured what weights that takes.
//
// The weight depends on the style terms and the content loss, so set these first. Losses
// that differ between the terms count by the terms' weights. A loss that isn't of package
// losses counts as the default one does, beside which Normalised makes it mean the same. The
// error is an *OptionError.
func (o *Options) SetStrength(strength float64) error {
	if err := checkRange("Strength", "strength", strength, 0, MaxStrength); err != nil {
		return err
	}
	if err := o.checkStyle(); err != nil {
		return err
	}
	if err := o.checkContent(); err != nil {
		return err
	}
	var logarithm, total float64
	for _, t := range o.StyleTerms {
		logarithm += t.Weight * math.Log(contentWeightAt(strength, t.Loss.Description().Name, o.ContentLoss))
		total += t.Weight
	}
	o.ContentWeight = threeDigits(math.Exp(logarithm / total))
	return nil
}

// contentWeightAt interpolates the logarithm of a row's weights.
func contentWeightAt(strength float64, loss, contentLoss string) float64 {
	weights := strengthsOf(loss, contentLoss).weights
	i := min(int(strength/strengthStep), len(weights)-2)
	share := strength/strengthStep - float64(i)
	return math.Exp((1-share)*math.Log(weights[i]) + share*math.Log(weights[i+1]))
}

// strengthsOf finds the row of a style loss and a content loss. Losses and content losses
// that the table doesn't have are taken for the default ones.
func strengthsOf(loss, contentLoss string) strengthRow {
	defaults := DefaultOptions()
	for _, name := range []string{loss, defaults.StyleTerms[0].Loss.Description().Name} {
		for _, form := range []string{contentLoss, defaults.ContentLoss} {
			for _, row := range strengthTable {
				if row.loss == name && row.contentLoss == form {
					return row
				}
			}
		}
	}
	return strengthTable[0]
}

// threeDigits rounds a weight, so that it is one that can be typed, and the same on
// processors whose logarithms differ in their last bits.
func threeDigits(weight float64) float64 {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(weight, 'g', 3, 64), 64)
	if err != nil {
		return weight
	}
	return rounded
}
