package web

import (
	"fmt"
	"image/color"
	"strings"
)

// Hue is a colour of lines: on white or a page's light paper, and on its dark one.
type Hue struct{ Light, Dark color.RGBA }

// Hues are told apart by people of normal sight and by those who lack one kind of
// cones, and stand out from their paper by 3:1 at least. They were searched for by
// their distances in Oklab, after Machado et al. 2009.
var Hues = []Hue{
	{color.RGBA{0x2a, 0x48, 0xdc, 0xff}, color.RGBA{0x6f, 0x83, 0xff, 0xff}}, // blue
	{color.RGBA{0xec, 0x52, 0x00, 0xff}, color.RGBA{0xea, 0x8c, 0x41, 0xff}}, // orange
	{color.RGBA{0x1d, 0x97, 0x8c, 0xff}, color.RGBA{0x40, 0xcf, 0xcc, 0xff}}, // teal
	{color.RGBA{0xa0, 0x20, 0x7a, 0xff}, color.RGBA{0xc0, 0x5c, 0x9c, 0xff}}, // purple
	{color.RGBA{0x6a, 0x3a, 0x16, 0xff}, color.RGBA{0xff, 0xd5, 0x45, 0xff}}, // brown, yellow
	{color.RGBA{0x1c, 0x15, 0x30, 0xff}, color.RGBA{0xe4, 0xff, 0xff, 0xff}}, // ink
}

// Dashes keep lines apart that share a hue, in points: of lines and of gaps. None is
// of dots alone, which leaders are.
var Dashes = [][]float64{nil, {7, 3}, {9, 2.5, 2, 2.5}}

// Look is how a line is drawn: indices into Hues and Dashes.
type Look struct{ Hue, Dash int }

// LossLooks are those of the losses, the same in every plot and on every page: one hue
// for losses of one kind.
var LossLooks = map[string]Look{
	"gaussian": {0, 0}, "moments": {0, 1}, "cmd": {0, 2},
	"gram":   {1, 0},
	"sliced": {2, 0}, "max-sliced": {2, 1}, "histogram": {2, 2},
	"sinkhorn": {3, 0}, "sinkhorn-whole": {3, 1},
	"relaxed": {4, 0}, "relaxed-euclidean": {4, 1},
	"mmd": {5, 0},
}

// LossColours are those of a loss on light and on dark paper, as in CSS; empty for one
// that has none.
func LossColours(loss string) (light, dark string) {
	look, known := LossLooks[loss]
	if !known {
		return "", ""
	}
	hue := Hues[look.Hue]
	return hex(hue.Light), hex(hue.Dark)
}

// PaletteCSS are classes of lines: hue0, hue1 … for Hues and dash0, dash1 … for Dashes.
func PaletteCSS() string {
	var light, dark, classes strings.Builder
	for i, h := range Hues {
		fmt.Fprintf(&light, "--line%d: %s; ", i, hex(h.Light))
		fmt.Fprintf(&dark, "--line%d: %s; ", i, hex(h.Dark))
		fmt.Fprintf(&classes, ".hue%d { color: var(--line%d); }\n", i, i)
	}
	for i, dash := range Dashes {
		if dash != nil {
			fmt.Fprintf(&classes, ".dash%d path { stroke-dasharray: %s; }\n", i, strings.Trim(fmt.Sprint(dash), "[]"))
		}
	}
	return fmt.Sprintf(":root { %s}\n@media (prefers-color-scheme: dark) { :root { %s} }\n%s", light.String(), dark.String(), classes.String())
}

func hex(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }
