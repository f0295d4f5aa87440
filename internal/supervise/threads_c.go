//go:build unix && cgo

package supervise

// leastAddresses is the room that a parent and its child need to start: five threads of
// each, with stacks of 8 MiB and, in the parent, C's memory of 64 MiB, and the heap.
const leastAddresses = 400 << 20
