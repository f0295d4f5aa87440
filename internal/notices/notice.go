package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// notice is the text of NOTICE.
func notice(modules []*module) (string, error) {
	texts, numbers := gather(modules)
	byKind := map[*kind][]*module{}
	for _, m := range modules {
		of, err := m.kind()
		if err != nil {
			return "", fmt.Errorf("%s %s: %w", m.path, m.version, err)
		}
		byKind[of] = append(byKind[of], m)
	}
	var b strings.Builder
	b.WriteString(strings.TrimSpace(head))
	b.WriteString("\n\n\nSOFTWARE IN THIS PROGRAM\n\n" + wrapped("Every executable has these in it, or those of them that its platform needs, "+
		"unchanged; modules are from the addresses that their names are. The numbers are those of the texts further down. "+
		"This part is made by `make notices` from what the program is linked of.", ""))
	for i := range kinds {
		of := byKind[&kinds[i]]
		if len(of) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n%s\n", kinds[i].name, wrapped(kinds[i].why, "  "))
		for _, m := range of {
			fmt.Fprintf(&b, "  - %s  %s\n", strings.TrimSpace(m.path+" "+m.version), numbers[m])
			if note := choices[m.path].note; note != "" {
				b.WriteString(wrapped(note, "    "))
			}
		}
	}
	b.WriteString("\n\nTHEIR LICENCES\n")
	for i, t := range texts {
		fmt.Fprintf(&b, "\n%s\n[%d] %s\n\n%s\n", strings.Repeat("-", 80), i+1, strings.Join(t.of, ",\n    "), t.whole())
	}
	return b.String(), nil
}

// kind is that of a module's licence: of several, the one that asks for most, which is
// the first in the list.
func (m *module) kind() (*kind, error) {
	var found *kind
	for _, f := range m.files {
		if attachments.MatchString(f.name) {
			continue
		}
		of, err := kindOf(f)
		if err != nil {
			return nil, err
		}
		if found == nil || slices.IndexFunc(kinds, func(k kind) bool { return k.name == of.name }) < slices.IndexFunc(kinds, func(k kind) bool { return k.name == found.name }) {
			found = of
		}
	}
	if found == nil {
		return nil, fmt.Errorf("no licence is among its files")
	}
	return found, nil
}

// text is one that modules share but for the lines with their copyright.
type text struct {
	of         []string // the modules
	copyrights []string
	body       string
	first      string // as it stands in the first file
	alike      bool   // all files are as the first one
}

// gather puts files together whose texts are the same, and returns for each module the
// numbers of its texts.
func gather(modules []*module) (texts []*text, numbers map[*module]string) {
	index := map[string]int{}
	numbers = map[*module]string{}
	for _, m := range modules {
		for _, f := range m.files {
			copyrights, body := split(f.text)
			key := normal(body)
			i, known := index[key]
			if !known {
				i = len(texts)
				index[key] = i
				texts = append(texts, &text{body: body, first: f.text, alike: true})
			}
			texts[i].add(m, f, copyrights)
			if number := fmt.Sprintf("[%d]", i+1); !strings.Contains(numbers[m], number) {
				numbers[m] += number
			}
		}
	}
	return texts, numbers
}

func (t *text) add(m *module, f file, copyrights []string) {
	name := m.path
	if strings.Contains(f.name, "/") || attachments.MatchString(f.name) {
		name += ", " + f.name
	}
	if !slices.Contains(t.of, name) {
		t.of = append(t.of, name)
	}
	for _, line := range copyrights {
		if !slices.Contains(t.copyrights, line) {
			t.copyrights = append(t.copyrights, line)
		}
	}
	t.alike = t.alike && normal(f.text) == normal(t.first)
}

// whole is the text as it is printed: as it stands where it is the same everywhere, and
// else the copyrights of all and then what they share.
func (t *text) whole() string {
	if t.alike {
		return t.first
	}
	return strings.Join(t.copyrights, "\n") + "\n\n" + t.body
}

var (
	copyrightLine = regexp.MustCompile(`^\s*(Copyright|COPYRIGHT)\s*(\([cC]\)|©|:|\d|\[)`)
	subjectLine   = regexp.MustCompile("^\\* The (library `|sample applications )") // libheif's and libde265's
	reservedLine  = regexp.MustCompile(`(?i)^\s*all rights reserved\.?$`)
	titleLine     = regexp.MustCompile(`(?i)^\s*(the )?(mit license( \(mit\))?|bsd [23]-clause license|the 3-clause bsd license)\s*$`)
)

// split parts the lines with copyrights, and those that say of what a licence is, from
// the rest of it, and drops a title that some copies of it have.
func split(licence string) (copyrights []string, body string) {
	var rest []string
	for line := range strings.SplitSeq(licence, "\n") {
		switch {
		case copyrightLine.MatchString(line), subjectLine.MatchString(line):
			copyrights = append(copyrights, strings.TrimSpace(line))
		case titleLine.MatchString(line), reservedLine.MatchString(line):
		default:
			rest = append(rest, line)
		}
	}
	return copyrights, strings.Trim(strings.Join(rest, "\n"), "\n")
}

// wrapped breaks a paragraph into lines of 80 columns behind an indent.
func wrapped(paragraph, indent string) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(paragraph) {
		switch length := len([]rune(word)); {
		case column == 0:
			b.WriteString(indent + word)
			column = len(indent) + length
		case column+1+length > 80:
			b.WriteString("\n" + indent + word)
			column = len(indent) + length
		default:
			b.WriteString(" " + word)
			column += 1 + length
		}
	}
	return b.String() + "\n"
}
