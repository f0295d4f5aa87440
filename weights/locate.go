package weights

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"impasto/internal/quote"
)

// CacheFolder returns the folder that fetched files are kept in: impasto in the
// user's cache folder. It need not exist.
func CacheFolder() (string, error) {
	folder, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("weights: finding the user's cache folder: %w", err)
	}
	return filepath.Join(folder, "impasto"), nil
}

// Locate returns the path of the weight file that a name stands for: that of a
// file, or a file in CacheFolder named without its folder, with or without its
// extension, as in "vgg19-dcbb9e9d".
func Locate(name string) (string, error) {
	_, err := os.Stat(name)
	if err == nil {
		return name, nil
	}
	if !errors.Is(err, fs.ErrNotExist) || name == "" || name != filepath.Base(name) {
		return "", fmt.Errorf("weights: %w", err)
	}
	folder, err := CacheFolder()
	if err != nil {
		return "", err
	}
	for _, extension := range []string{"", ".pth", ".safetensors"} {
		path := filepath.Join(folder, name+extension)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	hint := ""
	if fetched := filepath.Base(FetchURL); name == fetched || name == strings.TrimSuffix(fetched, filepath.Ext(fetched)) {
		hint = ": `impasto weights fetch` fetches it"
	}
	return "", fmt.Errorf("weights: there is no file %s, neither here nor in %s%s", quote.Name(name), quote.Name(folder), hint)
}
