// Command notices writes NOTICE, in the folder that it is run in: head.txt, which says
// whose weights are in the program, and the modules of which the program is built with
// all of their licences.
//
//	go run ./internal/notices          writes it
//	go run ./internal/notices -check   fails where it isn't current
//
// Modules are those that the go command links into cmd/impasto on any platform, with GPU
// support and without. Licences are the files in them; one of a kind that isn't listed in
// kinds.go is an error, because a person has to look at it first.
package main

import (
	_ "embed"
	"flag"
	"fmt"
	"os"
	"strings"
)

const output = "NOTICE"

//go:embed head.txt
var head string

func main() {
	check := flag.Bool("check", false, "fail if "+output+" isn't current")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	modules, err := linked()
	if err != nil {
		return err
	}
	text, err := notice(modules)
	if err != nil {
		return err
	}
	if !check {
		return os.WriteFile(output, []byte(text), 0o666)
	}
	old, err := os.ReadFile(output)
	if err != nil {
		return err
	}
	if string(old) != text {
		return fmt.Errorf("%s isn't current, from line %d on: run `make notices`", output, firstDifference(string(old), text))
	}
	return nil
}

// firstDifference is the first line, from 1, in which two texts differ.
func firstDifference(a, b string) int {
	linesA, linesB := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(linesA), len(linesB)) {
		if linesA[i] != linesB[i] {
			return i + 1
		}
	}
	return min(len(linesA), len(linesB)) + 1
}
