// Wrap writes launches.go, a function in Go for each kernel that makes a launch of it:
// so the Go compiler checks how many arguments a launch has, and of what types. It
// reads the declarations, KERNEL((threads), name, parameters…), in the *.cu files, also
// those that macros make. With -check it only tells whether launches.go is current. Run
// it in the folder of the kernels.
//
// Kernels whose names differ only by the ending _f32, _tf32, _f16 or _bf16 are one
// function: a method of kernels.Element where they are there for each type of map, else
// of kernels.Precision. Parameters in which they differ are kernels.Elements.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
)

const output = "launches.go"

func main() {
	check := flag.Bool("check", false, "compare, write nothing")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "wrap:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	kernels, err := readFolder(".")
	if err != nil {
		return err
	}
	functions, err := functionsOf(kernels)
	if err != nil {
		return err
	}
	made, err := write(functions)
	if err != nil {
		return err
	}
	if !check {
		return os.WriteFile(output, made, 0o644)
	}
	there, err := os.ReadFile(output)
	if err != nil {
		return err
	}
	if !bytes.Equal(made, there) {
		return fmt.Errorf("%s isn't what the kernels' declarations say; run go run ./wrap", output)
	}
	return nil
}
