package atomicfile

import (
	"io"
	"os"
)

// Copy makes the file at path out of what is in another, whole or not at all, as Write does.
func Copy(path, from string) error {
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	return Write(path, func(w io.Writer) error {
		_, err := io.Copy(w, file)
		return err
	})
}
