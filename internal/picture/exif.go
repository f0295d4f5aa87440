package picture

import (
	"bytes"
	"encoding/binary"
)

// exifOrientation returns the orientation, 1 to 8, from the first directory of
// EXIF data, which are a small TIFF file; 1 where there is none or it is damaged,
// since the pixels may be sound.
func exifOrientation(exif []byte) int {
	const upright = 1
	exif = bytes.TrimPrefix(exif, []byte("Exif\x00\x00"))
	if len(exif) < 8 {
		return upright
	}
	var order binary.ByteOrder = binary.LittleEndian
	if exif[0] == 'M' {
		order = binary.BigEndian
	}
	at := uint64(order.Uint32(exif[4:]))
	if at+2 > uint64(len(exif)) {
		return upright
	}
	entries := exif[at+2:]
	for range order.Uint16(exif[at:]) {
		if len(entries) < 12 {
			return upright
		}
		entry := entries[:12]
		entries = entries[12:]
		const tagOrientation = 0x112
		if order.Uint16(entry) != tagOrientation {
			continue
		}
		value := uint32(0)
		switch order.Uint16(entry[2:]) {
		case 1, 6, 7: // BYTE, SBYTE, UNDEFINED
			value = uint32(entry[8])
		case 3, 8: // SHORT, SSHORT
			value = uint32(order.Uint16(entry[8:]))
		case 4, 9: // LONG, SLONG
			value = order.Uint32(entry[8:])
		}
		if value >= 1 && value <= 8 {
			return int(value)
		}
		return upright
	}
	return upright
}
