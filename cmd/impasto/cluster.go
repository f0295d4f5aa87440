package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"impasto/internal/cluster"
	"impasto/internal/cluster/painters"
	"impasto/internal/cluster/server"
	"impasto/internal/made"
	"impasto/internal/quote"
	"impasto/internal/report"
	"impasto/internal/settings"
)

// clusterOptions say which cluster, and who asks.
type clusterOptions struct {
	URL                         string // empty for none
	Credentials                 string
	Authority, Certificate, Key string
}

// addFlags adds the flags of a connection; usage is that of --cluster.
func (o *clusterOptions) addFlags(f flagSet, usage string) {
	f.heading = "Cluster"
	f.add(settings.Text(&o.URL, "URL"), "cluster", "", usage)
	f.add(settings.Text(&o.Credentials, "FILE"), "cluster-credentials", "", "a file of NATS credentials for --cluster")
	f.add(settings.Text(&o.Authority, "FILE"), "cluster-ca", "", "the certificates of who signs the cluster's, if the system doesn't trust that")
	f.add(settings.Text(&o.Certificate, "FILE"), "cluster-cert", "", "a certificate of one's own, if the cluster asks for it")
	f.add(settings.Text(&o.Key, "FILE"), "cluster-key", "", "the key of --cluster-cert")
}

// check reports flags that are of no use together. Needed tells that there has to be a
// cluster.
func (o clusterOptions) check(command string, needed bool) error {
	switch {
	case needed && o.URL == "":
		return usagef("%s: which cluster? name a server, as in --cluster nats://localhost:4222; `impasto cluster serve` starts one", command)
	case o.URL == "" && (o.Credentials != "" || o.Authority != "" || o.Certificate != "" || o.Key != ""):
		return usagef("--cluster-credentials, --cluster-ca, --cluster-cert and --cluster-key go with --cluster")
	case (o.Certificate == "") != (o.Key == ""):
		return usagef("--cluster-cert and --cluster-key go together")
	}
	return nil
}

// options are those of a connection that says what it has to say by say.
func (o clusterOptions) options(what string, say func(line string)) cluster.Options {
	return cluster.Options{
		URL: o.URL, Credentials: o.Credentials, Authority: o.Authority, Certificate: o.Certificate, Key: o.Key, Name: "impasto " + what, Log: say,
	}
}

// answering is how long a command waits for the answers of a cluster that has none of pictures
// painted.
const answering = 30 * time.Second

// asking are the options of a connection of a command that ends where the cluster doesn't
// answer, as pictures wouldn't.
func (o clusterOptions) asking(what string, say func(line string)) cluster.Options {
	options := o.options(what, say)
	options.Patience = answering
	return options
}

// commandLine is the command that runs, without passwords in the addresses of clusters.
func commandLine() string {
	args := slices.Clone(os.Args[1:])
	for i, arg := range args {
		if address, joined := strings.CutPrefix(arg, "--cluster="); joined {
			args[i] = "--cluster=" + cluster.Redact(address)
		} else if i > 0 && args[i-1] == "--cluster" {
			args[i] = cluster.Redact(arg)
		}
	}
	return made.Line(args)
}

func newClusterCommand(global *globalOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cluster",
		Short: "Have pictures painted by several machines",
		Long: `Cluster is about machines that paint together: batch and compare hand pictures
over with --cluster URL, "impasto worker" paints them, on as many machines as there
are, and "impasto jobs" lists and cancels them. Between them is a NATS server with
JetStream: one that is there, of version 2.10 or later, or the one that "impasto
cluster serve" starts. docs/cluster.md says how to run all that, what it costs, and
what becomes of pictures where something fails.`,
		Example: `  impasto cluster serve
  impasto worker --cluster nats://localhost:4222
  impasto batch 'photos/*.jpg' --style painting.jpg --out-dir painted --cluster nats://localhost:4222`,
	}
	cmd.AddCommand(newClusterServeCommand(global), newClusterSetupCommand(global), newClusterStatusCommand(global))
	return cmd
}

// serveOptions are the settings of impasto cluster serve.
type serveOptions struct {
	Listen                      string
	Folder                      string // empty for one in the data folder
	Certificate, Key, Authority string
	Bytes                       int64 // on disk; 0 leaves it to the server
}

// clusterTokenVariable has the token that clients of a server have to give.
const clusterTokenVariable = "IMPASTO_CLUSTER_TOKEN"

func newClusterServeCommand(global *globalOptions) *cobra.Command {
	o := &serveOptions{Listen: net.JoinHostPort(loopback, "4222")}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Start a NATS server for one's own machines",
		Long: `Serve starts a NATS server with JetStream within this program, until Ctrl-C, SIGTERM
or SIGHUP. It keeps jobs and pictures in a folder, and goes on with them at the next
start. That is enough for some machines of one's own; for many, or without a single
point of failure, run nats-server by itself, on three machines (docs/cluster.md).

It listens on this machine alone unless --listen says otherwise; then set a token, by
the environment's ` + clusterTokenVariable + `, which clients give as
nats://TOKEN@HOST:PORT, and encrypt connections with --cert and --key: tls://TOKEN@….

With --json, standard output gets an object once it can be reached, with the keys
event ("listening"), url and folder.`,
		Example: `  impasto cluster serve
  ` + clusterTokenVariable + `=… impasto cluster serve --listen 0.0.0.0:4222 --cert host.pem --key host.key`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runClusterServe(cmd.Context(), *o, *global, streamsOf(cmd))
		},
	}
	f := flagsOf(cmd, "Server")
	f.add(settings.Text(&o.Listen, "ADDRESS"), "listen", "", "address and port to listen on; port 0 takes one that is free")
	f.add(settings.Text(&o.Folder, "FOLDER"), "folder", "", "where everything is kept (default cluster in the data folder)")
	f.add(settings.Text(&o.Certificate, "FILE"), "cert", "", "a certificate, with which connections are encrypted")
	f.add(settings.Text(&o.Key, "FILE"), "key", "", "the key of --cert")
	f.add(settings.Text(&o.Authority, "FILE"), "ca", "", "the certificates of who signs those of clients, which are then asked for")
	f.add(settings.Memory(&o.Bytes), "bytes", "", "what jobs and pictures may take on disk, such as 100GiB; auto takes three quarters of what is free")
	return cmd
}

// runClusterServe does what the command says.
func runClusterServe(ctx context.Context, o serveOptions, global globalOptions, std streams) error {
	host, text, err := net.SplitHostPort(o.Listen)
	port, portErr := strconv.Atoi(text)
	if err != nil || portErr != nil || port < 0 || port > 1<<16-1 {
		return usagef("--listen %q: want an address and a port, as in 127.0.0.1:4222", o.Listen)
	}
	if (o.Certificate == "") != (o.Key == "") {
		return usagef("--cert and --key go together")
	}
	if port == 0 {
		port = -1 // which is what the server calls any
	}
	if o.Folder == "" {
		state, err := stateFolder()
		if err != nil {
			return fmt.Errorf("cluster: name a folder with --folder: %w", err)
		}
		o.Folder = filepath.Join(state, "cluster")
	}
	if err := os.MkdirAll(o.Folder, 0o700); err != nil {
		return fmt.Errorf("cluster: make the folder: %w", err)
	}
	say := newSayer(std.err, false)
	s, err := server.Start(server.Options{
		Folder: o.Folder, Host: host, Port: port, Token: os.Getenv(clusterTokenVariable),
		Certificate: o.Certificate, Key: o.Key, Authority: o.Authority, MaxBytes: o.Bytes, Log: say,
	})
	if err != nil {
		return err
	}
	defer s.Shutdown()
	if ip := net.ParseIP(host); os.Getenv(clusterTokenVariable) == "" && o.Authority == "" && (ip == nil || !ip.IsLoopback()) && host != "localhost" {
		say("anybody who reaches this port can have and give pictures; set " + clusterTokenVariable + ", or ask for certificates with --ca")
	}
	if global.JSON {
		if err := printJSON(std.out, map[string]string{"event": "listening", "url": s.URL(), "folder": o.Folder}); err != nil {
			return err
		}
	} else if !global.Quiet {
		say(fmt.Sprintf("serving %s from %s; next: impasto worker --cluster %s", s.URL(), quote.Name(o.Folder), s.URL()))
	}
	<-ctx.Done()
	return fmt.Errorf("%w; jobs and pictures are in %s, and the same command goes on with them", errInterrupted, quote.Name(o.Folder))
}

func newClusterSetupCommand(global *globalOptions) *cobra.Command {
	var where clusterOptions
	config := cluster.DefaultConfig()
	objectBytes, jobBytes := int64(0), int64(0)
	cmd := &cobra.Command{
		Use:   "setup --cluster URL",
		Short: "Set up a cluster, or change how it is set up",
		Long: `Setup makes the streams and stores of a cluster, or changes those that are there,
and leaves jobs and pictures as they are. A cluster that isn't set up is set up with
the defaults by whoever connects first and may do so: setup is for others, and for
operators who don't let workers make streams. Workers and batches read the values
when they connect.

With --replicas 3 everything is kept on three servers that know one another, and any
one of them may be away.`,
		Example: `  impasto cluster setup --cluster nats://queue:4222 --object-bytes 500GiB
  impasto cluster setup --cluster nats://queue-1:4222,nats://queue-2:4222,nats://queue-3:4222 --replicas 3`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := where.check("cluster setup", true); err != nil {
				return err
			}
			config.ObjectBytes, config.JobBytes = unlimited(objectBytes), unlimited(jobBytes)
			say := newSayer(cmd.ErrOrStderr(), global.Quiet)
			c, err := cluster.Setup(cmd.Context(), where.asking("setup", say), config)
			if err != nil {
				return err
			}
			c.Close()
			say("the cluster at " + cluster.Redact(where.URL) + " is set up")
			return nil
		},
	}
	f := flagsOf(cmd, "Setup")
	f.add(settings.Interval(&config.AckWait), "ack-wait", "", "how long a worker may be silent before its picture goes to another")
	f.add(settings.Whole(&config.Tries, 1, 100, "N"), "tries", "", "how often a picture is begun that fails, or whose worker dies, and comes to no checkpoint in between")
	f.add(settings.Interval(&config.Keep), "keep", "", "how long states, pictures and dead letters are kept")
	f.add(settings.Whole(&config.Replicas, 1, 5, "N"), "replicas", "", "on how many servers everything is kept: 1, 3 or 5")
	f.add(settings.Memory(&objectBytes), "object-bytes", "", "what pictures and checkpoints may take, such as 500GiB; auto sets no limit but the server's")
	f.add(settings.Memory(&jobBytes), "job-bytes", "", "what the queue of jobs may take, likewise")
	where.addFlags(f, "the NATS server: nats://HOST:PORT, or tls://HOST:PORT; several with commas between them")
	return cmd
}

// unlimited is a limit as NATS has it.
func unlimited(bytes int64) int64 {
	if bytes == 0 {
		return -1
	}
	return bytes
}

func newClusterStatusCommand(global *globalOptions) *cobra.Command {
	var where clusterOptions
	cmd := &cobra.Command{
		Use:   "status --cluster URL",
		Short: "Say which servers and workers there are and how many jobs",
		Long: `Status says on which servers everything is kept, which of them are gone or have yet to
catch up, how many jobs the cluster knows in which state, and which workers are there,
with what each can do and why it doesn't take jobs if it doesn't.

With --json it prints an object with the keys url, workers (a list of objects with
name, program, devices, seats, memory, jobs, begun and refuses), jobs (an object: how
many by state), ack_wait_seconds, tries, replicas, leaderless (a list of streams that too few
servers are there for) and servers (a list of objects with name, leads, away and late,
which are lists of streams, behind and heard_seconds).`,
		Example: `  impasto cluster status --cluster nats://localhost:4222`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := where.check("cluster status", true); err != nil {
				return err
			}
			return runClusterStatus(cmd.Context(), where, *global, streamsOf(cmd))
		},
	}
	where.addFlags(flagsOf(cmd, "Flags"), "the NATS server: nats://HOST:PORT, or tls://HOST:PORT; several with commas between them")
	return cmd
}

// clusterStatus is what is known of a cluster. The keys are a promise to scripts.
type clusterStatus struct {
	URL     string                `json:"url"`
	Workers []cluster.Presence    `json:"workers"`
	Jobs    map[cluster.Phase]int `json:"jobs"`
	AckWait float64               `json:"ack_wait_seconds"`
	Tries   int                   `json:"tries"`

	Replicas   int              `json:"replicas"`
	Servers    []cluster.Server `json:"servers"`
	Leaderless []string         `json:"leaderless"`
}

// serverLines say on which servers everything is kept, and what is wrong with them. Name is
// that of the cluster that they are, or empty.
func (s clusterStatus) serverLines(name string) (lines []string) {
	var names []string
	for _, of := range s.Servers {
		names = append(names, quote.Name(of.Name))
	}
	line := fmt.Sprintf("  kept on %s: %s", report.Count(s.Replicas, "server"), strings.Join(names, ", "))
	if s.Replicas == 1 && name != "" {
		line += fmt.Sprintf("; the servers of %s keep it on several with `impasto cluster setup --replicas 3`", quote.Name(name))
	}
	lines = append(lines, line)
	for _, of := range s.Servers {
		if len(of.Away) > 0 {
			lines = append(lines, fmt.Sprintf("  %s is gone, and wasn't heard of for %s: %s", quote.Name(of.Name),
				time.Duration(of.Heard*float64(time.Second)).Round(time.Second), strings.Join(of.Away, ", ")))
		}
		if len(of.Late) > 0 {
			lines = append(lines, fmt.Sprintf("  %s catches up, %s behind: %s", quote.Name(of.Name), report.Count(int(of.Behind), "change"), strings.Join(of.Late, ", ")))
		}
	}
	if len(s.Leaderless) > 0 {
		lines = append(lines, fmt.Sprintf("  nobody can read or change %s: more than half of the servers that keep it have to be there", strings.Join(s.Leaderless, ", ")))
	}
	return lines
}

func runClusterStatus(ctx context.Context, where clusterOptions, global globalOptions, std streams) error {
	c, err := cluster.Connect(ctx, where.asking("status", newSayer(std.err, global.Quiet)))
	if err != nil {
		return err
	}
	defer c.Close()
	s := clusterStatus{
		URL: c.URL(), Jobs: map[cluster.Phase]int{}, AckWait: c.Config.AckWait.Seconds(), Tries: c.Config.Tries, Replicas: c.Config.Replicas, Leaderless: []string{},
	}
	servers, leaderless, err := c.Servers(ctx)
	if err != nil {
		return err
	}
	s.Servers, s.Leaderless = servers, append(s.Leaderless, leaderless...)
	lines := s.serverLines(c.Name())
	s.Workers, err = c.Workers(ctx)
	if err == nil {
		err = c.States(ctx, func(state cluster.State) bool { s.Jobs[state.Phase]++; return true })
	}
	if s.Workers == nil {
		s.Workers = []cluster.Presence{}
	}
	if err != nil { // who is there is why
		for _, line := range lines {
			fmt.Fprintln(std.err, quote.Line(line))
		}
		return err
	}
	if global.JSON {
		return printJSON(std.out, s)
	}
	var counts []string
	for _, phase := range cluster.Phases {
		counts = append(counts, fmt.Sprintf("%d %s", s.Jobs[phase], phase))
	}
	_, err = fmt.Fprintf(std.out, "%s: %s; jobs: %s\n", s.URL, report.Count(len(s.Workers), "worker"), strings.Join(counts, ", "))
	for _, line := range lines {
		if err == nil {
			_, err = fmt.Fprintln(std.out, quote.Line(line))
		}
	}
	for _, w := range s.Workers {
		line := fmt.Sprintf("  %s  %s at a time on %s, %s, %d under way, since %s, %s", quote.Name(w.Name), report.Count(w.Seats, "picture"),
			strings.Join(w.Devices, " or "), mebibytes(w.Memory), len(w.Jobs), w.Begun.Local().Format(time.DateTime), w.Program)
		if w.Refuses != "" {
			line += "; " + w.Refuses
		}
		if err == nil {
			_, err = fmt.Fprintln(std.out, quote.Line(line))
		}
	}
	return err
}

// connectRunner connects to a cluster for a command that has pictures painted there.
func connectRunner(ctx context.Context, where clusterOptions, command string, say func(line string)) (*painters.Runner, error) {
	c, err := cluster.Connect(ctx, where.options(command, say))
	if err != nil {
		return nil, err
	}
	r, err := painters.NewRunner(ctx, c, buildVersion(), painters.NewBatch(), say)
	if err != nil {
		c.Close()
	}
	return r, err
}

// clusterError turns the error of a batch in a cluster that was interrupted into the
// program's words.
func clusterError(err error, where clusterOptions, group string) error {
	if err == nil || !errors.Is(err, errInterrupted) || where.URL == "" {
		return err
	}
	return fmt.Errorf("%w; what was handed over is painted all the same, and the same command fetches it; `impasto jobs cancel --batch %s --cluster %s` ends it", err, group, cluster.Redact(where.URL))
}
