package weights

import (
	"fmt"
	"strings"
)

// object is one of a class that isn't known here. It has no code and does nothing;
// what a checkpoint keeps in it may be looked through for tensors.
type object struct {
	class global
	state any
}

// bystanders are what checkpoints have beside tensors: the arguments and the best
// scores of a training, times and paths. They are made into objects that are passed
// over.
var bystanders = map[global]bool{
	"argparse Namespace": true, "types SimpleNamespace": true,
	"builtins set": true, "builtins frozenset": true, "builtins bytearray": true, "builtins complex": true,
	"builtins slice": true, "builtins range": true, "__builtin__ set": true, "__builtin__ frozenset": true,
	"collections Counter": true, "collections deque": true, "decimal Decimal": true, "fractions Fraction": true,
	"datetime datetime": true, "datetime date": true, "datetime time": true, "datetime timedelta": true,
	"pathlib Path": true, "pathlib PosixPath": true, "pathlib WindowsPath": true, "pathlib PurePosixPath": true,
	"pathlib._local PosixPath": true, "pathlib._local WindowsPath": true, "uuid UUID": true,
	"numpy.core.multiarray scalar": true, "numpy._core.multiarray scalar": true, "numpy dtype": true,
	"numpy.core.multiarray _reconstruct": true, "numpy._core.multiarray _reconstruct": true, "_codecs encode": true,
	"torch Size": true, "torch device": true, "torch Generator": true,
	"torch.serialization _get_layout": true, "torch.storage _load_from_bytes": true,
}

// isModule tells the classes of PyTorch's own models and layers.
func (g global) isModule() bool {
	return strings.HasPrefix(string(g), "torch.nn.modules.") || strings.HasPrefix(string(g), "torchvision.models.")
}

// torchNew stands for making an object of a class. Models that were saved whole are
// looked through like the others.
func torchNew(class global) (any, error) {
	if class == "collections OrderedDict" || class == "collections defaultdict" {
		return new(dict), nil
	}
	if bystanders[class] || class.isModule() {
		return &object{class: class}, nil
	}
	return nil, fmt.Errorf("would have Python make an object of %.120q, which weights do not need: refused; "+
		"if it is a model that was saved whole, save its state_dict() instead", string(class))
}

// torchBuild keeps the state of objects, and ignores what state dicts and parameters
// carry beside their values.
func torchBuild(to, state any) error {
	switch to := to.(type) {
	case *object:
		to.state = state
		return nil
	case *dict, *torchTensor:
		return nil
	}
	return fmt.Errorf("gives a state to a %s, which tensors do not need: refused", describe(to))
}

// Limits of what is looked through for tensors. A checkpoint of VGG-19 with the state
// of an optimiser has some 200 values, five levels deep.
const (
	maxValues = 1 << 16
	maxDepth  = 16
	maxName   = 256
)

// collector finds tensors in nested dictionaries, lists and models. Their names are
// the keys from the outermost on, with full stops between, as in
// "state_dict.module.features.0.weight".
type collector struct {
	tensors map[string]*tensor
	// make makes a tensor of a value, or nothing of one that is none.
	make func(name string, value any) (*tensor, error)
	left int // how many more values may be looked at
}

// collect returns the tensors in a value.
func collect(value any, make func(name string, value any) (*tensor, error)) (map[string]*tensor, error) {
	c := &collector{tensors: map[string]*tensor{}, make: make, left: maxValues}
	return c.tensors, c.walk("", value, 0)
}

func (c *collector) walk(name string, value any, depth int) error {
	if c.left--; c.left < 0 {
		return fmt.Errorf("holds more than %d values, want a state dict's few", maxValues)
	}
	if depth > maxDepth || len(name) > maxName {
		return nil
	}
	switch value := value.(type) {
	case *dict:
		return c.walkDict(name, value, depth)
	case *object:
		state, ok := value.state.(*dict)
		if !ok || !value.class.isModule() {
			return nil
		}
		for _, part := range []string{"_parameters", "_buffers", "_modules"} {
			if inner, ok := state.get(part).(*dict); ok {
				if err := c.walkDict(name, inner, depth); err != nil {
					return err
				}
			}
		}
		return nil
	case *list:
		return c.walkItems(name, value.items, depth)
	case tuple:
		return c.walkItems(name, value, depth)
	}
	t, err := c.make(name, value)
	if err == nil && t != nil {
		c.tensors[name] = t
	}
	return err
}

func (c *collector) walkDict(name string, d *dict, depth int) error {
	for i, key := range d.keys {
		var part string
		switch key := key.(type) {
		case text:
			part = key.short
		case int64:
			part = fmt.Sprint(key)
		default:
			continue
		}
		if err := c.walk(join(name, part), d.values[i], depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (c *collector) walkItems(name string, items []any, depth int) error {
	for i, item := range items {
		if err := c.walk(join(name, fmt.Sprint(i)), item, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// join puts a key behind the keys before it.
func join(name, key string) string {
	if name == "" {
		return key
	}
	return name + "." + key
}
