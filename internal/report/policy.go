package report

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
)

// contentPolicy is the page's Content-Security-Policy: the one script, unless there is
// none, and the one style sheet, by their digests, and pictures that are in the page;
// nothing else runs, is fetched, or is sent. A policy in a file can't say who may frame it.
func contentPolicy(script, style string) string {
	scripts := "'none'"
	if script != "" {
		scripts = digestSource(script)
	}
	return strings.Join([]string{
		"default-src 'none'", "script-src " + scripts, "style-src " + digestSource(style), "img-src data:",
		"base-uri 'none'", "form-action 'none'",
	}, "; ")
}

// digestSource allows an inline text by the SHA-256 of its bytes.
func digestSource(text string) string {
	digest := sha256.Sum256([]byte(text))
	return fmt.Sprintf("'sha256-%s'", base64.StdEncoding.EncodeToString(digest[:]))
}
