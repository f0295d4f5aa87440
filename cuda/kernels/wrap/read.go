package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// kernel is an entry point as it is declared.
type kernel struct {
	name, file string
	threads    int // of a block
	parameters []parameter
}

// parameter of a kernel; its type is without const and spaces: float*, Int.
type parameter struct{ kind, name string }

// readFolder returns the kernels of all *.cu files in the order of their declarations.
func readFolder(folder string) ([]kernel, error) {
	var paths []string
	for _, pattern := range []string{"*.h", "*.cu"} {
		some, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			return nil, err
		}
		paths = append(paths, some...)
	}
	r := reader{constants: map[string]string{}}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if err := r.read(filepath.Base(path), string(text)); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return r.kernels, nil
}

// reader collects kernels. Constants are expressions by name.
type reader struct {
	constants map[string]string
	kernels   []kernel
}

var (
	comment      = regexp.MustCompile(`//[^\n]*|(?s:/\*.*?\*/)`)
	continuation = regexp.MustCompile(`\\\n`)
	definition   = regexp.MustCompile(`^#define (\w+)\(([^)]*)\)(.*)`)
	undefinition = regexp.MustCompile(`^#undef (\w+)`)
	constant     = regexp.MustCompile(`^constexpr int ([^;]*);`)
	identifier   = regexp.MustCompile(`[A-Za-z_]\w*`)
	pasting      = regexp.MustCompile(`\s*##\s*`)
)

// macro is a macro with parameters.
type macro struct {
	parameters []string
	body       string
}

// read adds the kernels and constants of a source.
func (r *reader) read(file, text string) error {
	text = continuation.ReplaceAllString(comment.ReplaceAllString(text, ""), " ")
	macros := map[string]macro{}
	var code, pending strings.Builder // before and after macros are expanded
	flush := func() error {
		expanded, err := expand(pending.String(), macros)
		code.WriteString(expanded)
		pending.Reset()
		return err
	}
	for line := range strings.Lines(text) {
		define, undefine := definition.FindStringSubmatch(line), undefinition.FindStringSubmatch(line)
		if define == nil && undefine == nil {
			pending.WriteString(line)
			r.remember(line)
			continue
		}
		if err := flush(); err != nil {
			return err
		}
		if define != nil {
			macros[define[1]] = macro{splitList(define[2]), define[3]}
		} else {
			delete(macros, undefine[1])
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return r.declarations(file, code.String())
}

// remember keeps the constants that a line defines.
func (r *reader) remember(line string) {
	c := constant.FindStringSubmatch(line)
	if c == nil {
		return
	}
	for _, one := range splitList(c[1]) {
		if name, value, found := strings.Cut(one, "="); found {
			r.constants[strings.TrimSpace(name)] = value
		}
	}
}

// expand returns text with macros replaced by what they stand for.
func expand(text string, macros map[string]macro) (string, error) {
	var out strings.Builder
	for {
		at := identifier.FindStringIndex(text)
		if at == nil {
			return out.String() + text, nil
		}
		name, rest := text[at[0]:at[1]], text[at[1]:]
		m, known := macros[name]
		if !known || !strings.HasPrefix(rest, "(") {
			out.WriteString(text[:at[1]])
			text = rest
			continue
		}
		arguments, after, err := list(rest)
		if err != nil {
			return "", fmt.Errorf("macro %s: %w", name, err)
		}
		if len(arguments) != len(m.parameters) {
			return "", fmt.Errorf("macro %s has %d arguments, want %d", name, len(arguments), len(m.parameters))
		}
		expanded, err := expand(m.with(arguments), macros)
		if err != nil {
			return "", err
		}
		out.WriteString(text[:at[0]] + expanded)
		text = after
	}
}

// with is a macro's body with arguments in the place of its parameters.
func (m macro) with(arguments []string) string {
	values := map[string]string{}
	for i, p := range m.parameters {
		values[p] = arguments[i]
	}
	const paste = "\x00"
	body := pasting.ReplaceAllString(m.body, paste)
	body = identifier.ReplaceAllStringFunc(body, func(name string) string {
		if value, there := values[name]; there {
			return value
		}
		return name
	})
	return strings.ReplaceAll(body, paste, "")
}

// declarations adds the kernels that code declares.
func (r *reader) declarations(file, code string) error {
	const begin = "KERNEL("
	for at := strings.Index(code, begin); at >= 0; at = strings.Index(code, begin) {
		parts, after, err := list(code[at+len(begin)-1:])
		if err != nil {
			return err
		}
		code = after
		if len(parts) < 3 {
			return fmt.Errorf("KERNEL(%s) has no parameters, want bounds, a name and parameters", strings.Join(parts, ", "))
		}
		k := kernel{name: parts[1], file: file}
		bounds, _, err := list(parts[0])
		if err != nil {
			return fmt.Errorf("kernel %s: bounds %s: %w", k.name, parts[0], err)
		}
		if k.threads, err = r.evaluate(bounds[0]); err != nil {
			return fmt.Errorf("kernel %s: threads %s: %w", k.name, bounds[0], err)
		}
		for _, p := range parts[2:] {
			name := p[strings.LastIndexAny(p, " *")+1:]
			kind := strings.ReplaceAll(strings.TrimSuffix(p, name), "const", "")
			k.parameters = append(k.parameters, parameter{strings.Join(strings.Fields(kind), ""), name})
		}
		r.kernels = append(r.kernels, k)
	}
	return nil
}

// list parses what is in parentheses at the beginning of text.
func list(text string) (items []string, after string, err error) {
	depth := 0
	for i, c := range text {
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return splitList(text[1:i]), text[i+1:], nil
			}
		}
	}
	return nil, "", fmt.Errorf("a parenthesis isn't closed")
}

// splitList splits at the commas that aren't in parentheses.
func splitList(text string) []string {
	var items []string
	depth, first := 0, 0
	for i, c := range text {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				items, first = append(items, strings.TrimSpace(text[first:i])), i+1
			}
		}
	}
	return append(items, strings.TrimSpace(text[first:]))
}

// evaluate returns the value of an expression of constants. C++ and Go write those
// the same.
func (r *reader) evaluate(expression string) (int, error) {
	parsed, err := parser.ParseExpr(strings.TrimSpace(expression))
	if err != nil {
		return 0, err
	}
	return r.value(parsed)
}

func (r *reader) value(e ast.Expr) (int, error) {
	switch e := e.(type) {
	case *ast.BasicLit:
		return strconv.Atoi(e.Value)
	case *ast.Ident:
		value, there := r.constants[e.Name]
		if !there {
			return 0, fmt.Errorf("%s is no constant at the beginning of a line", e.Name)
		}
		return r.evaluate(value)
	case *ast.BinaryExpr:
		x, err := r.value(e.X)
		if err != nil {
			return 0, err
		}
		y, err := r.value(e.Y)
		if err != nil {
			return 0, err
		}
		switch e.Op {
		case token.ADD:
			return x + y, nil
		case token.MUL:
			return x * y, nil
		}
	}
	return 0, fmt.Errorf("want integers, constants, sums and products")
}
