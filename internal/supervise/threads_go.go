//go:build unix && !cgo

package supervise

// leastAddresses is the room that a parent and its child need to start, for the heap.
const leastAddresses = 200 << 20
