package regions

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"slices"

	"impasto/internal/picture"
	"impasto/internal/recolour"
)

// MostClusters is how many regions Clusters finds at most. Two are the least.
const MostClusters = 8

const (
	// clusterSide is the longer side at which regions are found.
	clusterSide = 256
	// blur is how far colours are averaged before they are compared, in pixels on each side:
	// regions are of areas, not of grains.
	blur = 3
	// The guided filter averages over edgeRadius pixels on each side, and takes for an edge
	// what deviates by more than the root of edgeVariance in lightness.
	edgeRadius   = 8
	edgeVariance = 1e-3
	clusterRuns  = 5  // with other first centres, of which the best counts
	clusterSteps = 40 // at most
)

// Clusters finds count regions of a picture by its colours, from the darkest to the
// lightest, as masks that come to 1 everywhere. They are the clusters of k-means among the
// colours in Oklab, averaged over some pixels, of the picture at a small size; the first
// centres are drawn by the rule of k-means++ (Arthur and Vassilvitskii 2007), always the same
// ones. A guided filter (He, Sun and Tang 2010) lets the masks' edges follow those of the
// picture.
func Clusters(ctx context.Context, img image.Image, count int) ([]Mask, error) {
	if count < 2 || count > MostClusters {
		return nil, fmt.Errorf("%d regions, want 2 to %d", count, MostClusters)
	}
	size := img.Bounds().Size()
	width, height := size.X, size.Y
	if max(width, height) > clusterSide {
		width, height = picture.FitSize(width, height, clusterSide)
	}
	p, err := picture.ResizedTo(ctx, img, picture.ResizeOptions{Filter: picture.Lanczos, OnWhite: true}, width, height)
	if err != nil {
		return nil, err
	}
	lightness, colours := colours(p)
	labels, err := cluster(colours, count)
	if err != nil {
		return nil, err
	}
	masks := make([]Mask, count)
	for k := range masks {
		hard := NewMask(width, height)
		for i, label := range labels {
			if label == k {
				hard.Values[i] = 1
			}
		}
		masks[k] = hard.guided(lightness)
	}
	for i := range labels {
		var sum float32
		for k := range masks {
			sum += masks[k].Values[i]
		}
		for k := range masks {
			masks[k].Values[i] /= sum
		}
	}
	return masks, nil
}

// colours are those of a picture in Oklab, averaged, and its lightness, as it is.
func colours(p *picture.Picture) (lightness Mask, averaged [][3]float64) {
	var channels [3]Mask
	for c := range channels {
		channels[c] = NewMask(p.Width, p.Height)
	}
	red, green, blue := p.Planes()
	for i := range red {
		lab := recolour.FromRGB(float64(red[i]), float64(green[i]), float64(blue[i]))
		channels[0].Values[i], channels[1].Values[i], channels[2].Values[i] = float32(lab.L), float32(lab.A), float32(lab.B)
	}
	averaged = make([][3]float64, len(red))
	for c, channel := range channels {
		for i, v := range channel.mean(blur).Values {
			averaged[i][c] = float64(v)
		}
	}
	return channels[0], averaged
}

// cluster gives each colour the number of its cluster; clusters are in the order of their
// lightness.
func cluster(colours [][3]float64, count int) ([]int, error) {
	random := rand.New(rand.NewPCG(1, uint64(count)))
	var centres [][3]float64
	least := math.Inf(1)
	for range clusterRuns {
		tried, err := firstCentres(colours, count, random)
		if err != nil {
			return nil, err
		}
		distance := math.Inf(1)
		for range clusterSteps {
			before := distance
			if distance = centre(colours, tried); before-distance <= 1e-4*distance {
				break
			}
		}
		if distance < least {
			centres, least = tried, distance
		}
	}
	slices.SortFunc(centres, func(a, b [3]float64) int { return cmp.Compare(a[0], b[0]) })
	labels := make([]int, len(colours))
	for i, c := range colours {
		labels[i], _ = nearest(c, centres)
	}
	return labels, nil
}

// firstCentres draws centres among the colours, each with a probability that goes with the
// squared distance from those before.
func firstCentres(colours [][3]float64, count int, random *rand.Rand) ([][3]float64, error) {
	centres := [][3]float64{colours[random.IntN(len(colours))]}
	sums := make([]float64, len(colours))
	for len(centres) < count {
		var sum float64
		for i, c := range colours {
			_, d := nearest(c, centres)
			sum += d
			sums[i] = sum
		}
		if sum < 1e-6*float64(len(colours)) {
			return nil, fmt.Errorf("it has too few colours to find %d regions", count)
		}
		at, _ := slices.BinarySearch(sums, sum*random.Float64())
		centres = append(centres, colours[min(at, len(colours)-1)])
	}
	return centres, nil
}

// centre moves centres to the means of the colours that they are nearest to, and returns the
// squared distance of all before.
func centre(colours, centres [][3]float64) (distance float64) {
	sums, counts := make([][3]float64, len(centres)), make([]float64, len(centres))
	for _, c := range colours {
		k, d := nearest(c, centres)
		distance += d
		counts[k]++
		for i, v := range c {
			sums[k][i] += v
		}
	}
	for k, sum := range sums {
		for i := range sum {
			if counts[k] > 0 {
				centres[k][i] = sum[i] / counts[k]
			}
		}
	}
	return distance
}

// nearest is the nearest centre and its squared distance.
func nearest(c [3]float64, centres [][3]float64) (k int, distance float64) {
	distance = math.Inf(1)
	for i, centre := range centres {
		var d float64
		for n, v := range c {
			d += (v - centre[n]) * (v - centre[n])
		}
		if d < distance {
			k, distance = i, d
		}
	}
	return k, distance
}

// mean is that of the values that are at most radius away, across and down, within the
// picture.
func (m Mask) mean(radius int) Mask {
	across, down := NewMask(m.Width, m.Height), NewMask(m.Width, m.Height)
	line := func(to, from []float32, stride, n int) {
		var sum float64
		first, end := 0, 0 // of what sum has
		for i := range n {
			for ; end < min(n, i+radius+1); end++ {
				sum += float64(from[end*stride])
			}
			for ; first < i-radius; first++ {
				sum -= float64(from[first*stride])
			}
			to[i*stride] = float32(sum / float64(end-first))
		}
	}
	for y := range m.Height {
		line(across.Values[y*m.Width:], m.Values[y*m.Width:], 1, m.Width)
	}
	for x := range m.Width {
		line(down.Values[x:], across.Values[x:], m.Width, m.Height)
	}
	return down
}

// times is the product of two masks, value by value.
func (m Mask) times(other Mask) Mask {
	product := NewMask(m.Width, m.Height)
	for i, v := range m.Values {
		product.Values[i] = v * other.Values[i]
	}
	return product
}

// guided is the guided filter of a mask: a·guide + b, by the a and b that come nearest to the
// mask round each pixel. It is above 0 everywhere, and 1 at most.
func (m Mask) guided(guide Mask) Mask {
	meanGuide, meanMask := guide.mean(edgeRadius), m.mean(edgeRadius)
	both, square := guide.times(m).mean(edgeRadius), guide.times(guide).mean(edgeRadius)
	a, b := NewMask(m.Width, m.Height), NewMask(m.Width, m.Height)
	for i := range a.Values {
		covariance := both.Values[i] - meanGuide.Values[i]*meanMask.Values[i]
		variance := max(square.Values[i]-meanGuide.Values[i]*meanGuide.Values[i], 0)
		a.Values[i] = covariance / (variance + edgeVariance)
		b.Values[i] = meanMask.Values[i] - a.Values[i]*meanGuide.Values[i]
	}
	a, b = a.mean(edgeRadius), b.mean(edgeRadius)
	filtered := NewMask(m.Width, m.Height)
	for i, v := range guide.Values {
		filtered.Values[i] = min(max(a.Values[i]*v+b.Values[i], 1e-3), 1)
	}
	return filtered
}

// Image is the mask as a picture, white where it is 1.
func (m Mask) Image() *image.Gray {
	img := image.NewGray(image.Rect(0, 0, m.Width, m.Height))
	for i, v := range m.Values {
		img.Pix[i] = uint8(255*v + 0.5)
	}
	return img
}

// Resize is the mask at another size.
func (m Mask) Resize(width, height int) (Mask, error) {
	resized := NewMask(width, height)
	err := picture.ResizePlanes(resized.Values, m.Values, 1, m.Height, m.Width, height, width, picture.Bilinear)
	for i, v := range resized.Values {
		resized.Values[i] = min(max(v, 0), 1) // weights round
	}
	return resized, err
}
