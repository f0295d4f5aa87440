package theory

import (
	"math/rand/v2"

	"impasto/internal/report"
)

// Figure shows the essay's distributions by samples of them, a pair under a
// heading. The seed is that of the samples.
func Figure(seed uint64) (report.Clouds, error) {
	const points = 600 // more would hide each other
	random := rand.New(rand.NewPCG(seed, 2))
	essay := Essay()
	figure := report.Clouds{Title: "Pairs with the same Gram matrix: by it alone, the clouds of a pair are one style", Extent: 3.6}
	for _, pair := range []struct {
		heading string
		members []Named
	}{
		{"X and Y: the same Gram matrix, other means and covariances", essay[:2]},
		{"W and Z: a point, and a line through 0", essay[2:]},
	} {
		group := report.CloudGroup{Heading: pair.heading}
		for _, d := range pair.members {
			sample, err := d.Sample(random, points)
			if err != nil {
				return figure, err
			}
			group.Clouds = append(group.Clouds, report.Cloud{Name: d.Name, Dimensions: len(d.Mean), Points: sample, Mean: d.Mean})
		}
		figure.Groups = append(figure.Groups, group)
	}
	return figure, nil
}
