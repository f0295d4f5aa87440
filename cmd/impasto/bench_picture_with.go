package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"impasto/internal/bench"
	"impasto/internal/quote"
	"impasto/internal/regular"
	"impasto/model"
)

// maxPoints is more than the lines of any run take, in bytes.
const maxPoints = 16 << 20

// earlier are the points of --with that are of the pairs of this run. They have to be of
// the same size and content distance, and none may be there twice.
func (o benchPictureOptions) earlier(pairs []string) ([]bench.PicturePoint, error) {
	var all []bench.PicturePoint
	for _, path := range o.With {
		points, err := readPoints(path)
		if err != nil {
			return nil, err
		}
		there := len(all)
		for _, p := range points {
			if p.Size != o.Options.Size || p.Wanted != o.ContentDistance {
				return nil, usagef("--with %s is of %d pixels and a content distance of %g, and this run is of %d and %g; they can't be compared",
					quote.Name(path), p.Size, p.Wanted, o.Options.Size, o.ContentDistance)
			}
			if !slices.Contains(pairs, p.Pair) {
				continue
			}
			if o.makes(p) || slices.ContainsFunc(all, func(other bench.PicturePoint) bool { return samePoint(p, other) }) {
				return nil, usagef("--with %s: %s is there already under the label %q; give each run another --label", quote.Name(path), nameOf(p), p.Label)
			}
			all = append(all, p)
		}
		if len(all) == there {
			return nil, usagef("--with %s has no point of these pairs", quote.Name(path))
		}
	}
	return all, nil
}

// makes tells whether this run is to make a point of the same pair, loss, quality and label.
func (o benchPictureOptions) makes(p bench.PicturePoint) bool {
	if p.Label != o.Label || !slices.Contains(o.Qualities, p.Quality) {
		return false
	}
	for _, loss := range o.Compared {
		if loss.Description().Name == p.Loss {
			return true
		}
	}
	return false
}

func samePoint(a, b bench.PicturePoint) bool {
	return a.Pair == b.Pair && a.Loss == b.Loss && a.Quality == b.Quality && a.Label == b.Label
}

// readPoints reads the points among the lines that a run printed as JSON.
func readPoints(path string) ([]bench.PicturePoint, error) {
	file, size, err := regular.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--with: %w", err)
	}
	defer file.Close()
	if size > maxPoints {
		return nil, usagef("--with %s: it has %s, too much for what a run prints", quote.Name(path), megabytes(size))
	}
	var points []bench.PicturePoint
	lines := bufio.NewScanner(io.LimitReader(file, maxPoints))
	lines.Buffer(nil, maxPoints)
	for number := 1; lines.Scan(); number++ {
		var e picturePointEvent
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, usagef("--with %s: line %d is none of bench picture --json: %s", quote.Name(path), number, err)
		}
		if e.Event != "point" {
			continue
		}
		if v := e.PictureValues; v != nil && !(v.Seconds > 0 && v.Distance > 0 && v.ContentWeight > 0) || !slices.Contains(model.QualityNames(), e.Quality) {
			return nil, usagef("--with %s: line %d is no point of bench picture --json", quote.Name(path), number)
		}
		points = append(points, e.PicturePoint)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("--with %s: %w", quote.Name(path), err)
	}
	if len(points) == 0 {
		return nil, usagef("--with %s has no line of bench picture --json that is a point", quote.Name(path))
	}
	return points, nil
}
