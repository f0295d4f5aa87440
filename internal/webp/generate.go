//go:build ignore

// Generate fetches the encoder by way of the Go module proxy, whose sums go checks, and
// puts it and its licences here; with -check it only says whether those that are here are
// the same.
package main

import "impasto/internal/sandbox/fetch"

func main() {
	fetch.Main(fetch.Files{Module: "github.com/gen2brain/webp@v0.5.5", Names: map[string]string{
		"LICENSE":             "licenses/LICENSE.gen2brain",
		"lib/webp.wasm.gz":    "libwebp.wasm.gz",
		"lib/LICENSE.libwebp": "licenses/LICENSE.libwebp",
	}})
}
