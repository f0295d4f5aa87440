package main

import (
	"bufio"
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writeMask writes a mask by how white it is, from 0 to 1, at columns from 0 to 1.
func writeMask(t *testing.T, path string, width, height int, white func(x float64) float64) {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = uint8(math.Round(255 * min(max(white((float64(i%width)+0.5)/float64(width)), 0), 1)))
	}
	var data bytes.Buffer
	if err := png.Encode(&data, img); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, data.Bytes())
}

// maskedWorkshop is a workshop with another style and masks.
func maskedWorkshop(t *testing.T) string {
	t.Helper()
	folder := workshop(t)
	writePicture(t, filepath.Join(folder, "other.png"), 30, 40, 0.4)
	left := func(x float64) float64 { return math.Round(1 - x) }
	writeMask(t, filepath.Join(folder, "left.png"), 40, 30, left)
	writeMask(t, filepath.Join(folder, "right.png"), 40, 30, func(x float64) float64 { return 1 - left(x) })
	writeMask(t, filepath.Join(folder, "soft.png"), 80, 60, func(x float64) float64 { return x })
	writeMask(t, filepath.Join(folder, "all.png"), 20, 15, func(float64) float64 { return 1 })
	writeMask(t, filepath.Join(folder, "black.png"), 40, 30, func(float64) float64 { return 0 })
	return folder
}

func TestMasksChooseStyles(t *testing.T) {
	folder := maskedWorkshop(t)
	paint := func(name string, args ...string) []byte {
		stylize(t, folder, slices.Concat(args, []string{"-o", name, "--first-iterations=3"})...).done(t)
		return readFile(t, filepath.Join(folder, name))
	}
	plain, other := paint("plain.png", "style.png"), paint("other-style.png", "other.png")
	if !bytes.Equal(paint("all.out.png", "style.png", "--mask=all.png=other.png"), other) {
		t.Error("a mask that covers all isn't that style")
	}
	if !bytes.Equal(paint("alone.png", "--mask=all.png=style.png=all.png"), plain) {
		t.Error("a mask of all of a style, for all, isn't that style")
	}
	for _, args := range [][]string{
		{"style.png", "--mask=left.png=other.png"},
		{"--mask=left.png=other.png", "--mask=right.png=style.png"},
		{"style.png", "--mask=soft.png=other.png=soft.png", "--loss=sliced"},
		{"style.png", "--mask=auto:2"},
		{"style.png", "other.png", "--mask=auto:2", "--loss=gram"},
	} {
		if out := paint("out.png", args...); bytes.Equal(out, plain) || bytes.Equal(out, other) {
			t.Errorf("%v: the picture is as without a mask", args)
		}
	}
}

// isContent demands that the right half of an output is the content's, to the last bit.
func isContent(t *testing.T, folder, output string) {
	t.Helper()
	content, painted := readPicture(t, filepath.Join(folder, "content.png")), readPicture(t, filepath.Join(folder, output))
	if content.Bounds() != painted.Bounds() {
		t.Fatalf("the output is %v, want %v", painted.Bounds(), content.Bounds())
	}
	moved := false
	for y := range 30 {
		for x := range 40 {
			was, is := color.NRGBAModel.Convert(content.At(x, y)), color.NRGBAModel.Convert(painted.At(x, y))
			if x >= 20 && was != is {
				t.Fatalf("the pixel at %d, %d is %v, in the content %v", x, y, is, was)
			}
			moved = moved || was != is
		}
	}
	if !moved {
		t.Error("nothing has changed")
	}
}

func TestProtectedPixelsAreTheContents(t *testing.T) {
	folder := maskedWorkshop(t)
	for _, args := range [][]string{
		{"style.png", "--protect=right.png"},
		{"style.png", "--protect=right.png", "--keep-colors=1"},
		{"style.png", "--protect=right.png", "--start=noise", "--optimizer=adam"},
		{"style.png", "--protect=right.png", "--keep-colors=0.5", "--color-method=distribution", "--loss=histogram"},
		{"--mask=left.png=other.png"},
	} {
		impasto(t, folder, slices.Concat([]string{"stylize", "content.png", "--no-metadata"}, args, shallow,
			[]string{"--size=40", "--first-iterations=3", "--min-size=24", "-o", "out.png", "--preview=preview.png"})...).done(t)
		isContent(t, folder, "out.png")
		isContent(t, folder, "preview.png")
	}
}

func TestMaskedRunsGoOn(t *testing.T) {
	folder := maskedWorkshop(t)
	args := slices.Concat([]string{"stylize", "content.png", "style.png", "--mask=left.png=other.png", "--mask=soft.png=style.png", "--protect=soft.png"}, shallow,
		[]string{"--size=40", "--min-size=24", "--first-iterations=20", "--iterations=20"})
	impasto(t, folder, append(args, "-o", "want.png", "--checkpoint=none")...).done(t)
	cmd := program(t, folder, append(args, "-o", "out.png", "--checkpoint=run.checkpoint", "--checkpoint-every=0s", "--json")...)
	stdout, _ := startReading(t, cmd)
	lines := bufio.NewScanner(stdout)
	for range 25 {
		if !lines.Scan() {
			t.Fatal("the run ended early")
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // an exit status other than 0 is an error
	resume := []string{"stylize", "--resume=run.checkpoint"}
	if err := os.Rename(filepath.Join(folder, "left.png"), filepath.Join(folder, "kept.png")); err != nil {
		t.Fatal(err)
	}
	impasto(t, folder, resume...).refused(t, statusFailed, "left.png", "no such file")
	writeMask(t, filepath.Join(folder, "left.png"), 40, 30, func(x float64) float64 { return x })
	impasto(t, folder, resume...).refused(t, statusFailed, "its mask of region 1 is another")
	impasto(t, folder, append(resume, "--mask=kept.png=other.png")...).refused(t, statusUsage, "--mask", "the checkpoint was made with")
	if err := os.Rename(filepath.Join(folder, "kept.png"), filepath.Join(folder, "left.png")); err != nil {
		t.Fatal(err)
	}
	impasto(t, folder, append(resume, "--protect=soft.png")...).done(t)
	if !bytes.Equal(readFile(t, filepath.Join(folder, "out.png")), readFile(t, filepath.Join(folder, "want.png"))) {
		t.Error("the picture that was gone on with isn't that of an uninterrupted run")
	}
}

func TestRedoFindsMasks(t *testing.T) {
	folder := maskedWorkshop(t)
	for name, args := range map[string][]string{
		"files.png":   {"style.png", "--mask=left.png=other.png=soft.png", "--protect=soft.png"},
		"only.png":    {"--mask=left.png=other.png"},
		"colours.png": {"style.png", "--mask=auto:2"},
	} {
		impasto(t, folder, slices.Concat([]string{"stylize", "content.png"}, args, shallow, []string{"-o", name, "--first-iterations=2"})...).done(t)
		elsewhere := t.TempDir()
		if err := os.Rename(filepath.Join(folder, name), filepath.Join(elsewhere, name)); err != nil {
			t.Fatal(err)
		}
		run := impasto(t, elsewhere, "redo", name, "--inputs", folder).done(t)
		if !strings.Contains(run.stderr, "is the same file as "+name+", byte for byte") {
			t.Errorf("%s: standard error is %q", name, run.stderr)
		}
		info := impasto(t, elsewhere, "info", name).done(t)
		for _, arg := range args {
			flag, value, isFlag := strings.Cut(arg, "=")
			if isFlag && !strings.Contains(info.stdout, flag+" "+value) {
				t.Errorf("%s: info says\n%s\nwant the command with %s %s", name, info.stdout, flag, value)
			}
		}
	}
	if err := os.Remove(filepath.Join(folder, "left.png")); err != nil {
		t.Fatal(err)
	}
	impasto(t, folder, slices.Concat([]string{"stylize", "content.png", "--mask=right.png=other.png"}, shallow, []string{"-o", "out.png", "--first-iterations=1"})...).done(t)
	writeMask(t, filepath.Join(folder, "right.png"), 9, 9, func(float64) float64 { return 1 })
	impasto(t, folder, "redo", "out.png").refused(t, statusFailed, "right.png isn't the mask right.png (")
}

func TestMasksStandInSettingsFiles(t *testing.T) {
	folder := maskedWorkshop(t)
	args := slices.Concat(shallow, []string{"--first-iterations=2", "--no-metadata"})
	impasto(t, folder, slices.Concat([]string{"stylize", "content.png", "--mask=left.png=other.png", "--mask=right.png=style.png=soft.png", "--protect=soft.png",
		"-o", "want.png", "--save-config=run.toml"}, args)...).done(t)
	text := string(readFile(t, filepath.Join(folder, "run.toml")))
	if !strings.Contains(text, `mask = ["`) || !strings.Contains(text, `left.png=`) || !strings.Contains(text, `", "`) {
		t.Errorf("the file of settings has no array of masks:\n%s", text)
	}
	impasto(t, folder, "stylize", "content.png", "-o", "out.png", "--config=run.toml", "--no-metadata").done(t)
	if !bytes.Equal(readFile(t, filepath.Join(folder, "out.png")), readFile(t, filepath.Join(folder, "want.png"))) {
		t.Error("the picture with the file's settings is another")
	}
	writeFile(t, filepath.Join(folder, "own.toml"), []byte("mask = [\"left.png=other.png\", \"right.png=style.png=soft.png\"]\nprotect = \"soft.png\"\n"))
	impasto(t, folder, slices.Concat([]string{"stylize", "content.png", "-o", "out.png", "--config=own.toml"}, args)...).done(t)
	if !bytes.Equal(readFile(t, filepath.Join(folder, "out.png")), readFile(t, filepath.Join(folder, "want.png"))) {
		t.Error("the picture with names relative to the file is another")
	}
}

func TestMasksThatWontDoAreTold(t *testing.T) {
	folder := maskedWorkshop(t)
	writeFile(t, filepath.Join(folder, "text.png"), []byte("no picture"))
	for name, test := range map[string]struct {
		status int
		args   []string
		want   []string
	}{
		"no =":               {statusUsage, []string{"style.png", "--mask=left.png"}, []string{"--mask", `"left.png"`, "REGION=STYLE"}},
		"an empty name":      {statusUsage, []string{"style.png", "--mask==style.png"}, []string{"--mask", "REGION=STYLE"}},
		"one region":         {statusUsage, []string{"style.png", "--mask=auto:1"}, []string{"auto:1", "2 to 8"}},
		"too many":           {statusUsage, []string{"style.png", "--mask=auto:99"}, []string{"auto:99", "2 to 8"}},
		"both":               {statusUsage, []string{"style.png", "--mask=auto:2", "--mask=left.png=style.png"}, []string{"auto:2", "left.png=style.png"}},
		"another number":     {statusUsage, []string{"style.png", "other.png", "--mask=auto:3"}, []string{"--mask auto:3", "there are 2"}},
		"a mask not there":   {statusFailed, []string{"style.png", "--mask=nothing.png=style.png"}, []string{"nothing.png"}},
		"a style not there":  {statusFailed, []string{"style.png", "--mask=left.png=nothing.png"}, []string{"nothing.png"}},
		"no picture":         {statusFailed, []string{"style.png", "--mask=left.png=style.png=text.png"}, []string{"text.png"}},
		"a black mask":       {statusFailed, []string{"style.png", "--mask=black.png=style.png"}, []string{"black.png", "empty"}},
		"a black style mask": {statusFailed, []string{"style.png", "--mask=left.png=style.png=black.png"}, []string{"black.png", "empty"}},
		"nothing protected":  {statusFailed, []string{"style.png", "--protect=black.png"}, []string{"black.png", "empty"}},
		"all protected":      {statusFailed, []string{"style.png", "--protect=all.png"}, []string{"all of the picture is protected"}},
		"no style":           {statusUsage, nil, []string{"at least one style"}},
		"an input as output": {statusUsage, []string{"style.png", "--mask=left.png=style.png", "-o", "left.png"}, []string{"left.png is the input"}},
		"a flag of another":  {statusUsage, []string{"style.png", "--style_mask=left.png"}, []string{"--mask REGION.png=STYLE.jpg"}},
		"another such":       {statusUsage, []string{"style.png", "--content-mask=left.png"}, []string{"--protect MASK.png"}},
	} {
		t.Run(name, func(t *testing.T) {
			stylize(t, folder, slices.Concat([]string{"-o", "out.png", "--quiet"}, test.args)...).refused(t, test.status, test.want...)
		})
	}
	run := stylize(t, folder, "style.png", "-o", "out.png", "--first-iterations=1", "--mask=left.png=other.png").done(t)
	if strings.Contains(run.stderr, "stretched") {
		t.Errorf("standard error is %q, and the mask has the content's shape", run.stderr)
	}
	writeMask(t, filepath.Join(folder, "wide.png"), 90, 30, func(x float64) float64 { return x })
	run = stylize(t, folder, "style.png", "-o", "out.png", "--first-iterations=1", "--mask=wide.png=other.png").done(t)
	if strings.Count(run.stderr, "wide.png, is 90×30 and is stretched") != 1 {
		t.Errorf("standard error is %q, want it to tell once of a mask of another shape", run.stderr)
	}
}

func TestBatchAndCompareTakeMasks(t *testing.T) {
	folder := maskedWorkshop(t)
	impasto(t, folder, slices.Concat([]string{"batch", "content.png", "--style=style.png", "--mask=left.png=other.png", "-o", "painted", "--first-iterations=1"}, shallow)...).done(t)
	document := documentOf(t, filepath.Join(folder, "painted", "content-style.png"))
	if len(document.Masks) != 1 || document.Masks[0].Style.Name != "other.png" {
		t.Errorf("the picture of a batch says of masks %+v", document.Masks)
	}
	impasto(t, folder, slices.Concat([]string{"compare", "content.png", "style.png", "--losses=gram,moments", "--mask=auto:2", "-o", "compared", "--first-iterations=1"}, shallow)...).done(t)
	if document = documentOf(t, filepath.Join(folder, "compared", "pictures", "gram.png")); document.Settings["mask"] != "auto:2" {
		t.Errorf("the picture of a comparison says of masks %q", document.Settings["mask"])
	}
}

func TestMasksAreWritten(t *testing.T) {
	folder := maskedWorkshop(t)
	run := impasto(t, folder, "masks", "content.png", "--auto=2", "-o", "mask-{n}.png").done(t)
	if strings.Count(run.stdout, "wrote mask-") != 2 || !strings.Contains(run.stdout, "40×30") {
		t.Errorf("standard output is %q", run.stdout)
	}
	var pictures [2]image.Image
	for i, name := range []string{"mask-1.png", "mask-2.png"} {
		pictures[i] = readPicture(t, filepath.Join(folder, name))
	}
	for i := range 40 * 30 {
		grey := func(img image.Image) int { return int(color.GrayModel.Convert(img.At(i%40, i/40)).(color.Gray).Y) }
		if sum := grey(pictures[0]) + grey(pictures[1]); sum < 253 || sum > 257 {
			t.Fatalf("masks come to %d at pixel %d, want about 255", sum, i)
		}
	}
	stylize(t, folder, "style.png", "other.png", "--mask=auto:2", "-o", "auto.png", "--first-iterations=2").done(t)
	impasto(t, folder, "masks", "content.png", "--auto=2", "-o", "mask.png").refused(t, statusUsage, "{n}")
	impasto(t, folder, "masks", "content.png", "--auto=9", "-o", "mask-{n}.png").refused(t, statusUsage, "2 to 8")
	impasto(t, folder, "masks", "content.png", "--auto=2").refused(t, statusUsage, "-o")
	impasto(t, folder, "masks", "black.png", "--auto=2", "-o", "mask-{n}.png").refused(t, statusFailed, "black.png", "too few colours")
}
