package weights

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"sort"
)

// maxHeader bounds the header of a safetensors file: that of a whole VGG-19
// takes some 4 KB.
const maxHeader = 1 << 20

// isSafetensors tells the format by the length of the header and the brace that
// it opens with.
func isSafetensors(head []byte) bool {
	return len(head) >= 9 && head[8] == '{' && binary.LittleEndian.Uint64(head) < 1<<32
}

// readSafetensors reads the header: its length in eight bytes, little-endian,
// then JSON, then the tensors' data without gaps
// (https://github.com/huggingface/safetensors, "Format").
func readSafetensors(from *source) (*container, error) {
	prefix, err := from.view(0, 8)
	if err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint64(prefix)
	if length > maxHeader {
		return nil, fmt.Errorf("has a header of %d bytes, want at most %d", length, maxHeader)
	}
	header, err := from.view(8, int64(length))
	if err != nil {
		return nil, err
	}
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(header, &entries); err != nil {
		return nil, fmt.Errorf("has a header that is not JSON: %w", err)
	}
	c := &container{format: "safetensors", tensors: map[string]*tensor{}}
	if raw, ok := entries["__metadata__"]; ok {
		if err := json.Unmarshal(raw, &c.metadata); err != nil {
			return nil, fmt.Errorf("has metadata that is not text: %w", err)
		}
		delete(entries, "__metadata__")
	}
	data := 8 + int64(length)
	for name, raw := range entries {
		t, err := safetensorsEntry(name, raw, from.size-data)
		if err != nil {
			return nil, err
		}
		t.offset += data
		c.tensors[name] = t
	}
	return c, c.checkGaps(data, from.size)
}

func safetensorsEntry(name string, raw json.RawMessage, size int64) (*tensor, error) {
	var entry struct {
		Type    kind     `json:"dtype"`
		Shape   []int64  `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	if err := json.Unmarshal(raw, &entry); err != nil {
		return nil, fmt.Errorf("%s has an entry in the header that is not understood: %w", shown(name), err)
	}
	begin, end := entry.Offsets[0], entry.Offsets[1]
	if begin < 0 || end < begin || end > size {
		return nil, fmt.Errorf("%s has data from byte %d to %d of %d: is the file whole?", shown(name), begin, end, size)
	}
	n, ok := elements(entry.Shape)
	if !ok {
		return nil, fmt.Errorf("%s has shape %s, which is too large", shown(name), shapeString(entry.Shape))
	}
	if width, known := kindSizes[entry.Type]; known && n*width != end-begin {
		return nil, fmt.Errorf("%s has %d bytes of data, want %d for %s of type %s",
			shown(name), end-begin, n*width, shapeString(entry.Shape), entry.Type)
	}
	return &tensor{name: name, kind: entry.Type, shape: entry.Shape, offset: begin, bytes: end - begin}, nil
}

// checkGaps reports data that belongs to no tensor or to two.
func (c *container) checkGaps(begin, end int64) error {
	var sorted []*tensor
	for _, t := range c.tensors {
		sorted = append(sorted, t)
	}
	sort.Slice(sorted, func(i, j int) bool {
		a, b := sorted[i], sorted[j]
		return a.offset < b.offset || a.offset == b.offset && a.bytes < b.bytes
	})
	at := begin
	for _, t := range sorted {
		if t.offset != at {
			return fmt.Errorf("%s has data from byte %d on, want %d, where the tensor before it ends", t.shown(), t.offset, at)
		}
		at += t.bytes
	}
	if at != end {
		return fmt.Errorf("has %d bytes after the last tensor's data, want none", end-at)
	}
	return nil
}
