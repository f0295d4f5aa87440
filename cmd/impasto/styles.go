package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
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
	if err != nil || math.IsNaN(weight) || weight <= 0 || weight > maxWeight {
		return whole, usagef("style %s: weight %q: want a number above 0, to %g", path, number, maxWeight)
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

// checkNotInput reports an output that would replace one of the files that are
// read, by whichever path it is named.
func checkNotInput(output string, inputs []string) error {
	target, err := os.Stat(output)
	if err != nil {
		return nil
	}
	for _, input := range inputs {
		if info, err := os.Stat(input); err == nil && os.SameFile(target, info) {
			return usagef("output %s is the input %s; name another file with -o", output, input)
		}
	}
	return nil
}

// snapshotPath is where the intermediate picture after some iterations goes:
// beside the output, as painted-00100.png for painted.png.
func snapshotPath(output string, iterations int) string {
	extension := filepath.Ext(output)
	return fmt.Sprintf("%s-%05d%s", strings.TrimSuffix(output, extension), iterations, extension)
}

// checkNoSnapshot reports an input that an intermediate picture would replace.
func checkNoSnapshot(output string, inputs []string) error {
	extension := filepath.Ext(output)
	pattern := regexp.MustCompile("^" + regexp.QuoteMeta(strings.TrimSuffix(filepath.Base(output), extension)) +
		`-\d{5,}` + regexp.QuoteMeta(extension) + "$")
	folder, _ := os.Stat(filepath.Dir(output))
	for _, input := range inputs {
		if !pattern.MatchString(filepath.Base(input)) {
			continue
		}
		if other, err := os.Stat(filepath.Dir(input)); err == nil && folder != nil && os.SameFile(folder, other) {
			return usagef("--save-every: an intermediate picture might replace the input %s; choose another output with -o", input)
		}
	}
	return nil
}
