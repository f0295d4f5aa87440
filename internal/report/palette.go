package report

import (
	"fmt"
	"image/color"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
)

// hue is a colour of lines: on white or the page's light paper, and on its dark
// one.
type hue struct{ light, dark color.RGBA }

// hues are told apart by people of normal sight and by those who lack one kind of
// cones, and stand out from their paper by 3:1 at least. They were searched for by
// their distances in Oklab, after Machado et al. 2009.
var hues = []hue{
	{color.RGBA{0x2a, 0x48, 0xdc, 0xff}, color.RGBA{0x6f, 0x83, 0xff, 0xff}}, // blue
	{color.RGBA{0xec, 0x52, 0x00, 0xff}, color.RGBA{0xea, 0x8c, 0x41, 0xff}}, // orange
	{color.RGBA{0x1d, 0x97, 0x8c, 0xff}, color.RGBA{0x40, 0xcf, 0xcc, 0xff}}, // teal
	{color.RGBA{0xa0, 0x20, 0x7a, 0xff}, color.RGBA{0xc0, 0x5c, 0x9c, 0xff}}, // purple
	{color.RGBA{0x6a, 0x3a, 0x16, 0xff}, color.RGBA{0xff, 0xd5, 0x45, 0xff}}, // brown, yellow
	{color.RGBA{0x1c, 0x15, 0x30, 0xff}, color.RGBA{0xe4, 0xff, 0xff, 0xff}}, // ink
}

// dashes keep lines apart that share a hue, in points: of lines and of gaps. None is
// of dots alone, which leaders are.
var dashes = [][]vg.Length{nil, {7, 3}, {9, 2.5, 2, 2.5}}

// look is how a line is drawn: indices into hues and dashes.
type look struct{ hue, dash int }

// lossLooks are those of the losses, the same in every plot and on the page: one
// hue for losses of one kind.
var lossLooks = map[string]look{
	"gaussian": {0, 0}, "moments": {0, 1}, "cmd": {0, 2},
	"gram":   {1, 0},
	"sliced": {2, 0}, "max-sliced": {2, 1}, "histogram": {2, 2},
	"sinkhorn": {3, 0}, "sinkhorn-whole": {3, 1},
	"relaxed": {4, 0}, "relaxed-euclidean": {4, 1},
	"mmd": {5, 0},
}

// looksOf gives each name its look: a loss its own, and any other name, in the
// order given, one that is left. What follows a comma doesn't count: "sliced, one
// pass" is sliced.
func looksOf(names []string) map[string]look {
	looks, taken := map[string]look{}, map[look]bool{}
	for _, name := range names {
		base, _, _ := strings.Cut(name, ",")
		if l, known := lossLooks[base]; known {
			looks[name], taken[l] = l, true
		}
	}
	next := 0
	for _, name := range names {
		if _, done := looks[name]; done {
			continue
		}
		l := lookAt(next)
		for next++; taken[l] && next < len(hues)*len(dashes); next++ {
			l = lookAt(next)
		}
		looks[name], taken[l] = l, true
	}
	return looks
}

// setApart gives each name another look, in their order, where two have the same.
func setApart(looks map[string]look, names []string) {
	taken := map[look]bool{}
	for _, name := range names {
		taken[looks[name]] = true
	}
	if len(taken) == len(names) {
		return
	}
	for i, name := range names {
		looks[name] = lookAt(i)
	}
}

// lookAt counts through all looks, hues first.
func lookAt(index int) look {
	return look{index % len(hues), index / len(hues) % len(dashes)}
}

// paletteCSS are the page's classes of lines: h0, h1 … for hues and d0, d1 … for
// dashes.
func paletteCSS() string {
	var light, dark, classes strings.Builder
	for i, h := range hues {
		fmt.Fprintf(&light, "--line%d: %s; ", i, hex(h.light))
		fmt.Fprintf(&dark, "--line%d: %s; ", i, hex(h.dark))
		fmt.Fprintf(&classes, ".hue%d { color: var(--line%d); }\n", i, i)
	}
	for i, dash := range dashes {
		if dash != nil {
			fmt.Fprintf(&classes, ".dash%d path { stroke-dasharray: %s; }\n", i, strings.Trim(fmt.Sprint(dash), "[]"))
		}
	}
	return fmt.Sprintf(":root { %s}\n@media (prefers-color-scheme: dark) { :root { %s} }\n%s", light.String(), dark.String(), classes.String())
}

func hex(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// sortedNames are the names of all series, each once.
func sortedNames(panels [][]Panel) []string {
	var names []string
	for _, panel := range slices.Concat(panels...) {
		for _, series := range panel.Series {
			if !slices.Contains(names, series.Name) {
				names = append(names, series.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}
