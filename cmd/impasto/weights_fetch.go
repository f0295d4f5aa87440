package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"impasto/internal/quote"
	"impasto/internal/settings"
	"impasto/weights"
)

// weightsFetchOptions are the settings of impasto weights fetch.
type weightsFetchOptions struct{ weights.FetchOptions }

func newWeightsFetchOptions() *weightsFetchOptions {
	return &weightsFetchOptions{weights.FetchOptions{URL: weights.FetchURL, SHA256: weights.FetchSHA256}}
}

func (o *weightsFetchOptions) addFlags(f flagSet) {
	f.add(settings.Text(&o.Folder, "FOLDER"), "folder", "", "where to keep the file, if not in the cache folder; --weights then needs its path")
	f.add(digits{&o.SHA256}, "sha256", "", "the file's SHA-256; its first eight digits or more will do, but only all 64 leave no doubt")
	f.add(settings.Text(&o.URL, "URL"), "url", "", "what to download instead; needs --sha256")
}

// check reports flags that don't go together.
func (o *weightsFetchOptions) check(given func(flag string) bool) error {
	if given("url") && !given("sha256") {
		return usagef("--url needs --sha256: what is fetched is checked against that")
	}
	return nil
}

func newWeightsFetchCommand(global *globalOptions) *cobra.Command {
	o := newWeightsFetchOptions()
	cmd := &cobra.Command{
		Use:   "fetch",
		Short: "Download torchvision's full-precision network",
		Long: `Fetch downloads the VGG-19 that the torchvision project trained, in full precision
(575 MB), into impasto's folder in the user's cache folder, and checks the
SHA-256 of what is on disk then. If it is interrupted, the next call goes on where
it stopped; if another one fetches the same file, it waits for that. From then on
--weights vgg19-dcbb9e9d uses it. A redirection from https to http isn't followed.

With --json it prints one object with the keys path, sha256 (of the file on disk)
and digits (how many of its digits were compared with those expected).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(cmd.Flags().Changed); err != nil {
				return err
			}
			return runWeightsFetch(cmd.Context(), o.FetchOptions, *global, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.addFlags(flagsOf(cmd, "Flags"))
	return cmd
}

func runWeightsFetch(ctx context.Context, o weights.FetchOptions, global globalOptions, stdout, stderr io.Writer) error {
	progress := transferReporter(stderr, global.Quiet)
	o.Progress = progress.update
	if !global.Quiet {
		o.Waiting = func() { fmt.Fprintln(stderr, "another fetch of the file is under way; waiting for it") }
	}
	fetched, err := weights.Fetch(ctx, o)
	progress.finish()
	if err != nil {
		return err
	}
	switch {
	case global.JSON:
		return printJSON(stdout, fetched)
	case !global.Quiet:
		path := fetched.Path
		name := strconv.Quote(path)
		if o.Folder == "" {
			name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		}
		fmt.Fprintf(stdout, "%s is there; %s\nuse it with --weights %s\n", quote.Name(path), trust(fetched), name)
	}
	return nil
}

// trust says what the digest of a fetched file is worth.
func trust(f *weights.Fetched) string {
	if f.Digits == len(f.SHA256) {
		return "its SHA-256 is the one expected, " + f.SHA256
	}
	return fmt.Sprintf("the first %d digits of its SHA-256 are those expected, which tells damage but not forgery; all of it is %s", f.Digits, f.SHA256)
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

// digits is a flag that takes a SHA-256 or its beginning.
type digits struct{ target *string }

func (d digits) String() string { return *d.target }

func (d digits) Type() string { return "HEX" }

func (d digits) Set(text string) error {
	if len(text) < 8 || len(text) > 64 || strings.Trim(strings.ToLower(text), "0123456789abcdef") != "" {
		return errors.New("want 8 to 64 hexadecimal digits")
	}
	*d.target = text
	return nil
}
