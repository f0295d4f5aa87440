package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// wholeNumbers is a flag that takes numbers from low to high with commas between them, each
// once.
type wholeNumbers struct {
	target    *[]int
	low, high int
	unit      string
}

func (w wholeNumbers) String() string {
	if w.target == nil {
		return ""
	}
	var parts []string
	for _, n := range *w.target {
		parts = append(parts, strconv.Itoa(n))
	}
	return strings.Join(parts, ",")
}

func (w wholeNumbers) Type() string { return w.unit + ",…" }

func (w wholeNumbers) Set(text string) error {
	var all []int
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(part)
		if err != nil || n < w.low || n > w.high {
			return fmt.Errorf("want whole numbers from %d to %d with commas between them", w.low, w.high)
		}
		if slices.Contains(all, n) {
			return errors.New("a number stands twice")
		}
		all = append(all, n)
	}
	*w.target = all
	return nil
}
