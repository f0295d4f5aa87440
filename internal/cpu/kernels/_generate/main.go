// Command generate writes the assembly of package kernels with avo. Run it by
// go generate in that package, or here:
//
//	go run .          writes the files
//	go run . -check   compares them with those on disk and fails on a difference
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
)

// files are the generated files by the stem of their names, each with the
// function that adds its kernels to a context.
var files = []struct {
	stem string
	emit func(*build.Context)
}{
	{"direct", emitDirect},
	{"product", emitProduct},
	{"winograd", emitWinograd},
	{"bfloat16", emitBFloat16},
	{"half", emitHalf},
	{"vectors", emitVectors},
	{"pool", emitPool},
	{"moments", emitMoments},
	{"sweep", emitSweep},
}

func main() {
	check := flag.Bool("check", false, "compare with the files on disk instead of writing them")
	folder := flag.String("folder", "..", "`folder` of package kernels")
	flag.Parse()
	if err := run(*folder, *check); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(folder string, check bool) error {
	for _, f := range files {
		ctx := build.NewContext()
		ctx.ConstraintExpr("amd64")
		f.emit(ctx)
		code, err := ctx.Result()
		if err != nil {
			return fmt.Errorf("%s: %w", f.stem, err)
		}
		config := printer.Config{Argv: []string{"go", "generate"}, Name: "avo", Pkg: "kernels"}
		var assembly, stubs bytes.Buffer
		passes := pass.Concat(
			pass.Compile,
			&pass.Output{Writer: nopCloser{&assembly}, Printer: printer.NewGoAsm(config)},
			&pass.Output{Writer: nopCloser{&stubs}, Printer: printer.NewStubs(config)},
		)
		if err := passes.Execute(code); err != nil {
			return fmt.Errorf("%s: %w", f.stem, err)
		}
		for name, want := range map[string][]byte{
			f.stem + "_amd64.s":        assembly.Bytes(),
			f.stem + "_stubs_amd64.go": stubs.Bytes(),
		} {
			if err := put(filepath.Join(folder, name), want, check); err != nil {
				return err
			}
		}
	}
	return nil
}

// put writes a generated file, or checks that it is there as generated.
func put(path string, want []byte, check bool) error {
	if !check {
		return os.WriteFile(path, want, 0o644)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("checking generated files: %w; run go generate", err)
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s is not what the generator makes; run go generate", path)
	}
	return nil
}

type nopCloser struct{ *bytes.Buffer }

func (nopCloser) Close() error { return nil }
