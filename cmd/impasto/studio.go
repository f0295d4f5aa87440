package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"impasto/device"
	"impasto/internal/atomicfile"
	"impasto/internal/quote"
	"impasto/internal/settings"
	"impasto/studio"
)

// studioOptions are the settings of impasto studio.
type studioOptions struct {
	Folder    string // where pictures and runs are kept; empty for one in the data folder
	Listen    string // an address of this machine
	Port      int    // 0 for a free one
	Hosts     []string
	NoBrowser bool
	AtOnce    int // runs; 0 for as many as there is memory for
	Memory    int64
	Device    device.Name
	Threads   int
}

func newStudioOptions() *studioOptions {
	return &studioOptions{Listen: loopback, AtOnce: 1, Device: device.Auto}
}

func (o *studioOptions) addFlags(f flagSet) {
	f.add(settings.Switch(&o.NoBrowser), "no-browser", "", "don't open the page in the browser")
	f.add(settings.Whole(&o.Port, 0, 1<<16-1, "PORT"), "port", "p", fmt.Sprintf("port to listen on; 0 takes the first that is free from %d on", firstPort))
	f.add(settings.Text(&o.Listen, "ADDRESS"), "listen", "", "address of this machine to listen on, such as 0.0.0.0 for all; from any but its own, the token is needed that is in the address printed")
	f.add(hostNames{&o.Hosts}, "host", "", "another name under which the studio is reached, as by way of a proxy; may be repeated; the token is needed")
	f.add(settings.Text(&o.Folder, "FOLDER"), "folder", "", "where pictures and runs are kept (default studio in the data folder)")
	f.add(settings.Whole(&o.AtOnce, 0, 1000, "N"), "at-once", "", "runs at a time at most, as far as there is memory for them; 0 leaves it to the memory")
	f.add(settings.Memory(&o.Memory), "memory", "", "memory that the program may take with all its runs, such as 2GiB; auto takes three quarters of what there is")
	f.addSettings(settings.Machine(&o.Device, &o.Threads)...)
}

func newStudioCommand(global *globalOptions) *cobra.Command {
	o := newStudioOptions()
	cmd := &cobra.Command{
		Use:   "studio",
		Short: "Paint in the browser",
		Long: `Studio serves a page, to which pictures are dropped, on which they are painted and
watched, paused, changed while they grow, enlarged and compared, and opens it in
the browser. Nothing leaves the machine. Behind it is an HTTP API, under /api/v1,
which docs/studio.md and /api/v1/openapi.json describe.

Pictures and runs are kept in a folder of the user's own, ` + "`impasto/studio`" + ` in the
data folder of the system, or where --folder says; one studio at a time can have it.
After Ctrl-C, SIGTERM or SIGHUP runs write checkpoints, and at the next start they
go on, to the same pictures. So they do after a kill or a power cut, from the last
checkpoint, some seconds before.

Only this machine is answered, under its own name, and only its own page and
programs may make requests. --listen 0.0.0.0 answers others, too: then a token is
needed, which is part of the address that is printed, and on a terminal of the QR
code below it, for a phone. It is another at each start, unless the environment's
` + tokenVariable + ` has one, which is needed then on this machine too. Nothing
is encrypted: in a network that others can listen to, go by way of ssh or a proxy
with a certificate, whose name --host has to say.

With --json, standard output gets an object once the studio can be reached, with
the keys event ("listening"), url, urls (a list: one for each address), folder and
token (missing where none is needed).`,
		Example: `  impasto studio
  impasto studio --listen 0.0.0.0
  impasto studio --no-browser --port 8000 --folder ~/Pictures/studio`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runStudio(cmd.Context(), *o, *global, streamsOf(cmd))
		},
	}
	o.addFlags(flagsOf(cmd, "Studio"))
	return cmd
}

// runStudio does what the command says.
func runStudio(ctx context.Context, o studioOptions, global globalOptions, std streams) error {
	folder, err := o.folder()
	if err != nil {
		return err
	}
	at, err := o.listen()
	if err != nil {
		return err
	}
	defer at.listener.Close()
	say := func(text string) {
		line, trace, _ := strings.Cut(text, "\n")
		fmt.Fprintln(std.err, quote.Line(line))
		if trace != "" && wantsTrace() {
			fmt.Fprintln(std.err, trace)
		}
	}
	atOnce := o.AtOnce
	if atOnce == 0 {
		atOnce = studio.AsMemoryAllows
	}
	s, err := studio.New(studio.Options{
		Folder: folder, Memory: o.Memory, AtOnce: atOnce, Device: o.Device, Threads: o.Threads,
		Token: at.token, Hosts: at.hosts, Log: say,
	})
	if err != nil {
		return studioError(err, folder)
	}
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 1 << 16,
		ErrorLog: log.New(&serverLog{say: say, all: global.Verbose}, "", 0),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(at.listener) }()
	defer announceInterrupt(ctx, std.err, global.Quiet)()
	note := noteAddress(folder, at.urls[0])
	if err = at.tell(folder, global, std); err == nil {
		if !o.NoBrowser {
			openStudio(at.urls[0], global.Quiet, say)
		}
		select {
		case <-ctx.Done():
		case err = <-served:
			err = fmt.Errorf("studio: %w", err)
		}
	}
	_ = os.Remove(note) // which others may write anew from here on
	if closed := closeStudio(server, s); err == nil {
		err = closed
	}
	if err == nil {
		err = fmt.Errorf("%w; what was under way goes on at the next start", errInterrupted)
	}
	return err
}

// openStudio opens the page in the browser. That may fail.
func openStudio(url string, quiet bool, say func(string)) {
	if err := openBrowser(url); err != nil && !quiet {
		say(fmt.Sprintf("the browser can't be opened (%s); open the address in it", err))
	}
}

// lastAnswers is how long answers that are under way have when the studio ends.
const lastAnswers = 2 * time.Second

// closeStudio ends a studio once its runs have written their checkpoints, however long that
// takes: a second interrupt ends the program.
func closeStudio(server *http.Server, s *studio.Studio) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- server.Shutdown(ctx) }() // which has nobody connect any more
	err := s.Close(context.Background())
	timer := time.AfterFunc(lastAnswers, cancel)
	defer timer.Stop()
	if <-ended != nil {
		_ = server.Close() // the clients that still wait
	}
	return err
}

// folder is where pictures and runs are kept.
func (o studioOptions) folder() (string, error) {
	if o.Folder != "" {
		if err := checkFile(o.Folder); err != nil {
			return "", err
		}
		return filepath.Abs(o.Folder)
	}
	folder, err := dataFolder()
	if err != nil {
		return "", fmt.Errorf("studio: no folder to keep runs in: %w; name one with --folder", err)
	}
	return filepath.Join(folder, "studio"), nil
}

// dataFolder is where programs of this system keep what users make with them.
func dataFolder() (string, error) {
	if folder := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(folder) {
		return filepath.Join(folder, "impasto"), nil
	}
	if folder := os.Getenv("LocalAppData"); runtime.GOOS == "windows" && folder != "" {
		return filepath.Join(folder, "impasto", "data"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(home, "Library", "Application Support", "impasto"), nil
	}
	return filepath.Join(home, ".local", "share", "impasto"), nil
}

// studioNote says in a studio's folder where it is reached, to those who want the folder.
type studioNote struct {
	URL string `json:"url"` // without the token
	PID int    `json:"pid"`
}

func studioNotePath(folder string) string { return filepath.Join(folder, "studio.json") }

// noteAddress writes the note, whose path it returns. Where it can't be written, a message
// has less to say.
func noteAddress(folder, url string) string {
	path := studioNotePath(folder)
	url, _, _ = strings.Cut(url, "?")
	_ = atomicfile.Write(path, func(w io.Writer) error { return json.NewEncoder(w).Encode(studioNote{url, os.Getpid()}) })
	return path
}

// studioError says where the studio is that has the folder.
func studioError(err error, folder string) error {
	if !errors.Is(err, studio.ErrInUse) {
		return err
	}
	where := ""
	var note studioNote
	if data, readErr := os.ReadFile(studioNotePath(folder)); readErr == nil && json.Unmarshal(data, &note) == nil && note.URL != "" {
		where = fmt.Sprintf(" at %s (process %d)", note.URL, note.PID)
	}
	return fmt.Errorf("studio: the folder %s is in use by another studio%s; use that one, end it, or name another --folder", quote.Name(folder), where)
}

// serverLog takes what the HTTP server has to say: panics of handlers in a line each, and
// what else is wrong with connections where all is to be told.
type serverLog struct {
	say func(string)
	all bool
}

func (l *serverLog) Write(text []byte) (int, error) {
	said := strings.TrimSpace(string(text))
	if first, trace, _ := strings.Cut(said, "\n"); strings.HasPrefix(first, "http: panic serving ") {
		l.say("internal error: " + first + "; this is a bug: please report it where you got impasto, with what you did and what `impasto version` prints\n" + trace)
	} else if l.all {
		l.say(said)
	}
	return len(text), nil
}

// hostNames is a flag that takes a name each time it is given.
type hostNames struct{ target *[]string }

func (h hostNames) String() string { return "" }

func (h hostNames) Type() string { return "NAME" }

func (h hostNames) Set(text string) error {
	if text == "" || strings.ContainsAny(text, "/@ ") {
		return errors.New("want a name such as pictures.example.org, with or without a port, and without http://")
	}
	*h.target = append(*h.target, text)
	return nil
}
