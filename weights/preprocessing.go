package weights

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"impasto/vgg19"
)

// Preprocessing is what a network expects to be done to a picture before its
// first convolution: the channels, whose values run from 0 to Range, are put in
// Order, Mean is subtracted and the rest divided by Deviation.
type Preprocessing struct {
	Order     string     // RGB or BGR
	Range     float64    // the value of white: 1 or 255
	Mean      [3]float64 // by channel in Order, between 0 and Range
	Deviation [3]float64 // by channel in Order
}

// The pre-processing of the networks in circulation.
var (
	// Caffe is that of the network as Simonyan and Zisserman published it.
	Caffe = Preprocessing{"BGR", 255, [3]float64{103.939, 116.779, 123.68}, [3]float64{1, 1, 1}}
	// Torchvision is that of the network that the torchvision project trained anew.
	Torchvision = Preprocessing{"RGB", 1, [3]float64{0.485, 0.456, 0.406}, [3]float64{0.229, 0.224, 0.225}}
	// NormalisedRGB is that of vgg_conv.npy of VinceMarron/style_transfer (its
	// vgg_styletrans.py): the published network with its channels turned round.
	NormalisedRGB = Preprocessing{"RGB", 255, [3]float64{123.68, 116.78, 103.94}, [3]float64{1, 1, 1}}
)

const preprocessingFormat = "%3s 0-%g, mean %g %g %g, deviation %g %g %g"

// String describes p in the form that ParsePreprocessing reads, as in
// "BGR 0-255, mean 103.939 116.779 123.68, deviation 1 1 1".
func (p Preprocessing) String() string {
	m, d := p.Mean, p.Deviation
	return fmt.Sprintf(preprocessingFormat, p.Order, p.Range, m[0], m[1], m[2], d[0], d[1], d[2])
}

// ParsePreprocessing reads what String writes, and the names caffe and
// torchvision.
func ParsePreprocessing(s string) (Preprocessing, error) {
	switch strings.ToLower(s) {
	case "caffe":
		return Caffe, nil
	case "torchvision":
		return Torchvision, nil
	}
	var p Preprocessing
	m, d := &p.Mean, &p.Deviation
	// The full stop makes the scan fail where anything follows the last number.
	_, err := fmt.Sscanf(s+" .", preprocessingFormat+" .",
		&p.Order, &p.Range, &m[0], &m[1], &m[2], &d[0], &d[1], &d[2])
	if err != nil {
		return p, fmt.Errorf("weights: pre-processing %q is not understood, want caffe, torchvision or a text like %q", s, Caffe)
	}
	return p, p.check()
}

func (p Preprocessing) check() error {
	if p.Order != "RGB" && p.Order != "BGR" {
		return fmt.Errorf("weights: pre-processing has channel order %q, want RGB or BGR", p.Order)
	}
	if p.Range != 1 && p.Range != 255 {
		return fmt.Errorf("weights: pre-processing has range 0–%g, want 0–1 or 0–255", p.Range)
	}
	for j := range 3 {
		if !(p.Mean[j] >= 0 && p.Mean[j] <= p.Range) {
			return fmt.Errorf("weights: pre-processing has mean %g, want 0 to %g", p.Mean[j], p.Range)
		}
		if !(p.Deviation[j] >= p.Range*1e-6 && p.Deviation[j] <= math.Max(p.Range, 1)) {
			return fmt.Errorf("weights: pre-processing has deviation %g, want above 0 and up to %g", p.Deviation[j], math.Max(p.Range, 1))
		}
	}
	return nil
}

// fold changes conv1_1 so that it takes RGB planes in 0–1 and gives what it
// gave for pre-processed ones, and sets Neutral.
//
// With input channel j reading colour c(j), the network sees
// z_j = (r·x_c(j) − m_j)/d_j. A filter W over z equals the filter
// W_j·r/d_j over x, and the bias takes up −Σ W_j·m_j/d_j. Padding with z = 0 is
// padding with x_c(j) = m_j/r.
func (p Preprocessing) fold(to *vgg19.Parameters) {
	filters, biases := to.Filters[0], to.Biases[0]
	for o := range biases {
		filter := filters[o*27 : (o+1)*27]
		var folded [27]float64
		bias := float64(biases[o])
		for j := range 3 {
			c := p.colour(j)
			for k := range 9 {
				w := float64(filter[j*9+k]) / p.Deviation[j]
				folded[c*9+k] = w * p.Range
				bias -= w * p.Mean[j]
			}
		}
		for i, w := range folded {
			filter[i] = float32(w)
		}
		biases[o] = float32(bias)
	}
	for j := range 3 {
		to.Neutral[p.colour(j)] = float32(p.Mean[j] / p.Range)
	}
}

// colour returns which of R, G, B the input channel j reads.
func (p Preprocessing) colour(j int) int {
	if p.Order == "BGR" {
		return 2 - j
	}
	return j
}

// preprocessing is what a convolution of 1×1 does before the network: output channel j
// is w·x_c + b for one colour c in 0–1, which is (r·x_c − m)/d with d = r/w and
// m = −b·d.
func (s *source) preprocessing(input *pair) (Preprocessing, error) {
	w, err := s.floats(input.filter)
	if err != nil {
		return Preprocessing{}, err
	}
	if err := input.bias.wants(3); err != nil {
		return Preprocessing{}, err
	}
	b, err := s.floats(input.bias)
	if err != nil {
		return Preprocessing{}, err
	}
	for _, order := range []string{"RGB", "BGR"} {
		p := Preprocessing{Order: order, Range: 1}
		others := 0
		for j := range 3 {
			for c := range 3 {
				if c != p.colour(j) && w[3*j+c] != 0 {
					others++
				}
			}
			if scale := float64(w[3*j+p.colour(j)]); scale > 20 { // for 0–255, by deviations of about 1
				p.Range = 255
			}
		}
		for j := range 3 {
			p.Deviation[j] = p.Range / float64(w[3*j+p.colour(j)])
			p.Mean[j] = 0 - float64(b[j])*p.Deviation[j]
		}
		if others == 0 && p.check() == nil {
			return p.rounded(), nil
		}
	}
	return Preprocessing{}, fmt.Errorf("%s does more before the network than to order, shift and scale the colours", input.filter.shown())
}

// rounded takes float32's error from the numbers of a pre-processing.
func (p Preprocessing) rounded() Preprocessing {
	for j := range 3 {
		p.Mean[j], _ = strconv.ParseFloat(strconv.FormatFloat(p.Mean[j], 'g', 6, 64), 64)
		p.Deviation[j], _ = strconv.ParseFloat(strconv.FormatFloat(p.Deviation[j], 'g', 6, 64), 64)
	}
	return p
}
