package heif

import (
	"context"
	"errors"

	"impasto/internal/sandbox"
)

// module is a decoder in a sandbox.
type module struct{ *sandbox.Module }

// newModule starts a decoder that may take so many bytes of memory. Close ends it.
func newModule(ctx context.Context, compressed []byte, memory int64) (*module, error) {
	m, err := sandbox.Start(ctx, compressed, memory)
	return &module{m}, err
}

func (m *module) close() error { return m.End() }

// call calls a function that returns one 32-bit number.
func (m *module) call(function string, arguments ...uint64) (uint32, error) {
	result, err := m.Call(function, arguments...)
	return result, fault(err)
}

// allocate returns the address of so many bytes.
func (m *module) allocate(bytes int64) (uint32, error) {
	address, err := m.Allocate(bytes)
	return address, fault(err)
}

// load puts a file into the decoder's memory.
func (m *module) load(file []byte) (at uint32, err error) {
	at, err = m.Load(file)
	return at, fault(err)
}

// fault says of the file what went wrong with the decoder.
func fault(err error) error {
	switch {
	case errors.Is(err, sandbox.ErrTrap):
		return ErrDamaged
	case errors.Is(err, sandbox.ErrMemory):
		return errMemory
	}
	return err
}
