package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// Rescue has save save under another name what couldn't be saved to path: beside it,
// or else in the system's folder for temporary files or the current one. It returns
// the name that took it. Nothing that is there is replaced, and what isn't beside
// path may be read by its owner only. The error is the last that save returned.
func Rescue(path string, save func(path string) error) (saved string, err error) {
	end, err := followLinks(path)
	if err != nil {
		end = path
	}
	beside, name := filepath.Split(end)
	mode := fs.FileMode(0o666)
	if old, err := os.Stat(end); err == nil && old.Mode().IsRegular() {
		mode = old.Mode().Perm()
	}
	var folders []string
	for _, folder := range []string{beside, os.TempDir(), ""} {
		if slices.Contains(folders, folder) {
			continue
		}
		folders = append(folders, folder)
		if saved, err = rescueIn(folder, name, mode, save); err == nil {
			return saved, nil
		}
		mode &= 0o600
	}
	return "", err
}

// rescueIn saves to a name in the folder that is free, made of another name.
func rescueIn(folder, name string, mode fs.FileMode, save func(string) error) (string, error) {
	const attempts, longest = 1000, 200 // bytes of the name, so that what is added fits
	extension := filepath.Ext(name)
	stem := strings.TrimSuffix(name, extension)
	if len(extension) > 16 {
		extension = ""
	}
	for len(stem) > longest || !utf8.ValidString(stem) && len(stem) > longest-utf8.UTFMax {
		stem = stem[:len(stem)-1]
	}
	for n := 1; n <= attempts; n++ {
		free := filepath.Join(folder, stem+"-rescued"+extension)
		if n > 1 {
			free = filepath.Join(folder, fmt.Sprintf("%s-rescued-%d%s", stem, n, extension))
		}
		// An empty file keeps the name, and what is saved gets its permissions.
		file, err := os.OpenFile(free, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode|0o200)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", WithoutPath(err)
		}
		file.Close()
		if err := save(free); err != nil {
			os.Remove(free)
			return "", err
		}
		return free, nil
	}
	return "", fs.ErrExist
}
