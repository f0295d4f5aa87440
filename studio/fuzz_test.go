package studio

import (
	"encoding/json"
	"errors"
	"net/url"
	"testing"
)

// FuzzRunRequest reads bodies of POST /runs and /plan: whatever they are, they are read, or
// refused by a problem of the request.
func FuzzRunRequest(f *testing.F) {
	for _, body := range []string{
		`{"content":"a","styles":[{"picture":"b","weight":2,"mask":"c","style_mask":"d"}],"protect":"e","settings":{"size":100,"loss":"gram","plain-pooling":true,"strength":"60"},"name":"n","group":"g"}`,
		`{}`, `[]`, `null`, `{"settings":{"size":null}}`, `{"settings":{"start":"/etc/passwd"}}`, `{"styles":[null]}`, `{"styles":[{"weight":1e999}]}`, `{"a":1}{"b":2}`,
		`{"settings":{"style-layers":"relu1_1=1,relu1_1=2","layer-loss":"relu1_1=gram"}}`, `{"settings":{"step-size":0.1}}`, "{\"name\":\"\x00\xff\"}",
	} {
		f.Add(body)
	}
	s := &Studio{pictures: map[string]*pictureInfo{"a": {ID: "a"}, "b": {ID: "b"}, "c": {ID: "c"}, "d": {ID: "d"}, "e": {ID: "e"}}}
	f.Fuzz(func(t *testing.T, body string) {
		var q runRequest
		err := decodeJSON(body, &q)
		var of recipe
		if err == nil {
			of, err = s.recipe(q)
		}
		if err != nil {
			var p *problem
			if !errors.As(err, &p) || p.Status < 400 || p.Status >= 500 || p.Detail == "" {
				t.Errorf("%q: %v, want a problem of the request", body, err)
			}
			if _, err := json.Marshal(p); err != nil {
				t.Error(err)
			}
			return
		}
		if of.key() == "" {
			t.Errorf("%q: the recipe can't be kept", body)
		}
		set, err := settled(of.Settings)
		if err != nil {
			t.Errorf("%q is accepted, and then refused: %v", body, err)
		}
		if len(set.Files()) > 0 {
			t.Errorf("%q names files: %q", body, set.Files())
		}
		var again values
		text, err := json.Marshal(asJSON(of.Settings))
		if err != nil {
			t.Fatal(err)
		}
		if err := decodeJSON(string(text), &again); err != nil {
			t.Fatal(err)
		}
		list, err := again.assignments()
		if err != nil || len(list) != len(of.Settings) {
			t.Errorf("%q is told as %s, which is read as %v (%v)", body, text, list, err)
		}
	})
}

// FuzzImageQuery reads queries of pictures.
func FuzzImageQuery(f *testing.F) {
	for _, query := range []string{"", "size=10&format=png&depth=16&download=1", "size=-1", "size=1e9", "format=../x", "depth=16", "size=%00", "%"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, text string) {
		query, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		q, err := readImageQuery(query, "jpeg")
		if err != nil {
			var p *problem
			if !errors.As(err, &p) || p.Field == "" {
				t.Errorf("%q: %v, want a problem of a field", text, err)
			}
			return
		}
		if mediaTypes[q.format] == "" || extensions[q.format] == "" || q.size < 0 {
			t.Errorf("%q is read as %+v", text, q)
		}
	})
}

// FuzzNames cleans names.
func FuzzNames(f *testing.F) {
	for _, name := range []string{"a.png", "../a", "a\x00b", "\u202e", "é\xff", " "} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		clean := cleanFileName(name)
		if cleanName(clean) != clean || len(clean) > longestName {
			t.Errorf("%q becomes %q", name, clean)
		}
		if as := contentDisposition(clean); as == "" {
			t.Errorf("%q can't be saved", clean)
		}
	})
}
