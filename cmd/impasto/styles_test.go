package main

import (
	"errors"
	"slices"
	"testing"
)

func TestStylesAreSplitFromTheirWeights(t *testing.T) {
	files := []string{"wave.jpg", "a:2", "a", "with:colon.png", `C:\wave.jpg`, "12:30"}
	exists := func(path string) bool { return slices.Contains(files, path) }
	for _, test := range []struct {
		argument string
		want     styleArgument
	}{
		{"wave.jpg", styleArgument{"wave.jpg", 1}},
		{"wave.jpg:2", styleArgument{"wave.jpg", 2}},
		{"wave.jpg:0.5", styleArgument{"wave.jpg", 0.5}},
		{"wave.jpg:1e-3", styleArgument{"wave.jpg", 1e-3}},
		{"missing.jpg:2", styleArgument{"missing.jpg", 2}},
		{`C:\wave.jpg`, styleArgument{`C:\wave.jpg`, 1}},
		{`C:\wave.jpg:3`, styleArgument{`C:\wave.jpg`, 3}},
		{`D:\missing.jpg`, styleArgument{`D:\missing.jpg`, 1}},
		{`D:\missing.jpg:3`, styleArgument{`D:\missing.jpg`, 3}},
		{"with:colon.png", styleArgument{"with:colon.png", 1}},
		{"with:colon.png:4", styleArgument{"with:colon.png", 4}},
		{"a:2", styleArgument{"a:2", 1}},
		{"a:2:5", styleArgument{"a:2", 5}},
		{"a:3", styleArgument{"a", 3}},
		{"12:30", styleArgument{"12:30", 1}},
	} {
		if got, err := parseStyle(test.argument, exists); err != nil || got != test.want {
			t.Errorf("%q is %v, %v; want %v", test.argument, got, err, test.want)
		}
	}
	for _, argument := range []string{"", ":2", "wave.jpg:-1", "wave.jpg:0", "wave.jpg:x", "wave.jpg:", "wave.jpg:nan", "wave.jpg:inf", "missing:1e7"} {
		var usage *usageError
		if got, err := parseStyle(argument, exists); !errors.As(err, &usage) {
			t.Errorf("%q is %v, %v; want a usage error", argument, got, err)
		}
	}
}
