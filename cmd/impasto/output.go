package main

import (
	"encoding/json"
	"fmt"
	"io"

	"impasto/internal/atomicfile"
	"impasto/internal/quote"
)

// printJSON writes one object on a line. Names that aren't UTF-8 have their bytes
// beside them (quote.JSON).
func printJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(quote.JSON(value)); err != nil {
		return fmt.Errorf("write JSON to standard output: %w", atomicfile.WithoutPath(err))
	}
	return nil
}

// significant writes a loss with four digits.
func significant(loss float64) string { return fmt.Sprintf("%.4g", loss) }

// perSecond writes a rate for people, the other way round where it is slow.
func perSecond(rate float64) string {
	switch {
	case rate <= 0:
		return "– it/s"
	case rate < 0.1:
		return fmt.Sprintf("%.1f s/it", 1/rate)
	case rate < 10:
		return fmt.Sprintf("%.2f it/s", rate)
	default:
		return fmt.Sprintf("%.0f it/s", rate)
	}
}

// mebibytes writes an amount of memory, of which 0 means that it isn't known.
func mebibytes(bytes int64) string {
	if bytes == 0 {
		return "not known on this system"
	}
	return fmt.Sprintf("%.0f MiB", float64(bytes)/(1<<20))
}

// megabytes writes the size of a file.
func megabytes(n int64) string {
	if n < 1e6 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
