// Package records keeps beside pictures what made them, so that a picture that is
// there already isn't made again: a record has a key, which is a digest of all that the
// picture follows from, and a digest of the picture's file.
package records

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"impasto/internal/atomicfile"
	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/regular"
)

// Record is what is kept of a picture.
type Record struct {
	Key        string            `json:"key"` // of all that made the picture; see Key
	Name       string            `json:"name"`
	Version    string            `json:"version"`
	Settings   map[string]string `json:"settings"`
	Error      string            `json:"error,omitempty"` // why the picture isn't a finished one
	Picture    string            `json:"picture"`         // its file's SHA-256
	Iterations int               `json:"iterations"`
	Seconds    float64           `json:"seconds"`
	Loss       float64           `json:"loss"`
	Curve      [][3]float64      `json:"curve,omitempty"` // iteration, seconds, loss
	Remarks    []string          `json:"remarks,omitempty"`

	// Measured is how the picture came nearer on its way by measures that aren't its own
	// loss, and MeasuredKey a digest of all that these follow from.
	Measured    []Measured `json:"measured,omitempty"`
	MeasuredKey string     `json:"measured_key,omitempty"`
}

// Measured is where a picture stood after an iteration.
type Measured struct {
	Iteration int                `json:"iteration"`
	Seconds   float64            `json:"seconds"`
	Style     map[string]float64 `json:"style"` // distances from the styles, by loss
	Kept      *float64           `json:"kept"`  // the content loss; nil where it isn't known
}

// Key is a digest of a value's JSON: SHA-256, hexadecimal. Of a struct the names of its
// fields are part of it.
func Key(value any) (string, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// Find returns the record in a file and opens its picture, where that is there,
// finished, unaltered, and was made of just what the key is of. Else both are nil.
func Find(ctx context.Context, file, path, key string) (*Record, *picture.Source) {
	var r Record
	if err := Read(file, &r); err != nil || r.Key != key || r.Error != "" {
		return nil, nil
	}
	if digest, err := FileDigest(ctx, path); err != nil || digest != r.Picture {
		return nil, nil
	}
	p, err := picture.OpenSource(ctx, path)
	if err != nil {
		return nil, nil
	}
	return &r, p
}

// FileDigest is the SHA-256 of a file's bytes, hexadecimal.
func FileDigest(ctx context.Context, path string) (string, error) {
	file, _, err := regular.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	return regular.Digest(ctx, file)
}

// Write makes a file of a value's JSON, whole or not at all.
func Write(path string, value any) error {
	err := atomicfile.Write(path, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(quote.JSON(value))
	})
	if err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	return nil
}

// Read reads a value from a file that Write made.
func Read(path string, value any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, value)
}
