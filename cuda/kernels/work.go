package kernels

import (
	"math"
	"strings"
)

// Unit is the arithmetic unit that a kernel's work is for.
type Unit int

// The units of a multiprocessor.
const (
	Single     Unit = iota // float32 and integers
	Double                 // float64
	MatrixTF32             // the matrix units, on float32 rounded to 10 bits
	MatrixHalf             // the matrix units, on float16 or bfloat16
	Units
)

// String names the unit by what it multiplies.
func (u Unit) String() string { return [...]string{"f32", "f64", "tf32", "f16"}[u] }

// Work is what a launch has to do at least, whatever way its kernel takes.
type Work struct {
	Unit Unit
	// Operations are those of the method that the kernel's contract names, a
	// multiplication and an addition counting two. Few ones beside a copy aren't counted.
	Operations float64
	// Bytes are those of device memory if each operand were read once and each result
	// written once.
	Bytes float64
}

// parameter is one of a kernel's: its name in the sources, and the size in bytes of what it
// points to, 0 for a number.
type parameter struct {
	name    string
	element int
}

// ofMap stands for the size of the elements of the kernel's maps.
const ofMap = -1

// Work counts the work of a launch from its shape and arguments. It isn't known of every
// kernel: those of losses that few use have no count.
func (l Launch) Work() (w Work, known bool) {
	o := operandsOf(l)
	count, known := counts[o.family]
	if !known {
		return Work{}, false
	}
	return count(o), true
}

// operands are the arguments of a launch by name.
type operands struct {
	Launch
	family     string
	ending     string // of the family's kernel, or empty
	parameters map[string]operand
	asked      map[string]bool // names that were looked up, unless nil
}

// of looks a parameter up.
func (o operands) of(name string) operand {
	if o.asked != nil {
		o.asked[name] = true
	}
	return o.parameters[name]
}

type operand struct {
	word    uint64
	element int
}

func operandsOf(l Launch) operands {
	o := operands{Launch: l, family: l.Kernel, parameters: map[string]operand{}}
	if _, single := parametersOf[l.Kernel]; !single {
		at := strings.LastIndexByte(l.Kernel, '_')
		o.family, o.ending = l.Kernel[:max(at, 0)], l.Kernel[at+1:]
	}
	for i, p := range parametersOf[o.family] {
		size := p.element
		if size == ofMap {
			size = o.elementBytes()
		}
		o.parameters[p.name] = operand{l.Arguments[i], size}
	}
	return o
}

// elementBytes is the size of a map's elements in bytes.
func (o operands) elementBytes() int {
	if o.ending == "f16" || o.ending == "bf16" {
		return 2
	}
	return 4
}

// matrix is the unit that multiplies maps of the kernel's family.
func (o operands) matrix() Unit {
	if o.elementBytes() == 2 {
		return MatrixHalf
	}
	return MatrixTF32
}

// n is a parameter that is a whole number.
func (o operands) n(name string) float64 { return float64(int64(o.of(name).word)) }

// blocks is the number of blocks of the grid.
func (o operands) blocks() float64 {
	return float64(max(o.Grid.X, 1)) * float64(max(o.Grid.Y, 1)) * float64(max(o.Grid.Z, 1))
}

// size is that of so many elements at each of some pointers, those that are null left out.
// What is read and written stands twice.
func (o operands) size(elements float64, names ...string) (bytes float64) {
	for _, name := range names {
		if p := o.of(name); p.word != 0 {
			bytes += elements * float64(p.element)
		}
	}
	return bytes
}

// counts has the work of kernels by name or family.
var counts = map[string]func(operands) Work{
	"convolution":           plainConvolution,
	"convolution_picture":   pictureConvolution,
	"convolution_matrix64":  matrixConvolution,
	"convolution_matrix128": matrixConvolution,
	"convolution_hopper":    hopperConvolution,
	"finish_parts": func(o operands) Work {
		n, parts := o.n("n"), o.n("parts")
		return Work{Single, parts * n, o.size(n, "y", "addend", "mask") + o.size(parts*n, "parts_memory")}
	},
	"product":           product(func(operands) Unit { return Single }),
	"product_matrix64":  product(operands.matrix),
	"product_matrix128": product(operands.matrix),
	"picture_gradient": func(o operands) Work {
		n, channels, out := o.n("height")*o.n("width"), o.n("channels"), o.n("out")
		return Work{Single, 18 * channels * out * n, o.size(channels*n, "dx") + o.size(out*n, "dy", "dy_mask") + o.size(9*channels*out, "filters")}
	},
	"convolution_edges": edges,
	"picture_edges":     pictureEdges,

	"rectify":          elementwise(0, "y", "x"),
	"rectify_gradient": elementwise(0, "dx", "dy", "y"),
	"add":              elementwise(1, "y", "a", "b"),
	"add_masked":       elementwise(1, "y", "a", "b", "mask"),
	"scale_map":        elementwise(2, "dx", "gradient", "addend", "mask"),
	"pool_max":         pool, "pool_mean": pool, "pool_l2": pool,
	"pool_max_gradient": poolGradient, "pool_mean_gradient": poolGradient, "pool_l2_gradient": poolGradient,
	"variation_partials":  picture(12, "x"),
	"variation_gradient":  picture(24, "dx", "x", "addend"),
	"difference_partials": elementwise(3, "x", "target"),
	"difference_gradient": elementwise(2, "dx", "x", "target", "addend"),
	"gram_partials": func(o operands) Work {
		n := o.n("channels") * o.n("channels")
		return Work{Double, 4 * n, o.size(n, "summary", "target")}
	},
	"gram_matrix": func(o operands) Work {
		n := o.n("channels") * o.n("channels")
		return Work{Double, 6 * n, o.size(n, "matrix", "summary", "target")}
	},
	"squares_partials":      elementwise(2, "x"),
	"difference_comparison": few,
	"gram_comparison": func(o operands) Work {
		n := o.n("channels") * o.n("channels")
		return Work{Double, 4 * n, o.size(n, "cotangent", "summary", "target")}
	},

	"channel_sums":    channels(1),
	"channel_squares": channels(3),
	"channel_powers":  channels(8),
	"sum_rows": func(o operands) Work {
		rows, count := o.n("rows"), o.n("count")
		return Work{Double, rows * count, o.size(rows*count, "partials") + o.size(count, "result")}
	},
	"channel_gradient":      channelwise(4),
	"powers_gradient":       channelwise(8),
	"second_moments":        secondMoments(func(operands) Unit { return Single }),
	"second_moments_matrix": secondMoments(operands.matrix),
	"moments_finish": func(o operands) Work {
		n, channels, parts := o.n("channels")*o.n("channels"), o.n("channels"), o.n("parts")
		return Work{Double, parts * (n/2 + channels), o.size(parts*n/2, "partials") + o.size(parts*channels, "sums") + o.size(n, "second") + o.size(channels, "means")}
	},
	"cotangent_greatest": func(o operands) Work {
		n := o.n("channels") * o.n("channels")
		return Work{Double, n, o.size(n, "d")}
	},
	"moments_cotangent": func(o operands) Work {
		n := o.n("channels") * o.n("channels")
		return Work{Double, 3 * n, o.size(n, "matrix", "cotangent")}
	},

	"gaussian_covariance": square(3, "covariance", "summary"),
	"dot_partials_f64":    inDouble(elementwise(2, "x", "y")),
	"transport_begin":     square(4, "t", "u", "v", "target", "inverse", "covariance"),
	"invert_step": func(o operands) Work { // an elimination of 32 columns of each matrix
		n, matrices := o.n("n"), float64(max(o.Grid.Z, 1))
		return Work{Double, matrices * 64 * n * n, matrices * o.size(n*n, "to0", "from0")}
	},
	"transport_combine": square(8, "t", "t", "u", "u", "v", "w"),
	"transport_shift":   square(6, "x", "y", "u", "v"),
	"transport_end":     square(8, "t", "t", "x", "y"),
	"thin_product": func(o operands) Work {
		n := o.n("n")
		return Work{Double, 32 * n * n, o.size(n*n, "matrix") + o.size(16*n, "y", "thin")}
	},
	"transport_residual": func(o operands) Work { n := o.n("n"); return Work{Double, 80 * n, o.size(16*n, "moved", "probed")} },
	"gaussian_rows":      square(6, "cotangent", "t", "covariance"),
	"gaussian_value":     few,

	// Products of triangular matrices have a third of the operations of others, symmetric
	// results half of them.
	"polar_begin":   square(2, "ordered"),
	"factor_step":   square(32, "to", "from"),
	"polar_first":   cube(4./3, "even", "odd", "target_factor", "target_inverse", "factor", "inverse"),
	"polar_gram":    cube(1, "gram", "even"),
	"polar_step":    cube(2, "even", "odd", "gram"),
	"polar_product": cube(2, "to", "left", "right"),
	"polar_root":    cube(1, "root", "carried", "target_factor", "target_inverse"),
	"polar_map":     cube(1, "t", "target_factor", "rooted"),

	"restrict": func(o operands) Work {
		n := o.n("planes") * o.n("height") * o.n("width")
		return Work{Single, 2 * n, o.size(n, "x") + o.size(n/4, "coarse")}
	},
	"prolong": func(o operands) Work {
		n := o.n("planes") * o.n("height") * o.n("width")
		return Work{Single, 8 * n, o.size(n, "x", "x") + o.size(n/4, "coarse")}
	},
	"fill":          elementwise(0, "y"),
	"scale":         elementwise(1, "x", "x"),
	"scale_by":      elementwise(1, "y", "x"),
	"scale_squares": elementwise(3, "y", "x"),
	"scale_by_f64":  inDouble(elementwise(1, "y", "x")),
	"axpy":          elementwise(2, "y", "y", "x"),
	"add_f64":       inDouble(elementwise(1, "y", "a", "b")),
	"clamp":         elementwise(0, "x", "x"),
	"average":       elementwise(3, "mean", "mean", "x"),
	"adam":          elementwise(14, "point", "point", "gradient", "mean", "mean", "square", "square"),
	"dot_partials":  inDouble(elementwise(2, "x", "y")),
	"two_loop":      inDouble(elementwise(4, "q", "q", "add", "with")),
	"sum_partials": func(o operands) Work {
		n := o.n("count") * o.blocks()
		return Work{Double, n, o.size(n, "partials")}
	},
	"weighted_sum":          few,
	"statistics_comparison": few,
	"central_comparison":    few,
	"raw_moments":           few,

	"channels_last": channelsAndPlanes,
	"planes":        channelsAndPlanes,
	"gather": func(o operands) Work {
		n := o.n("channels") * o.n("n")
		return Work{Single, 0, o.size(n, "y", "x", "addend", "mask") + o.size(o.n("n"), "index")}
	},
}

// few is the work of kernels that compute some numbers.
func few(operands) Work { return Work{} }

// elementwise is the work of kernels that do so much for each of n elements.
func elementwise(operations float64, names ...string) func(operands) Work {
	return func(o operands) Work { n := o.n("n"); return Work{Single, operations * n, o.size(n, names...)} }
}

// inDouble is other work, in float64.
func inDouble(count func(operands) Work) func(operands) Work {
	return func(o operands) Work { w := count(o); w.Unit = Double; return w }
}

// square is the work of kernels that do so much for each element of n×n matrices in float64.
func square(operations float64, names ...string) func(operands) Work {
	return func(o operands) Work {
		n := o.n("n") * o.n("n")
		return Work{Double, operations * n, o.size(n, names...)}
	}
}

// cube is the work of products of n×n matrices in float32, so many times n³ operations.
func cube(operations float64, names ...string) func(operands) Work {
	return func(o operands) Work {
		n := o.n("n")
		return Work{Single, operations * n * n * n, o.size(n*n, names...)}
	}
}

// picture is the work of kernels that do so much for each element of a picture's planes.
func picture(operations float64, names ...string) func(operands) Work {
	return func(o operands) Work {
		n := o.n("planes") * o.n("height") * o.n("width")
		return Work{Single, operations * n, o.size(n, names...)}
	}
}

// convolution is the work of one by 3×3 filters, computed directly, with its results but
// without what it reads.
func convolution(o operands, unit Unit) Work {
	n, out := o.n("height")*o.n("width"), o.n("out")
	return Work{unit, 18 * o.n("in") * out * n, o.size(out*n, "y")}
}

func plainConvolution(o operands) Work {
	w := pictureConvolution(o)
	n := o.n("height") * o.n("width")
	w.Bytes += o.size(o.n("in")*n, "x_mask") + o.size(o.n("out")*n, "addend", "mask")
	return w
}

func pictureConvolution(o operands) Work {
	w, in := convolution(o, Single), o.n("in")
	w.Bytes += o.size(in*o.n("height")*o.n("width"), "x") + o.size(9*in*o.n("out"), "filters")
	return w
}

func matrixConvolution(o operands) Work {
	w, in := inParts(o, convolution(o, o.matrix()), float64(o.Grid.Z)), o.n("in")
	w.Bytes += o.size(in*o.n("height")*o.n("width"), "x") + o.size(9*in*o.n("out"), "filters")
	return w
}

// hopperConvolution is that of kernels which know maps and filters by descriptions of them,
// and may make a pooling besides.
func hopperConvolution(o operands) Work {
	w, in := inParts(o, convolution(o, MatrixHalf), o.n("parts")), o.n("in")
	w.Bytes += o.size(o.n("height")*o.n("width")*o.n("out")/4, "pooled")
	n, out := o.n("height")*o.n("width"), o.n("out")
	w.Bytes += 2 * (in*n + 9*in*out)
	if o.of("pulled").word != 0 {
		w.Operations += 2 * out * out * n
		w.Bytes += 2 * (out*n + out*out)
	}
	return w
}

// inParts is the work of a convolution whose depth may be shared out in parts: then its
// results are sums in float32, as many as there are parts, that another kernel finishes.
func inParts(o operands, w Work, parts float64) Work {
	n := o.n("height") * o.n("width") * o.n("out")
	if bytes := o.size(1, "parts_memory") * parts; bytes > 0 {
		w.Bytes = n * bytes
		return w
	}
	w.Bytes += o.size(n, "addend", "mask")
	return w
}

func product(unit func(operands) Unit) func(operands) Work {
	return func(o operands) Work {
		in, out, rows := o.n("in"), o.n("out"), o.n("rows")
		return Work{unit(o), 2 * in * out * rows, o.size(in*rows, "x") + o.size(in*out, "matrix") + o.size(out*rows, "y", "addend", "mask")}
	}
}

// pictureEdges is the work of what a replicated border passes on to the pixels at the edge.
func pictureEdges(o operands) Work {
	n, channels, out := o.edge(), o.n("channels"), o.n("out")
	return Work{Single, 6 * channels * out * n, o.size(channels*n, "dx", "dx") + o.size(out*n, "dy", "dy_mask") + o.size(9*channels*out, "filters")}
}

func edges(o operands) Work {
	w := pictureEdges(o)
	w.Bytes += o.size(o.n("channels")*o.edge(), "mask")
	return w
}

// edge is the number of positions at the edge of a map.
func (o operands) edge() float64 {
	h, w := o.n("height"), o.n("width")
	return h*w - math.Max(h-2, 0)*math.Max(w-2, 0)
}

func pool(o operands) Work {
	n := o.n("channels") * o.n("height") * o.n("width")
	return Work{Single, n, o.size(n, "x") + o.size(n/4, "y")}
}

func poolGradient(o operands) Work {
	n := o.n("channels") * o.n("height") * o.n("width")
	return Work{Single, 2 * n, o.size(n, "dx", "x", "addend") + o.size(n/4, "dy")}
}

// channels is the work of sums over the positions of each channel, to which parts of them
// are left.
func channels(operations float64) func(operands) Work {
	return func(o operands) Work {
		n := o.n("channels") * o.n("positions")
		return Work{Double, operations * n, o.size(n, "x")}
	}
}

// channelwise is the work of a gradient to a map from few numbers by channel.
func channelwise(operations float64) func(operands) Work {
	return func(o operands) Work {
		n := o.n("channels") * o.n("positions")
		return Work{Single, operations * n, o.size(n, "dx", "x", "addend", "mask")}
	}
}

// secondMoments is the work of the sums of the products of all pairs of channels, each pair
// once, of which each part of the positions leaves its own.
func secondMoments(unit func(operands) Unit) func(operands) Work {
	return func(o operands) Work {
		channels, positions, parts := o.n("channels"), o.n("positions"), float64(max(o.Grid.Y, 1))
		pairs := channels * (channels + 1) / 2
		return Work{unit(o), 2 * pairs * positions, o.size(channels*positions, "x") + o.size(parts*pairs, "partials")}
	}
}

func channelsAndPlanes(o operands) Work {
	return Work{Single, 0, o.size(o.n("channels")*o.n("positions"), "x", "y")}
}
