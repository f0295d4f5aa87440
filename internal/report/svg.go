package report

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"strconv"
)

var (
	svgFamily = []byte("font-family:Liberation Sans")
	// A disc as package vgsvg writes it: centre + r, r, centre − r, and its colour.
	svgDisc = regexp.MustCompile(`<path d="M([-\d.]+),([-\d.]+)A([\d.]+),[\d.]+ 0 1 1 ([-\d.]+),[-\d.]+A[\d.]+,[\d.]+ 0 1 1 [-\d.]+,[-\d.]+Z" style="fill:(#[0-9A-F]{6})(?:;fill-opacity:([\d.]+))?" />\n`)
	svgDots = regexp.MustCompile(`(?:` + svgDisc.String() + `)+`)
)

// deepest is how many dots of one place are kept: more would be as opaque.
const deepest = 8

// compactSVG makes a figure's SVG shorter, without a change to see. Fonts aren't
// embedded: those that are named are as wide as the one it was set in. Discs, which
// package vgsvg writes one by one, become the round ends of lines without length,
// many to a path.
func compactSVG(svg []byte) []byte {
	svg = bytes.ReplaceAll(svg, svgFamily, []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif"))
	return svgDots.ReplaceAllFunc(svg, func(run []byte) []byte {
		var out bytes.Buffer
		var same []svgDot
		for _, match := range svgDisc.FindAllSubmatch(run, -1) {
			dot := newSVGDot(match)
			if len(same) > 0 && same[0].look != dot.look {
				writeDots(&out, same)
				same = nil
			}
			same = append(same, dot)
		}
		writeDots(&out, same)
		return out.Bytes()
	})
}

type svgDot struct {
	x, y float64 // of its centre
	look svgLook
}

type svgLook struct {
	diameter      float64
	fill, opacity string
}

func newSVGDot(match [][]byte) svgDot {
	number := func(i int) float64 {
		v, _ := strconv.ParseFloat(string(match[i]), 64) // digits, by the expression
		return v
	}
	centre := (number(1) + number(4)) / 2
	return svgDot{
		x: math.Round(10*centre) / 10, y: math.Round(10*number(2)) / 10,
		look: svgLook{2 * number(3), string(match[5]), string(match[6])},
	}
}

// writeDots writes dots of one look. Those that overlap go into different paths,
// where their opacity adds up as it did.
func writeDots(out *bytes.Buffer, dots []svgDot) {
	var layers [][]svgDot
	kept := map[[2]float64]int{}
	for _, dot := range dots {
		place := [2]float64{dot.x, dot.y}
		if kept[place] == deepest {
			continue
		}
		kept[place]++
		at := 0
		for at < len(layers) && overlaps(layers[at], dot) {
			at++
		}
		if at == len(layers) {
			layers = append(layers, nil)
		}
		layers[at] = append(layers[at], dot)
	}
	for _, layer := range layers {
		look := layer[0].look
		out.WriteString(`<path d="`)
		for _, dot := range layer {
			fmt.Fprintf(out, "M%g %gh0", dot.x, dot.y)
		}
		fmt.Fprintf(out, `" style="fill:none;stroke:%s;stroke-width:%g;stroke-linecap:round`, look.fill, look.diameter)
		if look.opacity != "" {
			fmt.Fprintf(out, ";stroke-opacity:%s", look.opacity)
		}
		out.WriteString("\" />\n")
	}
}

func overlaps(layer []svgDot, dot svgDot) bool {
	for _, other := range layer {
		if math.Hypot(other.x-dot.x, other.y-dot.y) < dot.look.diameter {
			return true
		}
	}
	return false
}
