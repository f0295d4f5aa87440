package cubin_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"impasto/cuda/kernels"
	"impasto/cuda/kernels/cubin"
)

var update = flag.Bool("update", false, "write what the images take anew")

// golden is what the kernels of each image take; make generate writes it.
var golden = filepath.Join("testdata", "resources.txt")

const head = `# What the kernels take in the images, by architecture: registers of a thread, bytes of
# static shared memory of a block (1,024 of them the system's from architecture 90 on), and
# bytes of local memory of a thread. Where a kernel takes more of one, or begins to use
# local memory, look whether that is meant. Written by go test ./cuda/kernels/cubin -update.
`

// resources are the kernels of each image.
func resources(t *testing.T) map[string]map[string]cubin.Kernel {
	t.Helper()
	all := map[string]map[string]cubin.Kernel{}
	for _, architecture := range kernels.Architectures {
		image, err := kernels.Cubin(architecture)
		if err != nil {
			t.Fatal(err)
		}
		if all[architecture], err = cubin.Read(image); err != nil {
			t.Fatalf("%s: %v", architecture, err)
		}
	}
	return all
}

// table writes resources as a line for each kernel.
func table(all map[string]map[string]cubin.Kernel) string {
	var text strings.Builder
	text.WriteString(head)
	names := map[string]bool{}
	for _, of := range all {
		for name := range of {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		text.WriteString(name)
		for _, architecture := range kernels.Architectures {
			fmt.Fprintf(&text, " %s:%v", architecture, all[architecture][name])
		}
		text.WriteByte('\n')
	}
	return text.String()
}

func TestKernelsTakeWhatTheyAreKnownToTake(t *testing.T) {
	got := table(resources(t))
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if differences := compare(string(want), got); len(differences) > 0 {
		t.Errorf("the images' kernels take other than %s says; if that is meant, go test ./cuda/kernels/cubin -update:\n%s",
			golden, strings.Join(differences, "\n"))
	}
}

// compare lists the lines in which two tables differ.
func compare(want, got string) (differences []string) {
	there := map[string]bool{}
	for line := range strings.Lines(want) {
		there[line] = true
	}
	for line := range strings.Lines(got) {
		if !there[line] {
			differences = append(differences, "+ "+strings.TrimSpace(line))
		}
		delete(there, line)
	}
	for _, line := range slices.Sorted(maps.Keys(there)) {
		differences = append(differences, "- "+strings.TrimSpace(line))
	}
	return differences
}

// A spill in one kernel of one image shows, as does a kernel that is gone.
func TestDifferencesAreFound(t *testing.T) {
	all := resources(t)
	before := table(all)
	of := all[kernels.Architectures[0]]
	name := slices.Sorted(maps.Keys(of))[0]
	k := of[name]
	k.Stack += 8
	of[name] = k
	if got := compare(before, table(all)); len(got) != 2 || !strings.HasPrefix(got[0], "+ "+name+" ") {
		t.Errorf("where %s spills, the differences are %q", name, got)
	}
	for _, of := range all {
		delete(of, name)
	}
	if got := compare(before, table(all)); len(got) != 1 || !strings.HasPrefix(got[0], "- "+name+" ") {
		t.Errorf("where %s is gone, the differences are %q", name, got)
	}
}

// hot are the kernels that most of an iteration's time is for: convolutions, products,
// moments and what goes over whole maps.
var hot = []string{"convolution", "product", "finish_parts", "second_moments", "pool", "picture_gradient", "add", "rectify", "adam", "invert_step"}

// Local memory is device memory: a hot kernel that uses it waits.
func TestHotKernelsUseNoLocalMemory(t *testing.T) {
	seen := map[string]bool{}
	for architecture, of := range resources(t) {
		for name, k := range of {
			for _, family := range hot {
				if !strings.HasPrefix(name, family) {
					continue
				}
				seen[family] = true
				if k.Stack > 0 {
					t.Errorf("%s takes %d bytes of local memory on architecture %s, want none", name, k.Stack, architecture)
				}
			}
		}
	}
	for _, family := range hot {
		if !seen[family] {
			t.Errorf("there is no kernel %s…", family)
		}
	}
}

// Static shared memory is 48 KiB of a block at most, registers are 255 of a thread and, by
// eight for each, 64 Ki of a block.
func TestKernelsStayWithinWhatABlockCanHave(t *testing.T) {
	for architecture, of := range resources(t) {
		for name, k := range of {
			if k.Registers < 1 || k.Registers > 255 {
				t.Errorf("%s takes %d registers on architecture %s, want 1 to 255", name, k.Registers, architecture)
			}
			if k.Threads < 32 || k.Threads > 1024 {
				t.Errorf("%s is for blocks of %d threads on architecture %s, want 32 to 1024: its launch bounds are missing", name, k.Threads, architecture)
			}
			if all := (k.Registers + 7) / 8 * 8 * k.Threads; all > 64<<10 {
				t.Errorf("%s takes %d registers of a block on architecture %s, want %d at most", name, all, architecture, 64<<10)
			}
			if k.Shared > 49<<10 {
				t.Errorf("%s takes %d bytes of static shared memory on architecture %s, want 48 KiB and the system's 1 KiB at most", name, k.Shared, architecture)
			}
		}
	}
}

func TestFilesThatAreNoImagesAreErrors(t *testing.T) {
	image, err := kernels.Cubin(kernels.Architectures[0])
	if err != nil {
		t.Fatal(err)
	}
	for what, file := range map[string][]byte{
		"nothing": nil, "text": []byte("not an image"), "half an image": image[:len(image)/2],
		"an image whose attributes are cut": bytes.Replace(image, []byte{4, 0x2f, 8, 0}, []byte{4, 0x2f, 0xff, 0xff}, -1),
	} {
		if _, err := cubin.Read(file); err == nil {
			t.Errorf("%s is read as an image", what)
		}
	}
}
