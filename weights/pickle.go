package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
)

// Limits of the pickles that are read. A state dict of VGG-19 takes some 2,000
// operations, a checkpoint with an optimiser's state some 10,000, and no name in them
// is longer than 100 bytes.
const (
	maxOperations = 1 << 18
	maxText       = 1 << 10
	maxAxes       = 64 // NumPy's limit
)

// unpickler interprets the part of Python's pickle protocols 2 to 5 that arrays
// and dictionaries of them are written in. Where a pickle would have Python
// import and call something, only what call knows is accepted, and none of it
// is code of the file's.
//
// Values are nil, bool, int64, float64, text, global, tuple, *list, *dict, and
// whatever call and persistent return. They are never walked recursively, so
// that nesting costs nothing and cycles do no harm.
type unpickler struct {
	from *source
	at   int64 // of the next byte

	// call gives the result of calling a global.
	call func(callee global, args tuple) (any, error)
	// create gives an object of a class.
	create func(class global) (any, error)
	// build gives an object its state.
	build func(object, state any) error
	// persistent gives the object that a persistent identifier stands for.
	persistent func(id any) (any, error)

	window      []byte // the source's content from windowStart on
	windowStart int64
	stack       []any
	marks       []int
	memo        map[int64]any
}

// text is a string or bytes. Long ones stay in the file.
type text struct {
	short          string // all of it where length is at most maxText
	offset, length int64
	unicode        bool
	latin1         bool // bytes that were stored as text; see tensor.latin1
}

// global is something that Python would import: module and name, with a space
// between.
type global string

type tuple []any

type list struct{ items []any }

type dict struct{ keys, values []any }

// get returns the value under a name, or nil.
func (d *dict) get(name string) any {
	for i, key := range d.keys {
		if t, ok := key.(text); ok && t.short == name && t.length == int64(len(name)) {
			return d.values[i]
		}
	}
	return nil
}

// run interprets one pickle and returns its value; at is then behind it.
func (u *unpickler) run() (any, error) {
	u.stack, u.marks, u.memo = nil, nil, map[int64]any{}
	for i := range maxOperations {
		if i%1024 == 0 {
			if err := u.from.interrupted(); err != nil {
				return nil, err
			}
		}
		start := u.at
		op, err := u.next(1)
		if err != nil {
			return nil, err
		}
		if op[0] == '.' {
			return u.pop()
		}
		if err := u.step(op[0]); err != nil {
			return nil, fmt.Errorf("pickle, byte %d: %w", start, err)
		}
	}
	return nil, fmt.Errorf("has a pickle of more than %d operations, want a state dict's few", maxOperations)
}

// next consumes n bytes, which stay valid until it is called again.
func (u *unpickler) next(n int64) ([]byte, error) {
	begin := u.at - u.windowStart
	if begin < 0 || begin > int64(len(u.window)) || int64(len(u.window))-begin < n {
		if n > u.from.size-u.at {
			return nil, fmt.Errorf("has a pickle that breaks off at byte %d: is the file whole?", u.from.size)
		}
		window, err := u.from.view(u.at, min(max(n, 4096), u.from.size-u.at))
		if err != nil {
			return nil, err
		}
		u.window, u.windowStart, begin = window, u.at, 0
	}
	u.at += n
	return u.window[begin : begin+n], nil
}

// number reads an unsigned number of n bytes, little-endian.
func (u *unpickler) number(n int64) (int64, error) {
	b, err := u.next(n)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	v := binary.LittleEndian.Uint64(wide[:])
	if v > math.MaxInt64 {
		return 0, fmt.Errorf("has the length %d, want less than the file's", v)
	}
	return int64(v), nil
}

// text reads a string or bytes behind a length of n bytes.
func (u *unpickler) text(n int64, unicode bool) error {
	length, err := u.number(n)
	if err != nil {
		return err
	}
	if length > u.from.size-u.at {
		return fmt.Errorf("has a string of %d bytes, but only %d follow: is the file whole?", length, u.from.size-u.at)
	}
	t := text{offset: u.at, length: length, unicode: unicode}
	if length <= maxText {
		b, err := u.next(length)
		if err != nil {
			return err
		}
		t.short = string(b)
	} else {
		u.at += length
	}
	return u.push(t)
}

// line reads up to a line feed.
func (u *unpickler) line() (string, error) {
	var b strings.Builder
	for b.Len() <= maxText {
		c, err := u.next(1)
		if err != nil {
			return "", err
		}
		if c[0] == '\n' {
			return b.String(), nil
		}
		b.WriteByte(c[0])
	}
	return "", fmt.Errorf("has a name longer than %d bytes", maxText)
}

func (u *unpickler) push(v any) error {
	u.stack = append(u.stack, v)
	return nil
}

var errStack = errors.New("takes more than there is, or something of another type")

// pop takes the last value, but none from before the last mark.
func (u *unpickler) pop() (any, error) {
	floor := 0
	if len(u.marks) > 0 {
		floor = u.marks[len(u.marks)-1]
	}
	last := len(u.stack) - 1
	if last < floor {
		return nil, errStack
	}
	v := u.stack[last]
	u.stack = u.stack[:last]
	return v, nil
}

// peek returns the last value and leaves it; nil where there is none.
func (u *unpickler) peek() any {
	v, err := u.pop()
	if err != nil {
		return nil
	}
	u.stack = append(u.stack, v)
	return v
}

// popMark takes the values since the last mark.
func (u *unpickler) popMark() ([]any, error) {
	if len(u.marks) == 0 {
		return nil, errStack
	}
	mark := u.marks[len(u.marks)-1]
	u.marks = u.marks[:len(u.marks)-1]
	items := append([]any(nil), u.stack[mark:]...)
	u.stack = u.stack[:mark]
	return items, nil
}

// popN takes n values, the last one last.
func (u *unpickler) popN(n int) ([]any, error) {
	items := make([]any, n)
	for i := n - 1; i >= 0; i-- {
		v, err := u.pop()
		if err != nil {
			return nil, err
		}
		items[i] = v
	}
	return items, nil
}

// top returns the last value as a T and leaves it.
func top[T any](u *unpickler) (T, error) {
	v, err := u.pop()
	if err != nil {
		var zero T
		return zero, err
	}
	t, ok := v.(T)
	if !ok {
		return t, errStack
	}
	return t, u.push(v)
}
