package metadata

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"impasto/internal/quote"
)

// Bounds of what a document holds.
const (
	maxStyles   = 64
	maxSettings = 256
	maxText     = 4096 // bytes of a setting
	maxName     = 255  // bytes of a file's name
	maxLevels   = 64
)

// Decode reads a document, and refuses one of another schema, with a key that isn't known,
// or with a value that Encode wouldn't write. Whether settings are any, and within their
// bounds, is for the caller to check.
func Decode(text []byte) (*Document, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("metadata: %d bytes; want %d at most", len(text), MaxBytes)
	}
	if !utf8.Valid(text) {
		return nil, errors.New("metadata: not UTF-8")
	}
	var version struct {
		Schema *int `json:"impasto"`
	}
	if err := json.Unmarshal(text, &version); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	if version.Schema == nil {
		return nil, errors.New("metadata: the key impasto, with the schema's version, is missing")
	}
	if *version.Schema != Schema {
		return nil, fmt.Errorf("metadata: schema %d; this version of impasto reads %d", *version.Schema, Schema)
	}
	var d Document
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return nil, fmt.Errorf("metadata: %s", quote.Line(strings.TrimPrefix(err.Error(), "json: ")))
	}
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	return &d, nil
}

func (d *Document) check() error {
	for _, step := range []func() error{d.checkInputs, d.checkSettings, d.checkOutput, d.checkPainted} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (d *Document) checkInputs() error {
	if styles := len(d.Styles) + len(d.Masks); styles < 1 || styles > maxStyles {
		return fmt.Errorf("%d styles; want 1 to %d", styles, maxStyles)
	}
	for _, m := range d.Masks {
		if err := m.check(); err != nil {
			return fmt.Errorf("mask: %w", err)
		}
	}
	if d.Protect != nil {
		if err := d.Protect.check(); err != nil {
			return fmt.Errorf("protect: %w", err)
		}
	}
	for _, s := range d.Styles {
		if !(s.Weight > 0) || math.IsInf(s.Weight, 0) {
			return fmt.Errorf("the weight %g of a style; want more than 0", s.Weight)
		}
		if err := s.check(); err != nil {
			return fmt.Errorf("style: %w", err)
		}
	}
	if err := d.Content.check(); err != nil {
		return fmt.Errorf("content: %w", err)
	}
	if err := d.Weights.check(); err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	if d.Start == nil {
		return nil
	}
	if err := d.Start.check(); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	return nil
}

func (m Mask) check() error {
	for _, in := range m.Inputs() {
		if err := in.check(); err != nil {
			return err
		}
	}
	return nil
}

// Inputs are the files of the mask: of the region, the style and, where there is one, the
// region of that.
func (m Mask) Inputs() []Input {
	all := []Input{m.Region, m.Style}
	if m.StyleRegion != nil {
		all = append(all, *m.StyleRegion)
	}
	return all
}

// check refuses a name that leads out of a folder, among other things.
func (i Input) check() error {
	name := i.FileName()
	switch {
	case len(i.SHA256) != 64 || strings.Trim(i.SHA256, "0123456789abcdef") != "":
		return fmt.Errorf("SHA-256 %s; want 64 hexadecimal digits", quote.Name(clip(i.SHA256)))
	case i.Bytes < 0:
		return fmt.Errorf("a file of %d bytes", i.Bytes)
	case len(i.NameBytes) > 0 && utf8.Valid(i.NameBytes):
		return errors.New("name_bytes are UTF-8, and have no place beside the name")
	case len(i.NameBytes) > 0 && i.Name != strings.ToValidUTF8(name, "\ufffd"):
		return errors.New("name and name_bytes are different")
	case name == "":
		return nil
	}
	return checkName(name)
}

// checkName refuses what isn't the plain name of a file.
func checkName(name string) error {
	switch {
	case len(name) > maxName:
		return fmt.Errorf("a name of %d bytes; want %d at most", len(name), maxName)
	case strings.ContainsAny(name, "/\\\x00") || name == "." || !filepath.IsLocal(name):
		return fmt.Errorf("%s; want the name of a file, without folders", quote.Name(name))
	}
	return nil
}

func (d *Document) checkSettings() error {
	if len(d.Settings) > maxSettings {
		return fmt.Errorf("%d settings; want %d at most", len(d.Settings), maxSettings)
	}
	for name, value := range d.Settings {
		if len(name) > maxName || len(value) > maxText {
			return fmt.Errorf("setting %s of %d bytes; want %d at most", quote.Name(clip(name)), len(value), maxText)
		}
	}
	for _, text := range []string{d.Program.Version, d.Program.Revision, d.Program.Go, d.Program.Platform} {
		if len(text) > maxName {
			return fmt.Errorf("the program's version has %d bytes; want %d at most", len(text), maxName)
		}
	}
	c := d.Computation
	if len(c.Arithmetic) > maxLevels || len(c.Levels) > maxLevels || c.Variant < 0 {
		return errors.New("computation: more than there can be")
	}
	return nil
}

func (d *Document) checkOutput() error {
	o := d.Output
	isJPEG, isWebP := o.Format == "jpeg", o.Format == "webp"
	switch {
	case o.Format != "png" && o.Format != "tiff" && !isJPEG && !isWebP:
		return fmt.Errorf("output: format %s; want png, jpeg, tiff or webp", quote.Name(clip(o.Format)))
	case o.Depth != 8 && (o.Depth != 16 || isJPEG || isWebP):
		return fmt.Errorf("output: depth %d of a %s", o.Depth, o.Format)
	case isJPEG && o.Quality < 1 || o.Quality < 0 || o.Quality > 100 || !isJPEG && !isWebP && o.Quality != 0:
		return fmt.Errorf("output: quality %d of a %s", o.Quality, o.Format)
	case o.Dither && (isJPEG || o.Depth != 8):
		return errors.New("output: dither is for 8 bits, and not for JPEG")
	case o.DPI < 0 || o.DPI >= 1<<16:
		return fmt.Errorf("output: dpi %d; want 0 to 65535", o.DPI)
	case o.GPS && !o.EXIF:
		return errors.New("output: gps without exif")
	}
	return nil
}

func (d *Document) checkPainted() error {
	p := d.Painted
	if p.Width < 1 || p.Height < 1 || p.Iterations < 0 || p.Total < 0 || p.Seconds < 0 {
		return fmt.Errorf("painted: %d×%d pixels, %d iterations of %d in %g s", p.Width, p.Height, p.Iterations, p.Total, p.Seconds)
	}
	return nil
}

// clip is the beginning of a text, for a message.
func clip(text string) string { return text[:min(len(text), 80)] }
