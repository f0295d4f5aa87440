package tiff

import (
	"fmt"
	"math"
)

// floatScan is what the floating-point numbers of a picture are like.
type floatScan struct {
	positive, above int // how many are above 0, and above 1
	largest         float32
	largestAlpha    float32
}

// add looks at a row's samples.
func (s *floatScan) add(samples []float32, l *layout) {
	_, wanted := l.picks(0)
	for i, v := range samples {
		if math.IsInf(float64(v), 0) {
			continue
		}
		if i%wanted >= l.colours {
			s.largestAlpha = max(s.largestAlpha, v)
			continue
		}
		if v > 0 {
			s.positive++
		}
		if v > 1 {
			s.above++
		}
		s.largest = max(s.largest, v)
	}
}

// setScale finds the number that stands for 1, and says so where it isn't 1.
func (c *converter) setScale(s *floatScan) string {
	c.scale, c.alphaBy = 1, 1
	if 2*s.above <= s.positive {
		if 1000*s.above >= s.positive && s.above > 0 {
			return fmt.Sprintf("%.1f %% of the TIFF file's floating-point values are above 1, and are shown as 1",
				100*float64(s.above)/float64(s.positive))
		}
		return ""
	}
	switch {
	case s.largest <= math.MaxUint8:
		c.scale = math.MaxUint8
	case s.largest <= math.MaxUint16:
		c.scale = math.MaxUint16
	default:
		c.scale = s.largest
	}
	if s.largestAlpha > 1 {
		c.alphaBy = c.scale
	}
	return fmt.Sprintf("the TIFF file's floating-point values go up to %g, and were divided by %g", s.largest, c.scale)
}
