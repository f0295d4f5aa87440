//go:build ignore

// Generate fetches the encoder by way of the Go module proxy, whose sums go checks, and
// puts it and its licences here; with -check it only says whether those that are here are
// the same.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"log"
	"os"
	"os/exec"
	"path/filepath"
)

// files are to be taken from the module, by their names there and here.
var files = map[string]string{
	"LICENSE":             "licenses/LICENSE.gen2brain",
	"lib/webp.wasm.gz":    "libwebp.wasm.gz",
	"lib/LICENSE.libwebp": "licenses/LICENSE.libwebp",
}

const module = "github.com/gen2brain/webp@v0.5.5"

func main() {
	check := flag.Bool("check", false, "fail if a file isn't current")
	flag.Parse()
	// Outside the module, which needn't require it.
	download := exec.Command("go", "mod", "download", "-json", module)
	download.Dir, download.Stderr = os.TempDir(), os.Stderr
	output, err := download.Output()
	if err != nil {
		log.Fatal(err)
	}
	var found struct{ Dir string }
	if err := json.Unmarshal(output, &found); err != nil {
		log.Fatal(err)
	}
	for from, to := range files {
		data, err := os.ReadFile(filepath.Join(found.Dir, from))
		if err != nil {
			log.Fatal(err)
		}
		if *check {
			if old, err := os.ReadFile(to); err != nil || !bytes.Equal(old, data) {
				log.Fatalf("%s isn't what %s has as %s: run go generate", to, module, from)
			}
			continue
		}
		if err := os.WriteFile(to, data, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}
