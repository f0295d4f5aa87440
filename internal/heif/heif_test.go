package heif

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"
)

func TestOrientationIsTurnedAndThenMirrored(t *testing.T) {
	rotate := func(quarters byte) box { return box{kind: "irot", body: []byte{quarters}} }
	mirror := func(axis byte) box { return box{kind: "imir", body: []byte{axis}} }
	// What libavif's writer makes of each orientation of EXIF.
	tests := []struct {
		properties []box
		want       int
	}{
		{nil, 1},
		{[]box{mirror(1)}, 2},
		{[]box{rotate(2)}, 3},
		{[]box{mirror(0)}, 4},
		{[]box{rotate(1), mirror(0)}, 5},
		{[]box{rotate(3)}, 6},
		{[]box{rotate(3), mirror(0)}, 7},
		{[]box{rotate(1)}, 8},
		// The order counts.
		{[]box{mirror(0), rotate(1)}, 7},
		{[]box{{kind: "irot"}, {kind: "ispe"}}, 1},
	}
	for _, test := range tests {
		if got := orientation(test.properties); got != test.want {
			t.Errorf("%v is orientation %d, want %d", test.properties, got, test.want)
		}
	}
}

// join makes a box of a kind and its parts.
func join(kind string, parts ...[]byte) []byte {
	body := []byte(kind)
	for _, part := range parts {
		body = append(body, part...)
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body)+4)), body...)
}

// claiming is a file of one item without pixels.
func claiming(coding string, width, height uint32) []byte {
	full := []byte{0, 0, 0, 0}
	entry := join("infe", []byte{2, 0, 0, 0, 0, 1, 0, 0}, []byte(coding), []byte{0})
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(full, width), height)
	return append(join("ftyp", []byte("heic\x00\x00\x00\x00mif1")), join("meta", full,
		join("hdlr", full, full, []byte("pict"), make([]byte, 13)),
		join("pitm", full, []byte{0, 1}),
		join("iinf", full, []byte{0, 1}, entry),
		join("iprp", join("ipco", join("ispe", size)), join("ipma", full, []byte{0, 0, 0, 1, 0, 1, 1, 1})),
	)...)
}

func TestHeadersOfDamagedFilesAreRefused(t *testing.T) {
	sound := claiming("hvc1", 30, 20)
	h, err := ReadHeader(sound)
	if err != nil || h.Width != 30 || h.Height != 20 || h.Pictures != 1 {
		t.Fatalf("header %+v, error %v", h, err)
	}
	const ftypLength = 20 // of the first box, after which there is only a picture missing
	for length := range sound {
		_, err := ReadHeader(sound[:length])
		if whole := length == ftypLength; !whole && !errors.Is(err, ErrTruncated) || whole && err != errNoPicture {
			t.Fatalf("%d of %d bytes: error %v", length, len(sound), err)
		}
	}
	for at := range sound {
		damaged := append([]byte(nil), sound...)
		damaged[at] ^= 0xff
		if h, err := ReadHeader(damaged); err == nil && (h.Width < 1 || h.Height < 1 || h.Memory < 0) {
			t.Errorf("byte %d inverted: %+v", at, h)
		}
	}
	for name, file := range map[string][]byte{
		"no width":   claiming("hvc1", 0, 20),
		"too high":   claiming("hvc1", 30, 1<<31),
		"JPEG items": claiming("jpeg", 30, 20),
		"no meta":    join("ftyp", []byte("heic")),
	} {
		if h, err := ReadHeader(file); err == nil {
			t.Errorf("%s: %+v", name, h)
		}
	}
}

func TestMemoryGrowsWithThePicture(t *testing.T) {
	for _, coding := range []string{"hvc1", "av01"} {
		small, err := ReadHeader(claiming(coding, 100, 100))
		if err != nil {
			t.Fatal(err)
		}
		large, err := ReadHeader(claiming(coding, 10000, 10000))
		if err != nil {
			t.Fatal(err)
		}
		if perPixel := (large.Memory - small.Memory) / (1e8 - 1e4); perPixel < 16 || perPixel > 64 {
			t.Errorf("%s: %d bytes a pixel", coding, perPixel)
		}
	}
}

func TestDecodingEndsWithItsContext(t *testing.T) {
	h, err := ReadHeader(claiming("hvc1", 30, 20))
	if err != nil {
		t.Fatal(err)
	}
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stopped)
	if _, err := h.Decode(ctx); !errors.Is(err, stopped) {
		t.Errorf("error %v, want the context's cause", err)
	}
}

func TestPixelsThatAreMissingAreAnError(t *testing.T) {
	for _, coding := range []string{"hvc1", "av01"} {
		h, err := ReadHeader(claiming(coding, 30, 20))
		if err != nil {
			t.Fatal(err)
		}
		if img, err := h.Decode(t.Context()); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: image %v, error %v, want %v", coding, img != nil, err, ErrDamaged)
		}
	}
}

func FuzzReadHeader(f *testing.F) {
	f.Add(claiming("hvc1", 30, 20))
	f.Add(claiming("av01", 30, 20))
	f.Add(claiming("grid", 30, 20))
	f.Fuzz(func(t *testing.T, file []byte) {
		h, err := ReadHeader(file)
		if err != nil {
			return
		}
		if h.Width < 1 || h.Height < 1 || h.Memory < 1 || h.Orientation < 1 || h.Orientation > 8 {
			t.Errorf("%+v", h)
		}
		if h.primaryAt < 0 || h.primaryAt+h.primaryLen > len(file) {
			t.Errorf("the primary item's number is at %d, of %d bytes", h.primaryAt, len(file))
		}
	})
}
