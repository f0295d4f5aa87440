package memory

import "sync/atomic"

// allocated is how much Allocate has given out that wasn't freed.
var allocated atomic.Int64

// Allocate returns n zeros that start on a page, outside of the Go heap, where running
// out of memory ends the program: here it is an error. They stay until Free.
func Allocate(n int) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	block, err := allocate(n)
	if err == nil {
		allocated.Add(int64(n))
	}
	return block, err
}

// Free gives back what Allocate returned, all of it. Using it afterwards is fatal.
func Free(block []byte) error {
	if len(block) == 0 {
		return nil
	}
	err := free(block)
	if err == nil {
		allocated.Add(-int64(len(block)))
	}
	return err
}

// Allocated is how many bytes of Allocate's are in use.
func Allocated() int64 { return allocated.Load() }
