package report

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// decades are ticks at powers of ten, at 2 and 5 between them where there are
// few, with a small one at every other digit; over a short range, even ones.
type decades struct{}

// Ticks implements plot.Ticker.
func (decades) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	labels := 0
	few := math.Log10(high/low) < 2.2
	for power := math.Floor(math.Log10(low)); power <= math.Log10(high); power++ {
		for digit := 1.0; digit < 10; digit++ {
			value := digit * math.Pow(10, power)
			if value < low || value > high {
				continue
			}
			tick := plot.Tick{Value: value}
			if digit == 1 || few && (digit == 2 || digit == 5) {
				tick.Label = plain(value)
				labels++
			}
			ticks = append(ticks, tick)
		}
	}
	if labels < 3 {
		return evenTicksOf(low, high)
	}
	return ticks
}

// evenTicksOf are round places between two values.
func evenTicksOf(low, high float64) []plot.Tick {
	step := roundStep(high - low)
	decimals := max(0, -exponent(step*(1+1e-9)))
	var ticks []plot.Tick
	for i := math.Ceil(low / step); i*step <= high; i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: strconv.FormatFloat(i*step, 'f', decimals, 64)})
	}
	return ticks
}

// plain writes a round number: 0.001, 20, 10⁶ as 1e+06.
func plain(value float64) string {
	if value >= 1e-5 && value < 1e6 {
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	return fmt.Sprintf("%.0e", value)
}
