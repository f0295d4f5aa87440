package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"impasto/internal/atomicfile"
	"impasto/internal/quote"
	"impasto/model"
)

const (
	// noCheckpoint turns checkpoints off.
	noCheckpoint = "none"
	// worthKeeping is how long a run has to have taken for an interrupt to leave a
	// checkpoint that nobody asked for.
	worthKeeping = 10 * time.Second
	// writingShare is how many times as long as writing a checkpoint took it is until the
	// next, at least.
	writingShare = 20
)

// checkpointStart is how every version's checkpoints begin.
const checkpointStart = "impasto checkpoint "

// checkpointer writes the checkpoints of a run.
type checkpointer struct {
	path     string // empty for none
	asked    bool   // the user named it
	every    time.Duration
	note     []byte // the command, for --resume
	reporter reporter

	began, last time.Time
	took        time.Duration // to write the last one
	there       bool          // a checkpoint of this run is in the file
	warned      bool
}

// newCheckpointer is what writes the checkpoints of a job.
func (o *stylizeOptions) newCheckpointer(job stylizeJob, r reporter) (*checkpointer, error) {
	now := time.Now()
	c := &checkpointer{
		path: o.checkpointPath(), asked: o.Checkpoint != "" || o.Resume != "", every: o.CheckpointEvery,
		reporter: r, began: now, last: now,
	}
	c.there = job.from != nil && c.path == o.Resume
	if _, err := os.Stat(c.path); err == nil && c.path != "" && !c.asked {
		r.note(fmt.Sprintf("an earlier run for this output was cut short; %s goes on from there, until this one has a checkpoint of its own", c.command()))
	}
	var err error
	c.note, err = o.note(job.content, job.styles)
	return c, err
}

// moment is for model.Options.Checkpoint.
func (c *checkpointer) moment() func(model.Moment) {
	if c.path == "" {
		return nil
	}
	return c.at
}

// at writes a checkpoint where one is due. The run goes on if that fails.
func (c *checkpointer) at(m model.Moment) {
	if !c.due(m) {
		return
	}
	began := time.Now()
	err := c.write(m)
	c.last, c.took = time.Now(), time.Since(began)
	switch {
	case err == nil && !c.there:
		c.there = true
		if !m.Stopped {
			c.reporter.note(fmt.Sprintf("a checkpoint is in %s; should the run be cut short, %s goes on from there", quote.Name(c.path), c.command()))
		}
	case err != nil && !c.warned:
		c.warned = true
		before := "there is none"
		if c.there {
			before = "the one before stays"
		}
		c.reporter.note(fmt.Sprintf("the checkpoint %s can't be written: %s; %s, and the run goes on", quote.Name(c.path), quote.Line(err.Error()), before))
	}
}

func (c *checkpointer) due(m model.Moment) bool {
	switch {
	case c.path == "" || m.LevelEnded && m.Last.Level == m.Last.Levels:
		return false
	case m.Stopped:
		return c.asked || c.there || time.Since(c.began) >= worthKeeping
	case m.LevelEnded && (c.asked || c.there):
		return true
	}
	return time.Since(c.last) >= max(c.every, writingShare*c.took)
}

func (c *checkpointer) write(m model.Moment) error {
	if !c.asked {
		if err := os.MkdirAll(filepath.Dir(c.path), 0o700); err != nil {
			return err
		}
		sweepCheckpoints(filepath.Dir(c.path))
	}
	return atomicfile.Write(c.path, func(w io.Writer) error { return m.Write(w, c.note) })
}

// forgotten is how old a checkpoint in the state folder is that nobody will go on from.
const forgotten = 30 * 24 * time.Hour

// checkpointName is the form of the names that checkpoints have in the state folder.
var checkpointName = regexp.MustCompile(`-[0-9a-f]{8}\.checkpoint$`)

// sweepCheckpoints removes the checkpoints in the state folder that were forgotten. What
// goes wrong there is no concern of the run's.
func sweepCheckpoints(folder string) {
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && info.Mode().IsRegular() && checkpointName.MatchString(entry.Name()) && time.Since(info.ModTime()) > forgotten {
			_ = os.Remove(filepath.Join(folder, entry.Name()))
		}
	}
}

// command is what goes on from the checkpoint.
func (c *checkpointer) command() string {
	name := quote.Name(c.path)
	if name == c.path && strings.ContainsAny(name, " '\"$&();<>|*?[]\\`") {
		name = strconv.Quote(name)
	}
	return "`impasto stylize --resume " + name + "`"
}

// remove takes away the checkpoint of a run that has come to its end.
func (c *checkpointer) remove() {
	if !c.there {
		return
	}
	if err := os.Remove(c.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.reporter.note(fmt.Sprintf("the checkpoint isn't needed any more and stays behind: %s", quote.Line(err.Error())))
	}
}

// checkpointPath is where checkpoints go: to the file that was named, to the one that is
// gone on from, or to one in the state folder that is named after the output; "" for
// nowhere.
func (o *stylizeOptions) checkpointPath() string {
	switch {
	case o.Checkpoint == noCheckpoint:
		return ""
	case o.Checkpoint != "":
		return o.Checkpoint
	case o.Resume != "":
		return o.Resume
	}
	folder, err := stateFolder()
	if err != nil {
		return ""
	}
	path := o.Output
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	name := strings.TrimSuffix(filepath.Base(o.Output), filepath.Ext(o.Output))
	if o.Output == standardStream {
		name, path = "standard-output", fmt.Sprint(os.Getpid())
	}
	sum := sha256.Sum256([]byte(path))
	name = strings.ToValidUTF8(name, "_")
	return filepath.Join(folder, fmt.Sprintf("%.40s-%x.checkpoint", name, sum[:4]))
}

// stateFolder is where programs of this system keep what outlives a run.
func stateFolder() (string, error) {
	if folder := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(folder) {
		return filepath.Join(folder, "impasto"), nil
	}
	if folder := os.Getenv("LocalAppData"); runtime.GOOS == "windows" && folder != "" {
		return filepath.Join(folder, "impasto", "state"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(home, "Library", "Application Support", "impasto"), nil
	}
	return filepath.Join(home, ".local", "state", "impasto"), nil
}

// checkCheckpoint reports, before any work, a checkpoint file that was asked for and can't
// be written, or that is something else.
func (o *stylizeOptions) checkCheckpoint(inputs []string) error {
	path := o.Checkpoint
	if path == "" || path == noCheckpoint {
		return nil
	}
	if path == standardStream {
		return usagef("--checkpoint -: want a file, or none")
	}
	if input, ok := atomicfile.Replaces(path, append(inputs, o.Output)); ok || filepath.Clean(path) == filepath.Clean(o.Output) {
		if !ok {
			input = o.Output
		}
		return usagef("--checkpoint %s is the file %s; name another", path, input)
	}
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		start, err := startOf(path, len(checkpointStart))
		if err != nil {
			return err
		}
		if !bytes.Equal(start, []byte(checkpointStart)) {
			return usagef("--checkpoint %s: the file of that name is no checkpoint of a run; name another, or --weights for a network", path)
		}
	}
	if err := atomicfile.Check(path); err != nil {
		return fmt.Errorf("--checkpoint %s: %w", path, err)
	}
	return nil
}

// startOf is how a file begins.
func startOf(path string, length int) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	start := make([]byte, length)
	n, _ := io.ReadFull(file, start)
	return start[:n], nil
}
