package terminalgraphics

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/mattn/go-sixel"
)

func TestTerminalsAreToldByTheirEnvironment(t *testing.T) {
	for _, test := range []struct {
		environment map[string]string
		sixels      bool
		want        Protocol
	}{
		{map[string]string{"TERM": "xterm-kitty"}, false, Kitty},
		{map[string]string{"TERM": "xterm-256color", "KITTY_WINDOW_ID": "3"}, true, Kitty},
		{map[string]string{"TERM": "xterm-ghostty"}, false, Kitty},
		{map[string]string{"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, false, ITerm2},
		{map[string]string{"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, false, ITerm2},
		{map[string]string{"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, true, ITerm2},
		{map[string]string{"TERM": "foot"}, true, Sixel},
		{map[string]string{"TERM": "xterm-256color"}, false, ""},
		{map[string]string{"TERM": "screen-256color", "KITTY_WINDOW_ID": "3"}, false, ""},
		{map[string]string{"TERM": "tmux-256color", "TMUX": "/tmp/tmux", "TERM_PROGRAM": "iTerm.app"}, true, Sixel},
		{nil, false, ""},
	} {
		got := Detect(func(name string) string { return test.environment[name] }, func() bool { return test.sixels })
		if got != test.want {
			t.Errorf("%v, sixels %t: %q, want %q", test.environment, test.sixels, got, test.want)
		}
	}
}

// noisy is a picture that doesn't compress.
func noisy(width, height int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	random := rand.New(rand.NewPCG(1, 1))
	for i := range img.Pix {
		img.Pix[i] = uint8(random.Uint32())
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	return img
}

func TestPicturesComeOutOfTheSequences(t *testing.T) {
	img := noisy(70, 50)
	shown := func(p Protocol) string {
		var out bytes.Buffer
		if err := p.Show(&out, img); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	demand := func(p Protocol, data string) {
		file, err := base64.StdEncoding.DecodeString(data)
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		got, err := png.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		for y := range 50 {
			for x := range 70 {
				if color.NRGBAModel.Convert(got.At(x, y)) != img.NRGBAAt(x, y) {
					t.Fatalf("%s: pixel %d, %d is %v", p, x, y, got.At(x, y))
				}
			}
		}
	}

	commands := regexp.MustCompile("\x1b_G(a=T,f=100,q=2,)?m=([01]);([^\x1b]*)\x1b\\\\").FindAllStringSubmatch(shown(Kitty), -1)
	var data strings.Builder
	for i, c := range commands {
		if first, last := c[1] != "", c[2] == "0"; first != (i == 0) || last != (i == len(commands)-1) || len(c[3]) > 4096 {
			t.Errorf("kitty: command %d of %d: controls %q, more %s, %d bytes", i+1, len(commands), c[1], c[2], len(c[3]))
		}
		data.WriteString(c[3])
	}
	if len(commands) < 2 {
		t.Errorf("kitty: %d commands", len(commands))
	}
	demand(Kitty, data.String())

	match := regexp.MustCompile("^\x1b]1337;File=inline=1;size=(\\d+);preserveAspectRatio=1:([^\a]*)\a\n$").FindStringSubmatch(shown(ITerm2))
	if match == nil {
		t.Fatal("iterm2: another sequence")
	}
	demand(ITerm2, match[2])

	var back image.Image
	if err := sixel.NewDecoder(strings.NewReader(shown(Sixel))).Decode(&back); err != nil {
		t.Fatal(err)
	}
	sum := 0.
	for y := range 50 {
		for x := range 70 {
			got, want := color.NRGBAModel.Convert(back.At(x, y)).(color.NRGBA), img.NRGBAAt(x, y)
			sum += math.Abs(float64(got.R) - float64(want.R))
		}
	}
	if mean := sum / (50 * 70); mean > 40 {
		t.Errorf("sixel: red is off by %.1f levels", mean)
	}
}
