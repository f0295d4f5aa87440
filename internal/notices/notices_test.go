package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	mit  = "Permission is hereby granted, free of charge, to any person obtaining a copy\nof this software"
	bsd2 = "Redistribution and use in source and binary forms, with or without\nmodification, are permitted"
	lgpl = "GNU LESSER GENERAL PUBLIC LICENSE\nVersion 3"
)

// inFolder makes a module of files.
func inFolder(t *testing.T, path string, files map[string]string) *module {
	t.Helper()
	m := &module{path: path, version: "v1.0.0", folder: t.TempDir()}
	for name, text := range files {
		at := filepath.Join(m.folder, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if folder := filepath.Dir(at); strings.HasSuffix(name, ".go") {
			m.packages = append(m.packages, folder)
		}
	}
	return m
}

func TestLicencesOfWhatIsLinkedAreFound(t *testing.T) {
	m := inFolder(t, "example.org/m", map[string]string{
		"LICENSE.txt": mit, "license.go": "package m", "README.md": "about", "lib/LICENSE.libheif": lgpl, "lib/heif.c": "int",
		"part/COPYING": bsd2, "part/part.go": "package part", "unused/LICENSE": "GNU GENERAL PUBLIC LICENSE", "THIRD_PARTY_LICENSES/Sun-LICENSE": "Sun",
	})
	files, err := m.licences()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.name)
	}
	if got, want := strings.Join(names, " "), "LICENSE.txt THIRD_PARTY_LICENSES/Sun-LICENSE lib/LICENSE.libheif part/COPYING"; got != want {
		t.Errorf("found %s, want %s", got, want)
	}
	m.files = files
	if of, err := m.kind(); err != nil || of.name != "GNU Lesser General Public License 3" {
		t.Errorf("kind is %v, %v; want the one that asks for most", of, err)
	}
	old, err := inFolder(t, "example.org/old", map[string]string{"LICENSE": "Bj\xf8rn\t\r\n\f" + mit}).licences()
	if err != nil || old[0].text != "Bjørn\n"+mit {
		t.Errorf("a text of old is read as %q, %v", old, err)
	}
	if _, err := inFolder(t, "example.org/none", map[string]string{"none.go": "package none"}).licences(); err == nil {
		t.Error("a module without a licence is taken")
	}
}

func TestKindsAreToldByTheirTexts(t *testing.T) {
	for text, want := range map[string]string{
		mit:  "MIT License",
		bsd2: "BSD 2-Clause License",
		bsd2 + "\n* Neither the name of the project": "BSD 3-Clause License",
		lgpl: "GNU Lesser General Public License 3",
		"                Apache License\n   Version 2.0":                  "Apache License 2.0",
		"This Font Software is licensed under the SIL\nOpen Font License": "SIL Open Font License 1.1",
	} {
		if of, err := kindOf(file{"LICENSE", text}); err != nil || of.name != want {
			t.Errorf("%q is told as %v, %v; want %s", text, of, err, want)
		}
	}
	for _, text := range []string{"GNU GENERAL PUBLIC LICENSE\nVersion 3", "All rights reserved.", "", strings.Repeat("x", beginning) + mit} {
		if of, err := kindOf(file{"LICENSE", text}); err == nil {
			t.Errorf("%.40q is told as %s, want that a person looks at it", text, of.name)
		}
	}
}

func TestTextsThatAreTheSameStandOnceWithAllCopyrights(t *testing.T) {
	modules := []*module{
		{path: "a", version: "v1", files: []file{{"LICENSE", "MIT License\n\nCopyright (c) 2020 Ann\n\n" + mit}}},
		{path: "b", version: "v2", files: []file{{"LICENSE", "Copyright 2021 Bob\n" + strings.ReplaceAll(mit, "\n", " ")}}},
		{path: "c", version: "v3", files: []file{{"LICENSE", bsd2}, {"NOTICE", "Made by C."}}},
	}
	text, err := notice(modules)
	if err != nil {
		t.Fatal(err)
	}
	for fragment, times := range map[string]int{
		"Permission is hereby granted": 1, "Copyright (c) 2020 Ann\nCopyright 2021 Bob\n\n": 1, bsd2: 1, "Made by C.": 1,
		"  - a v1  [1]\n  - b v2  [1]\n": 1, "  - c v3  [2][3]\n": 1, "[3] c, NOTICE": 1, "Karen Simonyan": 1,
	} {
		if got := strings.Count(text, fragment); got != times {
			t.Errorf("%q is in the text %d times, want %d:\n%s", fragment, got, times, text)
		}
	}
}

func TestDifferencesAreFoundByLine(t *testing.T) {
	for pair, want := range map[[2]string]int{{"a\nb", "a\nc"}: 2, {"a", "a\nb"}: 2, {"x", "y"}: 1} {
		if got := firstDifference(pair[0], pair[1]); got != want {
			t.Errorf("%q differ from line %d on, want %d", pair, got, want)
		}
	}
}
