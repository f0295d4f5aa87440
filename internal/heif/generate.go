//go:build ignore

// Generate fetches the decoders by way of the Go module proxy, whose sums go
// checks, and puts them and their licences here; with -check it only says whether
// those that are here are the same.
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

// files are to be taken from modules, by their names there and here.
var files = []struct {
	module string
	names  map[string]string
}{
	{"github.com/gen2brain/heic@v0.4.5", map[string]string{
		"LICENSE":              "licenses/LICENSE.gen2brain",
		"lib/heif.wasm.gz":     "libheif.wasm.gz",
		"lib/LICENSE.libheif":  "licenses/LICENSE.libheif",
		"lib/LICENSE.libde265": "licenses/LICENSE.libde265",
	}},
	{"github.com/gen2brain/avif@v0.4.4", map[string]string{
		"lib/decode.wasm.gz":  "libavif.wasm.gz",
		"lib/LICENSE.libavif": "licenses/LICENSE.libavif",
		"lib/LICENSE.aom":     "licenses/LICENSE.aom",
	}},
}

func main() {
	check := flag.Bool("check", false, "fail if a file isn't current")
	flag.Parse()
	for _, f := range files {
		// Outside the module, which needn't require them.
		download := exec.Command("go", "mod", "download", "-json", f.module)
		download.Dir, download.Stderr = os.TempDir(), os.Stderr
		output, err := download.Output()
		if err != nil {
			log.Fatal(err)
		}
		var module struct{ Dir string }
		if err := json.Unmarshal(output, &module); err != nil {
			log.Fatal(err)
		}
		for from, to := range f.names {
			data, err := os.ReadFile(filepath.Join(module.Dir, from))
			if err != nil {
				log.Fatal(err)
			}
			if *check {
				if old, err := os.ReadFile(to); err != nil || !bytes.Equal(old, data) {
					log.Fatalf("%s isn't what %s has as %s: run go generate", to, f.module, from)
				}
				continue
			}
			if err := os.WriteFile(to, data, 0o644); err != nil {
				log.Fatal(err)
			}
		}
	}
}
