package plan

import "fmt"

// MemoryError reports work that needs more memory than there is.
type MemoryError struct {
	Needed, Available int64 // bytes
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("this needs %.1f GiB of memory, and %.1f GiB are available; choose a smaller size, fewer or deeper layers or a loss that needs less",
		float64(e.Needed)/(1<<30), float64(e.Available)/(1<<30))
}
