package main

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"impasto/internal/atomicfile"
	"impasto/internal/quote"
	"impasto/model"
)

// styleArgument is one STYLE[:WEIGHT] of the command line.
type styleArgument struct {
	path   string
	weight float64
}

// parseStyle splits STYLE[:WEIGHT]. What names an existing file as it stands is
// that file, colons and all; otherwise a number after the last colon is the
// weight. A drive letter, as in C:\wave.jpg, is no weight's colon.
func parseStyle(argument string, exists func(path string) bool) (styleArgument, error) {
	whole := styleArgument{path: argument, weight: 1}
	if argument == "" {
		return whole, usagef("a style has an empty name; want STYLE or STYLE:WEIGHT")
	}
	colon := strings.LastIndexByte(argument, ':')
	if colon < 0 || exists(argument) {
		return whole, nil
	}
	path, number := argument[:colon], argument[colon+1:]
	weight, err := strconv.ParseFloat(number, 64)
	if err != nil && !exists(path) {
		return whole, nil
	}
	if path == "" {
		return whole, usagef("style %q has no name before its weight; want STYLE:WEIGHT", argument)
	}
	if err != nil || math.IsNaN(weight) || weight <= 0 || weight > model.MaxWeight {
		return whole, usagef("style %s: weight %q: want a number above 0, to %g", path, number, float64(model.MaxWeight))
	}
	return styleArgument{path, weight}, nil
}

// parseStyles splits all STYLE[:WEIGHT] arguments.
func parseStyles(arguments []string) ([]styleArgument, error) {
	var styles []styleArgument
	for _, argument := range arguments {
		style, err := parseStyle(argument, fileExists)
		if err != nil {
			return nil, err
		}
		styles = append(styles, style)
	}
	return styles, nil
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// manyStyles is more than people blend on purpose, and than a pattern of the shell makes
// by accident.
const manyStyles = 4

// understood says what is taken for what where there are so many pictures that a
// pattern such as photos/*.jpg may have been meant otherwise; else it is "".
func understood(content string, styles []styleArgument) string {
	if len(styles) <= manyStyles {
		return ""
	}
	first, last := styles[0].path, styles[len(styles)-1].path
	return fmt.Sprintf("%s is the content; the other %d pictures, from %s to %s, are styles, which are blended",
		quote.Name(content), len(styles), quote.Name(first), quote.Name(last))
}

// checkNotInput reports an output that would replace one of the files that are
// read, by whichever path it is named.
func checkNotInput(output string, inputs []string) error {
	if input, ok := atomicfile.Replaces(output, inputs); ok {
		return replacesInput(output, input)
	}
	return nil
}

// checkFlagNotInput reports a file that a flag names and that would replace one of the files
// that are read.
func checkFlagNotInput(flag, path string, inputs []string) error {
	if input, ok := atomicfile.Replaces(path, inputs); ok {
		return usagef("--%s %s is the input %s; name another file", flag, path, input)
	}
	return nil
}

func replacesInput(output, input string) error {
	return usagef("output %s is the input %s; name another file with -o", output, input)
}
