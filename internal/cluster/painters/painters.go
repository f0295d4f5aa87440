// Package painters has the pictures of batches and comparisons painted by a cluster: Runner
// hands them over, and Painter and CellPainter paint them, on a worker.
package painters

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"impasto/device"
	"impasto/internal/batch"
	"impasto/internal/cluster"
	"impasto/internal/settings"
)

// Kind is the kind of the cluster's jobs that are pictures of a batch. Their inputs are a
// "content", a "style", and the files of settings, each a "setting"; their output is the
// "picture", and their result is a batch.Result.
const Kind = "picture"

// The roles of inputs, and the name of the output.
const (
	contentRole = "content"
	styleRole   = "style"
	settingRole = "setting"
	pictureFile = "picture"
)

// parameters are those of a job.
type parameters struct {
	Extension string `json:"extension"` // of the picture's file, which is its format
	Depth     int    `json:"depth"`
	Quality   int    `json:"quality"`
}

// settingToken stands in the settings of a cluster's job for the file of the input of that
// number among those of settings.
const settingToken = "setting-"

// filesOf are the files that a batch's settings name, and the settings with tokens for them.
// Those that make no difference to a picture are left out, and the device, which the worker
// chooses.
func filesOf(values map[string]string) (files []string, tokens map[string]string) {
	tokens = map[string]string{}
	numbers := map[string]int{}
	s := settings.Default()
	for _, setting := range s.Table() {
		name := setting.Name
		if name == "device" || name == "threads" {
			continue
		}
		tokens[name] = settings.OnFile(setting.Value, values[name], func(path string) string {
			if name == "weights" {
				path = settings.Stylization{Weights: path}.WeightsFile()
			}
			number, known := numbers[path]
			if !known {
				number = len(files)
				numbers[path], files = number, append(files, path)
			}
			return settingToken + strconv.Itoa(number)
		}, func(string) bool { return true })
	}
	return files, tokens
}

// valuesOf are a batch's settings from those of a cluster's job, with the paths of files
// instead of tokens.
func valuesOf(tokens map[string]string, files []string) (values map[string]string, err error) {
	values = map[string]string{}
	s := settings.Default()
	for _, setting := range s.Table() {
		text, given := tokens[setting.Name]
		if !given {
			continue
		}
		values[setting.Name] = settings.OnFile(setting.Value, text, func(token string) string {
			number, failed := strconv.Atoi(strings.TrimPrefix(token, settingToken))
			if failed != nil || number < 0 || number >= len(files) {
				err = fmt.Errorf("the setting %s of the job has %q, want the number of one of its %d files", setting.Name, token, len(files))
				return token
			}
			return files[number]
		}, func(string) bool { return true })
	}
	return values, err
}

// deviceOf is what a setting asks for in the words of a cluster.
func deviceOf(setting string) string {
	switch name := device.Name(setting).Each()[0]; {
	case setting == "" || name == device.Auto:
		return "any"
	case name == device.CPU:
		return string(device.CPU)
	}
	return string(device.CUDA)
}

// Devices are the devices of the cluster's jobs that a worker with a device takes.
func Devices(of device.Name) []string { return []string{deviceOf(string(of)), "any"} }

// newJob is the cluster's job of a batch's, but for its inputs, and the files of those by role.
func newJob(j batch.Job, program, group string) (job cluster.Job, files []roleFile, err error) {
	settingFiles, tokens := filesOf(j.Settings)
	files = []roleFile{{contentRole, j.Content}, {styleRole, j.Style}}
	for _, path := range settingFiles {
		files = append(files, roleFile{settingRole, path})
	}
	job = cluster.Job{
		Kind: Kind, Batch: group, Name: j.Name(), Program: program, Device: deviceOf(j.Settings["device"]), Memory: j.Memory, Settings: tokens,
	}
	if job.Memory == 0 {
		job.Memory = unplanned
	}
	job.Parameters, err = json.Marshal(parameters{filepath.Ext(j.Output), j.Depth, j.Quality})
	return job, files, err
}

// unplanned is the memory that a job is taken for of which nobody could plan what it takes.
const unplanned = 4 << 30

// roleFile is a file that a job reads.
type roleFile struct{ role, path string }
