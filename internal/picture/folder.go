package picture

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// FilesIn are the files right in a folder whose names end as those of pictures do, in the order
// of their names, but for those that begin with a point.
func FilesIn(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	var files []string
	for _, entry := range entries {
		name := entry.Name()
		extension := strings.ToLower(strings.TrimPrefix(filepath.Ext(name), "."))
		if name[0] == '.' || !slices.Contains(Extensions(), extension) {
			continue
		}
		path := filepath.Join(folder, name)
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			files = append(files, path)
		}
	}
	return files, err
}
