// Command calibrate makes the table of strengths in package model: what content weight
// every style loss takes, under every content loss, at a strength.
//
//	go run ./internal/calibrate                  fits the table and its documentation
//	go run ./internal/calibrate -ladder FOLDER   measures anew what they are fitted to
//	go run ./internal/calibrate -check FOLDER    measures anew what the table comes to
//
// Measuring paints small pictures, some hundred, which takes half an hour on two cores, and
// writes how far they are from their contents to measurements.csv. Pictures are kept in the
// folder, and those that are there aren't painted again. A test holds the table and the
// document to that file, and doesn't paint.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"impasto/internal/generated"
)

// Below the root of the repository, where the command is run, are these.
const (
	measurementsFile = "internal/calibrate/measurements.csv"
	tableFile        = "model/strength_table.go"
	docsFile         = "docs/strength.md"
)

// options are what the command line says.
type options struct {
	root          string // of the repository
	ladder, check string // folders, or empty
	pairs         []string
	threads       int
	paints        bool // what the folders don't have
}

func main() {
	o := options{root: "."}
	flag.StringVar(&o.ladder, "ladder", "", "measure anew what the table is fitted to, and keep the pictures in this folder")
	flag.StringVar(&o.check, "check", "", "measure anew what the table comes to, likewise")
	pairs := flag.String("pairs", "examples/harbour.png:examples/whirl.jpg", "pictures to measure with: CONTENT:STYLE, with commas between the pairs")
	kept := flag.Bool("kept", false, "measure only the pictures that the folder has, and paint none")
	flag.IntVar(&o.threads, "threads", 0, "processor threads to use; 0 uses every core")
	flag.Parse()
	o.pairs, o.paints = strings.Split(*pairs, ","), !*kept
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := o.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "calibrate:", err)
		os.Exit(1)
	}
}

// run does what the command line says.
func (o options) run(ctx context.Context) error {
	measured := filepath.Join(o.root, measurementsFile)
	if o.ladder != "" {
		if err := o.measure(ctx, measured, o.ladder, ladder(), ladderOf); err != nil {
			return err
		}
	}
	if o.check != "" {
		if err := o.measure(ctx, measured, o.check, checks(), checksOf); err != nil {
			return err
		}
	}
	made, err := o.made()
	if err != nil {
		return err
	}
	for path, content := range made {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// measure puts new measurements in place of those that part gives.
func (o options) measure(ctx context.Context, path, folder string, rungs []rungs, part func([]measurement) []measurement) error {
	fresh, err := o.measureAll(ctx, folder, rungs)
	if err != nil {
		return err
	}
	was, err := readMeasurements(path)
	if err != nil {
		return err
	}
	old := append(part(was), fresh...)
	kept := slices.DeleteFunc(was, func(m measurement) bool { return slices.ContainsFunc(old, m.sameAs) })
	return os.WriteFile(path, writeMeasurements(append(kept, fresh...)), 0o644)
}

// made is what follows from the measurements, by path.
func (o options) made() (map[string][]byte, error) {
	all, err := readMeasurements(filepath.Join(o.root, measurementsFile))
	if err != nil {
		return nil, err
	}
	rows, err := fitAll(all)
	if err != nil {
		return nil, err
	}
	table, err := tableOf(all, rows)
	if err != nil {
		return nil, err
	}
	docs := filepath.Join(o.root, docsFile)
	tables, err := documentation(all, rows)
	if err != nil {
		return nil, err
	}
	_, text, err := generated.In(docs, docsBegin, tables+"\n")
	if err != nil {
		return nil, err
	}
	return map[string][]byte{filepath.Join(o.root, tableFile): table, docs: text}, nil
}
