package weights

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"testing"
)

// axesBomb makes tensors without end of one tuple that is kept.
func axesBomb() string {
	axes := "(" + strings.Repeat("K\x01", 20000) + "tq\x01"
	return axes + "(" + storagePickle + "K\x01NtQq\x02]" + strings.Repeat("ctorch._utils\n_rebuild_tensor\n(h\x02K\x00h\x01h\x01tRa", 10000) + "."
}

// nestedBomb is a dictionary of two of a dictionary of two, and so on: few bytes, but
// more values than could be counted.
func nestedBomb() string {
	var b strings.Builder
	b.WriteString("}q\x00(X\x01\x00\x00\x00aNu")
	for range 60 {
		b.WriteString("}(X\x01\x00\x00\x00ah\x00X\x01\x00\x00\x00bh\x00uq\x00")
	}
	return b.String() + ".\x80\x02]."
}

// sparse is a large file with content at its beginning and end.
type sparse struct {
	head, tail []byte
	size       int64
}

func (s sparse) ReadAt(b []byte, offset int64) (int, error) {
	clear(b)
	if offset < int64(len(s.head)) {
		copy(b, s.head[offset:])
	}
	if at := s.size - int64(len(s.tail)); offset+int64(len(b)) > at {
		copy(b[max(0, at-offset):], s.tail[max(0, offset-at):])
	}
	return len(b), nil
}

// A sparse file of a tebibyte costs nobody anything; an archive that claims as many
// entries as it could have would cost hundreds of gigabytes.
func TestArchivesOfManyEntriesAreRefused(t *testing.T) {
	const size = 1 << 40
	record := binary.LittleEndian.AppendUint64([]byte("PK\x06\x06"), 44)
	record = append(record, make([]byte, 12)...)
	for _, v := range []uint64{1 << 34, 1 << 34, 1 << 20, 0} { // entries, twice, their table's size and place
		record = binary.LittleEndian.AppendUint64(record, v)
	}
	locator := append([]byte("PK\x06\x07"), 0, 0, 0, 0)
	end := append([]byte("PK\x05\x06\x00\x00\x00\x00"), bytes.Repeat([]byte{0xff}, 12)...)
	end = append(end, 0, 0)
	locator = binary.LittleEndian.AppendUint64(locator, uint64(size-len(record)-20-len(end)))
	locator = append(locator, 1, 0, 0, 0)
	tail := append(append(record, locator...), end...)
	_, err := newFile(&source{name: "test", reader: sparse{[]byte("PK\x03\x04"), tail, size}, size: size})
	if err == nil || !strings.Contains(err.Error(), "zip archive of 17179869184 entries") {
		t.Errorf("error is %v, want one about the entries", err)
	}
}

// What can't be seen in a name, or would forge a line, is shown as an escape.
func TestNamesInErrorsAreHarmless(t *testing.T) {
	const name = "\x1b]0;pwn\a\x1b[31m\nimpasto: all well"
	quoted := `"\x1b]0;pwn\a\x1b[31m\nimpasto: all well`
	asJSON, err := json.Marshal(name)
	if err != nil {
		t.Fatal(err)
	}
	odd := change(blank(schemes[2]), "features.2.bias", func(f *fixture) { f.shape, f.data = []int64{1}, f.data[:4] })
	for what, content := range map[string][]byte{
		"entry":   header(`{`+string(asJSON)+`:{"dtype":"F32","shape":[3],"data_offsets":[0,4]}}`, 4),
		"type":    header(`{"conv1_1.bias":{"dtype":`+string(asJSON)+`,"shape":[64],"data_offsets":[0,4]}}`, 4),
		"missing": header(`{`+string(asJSON)+`:{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4),
		"prefix":  safetensorsFile(nil, prefixed(name+".", odd)),
		"zip":     zipOf(t, name+"/data.pkl", "x", zip.Deflate),
		"class":   dictionary("\x8c\x01a\x8c" + string(rune(len(name))) + name + "\x93)R."),
		"storage": dictionary("(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX" + string(rune(len(name))) + "\x00\x00\x00" + name + "NJ\xff\xff\xff\xffNtQ."),
	} {
		_, err := inMemory(content)
		if err == nil {
			t.Errorf("%s: it is read", what)
			continue
		}
		if message := err.Error(); strings.ContainsAny(message, "\x1b\a\n") {
			t.Errorf("%s: error is %q, want no control characters", what, message)
		} else if what != "type" && !strings.Contains(message, quoted) && !strings.Contains(message, strings.TrimPrefix(quoted, `"`)) {
			t.Errorf("%s: error is %q, want %s in it", what, message, quoted)
		}
	}
}

// endsWhenRead is a reader at whose first use a context ends.
type endsWhenRead struct {
	bytes.Reader
	cancel context.CancelFunc
	reads  int
}

func (r *endsWhenRead) ReadAt(b []byte, offset int64) (int, error) {
	r.cancel()
	r.reads++
	return r.Reader.ReadAt(b, offset)
}

func TestReadingEndsWithItsContext(t *testing.T) {
	path := writeTo(t, "net.safetensors", safetensorsFile(nil, blank(schemes[2])))
	ctx, cancel := context.WithCancel(t.Context())
	f, err := OpenFile(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cancel()
	if _, err := f.Parameters(); !errors.Is(err, context.Canceled) {
		t.Errorf("parameters: error is %v, want that the context ended", err)
	}
	if _, err := f.Info(); !errors.Is(err, context.Canceled) {
		t.Errorf("info: error is %v, want that the context ended", err)
	}
	if _, err := Open(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("opening: error is %v, want that the context ended", err)
	}

	ctx, cancel = context.WithCancel(t.Context())
	content := make([]byte, 3*readStep)
	r := &endsWhenRead{*bytes.NewReader(content), cancel, 0}
	from := &source{name: "test", ctx: ctx, reader: r, size: int64(len(content))}
	if _, err := from.view(0, from.size); !errors.Is(err, context.Canceled) || r.reads != 1 {
		t.Errorf("error is %v after %d reads, want that the context ended after one", err, r.reads)
	}
}

func TestDecodingIsRefusedWhereMemoryIsShort(t *testing.T) {
	for _, c := range []struct {
		available int64
		known, ok bool
	}{{1 << 40, true, true}, {80 << 20, true, false}, {0, false, true}} {
		if err := checkMemory(c.available, c.known); (err == nil) != c.ok {
			t.Errorf("with %d bytes (known: %v): %v", c.available, c.known, err)
		}
	}
}

// What a small file claims costs no memory.
func TestHostileFilesTakeLittleMemory(t *testing.T) {
	claims := map[string][]byte{
		"string":   dictionary("X\xff\xff\xff\x7fabc"),
		"storage":  dictionary(storagePickle + "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x00NtQ."),
		"shape":    header(`{"conv1_1.weight":{"dtype":"F32","shape":[99999999,99999999],"data_offsets":[0,4]}}`, 4),
		"lists":    dictionary(strings.Repeat("]", 4*maxOperations)),
		"memo":     dictionary("N" + strings.Repeat("\x94", 4*maxOperations)),
		"repeated": dictionary("]q\x00" + strings.Repeat("h\x00h\x00h\x00\x87q\x00", maxOperations)),
		"axes":     dictionary(axesBomb()),
		"nested":   dictionary(nestedBomb()),
		"types":    header(`{"a":{"dtype":"`+strings.Repeat("x", 1<<19)+`","shape":[1],"data_offsets":[0,4]}}`, 4),
		"header":   append(binary.LittleEndian.AppendUint64(nil, 1<<31), '{'),
		"numpy":    []byte("\x93NUMPY\x02\x00\xff\xff\xff\x7f"),
	}
	for name, content := range claims {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := inMemory(content)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: it is read", name)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 32<<20 {
			t.Errorf("%s: %d bytes of file took %d bytes of memory", name, len(content), used)
		}
	}
}
