//go:build ignore

// Generate fetches the decoders by way of the Go module proxy, whose sums go
// checks, and puts them and their licences here; with -check it only says whether
// those that are here are the same.
package main

import "impasto/internal/sandbox/fetch"

func main() {
	fetch.Main(
		fetch.Files{Module: "github.com/gen2brain/heic@v0.4.5", Names: map[string]string{
			"LICENSE":              "licenses/LICENSE.gen2brain",
			"lib/heif.wasm.gz":     "libheif.wasm.gz",
			"lib/LICENSE.libheif":  "licenses/LICENSE.libheif",
			"lib/LICENSE.libde265": "licenses/LICENSE.libde265",
		}},
		fetch.Files{Module: "github.com/gen2brain/avif@v0.4.4", Names: map[string]string{
			"lib/decode.wasm.gz":  "libavif.wasm.gz",
			"lib/LICENSE.libavif": "licenses/LICENSE.libavif",
			"lib/LICENSE.aom":     "licenses/LICENSE.aom",
		}},
	)
}
