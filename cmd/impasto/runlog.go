package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"impasto/internal/atomicfile"
	"impasto/internal/quote"
	"impasto/model"
)

// logVersion is that of the keys of logs: it changes where a key gets another meaning or
// goes, and stays where one is added.
const logVersion = 1

// logRecord is what a log has of an iteration. The keys are a promise to scripts.
type logRecord struct {
	Log int `json:"log"` // logVersion
	iterationKeys
}

// logColumns are those of a log in CSV before the terms, which have their own names.
var logColumns = []string{"log", "scale", "scales", "width", "height", "iteration", "iterations", "done", "total", "seconds", "loss", "gradient_norm"}

// doneColumn is the place of the column "done".
const doneColumn = 7

// runLog writes a line for every iteration to a file. It is opened with the first. A log
// that can't be written any more is told of once, and the run goes on.
type runLog struct {
	path    string
	goesOn  bool // the run went on from a checkpoint: lines up to there stay
	tell    func(remark string)
	file    *os.File
	stopped bool
}

// isCSV tells a log in CSV from one in JSON.
func (l *runLog) isCSV() bool { return strings.EqualFold(filepath.Ext(l.path), ".csv") }

// checkLog reports, before any work, a log that can't be written.
func (o *stylizeOptions) checkLog(inputs []string) error {
	if o.Log == "" {
		return nil
	}
	if o.Log == standardStream {
		return usagef("--log -: want a file; --json writes to standard output")
	}
	if extension := filepath.Ext(o.Log); !strings.EqualFold(extension, ".csv") && !strings.EqualFold(extension, ".jsonl") {
		return usagef("--log %s: can't write %q; want .csv or .jsonl", quote.Name(o.Log), extension)
	}
	if err := checkFlagNotInput("log", o.Log, inputs); err != nil {
		return err
	}
	if err := atomicfile.Check(o.Log); err != nil {
		return fmt.Errorf("--log %s: %w", quote.Name(o.Log), err)
	}
	return nil
}

// add writes the line of an iteration.
func (l *runLog) add(p model.Progress) {
	if l == nil || l.stopped {
		return
	}
	err := l.open(p)
	if err == nil {
		_, err = l.file.Write(l.line(p))
	}
	if err != nil {
		l.stopped = true
		l.close()
		l.tell(fmt.Sprintf("the log is cut short: %v; the run goes on", err))
	}
}

// close closes the file.
func (l *runLog) close() {
	if l != nil && l.file != nil {
		l.file.Close()
		l.file = nil
	}
}

// open makes the file before the first line, with what an earlier part of the run wrote.
func (l *runLog) open(p model.Progress) (err error) {
	if l.file != nil {
		return nil
	}
	var before []byte
	if l.goesOn {
		before = l.before(p.Done)
	}
	if before == nil && l.isCSV() {
		columns := logColumns
		for _, t := range p.Terms {
			columns = append(columns, t.Name)
		}
		before = csvLine(columns)
	}
	if l.file, err = os.Create(l.path); err != nil {
		return err
	}
	_, err = l.file.Write(before)
	return err
}

// before are the lines of a log up to an iteration, none where there is none of its kind.
func (l *runLog) before(done int) []byte {
	file, err := os.Open(l.path)
	if err != nil {
		return nil
	}
	defer file.Close()
	var kept bytes.Buffer
	lines := bufio.NewScanner(file)
	for first := true; lines.Scan(); first = false {
		line := lines.Text()
		at, ok := 0, false
		if l.isCSV() {
			fields, err := csv.NewReader(strings.NewReader(line)).Read()
			if err != nil || len(fields) < len(logColumns) {
				continue
			}
			if first && fields[0] == logColumns[0] {
				kept.WriteString(line + "\n")
				continue
			}
			at, err = strconv.Atoi(fields[doneColumn])
			ok = err == nil && fields[0] == strconv.Itoa(logVersion)
		} else {
			var r logRecord
			ok = json.Unmarshal([]byte(line), &r) == nil && r.Log == logVersion
			at = r.Done
		}
		if ok && at < done {
			kept.WriteString(line + "\n")
		}
	}
	if kept.Len() == 0 {
		return nil
	}
	return kept.Bytes()
}

// line is that of an iteration.
func (l *runLog) line(p model.Progress) []byte {
	if !l.isCSV() {
		var line bytes.Buffer
		_ = printJSON(&line, logRecord{logVersion, newIterationKeys(p)}) // finite numbers, to memory
		return line.Bytes()
	}
	var fields []string
	for _, n := range []int{logVersion, p.Level, p.Levels, p.Width, p.Height, p.Iteration, p.Iterations, p.Done, p.Total} {
		fields = append(fields, strconv.Itoa(n))
	}
	values := []float64{p.Elapsed.Seconds(), p.Loss, p.GradientNorm}
	for _, t := range p.Terms {
		values = append(values, t.Value)
	}
	for _, v := range values {
		fields = append(fields, strconv.FormatFloat(v, 'g', -1, 64))
	}
	return csvLine(fields)
}

func csvLine(fields []string) []byte {
	var line bytes.Buffer
	w := csv.NewWriter(&line)
	_ = w.Write(fields) // to memory
	w.Flush()
	return line.Bytes()
}
