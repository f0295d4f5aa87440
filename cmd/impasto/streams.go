package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"impasto/internal/picture"
)

// standardStream stands for standard input among pictures that are read, and for
// standard output as the one that is written. A file of that name is ./-.
const standardStream = "-"

// streams are the standard ones of a command.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func streamsOf(cmd *cobra.Command) streams {
	return streams{cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()}
}

// checkInputs reports pictures that can't all come from standard input.
func (s streams) checkInputs(paths []string) error {
	count := 0
	for _, path := range paths {
		if path == standardStream {
			count++
		}
	}
	switch {
	case count > 1:
		return usagef("- stands for standard input and can be one picture only; a file of that name is ./-")
	case count == 1 && isTerminal(s.in):
		return usagef("standard input is a terminal; pipe a picture into it, or name a file")
	}
	return nil
}

// open opens a picture in a file or from standard input, and tells what there is to
// know of how it is read unless that should be quiet.
func (s streams) open(ctx context.Context, path string, quiet bool) (p *picture.Source, err error) {
	if path == standardStream {
		path = "standard input"
		p, err = picture.ReadSource(ctx, s.in, path)
	} else {
		p, err = picture.OpenSource(ctx, path)
	}
	if err == nil {
		printRemarks(s.err, quiet, path, p)
	}
	return p, err
}

// checkFile reports a path that stands for a standard stream where only files and
// folders will do.
func checkFile(path string) error {
	if path == standardStream {
		return usagef("- stands for a standard stream, which will do for a picture of stylize and measure only; a file of that name is ./-")
	}
	return nil
}
