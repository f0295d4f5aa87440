package weights

import (
	"encoding/binary"
	"fmt"
	"math"
)

// torchMagic is how PyTorch's older format begins: a pickle of the integer
// 0x1950a86a20f9469cfc6c, protocol 2, then one of the version 1001.
const torchMagic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."

const torchVersion = 1001

func isTorchLegacy(head []byte) bool {
	return len(head) >= len(torchMagic) && string(head[:len(torchMagic)]) == torchMagic
}

// storageKinds are the types of the storages that tensors are views of.
var storageKinds = map[global]kind{
	"torch DoubleStorage": kindF64, "torch FloatStorage": kindF32, "torch HalfStorage": kindF16,
	"torch BFloat16Storage": kindBF16, "torch ByteStorage": kindU8, "torch CharStorage": "I8",
	"torch BoolStorage": "BOOL", "torch ShortStorage": "I16", "torch IntStorage": "I32",
	"torch LongStorage": "I64", "torch ComplexFloatStorage": "C64", "torch ComplexDoubleStorage": "C128",
}

// storage is a run of elements that tensors are views of.
type storage struct {
	key    string
	kind   kind
	count  int64 // elements
	offset int64 // of the first in the file, once it is known
}

// torchTensor is a view of a storage, or of a part of it.
type torchTensor struct {
	of            *storage
	first         int64 // element
	shape, stride []int64
}

// stateDict collects what the pickle of a state dict refers to.
type stateDict struct {
	storages map[string]*storage
}

// unpickler returns one that builds tensors and dictionaries of them.
func (s *stateDict) unpickler(from *source, at int64) *unpickler {
	return &unpickler{from: from, at: at, call: torchCall, create: torchNew, build: torchBuild, persistent: s.persistent}
}

// readTorchLegacy reads the format of torch.save before PyTorch 1.6: five
// pickles (magic, version, the machine's byte order, the state dict, the keys of
// the storages), then each storage: the count of elements, eight bytes
// little-endian, and the elements.
func readTorchLegacy(from *source) (*container, error) {
	s := &stateDict{storages: map[string]*storage{}}
	u := s.unpickler(from, int64(len(torchMagic)))
	version, err := u.run()
	if err != nil {
		return nil, err
	}
	if version != int64(torchVersion) {
		return nil, fmt.Errorf("has version %v of PyTorch's older format, want %d", shown(fmt.Sprint(version)), torchVersion)
	}
	var values [3]any
	for i := range values {
		if values[i], err = u.run(); err != nil {
			return nil, err
		}
	}
	machine, ok1 := values[0].(*dict)
	keys, ok2 := values[2].(*list)
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("holds a %s and a %s, want a dictionary about the machine and a list of storages",
			describe(values[0]), describe(values[2]))
	}
	if err := s.placeLegacy(from, u.at, keys); err != nil {
		return nil, err
	}
	return s.container("PyTorch state dict, older format", values[1], machine.get("little_endian") == false)
}

// placeLegacy finds where each storage is.
func (s *stateDict) placeLegacy(from *source, at int64, keys *list) error {
	for _, item := range keys.items {
		key, _ := item.(text)
		of := s.storages[key.short]
		if of == nil || of.offset != 0 {
			return fmt.Errorf("lists the storage %q, which no tensor uses or which came before", key.short)
		}
		count, err := from.view(at, 8)
		if err != nil {
			return fmt.Errorf("storage %q: %w", key.short, err)
		}
		if got := binary.LittleEndian.Uint64(count); got != uint64(of.count) {
			return fmt.Errorf("storage %q has %d elements, want %d", key.short, got, of.count)
		}
		of.offset = at + 8
		length := of.count * kindSizes[of.kind]
		if length > from.size-of.offset {
			return fmt.Errorf("storage %q has %d bytes, but only %d follow: is the file whole?", key.short, length, from.size-of.offset)
		}
		at = of.offset + length
	}
	for key, of := range s.storages {
		if of.offset == 0 {
			return fmt.Errorf("lists no storage %q, which a tensor uses: is the file whole?", key)
		}
	}
	return nil
}

// persistent reads a storage's identifier: "storage", its type, key, device and
// count of elements, and in the older format a part of it (key, first, count).
func (s *stateDict) persistent(id any) (any, error) {
	items, _ := id.(tuple)
	if len(items) < 5 || len(items) > 6 {
		return nil, fmt.Errorf("refers to a %s, want a storage", describe(id))
	}
	label, _ := items[0].(text)
	typeName, _ := items[1].(global)
	key, isText := items[2].(text)
	count, isInt := items[4].(int64)
	of, known := storageKinds[typeName]
	if label.short != "storage" || !known || !isText || !isInt || key.length > maxText {
		return nil, fmt.Errorf("refers to something of type %q, want a storage of numbers", string(typeName))
	}
	if count < 0 || count > math.MaxInt64/16 {
		return nil, fmt.Errorf("has a storage %q of %d elements", key.short, count)
	}
	if len(items) == 6 && items[5] != nil {
		return nil, fmt.Errorf("has a storage %q that is part of another, which is not understood", key.short)
	}
	if old := s.storages[key.short]; old != nil {
		if old.kind != of || old.count != count {
			return nil, fmt.Errorf("has a storage %q of two types or sizes", key.short)
		}
		return old, nil
	}
	made := &storage{key: key.short, kind: of, count: count}
	s.storages[key.short] = made
	return made, nil
}

// torchCall makes tensors as torch._utils does, and dictionaries.
func torchCall(callee global, args tuple) (any, error) {
	switch callee {
	case "torch._utils _rebuild_tensor", "torch._utils _rebuild_tensor_v2":
		if len(args) < 4 {
			break
		}
		of, ok1 := args[0].(*storage)
		first, ok2 := args[1].(int64)
		shape, ok3 := integers(args[2])
		stride, ok4 := integers(args[3])
		if ok1 && ok2 && ok3 && ok4 && len(shape) == len(stride) && first >= 0 && first <= of.count {
			return &torchTensor{of, first, shape, stride}, nil
		}
	case "torch._utils _rebuild_parameter", "torch.nn.parameter Parameter":
		if len(args) > 0 {
			if t, ok := args[0].(*torchTensor); ok {
				return t, nil
			}
		}
	case "torch._tensor _rebuild_from_type_v2": // calls the first with the third
		if len(args) == 4 {
			function, ok1 := args[0].(global)
			arguments, ok2 := args[2].(tuple)
			if ok1 && ok2 && function != callee {
				return torchCall(function, arguments)
			}
		}
	case "collections OrderedDict":
		return orderedDict(args)
	case "collections defaultdict", "builtins dict":
		return new(dict), nil
	default:
		if bystanders[callee] {
			return &object{class: callee}, nil
		}
		return nil, callee.refuse()
	}
	return nil, fmt.Errorf("calls %q in a way that tensors are not made", string(callee))
}

// orderedDict makes a dictionary that is empty or, as Python 2 wrote it, from a
// list of pairs.
func orderedDict(args tuple) (any, error) {
	made := new(dict)
	if len(args) == 0 {
		return made, nil
	}
	pairs, ok := args[0].(*list)
	if !ok {
		return nil, fmt.Errorf("makes a dictionary from a %s, want a list of pairs", describe(args[0]))
	}
	for _, item := range pairs.items {
		pair, ok := item.(*list)
		if !ok || len(pair.items) != 2 {
			return nil, fmt.Errorf("makes a dictionary from a list of %s, want pairs", describe(item))
		}
		made.keys = append(made.keys, pair.items[0])
		made.values = append(made.values, pair.items[1])
	}
	return made, nil
}

// container lists the tensors of a state dict whose storages are placed.
func (s *stateDict) container(format string, value any, bigEndian bool) (*container, error) {
	switch value.(type) {
	case *dict, *object:
	default:
		return nil, fmt.Errorf("holds a %s, want a state dict", describe(value))
	}
	tensors, err := collect(value, func(name string, value any) (*tensor, error) {
		view, ok := value.(*torchTensor)
		if !ok {
			return nil, nil
		}
		return view.tensor(name, bigEndian)
	})
	return &container{format: format, tensors: tensors}, err
}

// tensor says where the view's values are.
func (view *torchTensor) tensor(name string, bigEndian bool) (*tensor, error) {
	if _, ok := elements(view.shape); !ok {
		return nil, fmt.Errorf("%s has shape %s, which is too large", shown(name), shapeString(view.shape))
	}
	size := kindSizes[view.of.kind]
	t := &tensor{
		name: name, kind: view.of.kind, shape: view.shape, bigEndian: bigEndian,
		offset: view.of.offset + view.first*size, bytes: (view.of.count - view.first) * size,
	}
	if !rowMajor(view.shape, view.stride) {
		t.stride = view.stride
	}
	return t, nil
}

// rowMajor reports whether strides are those of an array without gaps. Those of
// axes of length 1 do not matter.
func rowMajor(shape, stride []int64) bool {
	step := int64(1)
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] != 1 && stride[i] != step {
			return false
		}
		step *= shape[i]
	}
	return true
}
