package main

import (
	"strings"

	"rsc.io/qr"
)

// quietZone is how many light modules are around a QR code, as its standard asks for.
const quietZone = 4

// Colours of a QR code on a terminal, those of the palette that no theme changes: black on
// white, on a dark terminal and on a light one. Both end with the line, so that nothing else
// has them.
const (
	blackOnWhite = "\x1b[38;5;16;48;5;231m"
	plainAgain   = "\x1b[0m"
)

// qrCode is a text as a QR code for a terminal, two modules in a character, one above the
// other.
func qrCode(text string) (string, error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for y := -quietZone; y < code.Size+quietZone; y += 2 {
		out.WriteString(blackOnWhite)
		for x := -quietZone; x < code.Size+quietZone; x++ {
			switch upper, lower := code.Black(x, y), code.Black(x, y+1); { // outside is white
			case upper && lower:
				out.WriteRune('█')
			case upper:
				out.WriteRune('▀')
			case lower:
				out.WriteRune('▄')
			default:
				out.WriteByte(' ')
			}
		}
		out.WriteString(plainAgain + "\n")
	}
	return out.String(), nil
}
