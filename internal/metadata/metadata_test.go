package metadata

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var sum = strings.Repeat("0123456789abcdef", 4)

// example has all that a document may have.
func example() *Document {
	start := NewInput("dir/start.png", 5, sum)
	return &Document{
		Schema:  Schema,
		Program: Program{"v1.2.3", "0123456789ab", "go1.26.0", "linux/amd64"},
		Content: NewInput("/home/ann/photo.jpg", 1234, sum),
		Styles:  []Style{{NewInput("caf\xe9 <&>.png", 7, sum), 2}, {NewInput("", 8, sum), 0.5}},
		Start:   &start, Weights: Input{SHA256: sum},
		Settings:    Settings{"size": "512", "layer-loss": "relu1_1=gram,relu2_1=cmd", "seed": "18446744073709551615"},
		Output:      Output{Format: "png", Depth: 8, Dither: true, DPI: 300, EXIF: true, GPS: true},
		Computation: Computation{[]string{"cpu (avx512)"}, []string{"whole", "whole"}, 0},
		Painted:     Painted{Width: 512, Height: 384, Iterations: 7, Unfinished: true, Total: 700},
	}
}

func TestDocumentsAreReadAsTheyWereWritten(t *testing.T) {
	d := example()
	text, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if i := bytes.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' || r == '<' || r == '>' || r == '&' }); i >= 0 {
		t.Errorf("the document has %q, want ASCII that XML leaves alone", text[i])
	}
	if strings.Contains(string(text), "ann") || strings.Contains(string(text), "dir") {
		t.Errorf("%s names folders", text)
	}
	got, err := Decode(text)
	if err != nil || !reflect.DeepEqual(got, d) {
		t.Errorf("%+v, %v; want %+v", got, err, d)
	}
	if name := got.Styles[0].FileName(); name != "caf\xe9 <&>.png" {
		t.Errorf("the style's name is %q", name)
	}
	packet := Packet(text, "impasto <1>")
	if got := FromPacket(packet); !bytes.Equal(got, text) {
		t.Errorf("the packet has %q, want %q", got, text)
	}
}

func TestNamesThatAreNotPlainAreLeftOut(t *testing.T) {
	for path, want := range map[string]string{"dir/a.png": "a.png", "": "", `a\b.png`: "", "dir/" + strings.Repeat("a", 300): ""} {
		if got := NewInput(path, 1, sum); got.Name != want || got.SHA256 != sum {
			t.Errorf("%q is described as %+v", path, got)
		}
	}
}

func TestCharactersBeyondTheFirstPlaneAreEscaped(t *testing.T) {
	d := example()
	d.Content.Name = "絵🖼\x7f.png"
	text, err := d.Encode()
	if err != nil || !strings.Contains(string(text), `\u7d75\ud83d\uddbc\u007f.png`) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestPacketsThatOthersWroteAnewAreRead(t *testing.T) {
	for name, packet := range map[string]string{
		"attribute":      `<rdf:Description xmlns:i="urn:impasto:picture" xmlns:rdf="r" i:document="{&quot;a&quot;:1}"/>`,
		"another prefix": `<a><made:document xmlns:made="urn:impasto:picture">{"a":1}</made:document></a>`,
		"white space":    "<a><document xmlns=\"urn:impasto:picture\">\n {\"a\":1}\n</document></a>",
	} {
		if got := string(FromPacket([]byte(packet))); got != `{"a":1}` {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, packet := range []string{"", "<", `<a xmlns="urn:impasto:picture">`, `<document xmlns="urn:other">{}</document> urn:impasto:picture`} {
		if got := FromPacket([]byte(packet)); got != nil {
			t.Errorf("%q has the document %q, want none", packet, got)
		}
	}
}

func TestDocumentsThatAreNotOursAreRefused(t *testing.T) {
	text, err := example().Encode()
	if err != nil {
		t.Fatal(err)
	}
	without := example()
	without.Styles = []Style{}
	unstyled, err := json.Marshal(without)
	if err != nil {
		t.Fatal(err)
	}
	replaced := func(old, new string) string {
		if !strings.Contains(string(text), old) {
			t.Fatalf("%s has no %s", text, old)
		}
		return strings.Replace(string(text), old, new, 1)
	}
	for problem, document := range map[string]string{
		"schema 2; this version of impasto reads 1":          replaced(`"impasto":1`, `"impasto":2`),
		"the key impasto, with the schema's version":         replaced(`"impasto":1,`, ``),
		`unknown field "output_path"`:                        replaced(`"impasto":1,`, `"impasto":1,"output_path":"/etc/passwd",`),
		`unknown field "run"`:                                replaced(`"depth":8`, `"depth":8,"run":"rm"`),
		"want the name of a file, without folders":           replaced(`"photo.jpg"`, `"../photo.jpg"`),
		"..; want the name of a file":                        replaced(`"photo.jpg"`, `".."`),
		`a\b; want the name of a file`:                       replaced(`"photo.jpg"`, `"a\\b"`),
		`"a\x00b"; want the name of a file, without folders`: replaced(`"photo.jpg"`, `"a\u0000b"`),
		"a name of 300 bytes":                                replaced(`"photo.jpg"`, `"`+strings.Repeat("a", 300)+`"`),
		"name and name_bytes are different":                  replaced(`"caf\ufffd`, `"cafe`),
		"want 64 hexadecimal digits":                         replaced(sum, sum[1:]),
		"a file of -1 bytes":                                 replaced(`"bytes":1234`, `"bytes":-1`),
		"the weight -2 of a style":                           replaced(`"weight":2`, `"weight":-2`),
		"0 styles; want 1 to 64":                             string(unstyled),
		"format exe; want png, jpeg, tiff or webp":           replaced(`"format":"png"`, `"format":"exe"`),
		"depth 32 of a png":                                  replaced(`"depth":8`, `"depth":32`),
		"quality 0 of a jpeg":                                replaced(`"format":"png"`, `"format":"jpeg"`),
		"dither is for 8 bits":                               replaced(`"depth":8`, `"depth":16`),
		"dpi 70000; want":                                    replaced(`"dpi":300`, `"dpi":70000`),
		"gps without exif":                                   replaced(`"exif":true,`, ``),
		"painted: 0×384":                                     replaced(`"width":512`, `"width":0`),
		"after top-level value":                              string(text) + "{}",
		"invalid character":                                  "impasto",
		"cannot unmarshal array":                             "[]",
		"40000 bytes; want 32768 at most":                    string(text) + strings.Repeat(" ", 40000-len(text)),
		"not UTF-8":                                          "\xff",
	} {
		d, err := Decode([]byte(document))
		if err == nil || !strings.HasPrefix(err.Error(), "metadata: ") || !strings.Contains(err.Error(), problem) {
			t.Errorf("%.200s: %+v, %v; want an error with %q", document, d, err, problem)
		}
	}
}

func TestDifferencesAreThoseThatCount(t *testing.T) {
	for name, row := range map[string]struct {
		change func(d *Document)
		want   string
	}{
		"nothing":       {func(*Document) {}, ""},
		"a file's name": {func(d *Document) { d.Content.Name = "other.jpg" }, ""},
		"version":       {func(d *Document) { d.Program.Version = "v2" }, "version of impasto: v1.2.3 (0123456789ab) then, v2 (0123456789ab) now"},
		"content":       {func(d *Document) { d.Content.SHA256 = "x" }, "content: " + sum + " then, x now"},
		"start":         {func(d *Document) { d.Start = nil }, "start: " + sum + " then, none now"},
		"setting": {func(d *Document) {
			d.Settings = Settings{"size": "1\x1b", "layer-loss": d.Settings["layer-loss"], "seed": d.Settings["seed"]}
		}, `--size: 512 then, "1\x1b" now`},
		"processor":      {func(d *Document) { d.Computation.Arithmetic = []string{"a", "b"} }, "processor: cpu (avx512) then, a, then b now"},
		"not yet known":  {func(d *Document) { d.Computation.Arithmetic = nil }, ""},
		"tiles":          {func(d *Document) { d.Computation.Levels = []string{"whole", "tiles"} }, "scales: whole, whole then, whole, tiles now"},
		"iterations":     {func(d *Document) { d.Painted.Iterations = 700 }, "the picture is as it was after 7 of 700 iterations"},
		"output's depth": {func(d *Document) { d.Output.Depth = 16 }, "--depth: 8 then, 16 now"},
	} {
		now := example()
		row.change(now)
		if got := strings.Join(Differences(example(), now), "; "); got != row.want {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
	timed := example()
	timed.Painted.Seconds = 60
	if got := Differences(timed, timed); !slices.Equal(got, []string{"the run was given 60 seconds, and not a number of iterations"}) {
		t.Errorf("%q", got)
	}
}

func FuzzDecode(f *testing.F) {
	text, err := example().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(Packet(text, "impasto"))
	f.Add([]byte(`{"impasto":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, text := range [][]byte{data, FromPacket(data)} {
			d, err := Decode(text)
			if err != nil {
				continue
			}
			again, err := d.Encode()
			if err != nil {
				// Escapes may make it longer than what is written.
				if plain, failed := json.Marshal(d); failed != nil || len(toASCII(plain)) <= MaxBytes {
					t.Fatalf("%s is read and can't be written: %v", text, err)
				}
				continue
			}
			if back, err := Decode(again); err != nil || !reflect.DeepEqual(back, d) {
				t.Fatalf("%s becomes %s: %v", text, again, err)
			}
			if got := FromPacket(Packet(again, "impasto")); !bytes.Equal(got, again) {
				t.Fatalf("a packet of %s has %s", again, got)
			}
			_ = fmt.Sprint(Differences(d, example()))
		}
	})
}
