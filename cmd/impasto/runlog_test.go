package main

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestLogsHaveEveryIterationWithItsTerms(t *testing.T) {
	folder := workshop(t)
	args := append([]string{"stylize", "content.png", "style.png", "-o", "out.png", "--json"}, shallow...)
	run := impasto(t, folder, append(args, "--log=run.csv")...).done(t)
	impasto(t, folder, append(args, "--log=run.jsonl")...).done(t)
	var events []iterationEvent
	for line := range strings.Lines(run.stdout) {
		var e iterationEvent
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Event == "iteration" {
			events = append(events, e)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(string(readFile(t, filepath.Join(folder, "run.csv"))))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	objects := strings.Split(strings.TrimSpace(string(readFile(t, filepath.Join(folder, "run.jsonl")))), "\n")
	if len(events) == 0 || len(rows) != len(events)+1 || len(objects) != len(events) {
		t.Fatalf("%d rows and %d objects for %d iterations", len(rows), len(objects), len(events))
	}
	for i, e := range events {
		row := map[string]float64{}
		for k, name := range rows[0] {
			if row[name], err = strconv.ParseFloat(rows[i+1][k], 64); err != nil {
				t.Fatal(err)
			}
		}
		var object logRecord
		if err := json.Unmarshal([]byte(objects[i]), &object); err != nil {
			t.Fatal(err)
		}
		if object.Log != 1 || object.Done != e.Done || object.Loss != e.Loss || object.GradientNorm != e.GradientNorm || object.Width != e.Width || len(object.Terms) != len(e.Terms) {
			t.Errorf("object %d is %+v, of the event %+v", i, object, e)
		}
		if row["log"] != 1 || int(row["done"]) != e.Done || int(row["iteration"]) != e.Iteration || row["loss"] != e.Loss || row["gradient_norm"] != e.GradientNorm {
			t.Errorf("row %d is %v, of the event %+v", i, row, e)
		}
		sum := 0.
		for name, value := range e.Terms {
			sum += row[name]
			if row[name] != value || object.Terms[name] != value {
				t.Errorf("iteration %d: %s is %v and %v, want %v", i, name, row[name], object.Terms[name], value)
			}
		}
		if math.Abs(sum-e.Loss) > 1e-9 {
			t.Errorf("iteration %d: terms add up to %v, want %v", i, sum, e.Loss)
		}
	}
}

func TestLogsThatCannotBeWritten(t *testing.T) {
	for _, test := range []struct {
		name, log string
		status    int
		fragments []string
	}{
		{"another format", "run.txt", 2, []string{`".txt"`, ".csv or .jsonl"}},
		{"standard output", "-", 2, []string{"--json"}},
		{"no such folder", "none/run.csv", 1, []string{"none/run.csv"}},
		{"an input", "input.csv", 2, []string{"is the input"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := workshop(t)
			if err := os.Link(filepath.Join(folder, "content.png"), filepath.Join(folder, "input.csv")); err != nil {
				t.Fatal(err)
			}
			impasto(t, folder, append([]string{"stylize", "content.png", "style.png", "-o", "out.png", "--log=" + test.log}, shallow...)...).refused(t, test.status, test.fragments...)
		})
	}
}

func TestALogThatEndsDoesNotEndTheRun(t *testing.T) {
	folder := workshop(t)
	writeFile(t, filepath.Join(folder, "run.csv"), nil)
	var told []string
	l := &runLog{path: filepath.Join(folder, "gone", "run.csv"), tell: func(remark string) { told = append(told, remark) }}
	for i := range 3 {
		l.add(at(1, i+1, 10, time.Second))
	}
	if len(told) != 1 || !strings.Contains(told[0], "the log is cut short") {
		t.Errorf("told %q, want one remark", told)
	}
}
