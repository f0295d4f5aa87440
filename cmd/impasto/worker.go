package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"impasto/device"
	"impasto/internal/batch"
	"impasto/internal/cluster"
	"impasto/internal/cluster/painters"
	"impasto/internal/compare"
	"impasto/internal/memory"
	"impasto/internal/picture"
	"impasto/internal/quote"
	"impasto/internal/settings"
	"impasto/model"
)

// workerOptions are the settings of impasto worker.
type workerOptions struct {
	clusterOptions
	Name            string // empty for one that is made up
	Folder          string // empty for one in the cache folder
	CacheBytes      int64
	AtOnce          int   // pictures; 0 for one on each device
	Memory          int64 // 0 for three quarters of what there is
	CheckpointEvery time.Duration
	Device          device.Name
	Threads         int
}

func newWorkerOptions() *workerOptions {
	return &workerOptions{CacheBytes: 4 << 30, CheckpointEvery: 30 * time.Second, Device: device.Auto}
}

func (o *workerOptions) addFlags(f flagSet) {
	f.add(settings.Whole(&o.AtOnce, 0, 1000, "N"), "at-once", "", "pictures at a time at most; 0 paints one on each device")
	f.add(settings.Memory(&o.Memory), "memory", "", "memory that all pictures together may take, such as 2GiB; auto takes three quarters of what there is; larger ones are left to others")
	f.add(settings.Interval(&o.CheckpointEvery), "checkpoint-every", "", "how often to store where a picture stands, at most, for another worker to go on from")
	f.add(settings.Text(&o.Folder, "FOLDER"), "folder", "", "where files are kept while they are needed, one for each worker (default worker-1, or the next that is free, in the cache folder)")
	f.add(settings.Memory(&o.CacheBytes), "cache-bytes", "", "what contents and styles may take there that may be needed again")
	f.add(settings.Text(&o.Name, "NAME"), "name", "", "what the worker is called (default the machine's name with something behind it)")
	f.addSettings(settings.Machine(&o.Device, &o.Threads)...)
	o.clusterOptions.addFlags(f, "the NATS server to take jobs from: nats://HOST:PORT, or tls://HOST:PORT; several with commas between them")
}

func newWorkerCommand(global *globalOptions) *cobra.Command {
	o := newWorkerOptions()
	cmd := &cobra.Command{
		Use:   "worker --cluster URL",
		Short: "Paint what others hand over to a cluster",
		Long: `Worker takes pictures that "impasto batch --cluster" and "impasto compare --cluster"
hand over, as its memory and devices allow, and paints them, until Ctrl-C, SIGTERM or
SIGHUP. Then, what is under way is stored and another worker goes on from there. So
it does after a kill or a power cut, from the last checkpoint, once the worker wasn't
heard of for some time (30 s, unless "impasto cluster setup" says otherwise).

Pictures are those that one machine alone would make, byte for byte, on processors of
one kind. So a worker takes only what was handed over by the same version of the
program, and says so where there is something else.

It reads no file but those that come with a job, under its folder, and needs no port:
it connects to the server.

With --json, standard output gets an object for everything that it says, with the
keys event ("worker"), time, name and text.`,
		Example: `  impasto worker --cluster nats://localhost:4222
  impasto worker --cluster tls://queue.example.org:4222 --cluster-credentials worker.creds --at-once 4 --threads 4`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check("worker", true); err != nil {
				return err
			}
			return runWorker(cmd.Context(), *o, *global, streamsOf(cmd))
		},
	}
	o.addFlags(flagsOf(cmd, "Worker"))
	return cmd
}

// newSayer prints lines for people, each at once.
func newSayer(out io.Writer, quiet bool) func(line string) {
	return func(line string) {
		if !quiet {
			fmt.Fprintln(out, quote.Line(line))
		}
	}
}

// workerEvent is what a worker says. The keys are a promise to scripts.
type workerEvent struct {
	Event string    `json:"event"` // "worker"
	Time  time.Time `json:"time"`
	Name  string    `json:"name"`
	Text  string    `json:"text"`
}

// runWorker does what the command says.
func runWorker(ctx context.Context, o workerOptions, global globalOptions, std streams) error {
	if o.Name == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "worker"
		}
		o.Name = fmt.Sprintf("%s-%d-%s", host, os.Getpid(), cluster.Unique())
	}
	print := newSayer(std.err, global.Quiet)
	say := func(line string) {
		print(line)
		if global.JSON {
			_ = printJSON(std.out, workerEvent{"worker", time.Now().UTC(), o.Name, line})
		}
	}
	devices, bytes, err := o.machine()
	if err != nil {
		return err
	}
	c, err := cluster.Connect(ctx, o.options("worker "+o.Name, say))
	if err != nil {
		return err
	}
	defer c.Close()
	local := batch.NewLocal()
	local.Describe = describeJob
	painter := painters.Painter{Local: local, Devices: devices, Threads: o.Threads, Log: say}
	cells := &painters.CellPainter{Painter: painter, Describe: func(ctx context.Context, content string, styles []compare.Style, seconds float64) func(compare.Made) picture.Made {
		return cellDescriber(ctx, content, argumentsOf(styles), seconds, func(format string, values ...any) { say(fmt.Sprintf(format, values...)) })
	}}
	w, err := o.newWorker(c, cluster.WorkerOptions{
		Name: o.Name, Program: buildVersion(), Kinds: map[string]cluster.Kind{painters.Kind: &painter, painters.CellKind: cells, painters.ShotKind: &painters.ShotPainter{Painter: painter}},
		Devices: painters.Devices(devices[0]), Seats: max(o.AtOnce, 1), Memory: bytes, CacheBytes: o.CacheBytes, CheckpointEvery: o.CheckpointEvery, Log: say,
	}, len(devices))
	if err != nil {
		return err
	}
	defer w.Close()
	say(fmt.Sprintf("%s takes jobs from %s, with %s", o.Name, c.URL(), mebibytes(bytes)))
	defer announceInterrupt(ctx, std.err, global.Quiet)()
	if err := w.Run(ctx); err != nil {
		return err
	}
	return fmt.Errorf("%w; what was under way is back in the queue", errInterrupted)
}

// machine are the devices of the worker, each by its name, and the memory that it has for
// pictures.
func (o *workerOptions) machine() (names []device.Name, bytes int64, err error) {
	there, err := model.Devices()
	if err != nil {
		return nil, 0, err
	}
	if o.Device == device.Auto {
		o.Device = device.CPU
		if i := slices.IndexFunc(there, func(d device.Info) bool { return d.Device != device.CPU && d.Usable }); i >= 0 {
			o.Device = there[i].Device
		}
	}
	names, bytes = o.Device.Each(), o.Memory
	if bytes > 0 {
		return names, bytes, nil
	}
	if names[0] == device.CPU {
		available, known := memory.Available()
		if !known {
			return nil, 0, usagef("worker: there is no telling how much memory this machine has; say what pictures may take, as in --memory 8GiB")
		}
		return names, available / 4 * 3, nil
	}
	for _, name := range names {
		for _, d := range there {
			if d.Device == name || name == device.CUDA && d.Device == device.GPU(0) {
				bytes += d.Memory / 10 * 9
			}
		}
	}
	return names, bytes, nil
}

// argumentsOf are styles as they are typed.
func argumentsOf(styles []compare.Style) (arguments []styleArgument) {
	for _, s := range styles {
		arguments = append(arguments, styleArgument{s.File, s.Weight})
	}
	return arguments
}

// mostFolders is how many workers of one user share a machine at most.
const mostFolders = 256

// newWorker makes a worker in the folder of the options, or in the first that is free.
func (o *workerOptions) newWorker(c *cluster.Cluster, with cluster.WorkerOptions, devices int) (*cluster.Worker, error) {
	if o.AtOnce == 0 {
		with.Seats = devices
	}
	if o.Folder != "" {
		with.Folder = o.Folder
		return cluster.NewWorker(c, with)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("worker: name a folder with --folder: %w", err)
	}
	for n := 1; ; n++ {
		with.Folder = filepath.Join(cache, "impasto", fmt.Sprintf("worker-%d", n))
		w, err := cluster.NewWorker(c, with)
		var taken *cluster.TakenError
		if err == nil || !errors.As(err, &taken) || n == mostFolders {
			return w, err
		}
	}
}
