package settings

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"impasto/internal/names"
)

// ConfigError is what is wrong at one place of a settings file.
type ConfigError struct {
	Line, Column int // from 1; columns are bytes
	Problem      string
}

func (e *ConfigError) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Problem) }

// ReadConfig reads a settings file in TOML, whose keys are the names of settings. Known
// are those that there may be, with values that it sets to check what the file says; a
// nil value is of what has a name elsewhere and doesn't belong into a file. All that is
// wrong is a *ConfigError.
//
// Numbers, switches and texts are TOML's. Layers with weights or losses are either a text
// as on the command line or a table, and several names an array or such a text.
func ReadConfig(data []byte, known []Setting) ([]Assignment, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	// The parser below doesn't see keys that stand twice.
	var whole map[string]any
	if err := toml.Unmarshal(data, &whole); err != nil {
		return nil, syntaxError(err)
	}
	r := configReader{known: map[string]Value{}, tables: map[string]int{}, heads: map[string]*unstable.Node{}}
	for _, s := range known {
		r.known[s.Name] = s.Value
		if s.Value != nil {
			r.names = append(r.names, s.Name)
		}
	}
	r.parser.Reset(data)
	var table []*unstable.Node
	for r.parser.NextExpression() {
		node := r.parser.Expression()
		key := keyOf(node)
		switch node.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = copied(key)
			if err := r.table(node.Kind, table); err != nil {
				return nil, err
			}
		case unstable.KeyValue:
			if err := r.keyValue(append(copied(table), key...), node.Value()); err != nil {
				return nil, err
			}
		}
	}
	if err := r.parser.Error(); err != nil {
		return nil, syntaxError(err)
	}
	if err := r.checkTables(); err != nil {
		return nil, err
	}
	return r.list, nil
}

// syntaxError is that of a document that isn't TOML.
func syntaxError(err error) error {
	e := &ConfigError{1, 1, strings.TrimPrefix(err.Error(), "toml: ")}
	var at *toml.DecodeError
	if errors.As(err, &at) {
		e.Line, e.Column = at.Position()
	}
	return e
}

type configReader struct {
	parser unstable.Parser
	known  map[string]Value
	names  []string
	list   []Assignment
	tables map[string]int // of settings that are tables, where they stand in list
	heads  map[string]*unstable.Node
}

// keyOf are the parts of a node's key.
func keyOf(node *unstable.Node) []*unstable.Node {
	var key []*unstable.Node
	for it := node.Key(); it.Next(); {
		key = append(key, it.Node())
	}
	return key
}

// copied makes nodes outlast the expression that they are of.
func copied(key []*unstable.Node) []*unstable.Node {
	var all []*unstable.Node
	for _, part := range key {
		own := *part
		own.Data = bytes.Clone(part.Data)
		all = append(all, &own)
	}
	return all
}

// wrong is an error at a key.
func (r *configReader) wrong(at *unstable.Node, format string, values ...any) error {
	start := r.parser.Shape(at.Raw).Start
	return &ConfigError{start.Line, start.Column, fmt.Sprintf(format, values...)}
}

// table reads the head of a table, which a setting has to be of.
func (r *configReader) table(kind unstable.Kind, key []*unstable.Node) error {
	value, err := r.setting(key[0])
	if err != nil {
		return err
	}
	name := string(key[0].Data)
	switch {
	case !tabular(value) || kind == unstable.ArrayTable:
		return r.wrong(key[0], "%s: want %s, not a table", name, wantedKind(value))
	case len(key) > 1:
		return r.wrong(key[1], "%s: want layers in it, not another table", name)
	}
	r.open(key[0])
	return nil
}

// setting is the one that a key names.
func (r *configReader) setting(key *unstable.Node) (Value, error) {
	name := string(key.Data)
	value, ok := r.known[name]
	switch {
	case value != nil:
		return value, nil
	case ok:
		return nil, r.wrong(key, "%s is no setting; give it on the command line", name)
	}
	return nil, r.wrong(key, "%q: no such setting%s", name, names.DidYouMean(name, r.names, ""))
}

// open adds a setting that is a table, empty so far, unless it is there.
func (r *configReader) open(key *unstable.Node) {
	name := string(key.Data)
	if _, ok := r.tables[name]; !ok {
		r.tables[name], r.heads[name] = len(r.list), copied([]*unstable.Node{key})[0]
		r.list = append(r.list, Assignment{Name: name})
	}
}

// checkTables reports tables that stayed empty.
func (r *configReader) checkTables() error {
	for name, i := range r.tables {
		if r.list[i].Text == "" {
			return r.wrong(r.heads[name], "%s: want a layer at least", name)
		}
	}
	return nil
}

// keyValue reads a value: of a setting, or of a layer in one that is a table.
func (r *configReader) keyValue(key []*unstable.Node, node *unstable.Node) error {
	value, err := r.setting(key[0])
	if err != nil {
		return err
	}
	name := string(key[0].Data)
	switch {
	case len(key) > 2 || len(key) > 1 && !tabular(value):
		return r.wrong(key[1], "%s: want %s, not a table", name, wantedKind(value))
	case len(key) == 2:
		r.open(key[0])
		return r.layer(name, value, key[1], node)
	case node.Kind == unstable.InlineTable && tabular(value):
		r.open(key[0])
		for it := node.Children(); it.Next(); {
			entry := it.Node()
			parts := keyOf(entry)
			if len(parts) > 1 {
				return r.wrong(parts[1], "%s: want layers in it, not another table", name)
			}
			if err := r.layer(name, value, parts[0], entry.Value()); err != nil {
				return err
			}
		}
		return nil
	}
	text, ok := textOf(value, node)
	if !ok {
		return r.wrong(key[0], "%s: want %s, not %s", name, wantedKind(value), kindNames[node.Kind])
	}
	if err := value.Set(text); err != nil {
		return r.wrong(key[0], "%s %q: %s", name, text, err)
	}
	r.list = append(r.list, Assignment{name, text})
	return nil
}

// layer reads what a table says of one layer.
func (r *configReader) layer(name string, value Value, key, node *unstable.Node) error {
	layer := string(key.Data)
	text, ok := layerText(value, node)
	if !ok {
		want := "a number"
		if _, losses := value.(layerLosses); losses {
			want = "the name of a loss"
		}
		return r.wrong(key, "%s of %s: want %s, not %s", name, layer, want, kindNames[node.Kind])
	}
	part := layer + "=" + text
	if err := value.Set(part); err != nil {
		return r.wrong(key, "%s: %s", name, err)
	}
	a := &r.list[r.tables[name]]
	a.Text = strings.Join(append(parts(a.Text), part), ",")
	return nil
}

// kindNames are how errors call what TOML has.
var kindNames = map[unstable.Kind]string{
	unstable.Array: "a list", unstable.InlineTable: "a table", unstable.String: "a text", unstable.Bool: "true or false",
	unstable.Float: "a fraction", unstable.Integer: "a number", unstable.LocalDate: "a date", unstable.LocalTime: "a time of day",
	unstable.LocalDateTime: "a date", unstable.DateTime: "a date",
}

// tabular tells whether a value may be a table of layers.
func tabular(value Value) bool {
	switch value.(type) {
	case layerWeights, layerLosses:
		return true
	}
	return false
}

// wantedKind says what TOML has to have for a value.
func wantedKind(value Value) string {
	switch value.(type) {
	case onOff:
		return "true or false"
	case wholeNumber, unsigned:
		return "a whole number"
	case realNumber, optionalNumber:
		return "a number"
	case layerWeights, layerLosses:
		return "a table of layers, or a text such as \"" + layerExample(value) + "\""
	case *nameList, *lossList:
		return "a list of names"
	case maskValue:
		return "a list of texts such as \"sky.png=painting.jpg\", or such a text"
	}
	return "a text in quotation marks"
}

func layerExample(value Value) string {
	if _, losses := value.(layerLosses); losses {
		return "relu1_1=gram"
	}
	return "relu1_1=4,relu2_1=2"
}

// textOf is what TOML has for a value, as text, where it is of the right kind.
func textOf(value Value, node *unstable.Node) (text string, ok bool) {
	text = string(node.Data)
	switch value.(type) {
	case onOff:
		return text, node.Kind == unstable.Bool
	case wholeNumber:
		return wholeText(text), node.Kind == unstable.Integer
	case unsigned:
		// Seeds may be larger than whole numbers of TOML.
		return wholeText(text), node.Kind == unstable.Integer || node.Kind == unstable.String
	case realNumber, optionalNumber:
		return numberText(text, node.Kind)
	case *nameList, *lossList:
		if node.Kind == unstable.Array {
			return arrayText(node, ",")
		}
	case maskValue:
		if node.Kind == unstable.Array {
			return arrayText(node, "\n")
		}
	}
	return text, node.Kind == unstable.String
}

// wholeText writes a whole number of TOML in decimal; others stay for Set to refuse.
func wholeText(text string) string {
	if n, err := strconv.ParseInt(text, 0, 64); err == nil {
		return strconv.FormatInt(n, 10)
	}
	return text
}

func numberText(text string, kind unstable.Kind) (string, bool) {
	switch kind {
	case unstable.Integer:
		return wholeText(text), true
	case unstable.Float:
		return strings.ReplaceAll(text, "_", ""), true
	}
	return "", false
}

// arrayText are the texts of an array with a separator between them.
func arrayText(node *unstable.Node, between string) (string, bool) {
	var all []string
	for it := node.Children(); it.Next(); {
		if it.Node().Kind != unstable.String {
			return "", false
		}
		all = append(all, string(it.Node().Data))
	}
	return strings.Join(all, between), true
}

// layerText is what a table has for a layer.
func layerText(value Value, node *unstable.Node) (string, bool) {
	if _, losses := value.(layerLosses); losses {
		return string(node.Data), node.Kind == unstable.String
	}
	return numberText(string(node.Data), node.Kind)
}
