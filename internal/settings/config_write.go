package settings

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"impasto/weights"
)

// commentWidth is how long lines of comments are, in characters.
const commentWidth = 90

// WriteConfig writes assignments as TOML that ReadConfig reads, each beneath a comment of
// what it means, in the order of the settings. Settings have to have all that is assigned.
// It fails on texts that aren't UTF-8, which TOML has no place for.
func WriteConfig(list []Assignment, settings []Setting) ([]byte, error) {
	var out bytes.Buffer
	heading := ""
	for _, s := range settings {
		i := slices.IndexFunc(list, func(a Assignment) bool { return a.Name == s.Name })
		if i < 0 {
			continue
		}
		value, err := tomlOf(s.Value, list[i].Text)
		if err != nil {
			return nil, fmt.Errorf("%s %q: %w", s.Name, list[i].Text, err)
		}
		if s.Heading != heading {
			heading = s.Heading
			fmt.Fprintf(&out, "\n# %s:\n", heading)
		}
		out.WriteString("\n" + Comment(s.Usage) + s.Name + " = " + value + "\n")
	}
	return out.Bytes(), nil
}

// Comment is a text in lines that begin with #.
func Comment(text string) string {
	var out strings.Builder
	line := "#"
	for _, word := range strings.Fields(text) {
		if line != "#" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > commentWidth {
			out.WriteString(line + "\n")
			line = "#"
		}
		line += " " + word
	}
	return out.String() + line + "\n"
}

// tomlOf writes a value's text as TOML has it.
func tomlOf(value Value, text string) (string, error) {
	switch value.(type) {
	case onOff, wholeNumber, realNumber, optionalNumber:
		return text, nil
	case unsigned:
		if n, err := strconv.ParseUint(text, 0, 64); err == nil && n <= math.MaxInt64 {
			return strconv.FormatUint(n, 10), nil
		}
	case layerWeights, layerLosses:
		return tomlTable(value, text)
	case *nameList, *lossList, maskValue:
		names := parts(text)
		if _, masks := value.(maskValue); masks {
			names = strings.Split(text, "\n")
		}
		var all []string
		for _, name := range names {
			quoted, err := tomlText(name)
			if err != nil {
				return "", err
			}
			all = append(all, quoted)
		}
		return "[" + strings.Join(all, ", ") + "]", nil
	}
	return tomlText(text)
}

// tomlTable is an inline table of layers. Their names are keys as they are.
func tomlTable(value Value, text string) (string, error) {
	var all []string
	for _, part := range parts(text) {
		layer, of, weighted := strings.Cut(part, "=")
		if !weighted {
			of = "1"
		}
		if _, losses := value.(layerLosses); losses {
			var err error
			if of, err = tomlText(of); err != nil {
				return "", err
			}
		}
		all = append(all, layer+" = "+of)
	}
	return "{ " + strings.Join(all, ", ") + " }", nil
}

// tomlText is a text in quotation marks.
func tomlText(text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", fmt.Errorf("it isn't UTF-8, which a settings file has to be")
	}
	var out strings.Builder
	out.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			out.WriteByte('\\')
			out.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	out.WriteByte('"')
	return out.String(), nil
}

// OnFile gives the text of a value with f's path for the files that it names, if it does:
// a start that is a picture, weights, or masks with their styles. Here tells
// whether there is a file at a path; weights that aren't there by f's path are those that
// were fetched by that name.
func OnFile(value Value, text string, f func(path string) string, here func(path string) bool) string {
	switch value.(type) {
	case protectValue:
		if text != "" {
			return f(text)
		}
	case maskValue:
		var masks Masks
		if text != "" && (maskValue{&masks}).Set(text) == nil {
			return strings.Join(masks.On(f).Texts(), "\n")
		}
	case startValue:
		if start, path := (Stylization{Start: text}).StartFile(); start.IsPicture() {
			return StartFrom(start, f(path))
		}
	case weightsValue:
		if text == "" { // those of the program
			return text
		}
		if here(f(text)) {
			return f(text)
		}
		if path, err := weights.Locate(text); err == nil && path != text {
			return f(path)
		}
	}
	return text
}
