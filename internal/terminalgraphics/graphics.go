// Package terminalgraphics shows pictures on terminals that can: by the protocols of kitty
// (https://sw.kovidgoyal.net/kitty/graphics-protocol), of iTerm2
// (https://iterm2.com/documentation-images.html) and by sixels (DEC STD 070).
package terminalgraphics

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"io"
	"slices"
	"strings"

	"github.com/mattn/go-sixel"
)

// Protocol names how a terminal is shown a picture.
type Protocol string

// The protocols.
const (
	Kitty  Protocol = "kitty"
	ITerm2 Protocol = "iterm2"
	Sixel  Protocol = "sixel"
)

// Protocols are the names of all.
func Protocols() []string { return []string{string(Kitty), string(ITerm2), string(Sixel)} }

// Detect tells which protocol the terminal knows, by what it says of itself in the
// environment, and asks it about sixels where that tells nothing. It is empty where none is
// known.
func Detect(environment func(name string) string, answersSixel func() bool) Protocol {
	name, program := environment("TERM"), environment("TERM_PROGRAM")
	switch {
	case environment("TMUX") != "", strings.HasPrefix(name, "screen"):
		// What stands between takes pictures for text, but for sixels in newer ones.
	case environment("KITTY_WINDOW_ID") != "", name == "xterm-kitty", name == "xterm-ghostty", program == "ghostty":
		return Kitty
	case slices.Contains([]string{"iTerm.app", "WezTerm", "vscode", "mintty", "rio", "WarpTerminal"}, program), environment("LC_TERMINAL") == "iTerm2":
		return ITerm2
	}
	if answersSixel() {
		return Sixel
	}
	return ""
}

// AnswersSixel asks the terminal whether it shows sixels, which takes up to a second.
func AnswersSixel() bool { return sixel.IsSupported() }

// Show writes a picture and a line end.
func (p Protocol) Show(w io.Writer, img image.Image) error {
	if p == Sixel {
		encoder := sixel.NewEncoder(w)
		encoder.Dither = true
		if err := encoder.Encode(img); err != nil {
			return err
		}
		_, err := io.WriteString(w, "\n")
		return err
	}
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		return err
	}
	data := base64.StdEncoding.EncodeToString(file.Bytes())
	var out strings.Builder
	if p == ITerm2 {
		fmt.Fprintf(&out, "\x1b]1337;File=inline=1;size=%d;preserveAspectRatio=1:%s\a\n", file.Len(), data)
	} else {
		const most = 4096 // bytes of a command
		for control := "a=T,f=100,q=2,"; ; control = "" {
			n, more := min(most, len(data)), 1
			if n == len(data) {
				more = 0
			}
			fmt.Fprintf(&out, "\x1b_G%sm=%d;%s\x1b\\", control, more, data[:n])
			if data = data[n:]; more == 0 {
				break
			}
		}
		out.WriteString("\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}
