package plan

import (
	"fmt"
	"strings"

	"gorgonia.org/tensor"
)

// String lists the program, one step a line: what the step makes, from what, and by
// which operation. Results are numbered in the order in which they are made; inputs and
// constants have the names of their nodes. A result's place is its offset in the arena,
// in bytes.
func (p *Program) String() string {
	l := listing{program: p, names: map[*Buffer]string{}}
	fmt.Fprintf(&l.text, "inputs: %s\n", l.list(p.Inputs))
	for i, step := range p.Steps {
		l.step(i, step)
	}
	fmt.Fprintf(&l.text, "outputs: %s\narena: %d bytes\n", l.list(p.Outputs), p.Bytes)
	return l.text.String()
}

// listing is a program being written out.
type listing struct {
	program *Program
	names   map[*Buffer]string
	made    int
	text    strings.Builder
}

// step writes the line of step i.
func (l *listing) step(i int, s Step) {
	from := l.list(s.Inputs)
	var to []string
	for _, b := range s.Results {
		l.made++
		l.names[b] = fmt.Sprintf("%%%d", l.made)
		to = append(to, fmt.Sprintf("%s %s @%d", l.names[b], kindOf(b), b.Offset))
	}
	fmt.Fprintf(&l.text, "%3d  %s = %v (%s)", i+1, strings.Join(to, ", "), s.Op, from)
	for _, more := range []struct {
		what string
		of   *Buffer
	}{{"added to", s.AddTo}, {"masked by", s.Mask}, {"its input masked by", s.InputMask}} {
		if more.of != nil {
			fmt.Fprintf(&l.text, ", %s %s", more.what, l.name(more.of))
		}
	}
	if s.InPlace {
		l.text.WriteString(", in place")
	}
	if s.How == ByDefinition {
		l.text.WriteString(", by definition")
	}
	if bytes := bytesOf(s.Scratch); bytes > 0 {
		fmt.Fprintf(&l.text, ", with %d bytes of scratch", bytes)
	}
	if branch := l.program.Branches.Of[i]; branch > 0 {
		fmt.Fprintf(&l.text, ", on branch %d", branch)
	}
	l.text.WriteByte('\n')
}

// name is how a buffer is called in the listing.
func (l *listing) name(b *Buffer) string {
	if name, made := l.names[b]; made {
		return name
	}
	if b.Node == nil {
		return kindOf(b)
	}
	return b.Node.Name()
}

func (l *listing) list(buffers []*Buffer) string {
	var names []string
	for _, b := range buffers {
		names = append(names, l.name(b))
	}
	return strings.Join(names, "; ") // names may have commas
}

// kindOf is a buffer's shape and what it is made of, as 64×128×128 float16. Of signs and
// choices it is the shape of the map that they are kept of.
func kindOf(b *Buffer) string {
	var sides []string
	for _, side := range b.Shape {
		sides = append(sides, fmt.Sprint(side))
	}
	element := "float64"
	switch {
	case b.Keeps == Signs:
		element = "signs"
	case b.Keeps == Choices:
		element = "choices"
	case b.Float16:
		element = "float16"
	case b.Dtype == tensor.Float32:
		element = "float32"
	}
	return strings.Join(sides, "×") + " " + element
}

func bytesOf(buffers []*Buffer) (bytes int) {
	for _, b := range buffers {
		bytes += b.Bytes()
	}
	return bytes
}
