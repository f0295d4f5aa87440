// Package page has the studio's page: its HTML, looks and modules, which use nothing but
// the studio's API and the parts of internal/web.
package page

import "embed"

// Files are those of the page. index.html is the page; it names the others beside itself,
// and the files of internal/web under web/.
//
//go:embed *.html *.css *.js *.svg
var Files embed.FS
