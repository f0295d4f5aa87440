// Sass looks at the machine code of the kernels that most of an iteration's time is for:
// whether the instructions are in it that make it fast, and none that make it slow. What
// it looks for is in rules.go. Run it in the folder of the kernels, with the environment
// variable NVDISASM naming the disassembler that ./disassembler.sh fetches. With -list it
// prints how many instructions of each kind there are.
package main

import (
	"bytes"
	"debug/elf"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"impasto/cuda/kernels"
	"impasto/cuda/kernels/cubin"
)

func main() {
	list := flag.Bool("list", false, "print how many instructions of each kind kernels have")
	flag.Parse()
	if err := run(*list); err != nil {
		fmt.Fprintln(os.Stderr, "sass:", err)
		os.Exit(1)
	}
}

func run(list bool) error {
	codes, failures := make([]map[string]mix, len(kernels.Architectures)), make([]error, len(kernels.Architectures))
	var all sync.WaitGroup
	for i, architecture := range kernels.Architectures {
		all.Go(func() { codes[i], failures[i] = disassemble(architecture) })
	}
	all.Wait()
	if err := errors.Join(failures...); err != nil {
		return err
	}
	var wrong []string
	for i, architecture := range kernels.Architectures {
		if list {
			for _, name := range slices.Sorted(maps.Keys(codes[i])) {
				fmt.Printf("%s %s: %v\n", architecture, name, codes[i][name])
			}
		}
		wrong = append(wrong, check(architecture, codes[i])...)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("the images' machine code isn't what it has to be:\n%s", strings.Join(wrong, "\n"))
	}
	return nil
}

// disassemble returns the instructions of the kernels that there are rules for.
func disassemble(architecture string) (map[string]mix, error) {
	disassembler := os.Getenv("NVDISASM")
	if disassembler == "" {
		return nil, errors.New("no disassembler: set NVDISASM to what ./disassembler.sh prints")
	}
	image, err := kernels.Cubin(architecture)
	if err != nil {
		return nil, err
	}
	numbers, err := symbols(image)
	if err != nil {
		return nil, fmt.Errorf("architecture %s: %w", architecture, err)
	}
	folder, err := os.MkdirTemp("", "sass")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, architecture+".cubin")
	if err := os.WriteFile(file, image, 0o600); err != nil {
		return nil, err
	}
	var message bytes.Buffer
	command := exec.Command(disassembler, "-c", "-fun", strings.Join(numbers, ","), file)
	command.Stderr = &message
	text, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("disassembling for architecture %s: %w\n%s", architecture, err, message.Bytes())
	}
	return parse(string(text)), nil
}

// symbols are the numbers of those kernels' symbols in an image.
func symbols(image []byte) (numbers []string, err error) {
	file, err := cubin.Open(image)
	if err != nil {
		return nil, err
	}
	all, err := file.Symbols()
	if err != nil {
		return nil, err
	}
	for i, s := range all {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC && ruled(s.Name) {
			numbers = append(numbers, strconv.Itoa(i+1)) // Symbols leaves out number 0
		}
	}
	if len(numbers) == 0 {
		return nil, errors.New("none of the kernels in it has a rule")
	}
	return numbers, nil
}

// mix is how often each instruction stands in a kernel, by its name with modifiers, such
// as LDG.E.128.
type mix map[string]int

// String lists the instructions that move data or multiply matrices.
func (m mix) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if moving.MatchString(name) {
			parts = append(parts, fmt.Sprintf("%s×%d", name, m[name]))
		}
	}
	return strings.Join(parts, " ")
}

var (
	moving = regexp.MustCompile(`^(LD[^C]|ST|ATOM|RED|UTMA|SYNCS|HMMA|HGMMA|DMMA|UTCHMMA|DFMA)`)
	// A function begins with its name and a colon; an instruction has its address as a
	// comment before it, and maybe a predicate.
	label       = regexp.MustCompile(`^(\w+):$`)
	instruction = regexp.MustCompile(`^\s+/\*[0-9a-f]+\*/\s+(?:\{\s*)?(?:@!?U?P\w+\s+)?([A-Z][A-Za-z0-9_.]*)`)
)

// parse counts the instructions of each function in a listing.
func parse(text string) map[string]mix {
	functions := map[string]mix{}
	var of mix
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if l := label.FindStringSubmatch(line); l != nil {
			of = mix{}
			functions[l[1]] = of
		} else if i := instruction.FindStringSubmatch(line); i != nil && of != nil {
			of[i[1]]++
		}
	}
	return functions
}
