package settings

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"impasto/device"
	"impasto/losses"
	"impasto/model"
	"impasto/vgg19"
	"impasto/weights"
)

// Candidate is one way to go on typing a value.
type Candidate struct {
	Text string // all of the value so far, what was typed included
	Help string // what it means, in one line; may be empty
	More bool   // the value doesn't end here: a number or another name has to follow
}

// Completer is a Value that can tell what to type.
type Completer interface {
	Value
	// Complete lists the values that begin with typed, for a shell to offer.
	Complete(typed string) []Candidate
}

// startingWith keeps the candidates that begin with what was typed.
func startingWith(typed string, candidates []Candidate) []Candidate {
	return slices.DeleteFunc(candidates, func(c Candidate) bool { return !strings.HasPrefix(c.Text, typed) })
}

// candidates makes some of names, with a text before each and what help says of it.
func candidates(before string, names []string, help func(name string) string) []Candidate {
	var all []Candidate
	for _, name := range names {
		all = append(all, Candidate{Text: before + name, Help: help(name)})
	}
	return all
}

// Complete implements Completer.
func (b onOff) Complete(typed string) []Candidate {
	return startingWith(typed, candidates("", []string{"true", "false"}, noHelp))
}

// Complete implements Completer.
func (c choice[T]) Complete(typed string) []Candidate {
	return startingWith(typed, candidates("", c.candidates, c.help))
}

// Complete implements Completer.
func (d deviceName) Complete(typed string) []Candidate {
	var all []Candidate
	for _, row := range device.Names {
		if strings.Contains(string(row.Name), ",") {
			continue // for which the name of one can be gone on with
		}
		if name, numbered := strings.CutSuffix(string(row.Name), "N"); numbered {
			all = append(all, Candidate{Text: name, Help: row.Help, More: true})
		} else {
			all = append(all, Candidate{Text: name, Help: row.Help})
		}
	}
	return startingWith(typed, all)
}

// Complete implements Completer: what follows the last comma, with the names that
// aren't there yet.
func (n *nameList) Complete(typed string) []Candidate {
	before := typed[:strings.LastIndexByte(typed, ',')+1]
	named := strings.Split(before, ",")
	left := slices.DeleteFunc(slices.Clone(n.candidates), func(name string) bool { return slices.Contains(named, name) })
	help := noHelp
	if n.what == "loss" {
		help = lossHelp(losses.All())
	}
	return startingWith(typed, candidates(before, left, help))
}

// Complete implements Completer.
func (l lossName) Complete(typed string) []Candidate {
	return startingWith(typed, candidates("", losses.NamesOf(l.known), lossHelp(l.known)))
}

// lossHelp gives what a loss compares, by its name.
func lossHelp(known []losses.Loss) func(name string) string {
	return func(name string) string {
		loss, err := lossNamed(name, known)
		if err != nil {
			return ""
		}
		return loss.Description().Help
	}
}

// Complete implements Completer: of what follows the last comma a layer, and then its
// loss.
func (l layerLosses) Complete(typed string) []Candidate {
	before := typed[:strings.LastIndexByte(typed, ',')+1]
	layer, _, ok := strings.Cut(typed[len(before):], "=")
	if !ok {
		return startingWith(typed, layersBefore(before, layersIn(before), "="))
	}
	return startingWith(typed, candidates(before+layer+"=", losses.NamesOf(l.known), lossHelp(l.known)))
}

// Complete implements Completer: what follows the last comma.
func (l layerWeights) Complete(typed string) []Candidate {
	before := typed[:strings.LastIndexByte(typed, ',')+1]
	return startingWith(typed, layersBefore(before, layersIn(before), "="))
}

// layersIn are the layers that a list has.
func layersIn(list string) []string {
	var named []string
	for part := range strings.SplitSeq(list, ",") {
		layer, _, _ := strings.Cut(part, "=")
		named = append(named, layer)
	}
	return named
}

// layersBefore are the layers that aren't named yet, with texts before and after each.
func layersBefore(before string, named []string, after string) []Candidate {
	var all []Candidate
	for _, layer := range vgg19.Layers() {
		if !slices.Contains(named, layer) {
			all = append(all, Candidate{Text: before + layer + after, More: true})
		}
	}
	return all
}

// startValue is what to start from: one of a few names, a file, or result: and a file.
type startValue struct{ freeText }

func (s startValue) Set(text string) error {
	if text == resultPrefix {
		return errors.New("want a file behind the colon")
	}
	return s.freeText.Set(text)
}

// Complete implements Completer. Shells complete files by themselves, but not behind a
// prefix.
func (s startValue) Complete(typed string) []Candidate {
	if path, ok := strings.CutPrefix(typed, resultPrefix); ok {
		return filesBehind(resultPrefix, path)
	}
	help := func(name string) string { return model.Start(name).Help() }
	all := append(candidates("", starts(), help), Candidate{Text: resultPrefix, Help: help(string(model.StartFromResult)), More: true})
	return startingWith(typed, all)
}

// filesBehind are the files and folders whose path begins with what was typed, with a text
// before each.
func filesBehind(before, typed string) []Candidate {
	folder, name := filepath.Split(typed)
	entries, _ := os.ReadDir(cmp.Or(folder, ".")) // of a folder that can't be read, nothing is offered
	var all []Candidate
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), name) || name == "" && strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		c := Candidate{Text: before + folder + entry.Name(), More: entry.IsDir()}
		if c.More {
			c.Text += string(filepath.Separator)
		}
		all = append(all, c)
	}
	return all
}

// protectValue is the file of a mask.
type protectValue struct{ freeText }

// weightsValue is a weight file, or the name of a fetched one.
type weightsValue struct{ freeText }

// Complete implements Completer.
func (w weightsValue) Complete(typed string) []Candidate {
	return startingWith(typed, candidates("", FetchedWeights(), noHelp))
}

// FetchedWeights are the names of the weight files in the cache folder.
func FetchedWeights() []string {
	folder, err := weights.CacheFolder()
	if err != nil {
		return nil
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil
	}
	var names []string
	for _, entry := range entries {
		if _, err := weights.Locate(entry.Name()); err == nil && entry.Type().IsRegular() && !strings.HasPrefix(entry.Name(), ".") {
			names = append(names, entry.Name())
		}
	}
	return names
}
