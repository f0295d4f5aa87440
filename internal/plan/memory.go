package plan

import (
	"fmt"
	"math"
)

// MemoryError reports work that needs more memory than there is.
type MemoryError struct {
	Needed, Available int64 // bytes
	// Limit names the limit that leaves no more, where it isn't the machine.
	Limit string
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("this needs %s; choose a smaller size, fewer or deeper layers or a loss that needs less", e.Shortage())
}

// Shortage says how much is needed and how much there is, for people.
func (e *MemoryError) Shortage() string {
	there := Amount(e.Available) + " are available"
	if e.Limit != "" {
		there += " under the limit on the " + e.Limit
	}
	return fmt.Sprintf("%s of memory, and %s", Amount(e.Needed), there)
}

// Amount is a number of bytes in a unit that leaves two digits or more.
func Amount(bytes int64) string {
	switch {
	case bytes < 1<<30:
		return fmt.Sprintf("%.0f MiB", math.Ceil(float64(bytes)/(1<<20)))
	case bytes < 10<<30:
		return fmt.Sprintf("%.2f GiB", float64(bytes)/(1<<30))
	}
	return fmt.Sprintf("%.0f GiB", float64(bytes)/(1<<30))
}
