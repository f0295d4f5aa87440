package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"impasto/vgg19"
)

// refuses runs stylize over an output that is there already, and demands that
// it is refused and that nothing is overwritten.
func refuses(t *testing.T, folder string, status int, args []string, fragments ...string) {
	t.Helper()
	output := filepath.Join(folder, "out.png")
	writeFile(t, output, []byte("precious"))
	content := readFile(t, filepath.Join(folder, "content.png"))
	impasto(t, folder, append([]string{"stylize"}, args...)...).refused(t, status, fragments...)
	if string(readFile(t, output)) != "precious" {
		t.Error("the output was overwritten")
	}
	if !bytes.Equal(readFile(t, filepath.Join(folder, "content.png")), content) {
		t.Error("the content was overwritten")
	}
	nothingLeft(t, folder)
}

// header is a PNG file that claims a size and has almost no data.
func header(width, height uint32) []byte {
	chunk := func(kind string, data []byte) []byte {
		body := append([]byte(kind), data...)
		out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
		return binary.BigEndian.AppendUint32(append(out, body...), crc32.ChecksumIEEE(body))
	}
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	return slices.Concat([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(size, 8, 2, 0, 0, 0)),
		chunk("IDAT", []byte{0x78, 0x9c, 0x03, 0, 0, 0, 0, 1}), chunk("IEND", nil))
}

// unreadable makes a file that is there and can't be read, whoever runs the
// test, or returns "" where the system has no such thing.
func unreadable(t *testing.T, folder string) string {
	t.Helper()
	if os.Geteuid() > 0 {
		path := filepath.Join(folder, "secret.png")
		writeFile(t, path, []byte("secret"))
		if err := os.Chmod(path, 0); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if runtime.GOOS == "linux" {
		return "/proc/self/mem" // its first page isn't mapped: reading is an I/O error
	}
	return ""
}

func TestDamagedPicturesAreRefused(t *testing.T) {
	folder := workshop(t)
	whole := readFile(t, filepath.Join(folder, "content.png"))
	for name, data := range map[string][]byte{
		"empty.png":     {},
		"truncated.png": whole[:len(whole)/2],
		"text.png":      []byte("This is not a picture.\n"),
		"huge.png":      header(30_000, 30_000),
		"nothing.png":   header(0, 0),
	} {
		writeFile(t, filepath.Join(folder, name), data)
	}
	writePicture(t, filepath.Join(folder, "dot.png"), 1, 1, 1)
	writePicture(t, filepath.Join(folder, "small.png"), 15, 40, 1)
	for _, test := range []struct {
		name      string
		file      string
		resized   bool // it will do as a style and to start from, which are resized
		fragments []string
	}{
		{"missing", "missing.png", false, []string{"missing.png"}},
		{"unreadable", unreadable(t, folder), false, nil},
		{"a folder", ".", false, []string{"folder"}},
		{"empty", "empty.png", false, []string{"empty.png", "empty"}},
		{"truncated", "truncated.png", false, []string{"truncated.png", "truncated"}},
		{"not a picture", "text.png", false, []string{"text.png", "a text, not a picture", "PNG, JPEG"}},
		{"a small file that claims 30,000×30,000 pixels", "huge.png", false, []string{"huge.png", "30000×30000"}},
		{"a picture without pixels", "nothing.png", false, []string{"nothing.png"}},
		{"thinner than the network sees", "small.png", true, []string{"15×40", "12×32", "16 pixels", "a size of 42"}},
	} {
		roles := []string{"content", "style", "start"}
		if test.resized {
			roles = roles[:1]
		}
		for _, role := range roles {
			t.Run(test.name+" as "+role, func(t *testing.T) {
				if test.file == "" {
					t.Skip("neither file modes nor /proc can make a file unreadable here")
				}
				args := map[string][]string{
					"content": {test.file, "style.png"},
					"style":   {"content.png", test.file},
					"start":   {"content.png", "style.png", "--start", test.file},
				}[role]
				status := statusFailed
				if role == "start" && test.name == "missing" {
					status = statusUsage // it may be a misspelt name
					test.fragments = []string{"missing.png", "nor a file"}
				}
				refuses(t, folder, status, append(args, "-o", "out.png", "--size=32"), test.fragments...)
			})
		}
	}
	t.Run("measure", func(t *testing.T) {
		for _, file := range []string{"missing.png", "empty.png", "truncated.png", "text.png", "huge.png", "dot.png"} {
			impasto(t, folder, "measure", file, "style.png").refused(t, statusFailed)
			impasto(t, folder, "measure", "style.png", file, "--json").refused(t, statusFailed)
		}
	})
}

func TestOutputsThatCannotBeWrittenAreRefusedBeforeAnyWork(t *testing.T) {
	folder := workshop(t)
	if err := os.Mkdir(filepath.Join(folder, "locked"), 0o555); err != nil {
		t.Fatal(err)
	}
	locked := filepath.Join(folder, "locked", "out.png")
	if os.Geteuid() <= 0 { // modes don't bind root, nor anyone on Windows
		locked = ""
		if runtime.GOOS == "linux" {
			locked = "/proc/out.png" // a folder in which nobody can make a file
		}
	}
	for _, name := range []string{"content.png", "snapshots-00010.png"} {
		if err := os.MkdirAll(filepath.Join(folder, "taken", name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name, output string
		fragments    []string
	}{
		{"a folder that doesn't exist", filepath.Join("no", "such", "out.png"), []string{filepath.Join("no", "such"), "does not exist"}},
		{"a folder that can't be written", locked, []string{"out.png", "can't write in the folder"}},
		{"a file in the folder's place", filepath.Join("content.png", "out.png"), []string{"content.png"}},
		{"a folder in the file's place", "taken", []string{filepath.Join("taken", "content.png"), "in the way"}},
		{"a folder in the place of an intermediate picture", filepath.Join("taken", "snapshots.png"), []string{"snapshots-00010.png", "in the way"}},
		{"a name that is too long", strings.Repeat("n", 252) + ".png", []string{"name too long"}},
		{"an intermediate picture's name that is too long", strings.Repeat("n", 248) + ".png", []string{"--save-every", "name too long"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.output == "" {
				t.Skip("neither file modes nor /proc can lock a folder here")
			}
			refuses(t, folder, statusFailed, []string{"content.png", "style.png", "-o", test.output, "--iterations=1000", "--save-every=10"}, test.fragments...)
		})
	}
}

func TestWrongUsageIsRefusedWithTheNearestRightName(t *testing.T) {
	folder := workshop(t)
	writeFile(t, filepath.Join(folder, "out-00010.png"), readFile(t, filepath.Join(folder, "style.png")))
	good := []string{"content.png", "style.png", "-o", "out.png"}
	with := func(args ...string) []string { return append(slices.Clone(good), args...) }
	for _, test := range []struct {
		name     string
		args     []string
		fragment string
	}{
		{"loss", with("--loss", "gausian"), "did you mean gaussian?"},
		{"a loss like none", with("--loss", "xyzzyxyzzy"), "want one of cmd, gaussian"},
		{"layer loss", with("--layer-loss", "relu1_1=grom"), "did you mean gram?"},
		{"layer of a layer loss", with("--layer-loss", "rely1_1=gram"), "did you mean relu1_1?"},
		{"layer loss without loss", with("--layer-loss", "relu1_1"), "LAYER=LOSS"},
		{"layer loss off the style layers", with("--layer-loss", "relu2_2=gram"), "--style-layers"},
		{"style layer", with("--style-layers", "relu1-1=3"), "did you mean relu1_1?"},
		{"content layer", with("--content-layers", "conv42"), "did you mean conv4_2?"},
		{"layer named twice", with("--style-layers", "relu1_1=1,relu1_1=2"), "twice"},
		{"content loss", with("--content-loss", "scale"), "did you mean scaled?"},
		{"pooling", with("--pooling", "mac"), "did you mean max?"},
		{"padding", with("--padding", "zeros"), "did you mean zero?"},
		{"optimizer", with("--optimizer", "adams"), "did you mean adam?"},
		{"start", with("--start", "nois"), "did you mean noise?"},
		{"device", with("--device", "tpu"), "cuda:N"},
		{"flag", with("--sise", "3"), "did you mean --size?"},
		{"short flag", with("-z"), "-z"},
		{"flag without its value", with("--size"), "--size needs a value"},
		{"negative size", with("--size", "-5"), "from 1 to 16384"},
		{"absurd size", with("--size", "1000000"), "from 1 to 16384"},
		{"size below the network's", with("--size", "8"), "16"},
		{"size that is no number", with("--size", "big"), "whole number"},
		{"first scale above the last", with("--min-size", "600"), "--size 512"},
		{"negative style scale", with("--style-scale", "-1"), "number from"},
		{"too few samples", with("--samples", "7"), "want 16 to"},
		{"negative content weight", with("--content-weight", "-1"), "number from 0"},
		{"absurd content weight", with("--content-weight", "1e300"), "number from 0"},
		{"content weight that is no number", with("--content-weight", "NaN"), "number from 0"},
		{"infinite smoothness", with("--tv-weight", "Inf"), "number from 0"},
		{"negative layer weight", with("--style-layers", "relu1_1=-1"), "weight \"-1\" of relu1_1"},
		{"negative style weight", []string{"content.png", "style.png:-1", "-o", "out.png"}, "weight \"-1\""},
		{"absurd style weight", []string{"content.png", "style.png:1e99", "-o", "out.png"}, "weight \"1e99\""},
		{"style weight zero", []string{"content.png", "style.png:0", "-o", "out.png"}, "above 0"},
		{"style weight that is no number", []string{"content.png", "style.png:heavy", "-o", "out.png"}, "weight \"heavy\""},
		{"style weight NaN", []string{"content.png", "style.png:nan", "-o", "out.png"}, "weight \"nan\""},
		{"weight without a style", []string{"content.png", ":3", "-o", "out.png"}, "no name"},
		{"no iterations", with("--iterations", "0"), "from 1"},
		{"step of zero", with("--step-size", "0"), "number from"},
		{"decay of one", with("--average-decay", "1"), "number from"},
		{"negative seed", with("--seed", "-1"), "whole number"},
		{"negative threads", with("--threads", "-1"), "from 0"},
		{"odd depth", with("--depth", "12"), "8 or 16"},
		{"deep JPEG", []string{"content.png", "style.png", "-o", "out.jpg", "--depth", "16"}, "JPEG"},
		{"a kind of file that can't be written", []string{"content.png", "style.png", "-o", "out.gif"}, "can't write .gif; want .png"},
		{"no extension", []string{"content.png", "style.png", "-o", "out"}, "or say --format"},
		{"the device of standard output", []string{"content.png", "style.png", "-o", "/dev/stdout"}, "-o - writes to standard output"},
		{"a format against the name", with("--format", "jpeg"), "out.png is the name of a PNG"},
		{"a format", with("--format", "jpg"), "did you mean jpeg?"},
		{"deep JPEG by its format", []string{"content.png", "style.png", "-o", "out", "--format", "jpeg", "--depth", "16"}, "JPEG"},
		{"a folder with the content", []string{"content.png", "style.png", "-o", "."}, "is the input content.png"},
		{"two pictures from standard input", []string{"-o", "out.png", "--", "-", "-:2"}, "one picture only"},
		{"standard output twice", []string{"content.png", "style.png", "-o", "-", "--json"}, "both write to standard output"},
		{"intermediate pictures of standard output", []string{"content.png", "style.png", "-o", "-", "--save-every", "10"}, "name a file"},
		{"JPEG quality", with("--jpeg-quality", "101"), "from 1 to 100"},
		{"step of another optimiser", with("--step-size", "0.1"), "add --optimizer adam"},
		{"quality", with("--quality", "goood"), "did you mean good"},
		{"no output", []string{"content.png", "style.png"}, "-o"},
		{"no style", []string{"content.png", "-o", "out.png"}, "at least one style"},
		{"output over the content", []string{"content.png", "style.png", "-o", "content.png"}, "is the input"},
		{"output over the content by another path", []string{"content.png", "style.png", "-o", "./../" + filepath.Base(folder) + "/content.png"}, "is the input"},
		{"output over a style", []string{"content.png", "style.png:2", "-o", "style.png"}, "is the input"},
		{"output over the start", []string{"content.png", "style.png", "--start", "out.png", "-o", "out.png"}, "is the input"},
		{"intermediate output over a style", []string{"content.png", "out-00010.png", "-o", "out.png", "--save-every", "10"}, "out-00010.png"},
	} {
		t.Run(test.name, func(t *testing.T) {
			refuses(t, folder, statusUsage, test.args, test.fragment)
		})
	}
	for _, test := range []struct {
		args     string
		fragment string
	}{
		{"stilize", "did you mean impasto stylize?"},
		{"frobnicate", "want one of"},
		{"--jason", "did you mean --json?"},
		{"help stylise", "did you mean impasto stylize?"},
		{"weights inof", "did you mean impasto weights info?"},
		{"measure - -", "one picture only"},
		{"compare - style.png -o out", "./-"},
		{"compare content.png style.png -o -", "./-"},
		{"theory --plot -", "./-"},
		{"weights convert in.pth -", "./-"},
		{"measure content.png", "want two pictures, got 1"},
		{"measure a.png b.png --loss gramm", "did you mean gram?"},
		{"measure a.png b.png --layers relu1_1,relu6_1", "\"relu6_1\""},
		{"measure a.png b.png --layers relu1_1,relu1_1", "twice"},
		{"measure a.png b.png --pooling maxx", "did you mean max?"},
		{"measure a.png b.png --size -1", "from 0"},
		{"theory essay", "essay"},
		{"theory --directions 0", "from 1"},
		{"version --quite", "did you mean --quiet?"},
	} {
		t.Run(test.args, func(t *testing.T) {
			impasto(t, folder, strings.Fields(test.args)...).refused(t, statusUsage, test.fragment)
		})
	}
}

// writeWeights makes a safetensors file of the whole network in bfloat16, zeros
// but for one value in the filters of some convolutions: the middle one from the
// first channel to the first. Zeros are a hole in the file, so it takes no space.
// The tensors are those that the values are in.
func writeWeights(t *testing.T, path string, values map[string]float32) (tensors []string) {
	t.Helper()
	var entries []string
	var offset int
	at := map[int]float32{} // by offset
	layer, block := 0, 1    // torchvision counts convolutions, ReLUs and poolings
	for _, c := range vgg19.Convolutions {
		if c.Block != block {
			layer, block = layer+1, c.Block
		}
		for _, part := range []struct {
			name, shape string
			count       int
		}{
			{"weight", fmt.Sprintf("%d,%d,3,3", c.Out, c.In), c.Out * c.In * 9},
			{"bias", fmt.Sprint(c.Out), c.Out},
		} {
			name := fmt.Sprintf("features.%d.%s", layer, part.name)
			if value, ok := values[c.Name]; ok && part.name == "weight" {
				tensors = append(tensors, name)
				at[offset+2*4] = value
			}
			entries = append(entries, fmt.Sprintf(`"%s":{"dtype":"BF16","shape":[%s],"data_offsets":[%d,%d]}`, name, part.shape, offset, offset+2*part.count))
			offset += 2 * part.count
		}
		layer += 2
	}
	head := "{" + strings.Join(entries, ",") + "}"
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	start := binary.LittleEndian.AppendUint64(nil, uint64(len(head)))
	if _, err := file.Write(append(start, head...)); err != nil {
		t.Fatal(err)
	}
	if err := file.Truncate(int64(8 + len(head) + offset)); err != nil {
		t.Fatal(err)
	}
	for target, value := range at {
		if _, err := file.WriteAt(binary.LittleEndian.AppendUint16(nil, uint16(math.Float32bits(value)>>16)), int64(8+len(head)+target)); err != nil {
			t.Fatal(err)
		}
	}
	return tensors
}

func TestWeightFilesThatWontDoAreRefused(t *testing.T) {
	folder := workshop(t)
	tensor := writeWeights(t, filepath.Join(folder, "nan.safetensors"), map[string]float32{"conv3_2": float32(math.NaN())})[0]
	writeWeights(t, filepath.Join(folder, "zeros.safetensors"), map[string]float32{"conv3_2": 1})
	writeFile(t, filepath.Join(folder, "garbage.pth"), bytes.Repeat([]byte{math.MaxUint8}, 100))
	args := append([]string{"content.png", "style.png", "-o", "out.png", "--first-iterations=1"}, shallow...)
	for name, fragments := range map[string][]string{
		"nan.safetensors": {"nan.safetensors", tensor, "NaN"},
		"garbage.pth":     {"garbage.pth"},
		"missing.pth":     {"missing.pth"},
	} {
		t.Run(name, func(t *testing.T) {
			refuses(t, folder, statusFailed, append(slices.Clone(args), "--weights", name), fragments...)
			impasto(t, folder, "measure", "content.png", "style.png", "--weights", name).refused(t, statusFailed, fragments...)
		})
	}
	// The same file with a number in that place is taken: it is the NaN that was
	// refused.
	impasto(t, folder, "measure", "content.png", "style.png", "--layers", "relu1_1", "--weights", "zeros.safetensors").done(t)
}
