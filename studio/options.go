package studio

import (
	"errors"
	"fmt"
	"math"
	"net"
	"path/filepath"
	"strings"

	"impasto/device"
	"impasto/model"
)

// Options say how a studio works. The zero value but for Folder is good.
type Options struct {
	// Folder is where pictures and runs are kept. It is made where it isn't there, for its
	// owner only. One Studio at a time can have it open.
	Folder string
	// Memory is how many bytes of memory the program may take at most, with all that it takes
	// besides runs, as in model.Options; 0 stands for three quarters of what there is.
	Memory int64
	// AtOnce is how many runs are under way at a time at most, as far as there is memory for
	// them. 0 stands for 1: a run uses all of a machine, so the first of several comes sooner
	// that way and the last no later. AsMemoryAllows leaves it to the memory.
	AtOnce int
	// Device is where runs are made; empty for device.Auto.
	Device device.Name
	// Threads are those of the processor that a run uses, up to model.MaxThreads; 0 uses
	// every core.
	Threads int
	// Token, unless empty, is what every request has to come with: as the query's token,
	// for which the answer is a cookie, or as a bearer token.
	Token string
	// Hosts are the names under which the studio is reached besides those of the machine
	// itself (localhost, 127.0.0.1, ::1), which are for the port that is listened on. One with
	// a port is for that port only; others are for the port that is listened on, too, and,
	// as a proxy has it, for the protocol's own.
	Hosts []string
	// UploadBytes is the largest file that is taken, in bytes; 0 stands for 256 MiB.
	UploadBytes int64
	// Log, unless nil, is told in a line what whoever runs the studio should know, such as
	// what went wrong in a run. It is called from several goroutines.
	Log func(line string)
}

// AsMemoryAllows is a value of Options.AtOnce: as many runs as there is memory for.
const AsMemoryAllows = -1

// defaultUploadBytes is Options.UploadBytes where that is 0.
const defaultUploadBytes = 256 << 20

// settled are the options with defaults put in, or what is wrong with them.
func (o Options) settled() (Options, error) {
	if o.Folder == "" {
		return o, errors.New("studio: no folder to keep runs in; set Options.Folder")
	}
	folder, err := filepath.Abs(o.Folder)
	if err != nil {
		return o, fmt.Errorf("studio: folder %s: %w", o.Folder, err)
	}
	o.Folder = folder
	if o.Memory < 0 || o.AtOnce < 0 && o.AtOnce != AsMemoryAllows || o.UploadBytes < 0 {
		return o, fmt.Errorf("studio: memory %d, %d runs at once, uploads of %d bytes: want 0 or more of each", o.Memory, o.AtOnce, o.UploadBytes)
	}
	switch o.AtOnce {
	case 0:
		o.AtOnce = 1
	case AsMemoryAllows:
		o.AtOnce = math.MaxInt
	}
	if o.Threads < 0 || o.Threads > model.MaxThreads {
		return o, fmt.Errorf("studio: %d threads, want 0 to %d", o.Threads, model.MaxThreads)
	}
	if o.Device == "" {
		o.Device = device.Auto
	}
	if err := o.Device.Check(); err != nil {
		return o, fmt.Errorf("studio: %w", err)
	}
	if o.UploadBytes == 0 {
		o.UploadBytes = defaultUploadBytes
	}
	for _, host := range o.Hosts {
		name, port := splitHost(host)
		if name == "" || strings.ContainsAny(name, "/@ ") || strings.Trim(port, "0123456789") != "" {
			return o, fmt.Errorf("studio: host %q: want a name or an address, with or without a port", host)
		}
	}
	if o.Log == nil {
		o.Log = func(string) {}
	}
	return o, nil
}

// splitHost splits a host into its name, in lower case, and its port, which may be empty.
func splitHost(host string) (name, port string) {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = host, ""
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	return strings.ToLower(strings.TrimSuffix(name, ".")), port
}
