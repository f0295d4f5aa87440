// Package engine has what everything that runs a graph needs: the network's
// parameters (network.go), a device (device.go), and the making, compiling and
// evaluating of schedules (evaluate.go).
package engine
