package painters

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"impasto/internal/batch"
	"impasto/internal/cluster"
	"impasto/internal/settings"
)

// BenchmarkBatch paints eight pictures: in one process with two threads, and by two workers
// with a thread each.
func BenchmarkBatch(b *testing.B) {
	const count = 8
	folder := b.TempDir()
	contents, styles := writePictures(b, folder, "content", count), writePictures(b, folder, "style", 1)
	pairs := pairsOf(contents, styles)
	with := func(threads string) settings.Stylization {
		s := settings.Default()
		for name, value := range map[string]string{"size": "96", "min-size": "96", "device": "cpu", "threads": threads, "first-iterations": "15"} {
			if err := s.Set(name, value); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.Settle(func(name string) bool { return name == "first-iterations" || name == "min-size" }); err != nil {
			b.Fatal(err)
		}
		return s
	}
	run := 0
	paintAll := func(b *testing.B, s settings.Stylization, runner batch.Runner) {
		for b.Loop() {
			run++
			s.Options.Seed = uint64(run) // or a cluster would have the pictures already
			paint(b.Context(), b, pairs, s, filepath.Join(folder, fmt.Sprint(run)), runner)
		}
		b.ReportMetric(float64(count*b.N)/b.Elapsed().Seconds(), "pictures/s")
	}
	b.Run("process", func(b *testing.B) { paintAll(b, with("2"), batch.NewLocal()) })
	b.Run("workers", func(b *testing.B) {
		_, port := startServer(b, b.TempDir(), 0)
		c, err := cluster.Connect(b.Context(), cluster.Options{URL: urlOf(port), Name: "benchmark"})
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		for _, name := range []string{"a", "b"} {
			r := workerOf(b, port, name)
			r.Every = 30 * time.Second
			start(b, r)
		}
		runner, err := NewRunner(b.Context(), c, program, "benchmark", nil)
		if err != nil {
			b.Fatal(err)
		}
		warm := with("1")
		warm.Options.Seed = 1 << 40 // so that workers have read the network
		paint(b.Context(), b, pairs[:4], warm, filepath.Join(folder, "warm"), runner)
		b.ResetTimer()
		paintAll(b, with("1"), runner)
	})
}
