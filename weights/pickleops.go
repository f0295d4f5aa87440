package weights

import (
	"encoding/binary"
	"fmt"
	"math"
)

// step interprets one operation. Names in comments are those of Python's
// pickletools.
func (u *unpickler) step(op byte) error {
	switch op {
	case 0x80: // PROTO
		return u.protocol()
	case 0x95: // FRAME
		_, err := u.next(8)
		return err
	case '(': // MARK
		u.marks = append(u.marks, len(u.stack))
		return nil
	case 'N': // NONE
		return u.push(nil)
	case 0x88, 0x89: // NEWTRUE, NEWFALSE
		return u.push(op == 0x88)
	case 'K', 'M', 'J', 0x8a, 'G': // BININT1, BININT2, BININT, LONG1, BINFLOAT
		return u.numeral(op)
	case 'X', 0x8c, 0x8d, 'T', 'U', 'B', 'C', 0x8e:
		return u.textOperation(op)
	case '}': // EMPTY_DICT
		return u.push(new(dict))
	case ']', 0x8f: // EMPTY_LIST, EMPTY_SET
		return u.push(new(list))
	case ')', 0x85, 0x86, 0x87, 't': // EMPTY_TUPLE, TUPLE1, TUPLE2, TUPLE3, TUPLE
		return u.tuple(op)
	case 'a', 'e', 0x90: // APPEND, APPENDS, ADDITEMS
		return u.appendItems(op != 'a')
	case 's', 'u': // SETITEM, SETITEMS
		return u.setItems(op == 'u')
	case 'q', 'r', 0x94, 'h', 'j': // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
		return u.memory(op)
	case 'c', 0x93, 'R', 0x81, 'b', 'Q': // GLOBAL, STACK_GLOBAL, REDUCE, NEWOBJ, BUILD, BINPERSID
		return u.object(op)
	}
	return fmt.Errorf("has the operation 0x%02x, which arrays do not need: refused", op)
}

func (u *unpickler) protocol() error {
	version, err := u.number(1)
	if err == nil && (version < 2 || version > 5) {
		err = fmt.Errorf("has protocol %d, want 2 to 5", version)
	}
	return err
}

func (u *unpickler) numeral(op byte) error {
	switch op {
	case 'K', 'M':
		width := int64(1)
		if op == 'M' {
			width = 2
		}
		v, err := u.number(width)
		if err != nil {
			return err
		}
		return u.push(v)
	case 'J':
		v, err := u.number(4)
		if err != nil {
			return err
		}
		return u.push(int64(int32(v)))
	case 'G':
		b, err := u.next(8)
		if err != nil {
			return err
		}
		return u.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	}
	return u.long()
}

// long reads a LONG1: two's complement, little-endian. One that is wider than an
// int64 is kept as its bytes.
func (u *unpickler) long() error {
	n, err := u.number(1)
	if err != nil {
		return err
	}
	start := u.at
	b, err := u.next(n)
	if err != nil {
		return err
	}
	if n > 8 {
		return u.push(text{short: string(b), offset: start, length: n})
	}
	var v int64
	for i, c := range b {
		v |= int64(c) << (8 * i)
	}
	if n > 0 && n < 8 && b[n-1]&0x80 != 0 {
		v -= 1 << (8 * n)
	}
	return u.push(v)
}

func (u *unpickler) textOperation(op byte) error {
	switch op {
	case 'X': // BINUNICODE
		return u.text(4, true)
	case 0x8c: // SHORT_BINUNICODE
		return u.text(1, true)
	case 0x8d: // BINUNICODE8
		return u.text(8, true)
	case 'U', 'C': // SHORT_BINSTRING, SHORT_BINBYTES
		return u.text(1, false)
	case 0x8e: // BINBYTES8
		return u.text(8, false)
	}
	return u.text(4, false) // BINSTRING, BINBYTES
}

func (u *unpickler) tuple(op byte) error {
	if op == ')' {
		return u.push(tuple(nil))
	}
	var items []any
	var err error
	if op == 't' {
		items, err = u.popMark()
	} else {
		items, err = u.popN(int(op) - 0x84)
	}
	if err != nil {
		return err
	}
	return u.push(tuple(items))
}

// items takes one value or n values from the stack, or all since the mark.
func (u *unpickler) items(marked bool, n int) ([]any, error) {
	if marked {
		return u.popMark()
	}
	return u.popN(n)
}

func (u *unpickler) appendItems(marked bool) error {
	items, err := u.items(marked, 1)
	if err != nil {
		return err
	}
	if _, isObject := u.peek().(*object); isObject {
		return nil
	}
	to, err := top[*list](u)
	if err != nil {
		return err
	}
	to.items = append(to.items, items...)
	return nil
}

func (u *unpickler) setItems(marked bool) error {
	items, err := u.items(marked, 2)
	if err != nil {
		return err
	}
	if len(items)%2 != 0 {
		return errStack
	}
	if _, isObject := u.peek().(*object); isObject {
		return nil
	}
	to, err := top[*dict](u)
	if err != nil {
		return err
	}
	for i := 0; i < len(items); i += 2 {
		to.keys = append(to.keys, items[i])
		to.values = append(to.values, items[i+1])
	}
	return nil
}

// memory stores the last value for later, or fetches one.
func (u *unpickler) memory(op byte) error {
	key := int64(len(u.memo))
	if op != 0x94 {
		width := int64(1)
		if op == 'r' || op == 'j' {
			width = 4
		}
		var err error
		if key, err = u.number(width); err != nil {
			return err
		}
	}
	if op == 'h' || op == 'j' {
		v, ok := u.memo[key]
		if !ok {
			return fmt.Errorf("fetches value %d, which was not stored", key)
		}
		return u.push(v)
	}
	v, err := top[any](u)
	if err != nil {
		return err
	}
	u.memo[key] = v
	return nil
}

func (u *unpickler) object(op byte) error {
	if op == 'c' {
		module, err := u.line()
		if err != nil {
			return err
		}
		name, err := u.line()
		if err != nil {
			return err
		}
		return u.push(global(module + " " + name))
	}
	if op == 'Q' {
		id, err := u.pop()
		if err != nil {
			return err
		}
		object, err := u.persistent(id)
		if err != nil {
			return err
		}
		return u.push(object)
	}
	items, err := u.popN(2)
	if err != nil {
		return err
	}
	switch op {
	case 0x93:
		module, ok1 := items[0].(text)
		name, ok2 := items[1].(text)
		if !ok1 || !ok2 || module.length > maxText || name.length > maxText {
			return errStack
		}
		return u.push(global(module.short + " " + name.short))
	case 'b':
		if err := u.build(items[0], items[1]); err != nil {
			return err
		}
		return u.push(items[0])
	}
	callee, ok1 := items[0].(global)
	args, ok2 := items[1].(tuple)
	if !ok1 || !ok2 {
		return errStack
	}
	var result any
	if op == 0x81 {
		result, err = u.create(callee)
	} else {
		result, err = u.call(callee, args)
	}
	if err != nil {
		return err
	}
	return u.push(result)
}

// refuse is the error for a call that no array needs.
func (g global) refuse() error {
	return fmt.Errorf("would have Python call %.120q, which weights do not need: refused", string(g))
}
