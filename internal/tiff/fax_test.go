package tiff

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/image/ccitt"
)

// faxWriter writes codes.
type faxWriter struct {
	data []byte
	free int // bits of the last byte that aren't used
}

func (w *faxWriter) code(text string) {
	for _, digit := range text {
		if w.free == 0 {
			w.data, w.free = append(w.data, 0), 8
		}
		w.free--
		w.data[len(w.data)-1] |= byte(digit-'0') << w.free
	}
}

// row writes runs of white and black in turn.
func (w *faxWriter) row(runs ...int) {
	codes := [2][]string{strings.Fields(whiteRuns + " " + longRuns), strings.Fields(blackRuns + " " + longRuns)}
	for i, run := range runs {
		for run > 2560+63 {
			w.code(codes[i%2][63+40])
			run -= 2560
		}
		if run >= 64 {
			w.code(codes[i%2][63+run/64])
		}
		w.code(codes[i%2][run%64])
	}
}

// align fills up to a whole number of bytes; 2 is for words of 16 bits.
func (w *faxWriter) align(bytes int) {
	w.free = 0
	for len(w.data)%bytes != 0 {
		w.data = append(w.data, 0)
	}
}

const rowEnd = "000000000001"

// faxRows are runs, and the row that they make.
var faxRows = [][]int{
	{20}, {0, 20}, {3, 4, 13}, {0, 1, 18, 1}, {19, 1}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, {20},
}

// wantRuns are the values of rows of runs, with white as 1.
func wantRuns(rows [][]int) []float32 {
	var values []float32
	for _, runs := range rows {
		for i, run := range runs {
			for range run {
				values = append(values, float32(1-i%2))
			}
		}
	}
	return values
}

func faxPicture(scheme, width, height int, data []byte) *testDirectory {
	return grey8(width, height, data...).set(short(tagBitsPerSample, 1), short(tagCompression, scheme), short(tagPhotometric, minIsWhite))
}

func TestRunLengthsOfRowsThatBeginWithAByteOrWord(t *testing.T) {
	for scheme, unit := range map[int]int{faxRLE: 1, faxRLEWords: 2} {
		var w faxWriter
		for _, runs := range faxRows {
			w.row(runs...)
			w.align(unit)
		}
		_, got := decoded(t, little(faxPicture(scheme, 20, len(faxRows), w.data)))
		wantValues(t, got, wantRuns(faxRows))
	}
}

func TestLongRunsAreSums(t *testing.T) {
	rows := [][]int{{9000}, {0, 9000}, {2560, 64, 63, 6313}, {1792, 2623, 2624, 1961}}
	var w faxWriter
	for _, runs := range rows {
		w.row(runs...)
		w.align(1)
	}
	_, got := decoded(t, little(faxPicture(faxRLE, 9000, len(rows), w.data)))
	wantValues(t, got, wantRuns(rows))
}

func TestGroup3IsReadWithAndWithoutRowEnds(t *testing.T) {
	for name, before := range map[string]string{"none": "", "plain": rowEnd, "filled": "0000000" + rowEnd} {
		var w faxWriter
		for _, runs := range faxRows {
			w.code(before)
			w.row(runs...)
		}
		_, got := decoded(t, little(faxPicture(faxGroup3, 20, len(faxRows), w.data)))
		t.Run(name, func(t *testing.T) { wantValues(t, got, wantRuns(faxRows)) })
	}
}

func TestRowsAfterTheEndAreWhite(t *testing.T) {
	var three, mixed, four faxWriter
	three.code(rowEnd)
	three.row(0, 20)
	three.code(strings.Repeat(rowEnd, 6))
	mixed.code(rowEnd + "1")
	mixed.row(0, 20)
	mixed.code(strings.Repeat(rowEnd+"1", 6))
	four.code("001") // two runs follow
	four.row(0, 20)
	four.code(rowEnd + rowEnd)
	want := wantRuns([][]int{{0, 20}, {20}, {20}})
	for name, d := range map[string]*testDirectory{
		"Group 3":       faxPicture(faxGroup3, 20, 3, three.data),
		"Group 3 mixed": faxPicture(faxGroup3, 20, 3, mixed.data).set(short(tagT4Options, 1)),
		"Group 4":       faxPicture(faxGroup4, 20, 3, four.data),
	} {
		t.Run(name, func(t *testing.T) {
			_, got := decoded(t, little(d))
			wantValues(t, got, want)
		})
	}
}

func TestFaxDataWithoutTheirEndAreTruncated(t *testing.T) {
	var w faxWriter
	w.row(0, 20)
	for _, scheme := range []int{faxRLE, faxGroup3} {
		_, _, err := tryDecode(t, little(faxPicture(scheme, 20, 3, w.data)))
		wantError(t, err, "truncated")
	}
	_, _, err := tryDecode(t, little(faxPicture(faxGroup4, 20, 300, []byte{0xff, 0xff})))
	wantError(t, err, "truncated")
}

func TestFaxExtensionsAreRefused(t *testing.T) {
	var w faxWriter
	w.code("0000001111")
	_, _, err := tryDecode(t, little(faxPicture(faxGroup4, 20, 3, append(w.data, 0, 0))))
	wantError(t, err, "uncompressed parts")
}

func TestRunsBeyondTheRowAreRefused(t *testing.T) {
	for _, runs := range [][]int{{21}, {10, 11}, {0, 64}, {2560, 0}} {
		var w faxWriter
		w.row(runs...)
		w.align(4)
		_, _, err := tryDecode(t, little(faxPicture(faxRLE, 20, 1, w.data)))
		wantError(t, err, "code that doesn't exist")
	}
}

// TestGroup4AgreesWithAnotherDecoder holds fax pictures of libtiff's against
// golang.org/x/image/ccitt, and what damage makes of them against nothing: both may differ
// in what they refuse, but where both read, they read the same.
func TestGroup4AgreesWithAnotherDecoder(t *testing.T) {
	var codes faxWriter
	for i := range 4000 {
		codes.code(strings.Fields(modes)[1+i*i%7])
		if i*i%7 == 0 {
			codes.row(i%3, i%5)
		}
	}
	agreed := 0
	for start := range len(codes.data) - 40 {
		data := codes.data[start:]
		const width, height = 24, 6
		theirs := make([]byte, width/8*height)
		r := ccitt.NewReader(bytes.NewReader(data), ccitt.MSB, ccitt.Group4, width, height, &ccitt.Options{Invert: true})
		n, _ := r.Read(theirs)
		_, ours, err := tryDecode(t, little(faxPicture(faxGroup4, width, height, data)))
		if n < len(theirs) || err != nil {
			continue
		}
		agreed++
		for i, v := range ours {
			if black := theirs[i/8]>>(7-i%8)&1 == 1; black != (v == 0) {
				t.Fatalf("from byte %d, pixel %d is %v", start, i, v)
			}
		}
	}
	if agreed < 20 {
		t.Errorf("both read %d pictures; the test needs more", agreed)
	}
}
