package main

import (
	"encoding/json"
	"runtime/debug"
	"strings"
	"testing"
)

// Every module that this platform's program is built of is named with its licence.
func TestLicensesNameAllThatIsInTheProgram(t *testing.T) {
	out := impasto(t, t.TempDir(), "version", "--licenses").done(t).stdout
	info, ok := debug.ReadBuildInfo()
	if !ok || len(info.Deps) == 0 {
		t.Fatal("the build names no modules")
	}
	for _, m := range info.Deps {
		if !strings.Contains(out, "  - "+m.Path+" "+m.Version+"  [") {
			t.Errorf("%s %s isn't named with a licence: run `make notices`", m.Path, m.Version)
		}
	}
	for _, want := range []string{
		"The impasto authors", "Karen Simonyan and Andrew Zisserman", "Apache License", "The Go Authors", "The FreeType Project",
		"Reserved Font Name Liberation", "Redistribution and use in source and binary forms", "Permission is hereby granted, free of charge",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q isn't in it", want)
		}
	}
	var object map[string]string
	if err := json.Unmarshal([]byte(impasto(t, t.TempDir(), "version", "--licenses", "--json").done(t).stdout), &object); err != nil || object["licenses"] != out {
		t.Errorf("%v; want an object with the same text", err)
	}
}
