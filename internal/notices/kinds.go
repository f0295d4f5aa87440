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
	"libheif 1.18.2 and libde265 1.0.15": {
		nil,
		"By Dirk Farin and struktur AG, https://github.com/strukturag, compiled to WebAssembly by github.com/gen2brain/heic v0.4.5: internal/heif/libheif.wasm.gz, which the program runs in a sandbox. " +
			"To use another version of them, put another such file in its place, made by that module's lib/Makefile from their sources, and build the program again. " +
			"The method of compression, HEVC, is covered by patents in some countries; these licences grant none of other holders.",
	},
	"libwebp 1.4.0": {
		nil,
		"By Google and others, compiled to WebAssembly by github.com/gen2brain/webp v0.5.5: internal/webp/libwebp.wasm.gz.",
	},
	"libavif and libaom": {
		nil,
		"By Joe Drago and others, and the Alliance for Open Media, compiled to WebAssembly by github.com/gen2brain/avif v0.4.4: internal/heif/libavif.wasm.gz.",
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

// components are parts of the program that aren't modules: decoders compiled to
// WebAssembly, whose licences lie beside them.
var components = []struct {
	name     string
	folder   string
	licences []string
}{
	{"libheif 1.18.2 and libde265 1.0.15", "internal/heif/licenses", []string{"LICENSE.libheif", "LICENSE.libde265"}},
	{"libavif and libaom", "internal/heif/licenses", []string{"LICENSE.libavif", "LICENSE.aom"}},
	{"libwebp 1.4.0", "internal/webp/licenses", []string{"LICENSE.libwebp"}},
	{"github.com/gen2brain/webp v0.5.5", "internal/webp/licenses", []string{"LICENSE.gen2brain"}},
	{"github.com/gen2brain/heic v0.4.5 and github.com/gen2brain/avif v0.4.4", "internal/heif/licenses", []string{"LICENSE.gen2brain"}},
}
