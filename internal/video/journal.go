package video

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"impasto/internal/records"
)

// entry is what is kept of a finished frame.
type entry struct {
	Key     string `json:"key"`     // of all that it follows from
	Picture string `json:"picture"` // the SHA-256 of its file
	Report
}

// journal has the finished frames of a pass, one JSON object a line. The last one of a frame
// counts. A line that was cut off is as if it weren't there.
type journal struct {
	path    string
	file    *os.File // nil until something is added
	entries map[int]entry
}

// openJournal reads a journal, which needn't be there.
func openJournal(path string) (*journal, error) {
	j := &journal{path: path, entries: map[int]entry{}}
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return j, nil
	}
	if err != nil {
		return nil, fmt.Errorf("video: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var e entry
		if json.Unmarshal(lines.Bytes(), &e) == nil {
			j.entries[e.Frame] = e
		}
	}
	if err := lines.Err(); err != nil && !errors.Is(err, bufio.ErrTooLong) { // which isn't ours
		return nil, fmt.Errorf("video: read %s: %w", path, err)
	}
	return j, nil
}

// find tells whether a frame is finished, made of what the key is of, and its file unaltered.
func (j *journal) find(ctx context.Context, index int, key, path string) (entry, bool) {
	e, ok := j.entries[index+1]
	if !ok || e.Key != key {
		return entry{}, false
	}
	digest, err := records.FileDigest(ctx, path)
	return e, err == nil && digest == e.Picture
}

// add adds a frame that is finished.
func (j *journal) add(e entry) (err error) {
	if j.file == nil {
		if j.file, err = os.OpenFile(j.path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o666); err != nil {
			return fmt.Errorf("video: %w", err)
		}
		if err := j.endLine(); err != nil {
			return fmt.Errorf("video: %w", err)
		}
	}
	line, err := json.Marshal(e)
	if err == nil {
		_, err = j.file.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("video: note frame %d: %w", e.Frame, err)
	}
	j.entries[e.Frame] = e
	return nil
}

// endLine ends a line that was cut off.
func (j *journal) endLine() error {
	info, err := j.file.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	last := make([]byte, 1)
	if _, err := j.file.ReadAt(last, info.Size()-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err = j.file.Write([]byte{'\n'})
	return err
}

func (j *journal) close() {
	if j.file != nil {
		j.file.Close() // each line was written
	}
}
