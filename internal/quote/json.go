package quote

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// bytesSuffix marks the key that holds the bytes of another key's text.
const bytesSuffix = "_bytes"

// JSON returns a value that encoding/json writes as it would the given one, but from
// which names that aren't UTF-8 can be recovered. JSON's strings are Unicode, so
// encoding/json replaces other bytes by U+FFFD. Where it does so to the text under a
// key of an object, the object has another key beside it, KEY_bytes, with all of the
// text's bytes in base64:
//
//	{"path":"caf\ufffd.png","path_bytes":"Y2Fm6S5wbmc="}
//
// For a list of texts it is a list as long, with null for those that are whole. Values
// that write themselves (json.Marshaler, encoding.TextMarshaler) are left to do so.
func JSON(value any) any {
	if !broken(reflect.ValueOf(value)) {
		return value
	}
	return exact(reflect.ValueOf(value))
}

// broken tells whether any text in a value isn't UTF-8.
func broken(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		return !utf8.ValidString(v.String())
	case reflect.Pointer, reflect.Interface:
		return !v.IsNil() && broken(v.Elem())
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if broken(v.Index(i)) {
				return true
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if broken(v.MapIndex(key)) {
				return true
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); (field.IsExported() || field.Anonymous) && broken(v.Field(i)) {
				return true
			}
		}
	}
	return false
}

var marshaler = reflect.TypeFor[json.Marshaler]()

// exact rebuilds what JSON changes, and returns all else as it is.
func exact(v reflect.Value) any {
	if !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil
	}
	if !broken(v) || v.Type().Implements(marshaler) {
		return v.Interface()
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return exact(v.Elem())
	case reflect.Slice, reflect.Array:
		items := make([]any, v.Len())
		for i := range items {
			items[i] = exact(v.Index(i))
		}
		return items
	case reflect.Map:
		var o object
		for _, key := range v.MapKeys() {
			o.add(key.String(), v.MapIndex(key))
		}
		slices.SortFunc(o, func(a, b member) int { return strings.Compare(a.key, b.key) })
		return o
	case reflect.Struct:
		var o object
		o.addFields(v)
		return o
	}
	return v.Interface()
}

// member is a key of an object and its value.
type member struct {
	key   string
	value any
}

// object is one whose keys have an order.
type object []member

// addFields adds those of a struct by the rules of encoding/json.
func (o *object) addFields(v reflect.Value) {
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Anonymous && name == "" && value.Kind() == reflect.Struct:
			o.addFields(value)
		case !field.IsExported() || name == "-" && options == "":
		case strings.Contains(options, "omitempty") && empty(value), strings.Contains(options, "omitzero") && value.IsZero():
		case name == "":
			o.add(field.Name, value)
		default:
			o.add(name, value)
		}
	}
}

// empty is what the option omitempty leaves out.
func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Array, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// add adds a key, and the one of the bytes where its text isn't UTF-8.
func (o *object) add(key string, v reflect.Value) {
	*o = append(*o, member{key, exact(v)})
	if kept := bytesOf(v); kept != nil {
		*o = append(*o, member{key + bytesSuffix, kept})
	}
}

// bytesOf are the bytes of a text that isn't UTF-8, or of each in a list of texts of
// which one isn't; nil for all else.
func bytesOf(v reflect.Value) any {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	switch {
	case v.Kind() == reflect.String && broken(v):
		return []byte(v.String())
	case (v.Kind() == reflect.Slice || v.Kind() == reflect.Array) && v.Type().Elem().Kind() == reflect.String && broken(v):
		list := make([]any, v.Len())
		for i := range list {
			list[i] = bytesOf(v.Index(i))
		}
		return list
	}
	return nil
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	for i, m := range o {
		b.WriteByte("{,"[min(i, 1)])
		if err := encoder.Encode(m.key); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := encoder.Encode(m.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
