package painters

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"impasto/internal/cluster"
	"impasto/internal/picture"
	"impasto/internal/settings"
	"impasto/internal/video"
	"impasto/model"
)

// ShotKind is the kind of the cluster's jobs that are shots of films. Their inputs are the
// "frames", a tar file with what they show in order, "styles", and the files of settings, each
// a "setting"; their output are the "frames" that were painted, likewise, and their result is
// an array of video.Report.
const ShotKind = "shot"

const framesRole = "frames"

// ShotOrder is what all shots of a film have in common.
type ShotOrder struct {
	Settings    map[string]string // those of package settings, by name
	Styles      []string          // files
	Weights     []float64         // of these
	Consistency video.Consistency
	Name        string // for people
	Memory      int64  // bytes that a frame takes, or 0
}

// shotParameters are those of a job.
type shotParameters struct {
	Weights     []float64         `json:"weights"`
	Consistency video.Consistency `json:"consistency"`
}

// Shot has a shot painted. Folder is for files that are needed meanwhile.
func (r *Runner) Shot(ctx context.Context, order ShotOrder, shot video.Shot, folder string) (reports []video.Report, err error) {
	packed := filepath.Join(folder, fmt.Sprintf("shot-%06d.tar", shot.First+1))
	defer os.Remove(packed)
	if err := packFiles(packed, shot.Frames); err != nil {
		return nil, err
	}
	settingFiles, tokens := filesOf(order.Settings)
	files := []roleFile{{framesRole, packed}}
	for _, path := range order.Styles {
		files = append(files, roleFile{styleRole, path})
	}
	for _, path := range settingFiles {
		files = append(files, roleFile{settingRole, path})
	}
	j := cluster.Job{
		Kind: ShotKind, Batch: r.Batch, Name: fmt.Sprintf("%s, frames %d to %d", order.Name, shot.First+1, shot.First+len(shot.Frames)),
		Program: r.Program, Device: deviceOf(order.Settings["device"]), Memory: order.Memory, Settings: tokens,
	}
	if j.Memory == 0 {
		j.Memory = unplanned
	}
	if j.Parameters, err = json.Marshal(shotParameters{order.Weights, order.Consistency}); err != nil {
		return nil, err
	}
	painted := packed + ".painted"
	defer os.Remove(painted)
	err = r.submit(ctx, j, files, nil, func(s cluster.State) error {
		if err := json.Unmarshal(s.Result, &reports); err != nil {
			return fmt.Errorf("the result from the worker %s: %w", s.Worker, err)
		}
		return r.Cluster.Download(ctx, s.Outputs[framesRole], painted)
	})
	if err != nil {
		return nil, err
	}
	return reports, unpackTo(painted, func(index int, _ string) (string, error) {
		if index >= len(shot.Results) {
			return "", fmt.Errorf("there are more frames than the %d of the shot", len(shot.Results))
		}
		return shot.Results[index], nil
	}, len(shot.Results))
}

// ShotPainter paints shots of films. It is a cluster.Kind.
type ShotPainter struct{ Painter }

// Run implements cluster.Kind.
func (p *ShotPainter) Run(ctx context.Context, task *cluster.Task) (cluster.Outcome, error) {
	film, err := p.film(ctx, task)
	if err != nil {
		if ctx.Err() == nil {
			err = &cluster.PermanentError{Err: err}
		}
		return cluster.Outcome{}, err
	}
	defer film.Close()
	files, err := film.Paint(ctx)
	if err != nil {
		return cluster.Outcome{}, err
	}
	packed := filepath.Join(task.Folder, "painted.tar")
	if err := packFiles(packed, files); err != nil {
		return cluster.Outcome{}, err
	}
	return cluster.Outcome{Files: map[string]string{framesRole: packed}, Result: film.Reports()}, nil
}

// film opens all that a shot is made of. It goes on from the task's checkpoint, which is its
// folder as it was.
func (p *ShotPainter) film(ctx context.Context, task *cluster.Task) (*video.Film, error) {
	var with shotParameters
	if err := json.Unmarshal(task.Job.Parameters, &with); err != nil {
		return nil, fmt.Errorf("the job's parameters: %w", err)
	}
	packed, styleFiles := task.Inputs(framesRole), task.Inputs(styleRole)
	if len(packed) != 1 || len(styleFiles) != len(with.Weights) {
		return nil, fmt.Errorf("the job has %d files of frames and %d styles, want one and %d", len(packed), len(styleFiles), len(with.Weights))
	}
	values, err := p.valuesOf(task, task.Job.Settings, settingRole)
	if err != nil {
		return nil, err
	}
	s, err := settings.Read(values)
	if err != nil {
		return nil, err
	}
	frames, err := unpack(packed[0], filepath.Join(task.Folder, "frames"))
	if err != nil {
		return nil, err
	}
	if len(frames) == 0 {
		return nil, errors.New("the job has no frames")
	}
	folder := filepath.Join(task.Folder, "film")
	if task.Checkpoint != "" {
		if err := unpackFolder(task.Checkpoint, folder); err != nil {
			p.log("%s begins anew: %v", task.Job.Name, err)
			if err := os.RemoveAll(folder); err != nil {
				return nil, err
			}
		}
	}
	options, err := s.Open(ctx, nil)
	if err != nil {
		return nil, err
	}
	var styles []model.Style
	for i, path := range styleFiles {
		style, err := picture.OpenSource(ctx, path)
		if err != nil {
			return nil, err
		}
		styles = append(styles, model.Style{Image: style, Weight: with.Weights[i]})
	}
	first, err := picture.OpenSource(ctx, frames[0])
	if err != nil {
		return nil, err
	}
	if styles, err = s.Guide(ctx, first, styles, &options, nil); err != nil {
		return nil, err
	}
	return video.New(first.Bounds().Size(), video.Options{
		Frames: frames, Styles: styles, Stylization: options, Consistency: with.Consistency, Folder: folder, Key: task.Job.Key,
		Progress: p.told(ctx, task, folder),
	})
}

// told tells where a shot stands, and keeps a checkpoint after frames where one is due.
func (p *ShotPainter) told(ctx context.Context, task *cluster.Task, folder string) func(video.Event) error {
	last, took := time.Now(), time.Duration(0)
	return func(e video.Event) error {
		if e.Kind == video.Iterated {
			p.progress(ctx, task, e.Iteration)
			return nil
		}
		if e.Kind != video.Painted || e.Work >= 1 || time.Since(last) < max(task.CheckpointEvery, checkpointShare*took) {
			return nil
		}
		began := time.Now()
		if err := task.Keep(ctx, func(w io.Writer) error { return packFolder(w, folder) }); err != nil && ctx.Err() == nil {
			p.log("%s goes on without a checkpoint: %v", task.Job.Name, err)
		}
		last, took = time.Now(), time.Since(began)
		return nil
	}
}

// packFiles makes a tar file of files, which are called by their numbers. Of the same files it
// is the same.
func packFiles(to string, files []string) error {
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	packer := tar.NewWriter(file)
	for i, path := range files {
		if err = packFile(packer, fmt.Sprintf("%06d%s", i+1, filepath.Ext(path)), path); err != nil {
			break
		}
	}
	return errors.Join(err, packer.Close(), file.Close())
}

func packFile(packer *tar.Writer, name, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if err := packer.WriteHeader(&tar.Header{Name: name, Mode: 0o666, Size: info.Size(), Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err = io.Copy(packer, file)
	return err
}

// packFolder writes a tar file of all files in a folder and those below it.
func packFolder(w io.Writer, folder string) error {
	packer := tar.NewWriter(w)
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		return packFile(packer, filepath.ToSlash(name), path)
	})
	return errors.Join(err, packer.Close())
}

// unpack writes the files of a tar file to a folder, and returns them in the order of their
// names.
func unpack(packed, folder string) (files []string, err error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, err
	}
	err = unpackTo(packed, func(index int, name string) (string, error) {
		path := filepath.Join(folder, fmt.Sprintf("%06d%s", index+1, filepath.Ext(filepath.Base(name))))
		files = append(files, path)
		return path, nil
	}, -1)
	slices.Sort(files)
	return files, err
}

// unpackFolder is the reverse of packFolder.
func unpackFolder(packed, folder string) error {
	return unpackTo(packed, func(_ int, name string) (string, error) {
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return "", fmt.Errorf("it has the file %q", name)
		}
		path := filepath.Join(folder, filepath.FromSlash(name))
		return path, os.MkdirAll(filepath.Dir(path), 0o777)
	}, -1)
}

// unpackTo writes each file of a tar file to where place says, by its number from 0 and its
// name. Want is how many there have to be, -1 for any.
func unpackTo(packed string, place func(index int, name string) (string, error), want int) error {
	file, err := os.Open(packed)
	if err != nil {
		return err
	}
	defer file.Close()
	unpacker, n := tar.NewReader(file), 0
	for ; ; n++ {
		header, err := unpacker.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		path, err := place(n, header.Name)
		if err != nil {
			return err
		}
		to, err := os.Create(path)
		if err != nil {
			return err
		}
		_, err = io.Copy(to, unpacker)
		if err := errors.Join(err, to.Close()); err != nil {
			return err
		}
	}
	if want >= 0 && n != want {
		return fmt.Errorf("there are %d frames, want %d", n, want)
	}
	return nil
}
