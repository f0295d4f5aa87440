//go:build !unix

package atomicfile

import (
	"io/fs"
	"os"
)

// protect has nothing to do: permissions come with the folder here, and a
// write-protected file isn't replaced.
func protect(*os.File, string, fs.FileInfo) {}

// tryReplacing leaves it to the write.
func tryReplacing(string, string) error { return nil }
