// Package ffmpeg runs ffmpeg and ffprobe, which read and write films.
package ffmpeg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"impasto/internal/quote"
)

// ErrMissing says that ffmpeg isn't there, and how to get it.
var ErrMissing = errors.New("films are read and written by ffmpeg and ffprobe, which aren't installed: they come as the package ffmpeg " +
	"(Debian, Ubuntu: apt install ffmpeg; Fedora: dnf install ffmpeg-free; macOS: brew install ffmpeg; Windows: winget install ffmpeg); " +
	"a folder of pictures needs nothing")

// Find tells whether ffmpeg and ffprobe are there.
func Find() error {
	for _, program := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(program); err != nil {
			return ErrMissing
		}
	}
	return nil
}

// maxComplaint is how much of what a program complains of is told.
const maxComplaint = 600

// Run runs a program and returns what it writes. feed, unless nil, writes its input. What it
// complains of is part of the error.
func Run(ctx context.Context, feed func(io.Writer) error, program string, arguments ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, arguments...)
	cmd.WaitDelay = 5 * time.Second
	var out, complaint strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &complaint
	var in io.WriteCloser
	if feed != nil {
		var err error
		if in, err = cmd.StdinPipe(); err != nil {
			return nil, err
		}
	}
	if err := cmd.Start(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return nil, ErrMissing
		}
		return nil, err
	}
	var fed error
	if feed != nil {
		fed = feed(in)
		in.Close()
	}
	err := cmd.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		said := strings.TrimSpace(complaint.String())
		if len(said) > maxComplaint {
			said = said[:maxComplaint] + "…"
		}
		return nil, fmt.Errorf("%s failed (%w): %s", program, err, quote.Line(said))
	}
	return []byte(out.String()), fed
}
