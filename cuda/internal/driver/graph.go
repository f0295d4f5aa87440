//go:build gpu && cgo && (linux || windows)

package driver

// #include <cuda.h>
import "C"

import (
	"unsafe"

	"gorgonia.org/cu"
)

// Graph is work that was captured once and is launched as one.
type Graph struct{ executable C.CUgraphExec }

// Capture records what issue puts on the stream, without running it. The calling
// goroutine must be locked to its thread.
func Capture(stream cu.Stream, issue func() error) (*Graph, error) {
	if err := check(C.cuStreamBeginCapture(handle(stream), C.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL)); err != nil {
		return nil, err
	}
	var graph C.CUgraph
	issued := issue()
	ended := check(C.cuStreamEndCapture(handle(stream), &graph))
	if graph != nil {
		defer C.cuGraphDestroy(graph)
	}
	if issued != nil {
		return nil, issued
	}
	if ended != nil {
		return nil, ended
	}
	g := &Graph{}
	if err := check(C.cuGraphInstantiateWithFlags(&g.executable, graph, 0)); err != nil {
		return nil, err
	}
	return g, nil
}

// Launch runs the graph on the stream, after what is there already.
func (g *Graph) Launch(stream cu.Stream) error {
	return check(C.cuGraphLaunch(g.executable, handle(stream)))
}

// Destroy frees the graph.
func (g *Graph) Destroy() error { return check(C.cuGraphExecDestroy(g.executable)) }

func handle(stream cu.Stream) C.CUstream { return *(*C.CUstream)(unsafe.Pointer(&stream)) }
