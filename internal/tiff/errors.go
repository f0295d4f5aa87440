package tiff

import (
	"fmt"
	"io"
)

// Unsupported is the error for a sound file of a kind that isn't read.
type Unsupported struct {
	// Kind says what the file is, as in "a TIFF compressed with JPEG 2000".
	Kind string
	// Instead says what to do.
	Instead string
}

// Error is one sentence: what the file is, and what to do.
func (u *Unsupported) Error() string {
	return fmt.Sprintf("%s, which isn't read; %s", u.Kind, u.Instead)
}

func unsupported(format string, arguments ...any) error {
	return &Unsupported{fmt.Sprintf(format, arguments...), "convert it to PNG, or to a TIFF in RGB with Deflate compression"}
}

func cameraRaw(kind string) error {
	return &Unsupported{
		fmt.Sprintf("a camera raw file (%s) with the sensor's values instead of a picture", kind),
		"develop it to TIFF or JPEG with a raw converter such as darktable or RawTherapee",
	}
}

// truncated is the error for data that should be there and aren't; it is
// io.ErrUnexpectedEOF.
func truncated(format string, arguments ...any) error {
	return fmt.Errorf("the file is truncated: %s (%w)", fmt.Sprintf(format, arguments...), io.ErrUnexpectedEOF)
}
