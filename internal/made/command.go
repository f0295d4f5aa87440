package made

import (
	"regexp"
	"strconv"
	"strings"

	"impasto/internal/metadata"
	"impasto/internal/quote"
	"impasto/internal/settings"
)

// Command is the command line, quoted for a shell, that makes a picture like a document's: of
// files by the names that the document has of them, or CONTENT, STYLE and so on, with those
// flags whose values don't follow from the others, into output. Settings that won't do are an
// error.
func Command(d *metadata.Document, output string) (string, error) {
	s, err := Settings(d)
	if err != nil {
		return "", err
	}
	args := []string{"stylize", nameOr(d.Content, "CONTENT")}
	for _, style := range d.Styles {
		name := nameOr(style.Input, "STYLE")
		if style.Weight != 1 {
			name += ":" + strconv.FormatFloat(style.Weight, 'g', -1, 64)
		}
		args = append(args, name)
	}
	args = append(args, "-o", output)
	args = append(args, fileFlags(d)...)
	args = append(args, settingFlags(s)...)
	return Line(append(args, outputFlags(d.Output)...)), nil
}

// fileFlags are those that name files.
func fileFlags(d *metadata.Document) (args []string) {
	for _, mask := range d.Masks {
		var names []string
		for i, in := range mask.Inputs() {
			names = append(names, nameOr(in, []string{"REGION", "STYLE", "STYLEREGION"}[i]))
		}
		args = append(args, "--mask", strings.Join(names, "="))
	}
	if d.Protect != nil {
		args = append(args, "--protect", nameOr(*d.Protect, "PROTECT"))
	}
	if d.Start != nil {
		args = append(args, "--start", settings.StartFrom(StartOf(d), nameOr(*d.Start, "START")))
	}
	if name := d.Weights.FileName(); name != "" {
		args = append(args, "--weights", name)
	}
	return args
}

func settingFlags(s settings.Stylization) (args []string) {
	values := s.Values()
	for _, name := range Needed(s) {
		switch value := values[name]; {
		case name == "layer-loss":
			for part := range strings.SplitSeq(value, ",") {
				args = append(args, "--layer-loss", part)
			}
		case value == "true" || value == "false":
			args = append(args, "--"+name+"="+value)
		default:
			args = append(args, "--"+name, value)
		}
	}
	return args
}

func outputFlags(o metadata.Output) (args []string) {
	add := func(given bool, words ...string) {
		if given {
			args = append(args, words...)
		}
	}
	add(o.Depth != 8, "--depth", strconv.Itoa(o.Depth))
	add(o.Format == "jpeg" && o.Quality != DefaultJPEGQuality, "--jpeg-quality", strconv.Itoa(o.Quality))
	add(o.Format == "webp" && o.Quality > 0, "--webp-quality", strconv.Itoa(o.Quality))
	add(o.Dither, "--dither")
	add(o.DPI > 0, "--dpi", strconv.Itoa(o.DPI))
	add(o.EXIF, "--keep-exif")
	add(o.GPS, "--keep-gps")
	return args
}

// DefaultJPEGQuality is the quality of a JPEG, 1 to 100, for which there is no flag to give.
const DefaultJPEGQuality = 95

// nameOr is an input's name, as an argument, or what stands for one that has none.
func nameOr(in metadata.Input, other string) string {
	switch name := in.FileName(); {
	case name == "":
		return other
	case strings.HasPrefix(name, "-"):
		return "./" + name
	default:
		return name
	}
}

var harmless = regexp.MustCompile(`^[\w./:=,+@%×-]+$`)

// Line is a command line of impasto in the words of a shell, given its arguments.
func Line(args []string) string {
	words := []string{"impasto"}
	for _, word := range args {
		if !quote.Visible(word) {
			quoted := strconv.Quote(word) // with the escapes of $'…', too
			word = "$'" + strings.ReplaceAll(quoted[1:len(quoted)-1], "'", `\'`) + "'"
		} else if !harmless.MatchString(word) {
			word = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}
