// Package fetch is what generators of packages with programs for the sandbox have in common:
// they take these, and their licences, from modules.
package fetch

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
)

// Files are to be taken from a module, by their names there and here.
type Files struct {
	Module string // as in example.com/module@v1.2.3
	Names  map[string]string
}

// Main fetches files by way of the Go module proxy, whose sums go checks, and puts them
// into the working folder; with the flag -check it only says whether those that are there
// are the same. It ends the program where that fails.
func Main(all ...Files) {
	check := flag.Bool("check", false, "fail if a file isn't current")
	flag.Parse()
	for _, f := range all {
		if err := f.fetch(*check); err != nil {
			log.Fatal(err)
		}
	}
}

func (f Files) fetch(check bool) error {
	// Outside the module, which needn't require them.
	download := exec.Command("go", "mod", "download", "-json", f.Module)
	download.Dir, download.Stderr = os.TempDir(), os.Stderr
	output, err := download.Output()
	if err != nil {
		return err
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(output, &module); err != nil {
		return err
	}
	for from, to := range f.Names {
		data, err := os.ReadFile(filepath.Join(module.Dir, from))
		if err != nil {
			return err
		}
		if check {
			if old, err := os.ReadFile(to); err != nil || !bytes.Equal(old, data) {
				return fmt.Errorf("%s isn't what %s has as %s: run go generate", to, f.Module, from)
			}
			continue
		}
		if err := os.WriteFile(to, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
