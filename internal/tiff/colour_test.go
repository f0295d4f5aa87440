package tiff

import (
	"math"
	"testing"
)

// near wants values to 1e-4, which is a hundredth of a level of 255 or less.
func near(t *testing.T, got []float32, want ...float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d values %v, want %d", len(got), got, len(want))
	}
	for i := range got {
		if !(math.Abs(float64(got[i])-want[i]) < 1e-4) {
			t.Fatalf("values %v, want %v", got, want)
		}
	}
}

func TestMinIsWhiteIsTurnedRound(t *testing.T) {
	p, got := decoded(t, little(grey8(3, 1, 0, 51, 255).set(short(tagPhotometric, minIsWhite))))
	near(t, got, 1, 0.8, 0)
	if p.Colours != Grey || p.Alpha {
		t.Errorf("%d colours, alpha %v", p.Colours, p.Alpha)
	}
}

func TestColoursWithoutATagAreGuessed(t *testing.T) {
	without := func(d *testDirectory) *testDirectory {
		for i, f := range d.fields {
			if f.tag == tagPhotometric {
				d.fields = append(d.fields[:i], d.fields[i+1:]...)
				break
			}
		}
		return d
	}
	_, got := decoded(t, little(without(rgb8(1, 1, 0, 51, 255))))
	near(t, got, 0, 0.2, 1)
	_, got = decoded(t, little(without(grey8(1, 1, 51))))
	near(t, got, 0.2)
}

func TestPalettesOfAllDepths(t *testing.T) {
	colours := func(scale int) testField {
		return short(tagColorMap, 0*scale, 255*scale, 51*scale, 0, 102*scale, 0, 0, 0, 255*scale, 51*scale, 0, 0)
	}
	want := []float64{1, 0, 0.2, 0, 0.4, 1, 0.2, 0, 0, 0, 0, 0}
	for name, scale := range map[string]int{"16 bits": 257, "8 bits in the high byte": 256, "8 bits": 1} {
		t.Run(name, func(t *testing.T) {
			d := grey8(4, 1, 0b01001011).set(short(tagBitsPerSample, 2), short(tagPhotometric, palette), colours(scale))
			p, got := decoded(t, little(d))
			near(t, got, want...)
			if p.Colours != RGB {
				t.Errorf("%d colours", p.Colours)
			}
		})
	}
	_, _, err := tryDecode(t, little(grey8(1, 1, 0).set(short(tagPhotometric, palette), colours(1))))
	wantError(t, err, "palette")
}

func TestCMYKIsHandedOutAsItIs(t *testing.T) {
	d := grey8(2, 1, 0, 51, 102, 255, 255, 0, 0, 0).set(short(tagPhotometric, separated),
		short(tagSamplesPerPixel, 4), short(tagBitsPerSample, 8, 8, 8, 8), byteField(tagICCProfile, "the profile"))
	p, got := decoded(t, little(d))
	near(t, got, 0, 0.2, 0.4, 1, 1, 0, 0, 0)
	if p.Colours != CMYK || string(p.Profile) != "the profile" {
		t.Errorf("%d colours, profile %q", p.Colours, p.Profile)
	}
	_, err := Open(little(d.set(short(tagInkSet, 2))))
	wantError(t, err, "inks other than cyan")
}

func TestAlphaComesStraight(t *testing.T) {
	pixels := []byte{51, 102, 51, 102, 10, 20, 30, 0, 200, 0, 0, 100}
	with := func(extra ...testField) *testDirectory {
		return rgb8(3, 1, pixels...).set(short(tagSamplesPerPixel, 4), short(tagBitsPerSample, 8, 8, 8, 8)).set(extra...)
	}
	straight := []float64{0.2, 0.4, 0.2, 0.4, 10 / 255.0, 20 / 255.0, 30 / 255.0, 0, 200 / 255.0, 0, 0, 100 / 255.0}
	divided := []float64{0.5, 1, 0.5, 0.4, 0, 0, 0, 0, 1, 0, 0, 100 / 255.0}
	tests := []struct {
		name  string
		d     *testDirectory
		want  []float64
		alpha bool
	}{
		{"unassociated", with(short(tagExtraSamples, 2)), straight, true},
		{"associated", with(short(tagExtraSamples, 1)), divided, true},
		{"nothing said, as libtiff has it", with(), divided, true},
		{"something else", with(short(tagExtraSamples, 0)), []float64{0.2, 0.4, 0.2, 10 / 255.0, 20 / 255.0, 30 / 255.0, 200 / 255.0, 0, 0}, false},
		{"after something else", rgb8(1, 1, 51, 102, 51, 7, 102).set(short(tagSamplesPerPixel, 5),
			short(tagBitsPerSample, 8, 8, 8, 8, 8), short(tagExtraSamples, 0, 2)), []float64{0.2, 0.4, 0.2, 0.4}, true},
		{"of grey", grey8(2, 1, 51, 102, 0, 255).set(short(tagSamplesPerPixel, 2), short(tagBitsPerSample, 8, 8),
			short(tagExtraSamples, 2)), []float64{0.2, 0.4, 0, 1}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, got := decoded(t, little(test.d))
			near(t, got, test.want...)
			if p.Alpha != test.alpha {
				t.Errorf("alpha is %v", p.Alpha)
			}
		})
	}
}

func TestAlphaInPlanes(t *testing.T) {
	d := rgb8(2, 1).set(short(tagSamplesPerPixel, 5), short(tagBitsPerSample, 8, 8, 8, 8, 8), short(tagPlanar, 2),
		short(tagExtraSamples, 0, 2))
	d.chunks = [][]byte{{0, 255}, {51, 0}, {102, 0}, {9, 9}, {255, 51}}
	_, got := decoded(t, little(d))
	near(t, got, 0, 0.2, 0.4, 1, 1, 0, 0, 0.2)
}

// yuv is a picture in YCbCr; 76, 85, 255 is about red, as JFIF has it.
func yuv(width, height int, across, down int, units ...byte) *testDirectory {
	return rgb8(width, height, units...).set(short(tagPhotometric, photoYCbCr), short(tagYCbCrSubSampling, across, down))
}

func TestYCbCrIsConverted(t *testing.T) {
	red := func(luma float64) []float64 {
		cb, cr := (85.0-128)/255, (255.0-128)/255
		l := luma / 255
		return []float64{min(1, l+1.402*cr), max(0, l-0.344136*cb-0.714136*cr), max(0, l+1.772*cb)}
	}
	_, got := decoded(t, little(yuv(2, 1, 1, 1, 76, 85, 255, 60, 85, 255)))
	near(t, got, append(red(76), red(60)...)...)

	// Two by two pixels share chroma; the last column and row stand alone.
	_, got = decoded(t, little(yuv(3, 3, 2, 2,
		76, 60, 50, 40, 85, 255, 0, 9, 255, 9, 128, 128,
		255, 128, 9, 9, 128, 128, 128, 9, 9, 9, 128, 128)))
	var want []float64
	white, half := []float64{1, 1, 1}, []float64{128 / 255.0, 128 / 255.0, 128 / 255.0}
	for _, pixel := range [][]float64{red(76), red(60), {0, 0, 0}, red(50), red(40), white, white, half, half} {
		want = append(want, pixel...)
	}
	near(t, got, want...)

	// Studio range, in which 16 is black and 235 white.
	_, got = decoded(t, little(yuv(2, 1, 1, 1, 16, 128, 128, 235, 128, 128).set(rationals(tagReferenceBW, 16, 235, 128, 240, 128, 240))))
	near(t, got, 0, 0, 0, 1, 1, 1)
}

func TestLabIsConvertedToSRGB(t *testing.T) {
	lab := func(photometric int, pixels ...byte) *testDirectory {
		return rgb8(len(pixels)/3, 1, pixels...).set(short(tagPhotometric, photometric), byteField(tagICCProfile, "of Lab"))
	}
	// White, black, and sRGB's red, which is L* 54.29, a* 80.81, b* 69.89 under D50.
	p, got := decoded(t, little(lab(cieLab, 255, 0, 0, 0, 0, 0, 138, 81, 70)))
	if p.Profile != nil {
		t.Error("the profile of colours that were converted was handed out")
	}
	wantLab(t, got, 1, 1, 1, 0, 0, 0, 1, 0, 0)
	_, got = decoded(t, little(lab(iccLab, 255, 128, 128, 0, 128, 128, 138, 209, 198)))
	wantLab(t, got, 1, 1, 1, 0, 0, 0, 1, 0, 0)
	// Blue is L* 29.57, a* 68.30, b* -112.03.
	_, got = decoded(t, little(lab(cieLab, 75, 68, 256-112)))
	wantLab(t, got, 0, 0, 1)
}

// wantLab allows for Lab's whole numbers.
func wantLab(t *testing.T, got []float32, want ...float64) {
	t.Helper()
	for i := range got {
		if math.Abs(float64(got[i])-want[i]) > 0.02 {
			t.Fatalf("values %v, want %v", got, want)
		}
	}
}

func TestOrientationIsHandedOut(t *testing.T) {
	for stored, want := range map[int]int{1: 1, 6: 6, 8: 8, 0: 1, 9: 1} {
		p, err := Open(little(grey8(1, 1, 0).set(short(tagOrientation, stored))))
		if err != nil || p.Orientation != want {
			t.Errorf("orientation %d is read as %d (%v)", stored, p.Orientation, err)
		}
	}
}
