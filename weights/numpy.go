package weights

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// isNumpy tells a .npy file by its magic.
func isNumpy(head []byte) bool {
	return strings.HasPrefix(string(head), "\x93NUMPY")
}

// readNumpy reads a .npy file that holds one Python object, a dictionary of
// arrays, as numpy.save writes it: a header, then a pickle of an array without
// axes whose one element is the dictionary.
func readNumpy(from *source) (*container, error) {
	start, err := numpyHeader(from)
	if err != nil {
		return nil, err
	}
	u := &unpickler{from: from, at: start, call: numpyCall, create: numpyNew, build: numpyBuild, persistent: noPersistent}
	value, err := u.run()
	if err != nil {
		return nil, err
	}
	outer, ok := value.(*ndarray)
	if !ok {
		return nil, fmt.Errorf("holds no array but a %s", describe(value))
	}
	items, ok := outer.data.(*list)
	if !ok || len(items.items) != 1 {
		return nil, fmt.Errorf("holds an array of other things than one dictionary of arrays")
	}
	entries, ok := items.items[0].(*dict)
	if !ok {
		return nil, fmt.Errorf("holds a %s, want a dictionary of arrays", describe(items.items[0]))
	}
	tensors, err := collect(entries, func(name string, value any) (*tensor, error) {
		array, ok := value.(*ndarray)
		if !ok {
			return nil, nil
		}
		return array.tensor(name)
	})
	return &container{format: "NumPy pickled dictionary", tensors: tensors}, err
}

// numpyHeader checks the header and returns where the pickle starts
// (numpy.lib.format: magic, version, length, a Python dictionary as text).
func numpyHeader(from *source) (int64, error) {
	head, err := from.view(0, 12)
	if err != nil {
		return 0, err
	}
	length, start := int64(binary.LittleEndian.Uint16(head[8:])), int64(10)
	if head[6] > 1 {
		length, start = int64(binary.LittleEndian.Uint32(head[8:])), 12
	}
	if length > 1<<16 {
		return 0, fmt.Errorf("has a header of %d bytes, want at most %d", length, 1<<16)
	}
	header, err := from.view(start, length)
	if err != nil {
		return 0, err
	}
	if !strings.Contains(string(header), "'descr': '|O'") {
		return 0, fmt.Errorf("holds %.100q, want a pickled dictionary of arrays ('descr': '|O')", header)
	}
	return start + length, nil
}

// ndarray is a NumPy array, as far as its state is known.
type ndarray struct {
	shape   []int64
	dtype   *dtype
	fortran bool // first axis fastest
	data    any  // text, or *list for arrays of objects
}

// dtype is NumPy's type of elements.
type dtype struct {
	name      string // f4, O8
	bigEndian bool
}

var numpyKinds = map[string]kind{
	"f8": kindF64, "f4": kindF32, "f2": kindF16, "u1": kindU8,
}

func numpyCall(callee global, args tuple) (any, error) {
	switch callee {
	case "numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct":
		if len(args) == 3 && args[0] == global("numpy ndarray") {
			return new(ndarray), nil
		}
	case "numpy dtype":
		if len(args) > 0 {
			if name, ok := args[0].(text); ok {
				return &dtype{name: name.short}, nil
			}
		}
	case "_codecs encode":
		if len(args) == 2 {
			content, ok1 := args[0].(text)
			encoding, ok2 := args[1].(text)
			if ok1 && ok2 && content.unicode && encoding.short == "latin1" {
				content.latin1 = true
				return content, nil
			}
		}
	default:
		return nil, callee.refuse()
	}
	return nil, fmt.Errorf("calls %q in a way that arrays are not made", string(callee))
}

func numpyBuild(object, state any) error {
	fields, _ := state.(tuple)
	switch object := object.(type) {
	case *ndarray:
		if len(fields) == 5 {
			shape, ok1 := integers(fields[1])
			of, ok2 := fields[2].(*dtype)
			fortran, ok3 := fields[3].(bool)
			if ok1 && ok2 && ok3 {
				*object = ndarray{shape, of, fortran, fields[4]}
				return nil
			}
		}
	case *dtype:
		if len(fields) > 1 {
			if order, ok := fields[1].(text); ok {
				object.bigEndian = order.short == ">"
				return nil
			}
		}
	}
	return fmt.Errorf("gives a state to a %s that arrays do not have", describe(object))
}

func numpyNew(class global) (any, error) { return nil, class.refuse() }

func noPersistent(any) (any, error) {
	return nil, fmt.Errorf("refers to something outside of the file, which arrays do not need: refused")
}

// tensor says where the array's values are.
func (a *ndarray) tensor(name string) (*tensor, error) {
	content, ok := a.data.(text)
	if !ok {
		return nil, fmt.Errorf("%s is an array of %s, want numbers", shown(name), describe(a.data))
	}
	of, ok := numpyKinds[a.dtype.name]
	if !ok {
		of = kind(a.dtype.name)
	}
	t := &tensor{
		name: name, kind: of, shape: a.shape, bigEndian: a.dtype.bigEndian,
		offset: content.offset, bytes: content.length, latin1: content.latin1,
	}
	if a.fortran {
		t.stride = make([]int64, len(a.shape))
		step := int64(1)
		for i, d := range a.shape {
			t.stride[i] = step
			step *= d
		}
	}
	if _, ok := elements(a.shape); !ok {
		return nil, fmt.Errorf("%s has shape %s, which is too large", shown(name), shapeString(a.shape))
	}
	return t, nil
}

// integers returns the items of a tuple of integers, as many as an array may have
// axes.
func integers(v any) ([]int64, bool) {
	items, ok := v.(tuple)
	if len(items) > maxAxes {
		return nil, false
	}
	out := make([]int64, 0, len(items))
	for _, item := range items {
		n, isInt := item.(int64)
		ok = ok && isInt
		out = append(out, n)
	}
	return out, ok
}

// describe names the type of a value for errors.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool, int64, float64:
		return "number"
	case text:
		return "string"
	case tuple:
		return "tuple"
	case *list:
		return "list"
	case *dict:
		return "dictionary"
	case *ndarray:
		return "NumPy array"
	case *dtype:
		return "NumPy type"
	case *torchTensor:
		return "tensor"
	case *storage:
		return "storage"
	case *object:
		return "object of " + shown(string(v.class))
	case global:
		return shown(string(v))
	}
	return fmt.Sprintf("%T", v)
}
