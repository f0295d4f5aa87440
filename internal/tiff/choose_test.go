package tiff

import (
	"errors"
	"testing"
)

// flagged is a picture of one grey value, whose width tells it from others.
func flagged(width, flags int) *testDirectory {
	pixels := make([]byte, width*2)
	return grey8(width, 2, pixels...).set(short(tagNewSubfileType, flags))
}

func TestThePictureIsTheFirstThatIsNoThumbnail(t *testing.T) {
	withChildren := func(d *testDirectory, children ...*testDirectory) *testDirectory {
		d.children = children
		return d
	}
	const full, thumbnail, page, transparency = 0, 1, 2, 4
	tests := []struct {
		name   string
		pages  []*testDirectory
		width  int
		remark string
	}{
		{"one", []*testDirectory{flagged(5, full)}, 5, ""},
		{"a thumbnail after it", []*testDirectory{flagged(5, full), flagged(2, thumbnail)}, 5, ""},
		{"a thumbnail before it", []*testDirectory{flagged(2, thumbnail), flagged(5, full)}, 5, ""},
		{"in a thumbnail's SubIFD", []*testDirectory{withChildren(flagged(2, thumbnail), flagged(9, full))}, 9, ""},
		{"in the SubIFD of a thumbnail that isn't said to be one", []*testDirectory{withChildren(flagged(2, full), flagged(9, full))}, 9, ""},
		{"a pyramid", []*testDirectory{withChildren(flagged(9, full), flagged(5, thumbnail), flagged(2, thumbnail))}, 9, ""},
		{"thumbnails alone", []*testDirectory{flagged(2, thumbnail), flagged(5, thumbnail), flagged(3, thumbnail)}, 5, ""},
		{"a mask before it", []*testDirectory{flagged(9, transparency), flagged(5, full)}, 5, ""},
		{"a larger mask beside it", []*testDirectory{withChildren(flagged(5, full), flagged(9, transparency))}, 5, ""},
		{"pages", []*testDirectory{flagged(5, page), flagged(9, page), flagged(7, page)}, 5, "has 3 pages; the first is taken"},
		{"the old tag", []*testDirectory{grey8(2, 1, 0, 0).set(short(tagSubfileType, 2)), flagged(5, full)}, 5, ""},
	}
	for _, test := range tests {
		for _, order := range bothOrders {
			for _, big := range []bool{false, true} {
				t.Run(test.name, func(t *testing.T) {
					p, _ := decoded(t, order.file(big).write(test.pages...))
					if p.Width != test.width {
						t.Errorf("%d pixels wide, want %d", p.Width, test.width)
					}
					wantRemark(t, p, test.remark)
				})
			}
		}
	}
}

func TestCameraRawIsRefused(t *testing.T) {
	sensor := func(photometric int) *testDirectory {
		return flagged(60, 0).set(short(tagPhotometric, photometric))
	}
	dng := byteField(tagDNGVersion, "\x01\x04\x00\x00")
	thumbnail := func(child *testDirectory, more ...testField) *testDirectory {
		d := flagged(2, 1).set(more...)
		d.children = []*testDirectory{child}
		return d
	}
	canon := little(grey8(4, 2, []byte("CR\x02\x00\x00\x00\x00\x00")...))
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"DNG", little(thumbnail(sensor(filterArray), dng)), "a camera raw file (DNG)"},
		{"linear DNG", little(thumbnail(sensor(linearRaw), dng)), "a camera raw file (DNG)"},
		{"NEF", little(thumbnail(sensor(filterArray), byteField(271, "NIKON CORPORATION\x00"))), "by NIKON CORPORATION"},
		{"a maker's compression", little(thumbnail(flagged(60, 0).set(short(tagCompression, 34713)))), "camera raw file"},
		{"the first page", little(sensor(filterArray)), "colour filter array"},
		{"a larger page after it", little(flagged(5, 0), sensor(filterArray)), "camera raw file"},
		{"CR2", canon, "Canon CR2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Open(test.data)
			wantError(t, err, test.want)
			wantError(t, err, "raw converter")
			if refused := (*Unsupported)(nil); !errors.As(err, &refused) {
				t.Errorf("%v isn't *Unsupported", err)
			}
		})
	}
	p, err := Open(little(thumbnail(flagged(90, 0), dng), sensor(filterArray)))
	if err != nil || p.Width != 90 {
		t.Errorf("a DNG whose largest picture is an ordinary one: %v", err)
	}
}

func TestAThumbnailIsNotTakenForAPictureThatIsCutOff(t *testing.T) {
	whole := little(flagged(2, 1), flagged(50, 0))
	for n := len(whole) - 5; n > len(whole)-110; n-- {
		if _, err := Open(whole[:n]); err == nil {
			t.Fatalf("cut at %d of %d: the thumbnail was taken", n, len(whole))
		}
	}
	// A whole first page is read, whatever comes after it.
	first := little(flagged(5, 0), flagged(7, 0))
	p, err := Open(first[:len(first)-20])
	if err != nil || p.Width != 5 {
		t.Fatalf("the first of two pages: %v", err)
	}
	wantRemark(t, p, "cut off or damaged after its first picture")
}
