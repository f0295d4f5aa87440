package model

import (
	"context"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"slices"

	"impasto/internal/picture"
	"impasto/internal/recolour"
)

// Start names what the first level starts from.
type Start string

// What the first level may start from.
const (
	StartFromContent Start = "content"
	StartFromStyle   Start = "style"
	StartFromGrey    Start = "grey"
	StartFromNoise   Start = "noise"
	StartFromImage   Start = "image"
	// StartFromResult goes on from a smaller result of the same pictures: levels are those
	// that are larger, and each, the first included, begins and goes on as one after another
	// does, with Options.Noise and without the first level's own number of iterations.
	StartFromResult Start = "result"
)

// starts is the table of what the first level may start from. Each row's picture has the
// size of the level, which together with the options determines it.
var starts = [...]struct {
	name    Start
	help    string
	picture func(ctx context.Context, l level, styleWeights []float64, o Options) (*picture.Picture, error)
}{
	{StartFromContent, "the content picture", fromContent},
	{StartFromStyle, "noise in the styles' colours", fromStyle},
	{StartFromGrey, "grey with a little noise", fromGrey},
	{StartFromNoise, "noise", fromNoise},
	{StartFromImage, "a picture of one's own, resized to fit whatever its shape", fromImage},
	{StartFromResult, "a smaller result, from which scales go on as from one to the next", fromResult},
}

// StartNames are what there is to start from.
func StartNames() []string {
	var names []string
	for _, row := range starts {
		names = append(names, string(row.name))
	}
	return names
}

// Help describes in one line what is started from.
func (s Start) Help() string {
	for _, row := range starts {
		if row.name == s {
			return row.help
		}
	}
	return ""
}

// IsPicture tells whether Options.StartImage is what is started from.
func (s Start) IsPicture() bool { return s == StartFromImage || s == StartFromResult }

// goesOn tells whether something is to begin with that noise is added to.
func (s Start) goesOn() bool { return s == StartFromContent || s == StartFromResult }

// settleStart leaves out the levels that a result which is gone on from is larger than. The
// options have been checked.
func (o Options) settleStart() Options {
	if o.Start == StartFromResult {
		o.MinSize = max(o.MinSize, longerSide(o.StartImage)+1)
	}
	return o
}

// remarkStart remarks on a result that isn't of the content's shape.
func (o Options) remarkStart(content image.Point) []string {
	if o.Start != StartFromResult {
		return nil
	}
	size := o.StartImage.Bounds().Size()
	if isOfShape(size, content) {
		return nil
	}
	return []string{fmt.Sprintf("the result to go on from is %d×%d and the content %d×%d: it is stretched, and may be of another content",
		size.X, size.Y, content.X, content.Y)}
}

func longerSide(img image.Image) int { return max(img.Bounds().Dx(), img.Bounds().Dy()) }

// greyNoise is the width of the noise on the grey start: one level of an 8-bit
// picture, so that no two pixels have quite the same gradient.
const greyNoise = 1.0 / 255

// start returns the picture that the first level starts from. The options have been
// checked.
func start(ctx context.Context, l level, styleWeights []float64, o Options) (*picture.Picture, error) {
	for _, row := range starts {
		if row.name == o.Start {
			return row.picture(ctx, l, styleWeights, o)
		}
	}
	return nil, fmt.Errorf("model: no start is named %q", o.Start)
}

func fromContent(_ context.Context, l level, _ []float64, _ Options) (*picture.Picture, error) {
	return &picture.Picture{Width: l.width, Height: l.height, RGB: slices.Clone(l.content.RGB)}, nil
}

// fromStyle is noise with the styles' mean and deviation by channel.
func fromStyle(_ context.Context, l level, styleWeights []float64, o Options) (*picture.Picture, error) {
	mean, deviation := colourStatistics(l.styles, styleWeights)
	random := o.random()
	return fill(l, func(channel int) float64 { return mean[channel] + deviation[channel]*random.NormFloat64() }), nil
}

func fromGrey(_ context.Context, l level, _ []float64, o Options) (*picture.Picture, error) {
	random := o.random()
	return fill(l, func(int) float64 { return 0.5 + greyNoise*random.Float64() }), nil
}

func fromNoise(_ context.Context, l level, _ []float64, o Options) (*picture.Picture, error) {
	random := o.random()
	return fill(l, func(int) float64 { return random.Float64() }), nil
}

func fromImage(ctx context.Context, l level, _ []float64, o Options) (*picture.Picture, error) {
	p, err := picture.ResizedTo(ctx, o.StartImage, onWhite, l.width, l.height)
	if err != nil {
		return nil, pictureError("start picture", err)
	}
	return p, nil
}

// fromResult is what a level before this one would have left.
func fromResult(ctx context.Context, l level, _ []float64, o Options) (*picture.Picture, error) {
	p, err := l.before(ctx, o.StartImage, o)
	if err != nil {
		return nil, pictureError("start picture", err)
	}
	return p, nil
}

// before is a result at the size of the level, as the network sees it. Where it sees all
// pictures in grey, or colours are reduced, the content's are taken out again that show added
// in the end.
func (l level) before(ctx context.Context, result image.Image, o Options) (*picture.Picture, error) {
	p, err := picture.ResizedTo(ctx, result, picture.ResizeOptions{Filter: picture.Bicubic}, l.width, l.height)
	if err == nil {
		p, err = p.Filled()
	}
	if err != nil {
		return nil, err
	}
	if p.Alpha = nil; !o.keepsColours(recolour.Luminance) {
		return p, nil
	}
	own, contents := 0., 0.
	if left := 1 - o.KeepColours; left > 0 { // √left is what the level's content has of its colours
		own, contents = 1/math.Sqrt(left), -o.KeepColours/left
	}
	return recolour.Paint(ctx, p, l.content, own, contents)
}

// random generates what is random in the start.
func (o Options) random() *rand.Rand { return rand.New(rand.NewPCG(o.Seed, 0)) }

// addNoise adds noise of a standard deviation to a picture and clamps it: most of it the
// same in all channels, as brightness is in pictures, and without the finest detail, which
// the network hardly sees. It is another at each size.
func addNoise(p *picture.Picture, deviation float64, seed uint64) {
	if deviation == 0 {
		return
	}
	random := rand.New(rand.NewPCG(seed, uint64(p.Width)<<32|uint64(p.Height)))
	// Rows of noise that all channels have, and of each one's own; those of row y are in
	// place y%3.
	var rows [3][1 + channels][]float32
	for place := range rows {
		for i := range rows[place] {
			rows[place][i] = make([]float32, p.Width)
		}
	}
	draw := func(y int) {
		for i, strength := range [...]float64{1, colourNoise, colourNoise, colourNoise} {
			row := rows[y%3][i]
			for x := range row {
				row[x] = float32(strength * deviation / binomialDeviation * random.NormFloat64())
			}
			binomial(row)
		}
	}
	draw(0)
	for y := range p.Height {
		if y+1 < p.Height {
			draw(y + 1)
		}
		above, here, below := rows[max(y-1, 0)%3], rows[y%3], rows[min(y+1, p.Height-1)%3]
		for channel := range channels {
			line := p.RGB[(channel*p.Height+y)*p.Width:][:p.Width]
			for x, v := range line {
				for _, i := range [...]int{0, 1 + channel} {
					v += 0.25*above[i][x] + 0.5*here[i][x] + 0.25*below[i][x]
				}
				line[x] = min(max(v, 0), 1)
			}
		}
	}
}

const (
	channels = 3
	// colourNoise is the standard deviation of a channel's own noise beside that of all.
	colourNoise = 0.3
	// binomialDeviation is what the weights ¼, ½, ¼ along rows and columns, which take away
	// what changes its sign with every pixel, make of a standard deviation of 1: the sum of
	// their squares.
	binomialDeviation = 3. / 8
)

// binomial smooths a row by the weights ¼, ½, ¼.
func binomial(row []float32) {
	before := row[0]
	for i, here := range row {
		row[i] = 0.25*before + 0.5*here + 0.25*row[min(i+1, len(row)-1)]
		before = here
	}
}

// fill makes a picture by a value for each sample, clamped to 0–1.
func fill(l level, value func(channel int) float64) *picture.Picture {
	plane := l.width * l.height
	p := &picture.Picture{Width: l.width, Height: l.height, RGB: make([]float32, 3*plane)}
	for i := range p.RGB {
		p.RGB[i] = float32(min(max(value(i/plane), 0), 1))
	}
	return p
}

// colourStatistics returns the mean and the standard deviation of each channel
// over all pixels of the pictures, each picture counting by its weight. The
// weights sum to 1.
func colourStatistics(pictures []*picture.Picture, weights []float64) (mean, deviation [3]float64) {
	for channel := range 3 {
		var first, second float64
		for i, p := range pictures {
			plane := p.RGB[channel*p.Width*p.Height:][:p.Width*p.Height]
			for _, v := range plane {
				share := weights[i] / float64(len(plane))
				first += share * float64(v)
				second += share * float64(v) * float64(v)
			}
		}
		mean[channel] = first
		deviation[channel] = math.Sqrt(max(0, second-first*first))
	}
	return mean, deviation
}
