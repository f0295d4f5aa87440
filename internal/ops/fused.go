package ops

// Operations below stand in schedules, where a device can do two operations of the
// graph in one, and not in graphs.

// PooledConvolution is a Convolution and the Pool of its result: map, filters,
// biases → the pooling's result and, where something needs them, the choices that its
// gradient goes by and the convolution's result, in this order.
type PooledConvolution struct {
	Convolution *Convolution
	Pool        *Pool
}

func (p *PooledConvolution) String() string {
	return p.Convolution.String() + " with " + p.Pool.String()
}

// PooledConvolutionGradient is a PoolGradient, masked by the map that was pooled, and
// the ConvolutionGradient that follows: the cotangent of the pooling's result, the
// choices of the PooledConvolution, filters → dx.
type PooledConvolutionGradient struct {
	Convolution *ConvolutionGradient
	Pool        *PoolGradient
}

func (p *PooledConvolutionGradient) String() string {
	return p.Convolution.String() + " with " + p.Pool.String()
}

// Addition is the element-wise sum of two values of one shape. gorgonia.Grad adds up
// the cotangents of a node that has several consumers by an operation of its own,
// which has this one's place in schedules.
type Addition struct{}

func (Addition) String() string { return "addition" }

// Widening copies features that are kept in float16 to float32, for an operation
// that can't read the former.
type Widening struct{}

func (Widening) String() string { return "widening" }
