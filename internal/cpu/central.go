package cpu

import (
	"impasto/internal/cpu/kernels"
	"impasto/internal/pure"
)

// powerMoments computes pure.PowerMoments of every channel of x.
func powerMoments(w *kernels.Workers, moments []float64, x []float32, channels int) {
	n := len(x) / channels
	w.Run(channels, func(c int) {
		pure.PowerMoments(moments[c*pure.Orders:(c+1)*pure.Orders], x[c*n:(c+1)*n])
	})
}

// powerMomentsGradient computes pure.PowerMomentsGradient of every channel.
func powerMomentsGradient(w *kernels.Workers, dx, x []float32, cotangent []float64, channels int) {
	n := len(x) / channels
	w.Run(channels, func(c int) {
		pure.PowerMomentsGradient(dx[c*n:(c+1)*n], x[c*n:(c+1)*n], cotangent[c*pure.Orders:(c+1)*pure.Orders])
	})
}
