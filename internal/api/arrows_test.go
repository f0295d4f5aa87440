package api

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrows are the packages of the module from the bottom up, each with the others that
// it imports. These stand in rows before its own, so there are no arrows upwards.
var arrows = []struct{ from, to string }{
	// What knows nothing of the rest.
	{".", ""}, // documentation and licences
	{"device", ""},
	{"internal/atomicfile", ""},
	{"internal/float16", ""},
	{"internal/memory", ""},
	{"internal/names", ""},
	{"internal/notices", ""},
	{"internal/npz", ""},
	{"internal/panics", ""},
	{"internal/quote", ""},
	{"internal/metadata", "internal/quote"},
	{"internal/ffmpeg", "internal/quote"},
	{"internal/regular", "internal/quote"},
	{"internal/web", ""},
	{"internal/report", "internal/web"},
	{"studio/page", ""},
	{"examples", ""},
	{"internal/supervise", "internal/memory"},
	{"internal/tiff", "internal/float16"},

	// Files.
	{"internal/colour", ""},
	{"internal/sandbox", ""},
	{"internal/sandbox/fetch", ""},
	{"internal/heif", "internal/sandbox internal/sandbox/fetch"},
	{"internal/jpeg", ""},
	{"internal/webp", "internal/sandbox internal/sandbox/fetch"},
	{"internal/picture", "internal/atomicfile internal/colour internal/heif internal/jpeg internal/memory internal/regular internal/tiff internal/webp"},
	{"internal/recolour", "internal/picture"},
	{"internal/regions", "internal/picture internal/recolour"},
	{"internal/terminalgraphics", ""},
	{"internal/timelapse", "internal/atomicfile internal/ffmpeg internal/picture"},
	{"internal/records", "internal/atomicfile internal/picture internal/quote internal/regular"},

	// The graph, and what its operations mean.
	{"internal/pure", ""},
	{"internal/ops", "internal/pure"},
	{"losses", "internal/ops internal/pure"},
	{"vgg19", "internal/ops internal/pure"},
	{"weights", "internal/atomicfile internal/float16 internal/memory internal/quote internal/regular vgg19"},

	// Schedules, and the devices that run them.
	{"internal/optim", "internal/float16 internal/pure"},
	{"internal/plan", "internal/ops internal/optim"},
	{"internal/cpu/kernels", "internal/float16 internal/panics internal/pure"},
	{"internal/cpu/pairwise", "internal/cpu/kernels"},
	{"internal/cpu", "device internal/cpu/kernels internal/cpu/pairwise internal/memory internal/ops internal/optim internal/plan internal/pure"},
	{"internal/flow/kernels", "internal/cpu/kernels"},
	{"internal/flow", "internal/flow/kernels internal/panics"},
	{"cuda/internal/driver", ""},
	{"cuda/kernels", ""},
	{"cuda", "cuda/internal/driver cuda/kernels device internal/ops internal/optim internal/plan internal/pure"},
	{"internal/engine", "cuda device internal/cpu internal/ops internal/picture internal/plan losses vgg19 weights"},

	// The method, and what is made of it.
	{"model", "device internal/engine internal/float16 internal/memory internal/names internal/ops internal/optim internal/panics internal/picture internal/plan internal/quote internal/recolour internal/regions losses vgg19"},
	{"internal/bench", "cuda cuda/kernels device internal/engine internal/memory internal/ops internal/picture internal/plan internal/pure losses model vgg19"},
	{"internal/theory", "device internal/engine internal/ops internal/plan internal/pure internal/report losses"},
	{"internal/progress", "model"},
	{"internal/settings", "device internal/names internal/picture internal/quote internal/regions losses model vgg19 weights"},
	{"internal/made", "internal/metadata internal/picture internal/quote internal/regular internal/settings model weights"},
	{"internal/cluster", "internal/atomicfile internal/metadata internal/panics internal/quote internal/records internal/regular"},
	{"internal/cluster/server", ""},
	{"internal/compare", "internal/atomicfile internal/picture internal/quote internal/records internal/report internal/settings losses model"},
	{"internal/batch", "device internal/atomicfile internal/names internal/panics internal/picture internal/progress internal/quote internal/records internal/report internal/settings model"},
	{"internal/video", "internal/atomicfile internal/ffmpeg internal/flow internal/panics internal/picture internal/quote internal/records model"},
	{"internal/cluster/painters", "device internal/batch internal/cluster internal/compare internal/picture internal/quote internal/records internal/settings internal/video model"},
	{"studio", "device examples internal/atomicfile internal/made internal/memory internal/metadata internal/panics internal/picture internal/records internal/settings internal/timelapse internal/web losses model studio/page"},
	{"cmd/impasto", "cuda/kernels device internal/atomicfile internal/batch internal/bench internal/cluster internal/cluster/painters internal/cluster/server internal/compare internal/ffmpeg internal/made internal/memory internal/metadata internal/names internal/npz internal/picture internal/progress internal/quote " +
		"internal/records internal/recolour internal/regions internal/regular internal/report internal/settings internal/supervise internal/terminalgraphics internal/theory internal/timelapse internal/video losses model studio vgg19 weights"},

	// What only tests import, or nothing.
	{"cuda/kernels/cubin", ""},
	{"cuda/kernels/generate", "cuda/kernels"},
	{"cuda/kernels/host", ""},
	{"cuda/kernels/ondevice", "cuda/internal/driver cuda/kernels cuda/kernels/host"},
	{"cuda/kernels/sass", "cuda/kernels cuda/kernels/cubin"},
	{"cuda/kernels/wrap", ""},
	{"cuda/standin", "cuda/kernels/host"},
	{"docs/strips", "internal/picture internal/settings model"},
	{"examples/draw", "internal/picture"},
	{"internal/api", ""},
	{"internal/generated", ""},
	{"internal/calibrate", "device internal/generated internal/picture losses model"},
	{"internal/atomicfile/faulty", "internal/atomicfile"},
	{"internal/cluster/clustertest", ""},
	{"internal/colour/colourtest", ""},
	{"internal/flow/scene", "internal/flow"},
	{"internal/flow/scene/render", "internal/flow internal/flow/scene"},
	{"internal/web/webtest", ""},
	{"internal/ops/opstest", "internal/ops internal/plan internal/pure"},
}

// TestImportsAreThoseOfTheTable compares the imports of all files, whatever they are
// built for, with the table. Those of tests don't count.
func TestImportsAreThoseOfTheTable(t *testing.T) {
	packages, allowed := importsOf(t, "../.."), map[string][]string{}
	for _, row := range arrows {
		if packages[row.from] == nil {
			t.Errorf("the table has a row for %s, which isn't there", row.from)
		}
		for _, to := range strings.Fields(row.to) {
			if _, below := allowed[to]; !below {
				t.Errorf("the table lets %s import %s, which doesn't stand below it", row.from, to)
			}
			if packages[row.from][to] == "" {
				t.Errorf("the table lets %s import %s, which it doesn't", row.from, to)
			}
		}
		allowed[row.from] = strings.Fields(row.to)
	}
	for from, imports := range packages {
		may, known := allowed[from]
		if !known {
			t.Errorf("%s is not in the table of arrows; give it a row", from)
			continue
		}
		for to, file := range imports {
			if !slices.Contains(may, to) {
				t.Errorf("%s imports %s, which the table of arrows doesn't let it", file, to)
			}
		}
	}
}

// TestOnlyTheEngineKnowsTheDevices holds the table to it that all others reach a device
// by way of internal/engine, which opens them by name; but for internal/bench, which times
// a GPU's kernels.
func TestOnlyTheEngineKnowsTheDevices(t *testing.T) {
	for _, row := range arrows {
		for _, to := range strings.Fields(row.to) {
			times := row.from == "internal/bench" && to == "cuda"
			if (to == "cuda" || to == "internal/cpu") && row.from != "internal/engine" && !times {
				t.Errorf("the table lets %s import %s, want internal/engine alone to", row.from, to)
			}
		}
	}
}

// importsOf are, for each package below a folder, the packages of the module that its
// files import, each with a file that does. Other modules, such as generators, don't
// count.
func importsOf(t *testing.T, root string) map[string]map[string]string {
	t.Helper()
	packages, files := map[string]map[string]string{}, token.NewFileSet()
	err := filepath.WalkDir(root, func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if at != root && skipped(at) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(at, ".go") || strings.HasSuffix(at, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(files, at, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, at)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		from := path.Dir(name)
		if packages[from] == nil {
			packages[from] = map[string]string{}
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if to, ours := strings.CutPrefix(imported, "impasto/"); ours {
				packages[from][to] = name
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return packages
}

// skipped tells folders that the go command doesn't look into, and those of other
// modules.
func skipped(folder string) bool {
	base := filepath.Base(folder)
	if strings.HasPrefix(base, "_") || strings.HasPrefix(base, ".") || base == "testdata" {
		return true
	}
	_, err := os.Stat(filepath.Join(folder, "go.mod"))
	return err == nil
}
