// Command generate writes the assembly of packages internal/cpu/kernels,
// internal/cpu/pairwise and internal/flow/kernels: for amd64 with avo, for arm64 with
// package arm64.
// Run it by go generate in any of them, or here:
//
//	go run .                  writes the files of all packages
//	go run . cpu/kernels      writes those of one package
//	go run . -check           compares them with those on disk and fails on a difference
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"

	"impasto/internal/cpu/_generate/arm64"
	"impasto/internal/cpu/_generate/neon"
)

// files are the generated files: the package's folder in internal, stem of the name, and
// the function that adds the file's kernels to a context.
var files = []struct {
	pkg, stem string
	emit      func(*build.Context)
}{
	{"cpu/kernels", "direct", emitDirect},
	{"cpu/kernels", "product", emitProduct},
	{"cpu/kernels", "winograd", emitWinograd},
	{"cpu/kernels", "bfloat16", emitBFloat16},
	{"cpu/kernels", "amx", emitAMX},
	{"cpu/kernels", "half", emitHalf},
	{"cpu/kernels", "vectors", emitVectors},
	{"cpu/kernels", "pool", emitPool},
	{"cpu/kernels", "moments", emitMoments},
	{"cpu/kernels", "sweep", emitSweep},
	{"cpu/pairwise", "pairs", emitPairs},
	{"cpu/pairwise", "accumulate", emitAccumulate},
	{"flow/kernels", "flow", emitFlow},
}

// armFiles are those for arm64.
var armFiles = []struct {
	pkg, stem string
	emit      func(*arm64.File)
}{
	{"cpu/kernels", "direct", neon.Direct},
	{"cpu/kernels", "product", neon.Product},
	{"cpu/kernels", "winograd", neon.Winograd},
	{"cpu/kernels", "half", neon.Half},
	{"cpu/kernels", "vectors", neon.Vectors},
	{"cpu/kernels", "pool", neon.Pool},
	{"cpu/kernels", "moments", neon.Moments},
	{"cpu/kernels", "sweep", neon.Sweep},
	{"flow/kernels", "flow", neon.Flow},
}

func main() {
	check := flag.Bool("check", false, "compare with the files on disk instead of writing them")
	folder := flag.String("folder", "../..", "`folder` that holds the packages")
	flag.Parse()
	if err := run(*folder, flag.Arg(0), *check); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// run writes or checks the files of a package, or of all where pkg is empty.
func run(folder, pkg string, check bool) error {
	found := false
	for _, f := range files {
		if pkg != "" && f.pkg != pkg {
			continue
		}
		found = true
		assembly, stubs, err := generate(f.pkg, f.emit)
		if err != nil {
			return fmt.Errorf("%s/%s: %w", f.pkg, f.stem, err)
		}
		if err := putBoth(filepath.Join(folder, f.pkg, f.stem), "amd64", assembly, stubs, check); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("no package %q", pkg)
	}
	return runArm(folder, pkg, check)
}

// runArm writes or checks the files for arm64.
func runArm(folder, pkg string, check bool) error {
	for _, f := range armFiles {
		if pkg != "" && f.pkg != pkg {
			continue
		}
		file := arm64.NewFile(path.Base(f.pkg))
		f.emit(file)
		stubs, err := file.Stubs()
		if err != nil {
			return fmt.Errorf("%s/%s for arm64: %w", f.pkg, f.stem, err)
		}
		if err := putBoth(filepath.Join(folder, f.pkg, f.stem), "arm64", file.Assembly(), stubs, check); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the assembly of the kernels that emit adds, and their
// declarations in Go.
func generate(pkg string, emit func(*build.Context)) (assembly, stubs []byte, err error) {
	ctx := build.NewContext()
	ctx.ConstraintExpr("amd64")
	emit(ctx)
	code, err := ctx.Result()
	if err != nil {
		return nil, nil, err
	}
	config := printer.Config{Argv: []string{"go", "generate"}, Name: "avo", Pkg: path.Base(pkg)}
	var s, g bytes.Buffer
	passes := pass.Concat(
		pass.Compile,
		&pass.Output{Writer: nopCloser{&s}, Printer: printer.NewGoAsm(config)},
		&pass.Output{Writer: nopCloser{&g}, Printer: printer.NewStubs(config)},
	)
	if err := passes.Execute(code); err != nil {
		return nil, nil, err
	}
	return s.Bytes(), g.Bytes(), nil
}

// putBoth puts the assembly and its declarations for a processor.
func putBoth(stem, processor string, assembly, stubs []byte, check bool) error {
	if err := put(stem+"_"+processor+".s", assembly, check); err != nil {
		return err
	}
	return put(stem+"_stubs_"+processor+".go", stubs, check)
}

// put writes a generated file, or checks that it is there as generated.
func put(name string, want []byte, check bool) error {
	if !check {
		return os.WriteFile(name, want, 0o644)
	}
	got, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("checking generated files: %w; run go generate", err)
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s is not what the generator makes; run go generate", name)
	}
	return nil
}

type nopCloser struct{ *bytes.Buffer }

func (nopCloser) Close() error { return nil }
