//go:build gpu && cgo && (linux || windows)

// Package standin lets tests run without a GPU: it builds a library in place of
// the NVIDIA driver's, which runs the device's kernels on the host
// (driver/standin.cc says how, and what can be made to go wrong), and starts test
// programs with it.
package standin

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gofrs/flock"

	"impasto/cuda/kernels/host"
)

// realGPU is the environment variable that makes tests use the machine's driver
// and GPU instead.
const realGPU = "IMPASTO_GPU"

// Real tells whether tests run on a GPU.
func Real() bool { return os.Getenv(realGPU) != "" }

// Main runs a package's tests with the stand-in driver, or with the machine's own
// where IMPASTO_GPU is set. Call it from TestMain and exit with its result. It
// needs g++, or the compiler that CXX names, and the header that cgo found.
func Main(m *testing.M) int {
	if Real() || os.Getenv(started) != "" {
		return m.Run()
	}
	environment, err := Environment()
	if err != nil {
		fmt.Fprintln(os.Stderr, "stand-in driver:", err)
		return 1
	}
	// The go command's log of files that results depend on is this process's, which
	// reads the stand-in's sources.
	arguments := slices.DeleteFunc(slices.Clone(os.Args[1:]), func(a string) bool { return strings.HasPrefix(a, "-test.testlogfile") })
	command := exec.Command(os.Args[0], arguments...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.Env = append(os.Environ(), environment...)
	return status(command.Run())
}

// started is set in the environment of tests that run with the stand-in.
const started = "IMPASTO_STANDIN"

// Environment is what a program needs in its environment to find the stand-in,
// which is built if need be. It is empty where IMPASTO_GPU is set.
func Environment() ([]string, error) {
	if Real() {
		return nil, nil
	}
	library, err := Library()
	folder := filepath.Dir(library)
	return []string{started + "=" + folder, "LD_LIBRARY_PATH=" + folder}, err
}

func status(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return exit.ExitCode()
	}
	fmt.Fprintln(os.Stderr, "tests with the stand-in driver:", err)
	return 1
}

// Again runs the test that calls it once more, in a process of its own with more
// in its environment, such as STANDIN_LAUNCH=3, and tells whether it is that
// process. The test goes on only there; on a GPU it is skipped.
func Again(t *testing.T, environment ...string) bool {
	t.Helper()
	if Real() {
		t.Skip("what goes wrong here can't be made to on a GPU")
	}
	const inner = "IMPASTO_STANDIN_AGAIN"
	if os.Getenv(inner) == t.Name() {
		return true
	}
	var parts []string
	for part := range strings.SplitSeq(t.Name(), "/") {
		parts = append(parts, "^"+part+"$")
	}
	command := exec.Command(os.Args[0], "-test.run="+strings.Join(parts, "/"), "-test.v")
	command.Env = append(append(os.Environ(), environment...), inner+"="+t.Name())
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("with %v: %v\n%s", environment, err, output)
	} else if !bytes.Contains(output, []byte("--- PASS: "+t.Name())) {
		t.Errorf("with %v the test didn't run:\n%s", environment, output)
	}
	return false
}

// Library returns the path of the stand-in, libcuda.so.1, which it makes once for all
// packages with the same sources. The kernels and the emulation are in it.
func Library() (string, error) {
	_, file, _, _ := runtime.Caller(0)
	source := filepath.Join(filepath.Dir(file), "driver", "standin.cc")
	root := filepath.Join(filepath.Dir(file), "..", "..")
	key, err := digest(source, host.Sources(), filepath.Join(host.Sources(), "host"))
	if err != nil {
		return "", err
	}
	if host.Checked() {
		key += "-checked"
	}
	folder := filepath.Join(root, "build", "standin-"+runtime.GOARCH+"-"+key)
	library := filepath.Join(folder, "libcuda.so.1")
	if _, err := os.Stat(library); err == nil {
		return library, nil
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return "", err
	}
	// Packages are tested beside each other, and one of them may be building it.
	lock := flock.New(folder + ".lock")
	if err := lock.Lock(); err != nil {
		return "", err
	}
	defer lock.Unlock()
	if _, err := os.Stat(library); err == nil {
		return library, nil
	}
	work, err := os.MkdirTemp(filepath.Dir(folder), "standin-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	objects, err := host.Compile(work)
	if err != nil {
		return "", err
	}
	arguments := []string{"-std=c++20", "-O2", "-fPIC", "-Wall", "-Wextra", "-shared", "-Wl,-Bsymbolic", "-Wl,-soname,libcuda.so.1",
		"-I", filepath.Join(root, "build", "cuda-headers")}
	if host.Checked() {
		arguments = append(arguments, "-fsanitize=undefined")
	}
	arguments = append(arguments, strings.Fields(os.Getenv("CGO_CFLAGS"))...)
	arguments = append(append(arguments, "-o", filepath.Join(work, "libcuda.so.1"), source), objects...)
	compiler := os.Getenv("CXX")
	if compiler == "" {
		compiler = "g++"
	}
	if output, err := exec.Command(compiler, arguments...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("compiling %s: %w\n%s", source, err, output)
	}
	for _, object := range objects {
		if err := os.Remove(object); err != nil {
			return "", err
		}
	}
	if err := os.Rename(work, folder); err != nil {
		return "", err
	}
	return library, nil
}

// digest is that of the files in folders and of single files.
func digest(paths ...string) (string, error) {
	sum := sha256.New()
	for _, path := range paths {
		files := []string{path}
		if info, err := os.Stat(path); err != nil {
			return "", err
		} else if info.IsDir() {
			if files, err = filepath.Glob(filepath.Join(path, "*.*")); err != nil {
				return "", err
			}
		}
		for _, file := range files {
			if info, err := os.Stat(file); err != nil || info.IsDir() {
				continue
			}
			content, err := os.ReadFile(file)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(sum, "%s %d\n", filepath.Base(file), len(content))
			sum.Write(content)
		}
	}
	return fmt.Sprintf("%x", sum.Sum(nil))[:16], nil
}
