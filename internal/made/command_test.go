package made

import (
	"strings"
	"testing"

	"impasto/internal/metadata"
	"impasto/internal/picture"
	"impasto/internal/settings"
	"impasto/model"
)

var sum = strings.Repeat("0a", 32)

// inputsFor are pictures without files, as a program has them that knows digests only.
func inputsFor(content string, styles ...string) Inputs {
	in := Inputs{Content: metadata.NewInput(content, 7, sum), Weights: EmbeddedWeights()}
	for i, name := range styles {
		in.Styles = append(in.Styles, metadata.Style{Input: metadata.NewInput(name, 8, sum), Weight: float64(i + 1)})
	}
	return in
}

func TestCommandsAreThoseThatMakeThePicture(t *testing.T) {
	png, small := metadata.Output{Format: "png", Depth: 8}, metadata.NewInput("small one.png", 9, sum)
	mask := metadata.Mask{Region: metadata.NewInput("sky.png", 1, sum), Style: metadata.NewInput("wave.jpg", 2, sum)}
	for _, test := range []struct {
		settings []string
		in       Inputs
		more     func(in *Inputs)
		out      metadata.Output
		want     string
	}{
		{nil, inputsFor("photo.jpg", "wave.jpg"), nil, png, "impasto stylize photo.jpg wave.jpg -o OUT.png"},
		{nil, inputsFor("", ""), nil, png, "impasto stylize CONTENT STYLE -o OUT.png"},
		{[]string{"size=700", "layer-loss=relu1_1=gram,relu2_1=cmd", "plain-pooling=true", "device=cpu", "threads=1", "memory=2GiB"}, inputsFor("-photo.jpg", "a b.png", "it's.png"), nil, png,
			`impasto stylize ./-photo.jpg 'a b.png' 'it'\''s.png:2' -o OUT.png --size 700 --layer-loss relu1_1=gram --layer-loss relu2_1=cmd --plain-pooling=true --memory 2GiB`},
		{[]string{"start=result:/elsewhere/x.png"}, inputsFor("c", "s"), func(in *Inputs) { in.Start = &small }, png, "impasto stylize c s -o OUT.png --start 'result:small one.png'"},
		{[]string{"start=/elsewhere/x.png"}, inputsFor("c", "s"), func(in *Inputs) { in.Start = &small }, png, "impasto stylize c s -o OUT.png --start 'small one.png'"},
		{[]string{"start=noise", "strength=70"}, inputsFor("c", "s"), nil, png, "impasto stylize c s -o OUT.png --strength 70 --start noise"},
		{nil, inputsFor("c", "s"), func(in *Inputs) { in.Masks, in.Protect = []metadata.Mask{mask}, &small }, png,
			"impasto stylize c s -o OUT.png --mask sky.png=wave.jpg --protect 'small one.png'"},
		{nil, inputsFor("c", "s"), nil, metadata.Output{Format: "jpeg", Depth: 8, Quality: 80, DPI: 300, EXIF: true}, "impasto stylize c s -o OUT.png --jpeg-quality 80 --dpi 300 --keep-exif"},
		{nil, inputsFor("c", "s"), nil, metadata.Output{Format: "tiff", Depth: 16}, "impasto stylize c s -o OUT.png --depth 16"},
	} {
		s, given := settings.Default(), map[string]bool{}
		for _, text := range test.settings {
			name, value, _ := strings.Cut(text, "=")
			if err := s.Set(name, value); err != nil {
				t.Fatal(err)
			}
			given[name] = true
		}
		if err := s.Settle(func(name string) bool { return given[name] }); err != nil {
			t.Fatal(err)
		}
		if test.more != nil {
			test.more(&test.in)
		}
		d := Document(s, test.in, test.out)
		got, err := Command(&d, "OUT.png")
		if err != nil || got != test.want {
			t.Errorf("the command is\n%s, want\n%s (%v)", got, test.want, err)
		}
	}
}

func TestLinesAreWordsOfAShell(t *testing.T) {
	for word, want := range map[string]string{"plain-1.png": "plain-1.png", "a b": "'a b'", "it's": `'it'\''s'`, "": "''", "\x1b]0;'": `$'\x1b]0;\''`, "$(x)": "'$(x)'"} {
		if got := Line([]string{word}); got != "impasto "+want {
			t.Errorf("%q is written %s, want %s", word, got, want)
		}
	}
}

// TestTextsAreReadBack has a document in a file's text, with what the run tells.
func TestTextsAreReadBack(t *testing.T) {
	s := settings.Default()
	s.Options.Size = 300
	d := Document(s, inputsFor("photo.jpg", "wave.jpg"), metadata.Output{Format: "png", Depth: 16})
	text, err := Text(d, Ended{Computation: model.Computation{Arithmetic: []string{"x"}, Levels: []string{"whole"}}, Last: model.Progress{Width: 30, Height: 20, Done: 5, Total: 9}, Unfinished: true})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(text.Software, "impasto ") {
		t.Errorf("the program is %q", text.Software)
	}
	for _, from := range []picture.Embedded{{Document: []byte(text.Document)}, {Packet: text.Packet}} {
		got, err := Read(from)
		if err != nil {
			t.Fatal(err)
		}
		p := got.Painted
		if p.Width != 30 || p.Height != 20 || p.Iterations != 5 || p.Total != 9 || !p.Unfinished || got.Computation.Arithmetic[0] != "x" {
			t.Errorf("painted %+v by %+v", p, got.Computation)
		}
		if back, err := Settings(got); err != nil || back.Options.Size != 300 {
			t.Errorf("the size is %d (%v)", back.Options.Size, err)
		}
	}
	if d.Painted.Width != 0 || d.Computation.Arithmetic != nil {
		t.Error("the document that the text is of has changed")
	}
	if none, err := Read(picture.Embedded{}); none != nil || err != nil {
		t.Errorf("of nothing is read %+v, %v", none, err)
	}
}
