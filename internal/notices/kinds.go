package main

import (
	"fmt"
	"regexp"
	"strings"
)

// kind is a kind of licence, and why a program under the MIT licence may have such a
// module in it.
type kind struct {
	name string
	why  string
	// marks are texts that it has near its beginning, white space and case aside, any of
	// which will do; lacks is one that it must not have anywhere.
	marks []string
	lacks string
}

// kinds are those that will do. The first that fits counts.
var kinds = []kind{
	{"FreeType License", "Permissive; asks that documentation credits the FreeType project, as this text does.", []string{"the freetype project license", "choice of exactly one of the following two licenses: * the freetype license"}, ""},
	{"SIL Open Font License 1.1", "Lets a program have the fonts in it, if their copyright and licence go with it; they aren't sold by themselves nor changed.", []string{"sil open font license"}, ""},
	{"Creative Commons Attribution 4.0", "Asks for attribution and the licence's text or address, and to say what was changed: nothing.", []string{"creative commons attribution 4.0 international"}, ""},
	{"GNU Lesser General Public License 3", "Lets a program of another licence use the library, if its users can replace it; how is said below.", []string{"gnu lesser general public license"}, ""},
	{"Apache License 2.0", "Permissive; asks that its text and the notices of the work go with it, and grants patents.", []string{"apache license"}, ""},
	{"Mozilla Public License 2.0", "Asks that the source of its files stays available, which the module's address is; others' files may have another licence.", []string{"mozilla public license"}, ""},
	{"ISC License", "Permissive; asks that its copyright and text go with it.", []string{"permission to use, copy, modify, and/or distribute this software", "permission to use, copy, modify, and distribute this software"}, ""},
	{"MIT License", "Permissive; asks that its copyright and text go with it. It is this program's own.", []string{"permission is hereby granted, free of charge"}, ""},
	{"BSD 2-Clause License", "Permissive; asks that its copyright and text go with it.", []string{"redistribution and use in source and binary forms"}, "the name of"},
	{"BSD 3-Clause License", "Permissive; asks that its copyright and text go with it, and not to advertise with its authors' names.", []string{"redistribution and use in source and binary forms"}, ""},
}

// attachments are files that belong to a licence of their module rather than being one:
// grants of patents, notices, addresses, and the licences of what the module has taken
// over from elsewhere, all of which were looked at.
var attachments = regexp.MustCompile(`(?i)^(patents|notice.*|license-link\.txt|THIRD_PARTY_LICENSES/.*)$`)

// choice is what has to be said of a module besides its licence.
type choice struct {
	files []string // its licence, where there are several to choose from
	note  string
}

// choices are those of the modules that need them.
var choices = map[string]choice{
	"github.com/golang/freetype": {
		[]string{"LICENSE", "licenses/ftl.txt"},
		"It is offered under the FreeType License or the GNU General Public License, whichever one chooses. This program chooses the FreeType License. " +
			"Portions of this software are copyright © 2010 The FreeType Project (www.freetype.org). All rights reserved.",
	},
	"github.com/ajstarks/svgo": {nil, "By Anthony Starks."},
	"github.com/gen2brain/heic": {
		nil,
		"It has libheif and libde265 in it, under the GNU Lesser General Public License 3, compiled to WebAssembly, as the file lib/heif.wasm.gz of the module, which the program runs apart from itself. " +
			"To use another version of them, put another such file in a copy of the module, made by its lib/Makefile from their sources, and build impasto with `go mod edit -replace`; " +
			"where the system has libheif as a shared library, the module may use that instead. " +
			"The method of compression, HEVC, is covered by patents in some countries; these licences grant none of other holders.",
	},
}

var space = regexp.MustCompile(`\s+`)

// normal is a text without case and differences of white space.
func normal(text string) string {
	return strings.TrimSpace(space.ReplaceAllString(strings.ToLower(text), " "))
}

// beginning is how much of a text tells its kind; further on, licences speak of others.
const beginning = 1500

// kindOf tells the kind of a licence.
func kindOf(f file) (*kind, error) {
	text := normal(f.text)
	for i := range kinds {
		k := &kinds[i]
		if k.lacks != "" && strings.Contains(text, k.lacks) {
			continue
		}
		for _, mark := range k.marks {
			if strings.Contains(text[:min(len(text), beginning)], mark) {
				return k, nil
			}
		}
	}
	return nil, fmt.Errorf("%s is a licence of no kind that is known: look at it, and add its kind to kinds.go if it will do", f.name)
}
