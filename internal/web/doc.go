// Package web is what pages have in common that show pictures in a browser: colours and
// looks, and the views with one zoom, a slider between two pictures and their blinking.
// The comparison's page takes it into its one file; the studio serves it as files.
package web
