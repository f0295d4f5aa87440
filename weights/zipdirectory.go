package weights

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// checkDirectory refuses a zip archive that claims to have many entries, before
// archive/zip makes room for them: in a large file, which may be sparse, that could be
// any amount of memory. Only the records of zip64 can count more than 65,535. Each is
// found by a locator near the end (PKWARE's APPNOTE, 4.3.14 and 4.3.15): a signature,
// 4 bytes more, and the record's offset in 8; the record has the number of entries in
// the 8 bytes at 32.
func checkDirectory(from *source) error {
	const (
		locatorSize, recordSize = 20, 56
		endSize                 = 22 + 1<<16 - 1 // of the record of old, with its comment
		maxEntries              = 1 << 16
	)
	start := max(0, from.size-endSize-locatorSize)
	tail, err := from.view(start, from.size-start)
	if err != nil {
		return err
	}
	for {
		at := bytes.Index(tail, []byte("PK\x06\x07"))
		if at < 0 || len(tail)-at < locatorSize {
			return nil
		}
		offset := binary.LittleEndian.Uint64(tail[at+8:])
		tail = tail[at+4:]
		if offset > uint64(from.size) || from.size-int64(offset) < recordSize {
			continue
		}
		record, err := from.view(int64(offset), recordSize)
		if err != nil {
			return err
		}
		entries := binary.LittleEndian.Uint64(record[32:])
		if bytes.HasPrefix(record, []byte("PK\x06\x06")) && entries > maxEntries {
			return fmt.Errorf("is a zip archive of %d entries, want a state dict's few", entries)
		}
	}
}
