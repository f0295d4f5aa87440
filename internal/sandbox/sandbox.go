// Package sandbox runs WebAssembly programs that see nothing but their own memory, which
// can't grow beyond a limit, and that end with their context.
package sandbox

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

const (
	// pageBytes is the unit in which a WebAssembly memory grows.
	pageBytes = 1 << 16
	minPages  = 1 << 8  // 16 MiB
	maxPages  = 1 << 16 // 4 GiB, as much as there are addresses
)

// MaxBytes is the most memory that a program can have.
const MaxBytes = maxPages * pageBytes

var (
	// ErrTrap is that a program ran into its own guards.
	ErrTrap = errors.New("the program in the sandbox failed")
	// ErrMemory is that a program would need more memory than it may take.
	ErrMemory = errors.New("the program in the sandbox needs more memory than it may take")
)

// Module is a program that was started. Close ends it.
type Module struct {
	ctx     context.Context
	runtime wazero.Runtime
	api.Module
}

// Start starts a program, compressed by gzip, that may take so many bytes of memory.
func Start(ctx context.Context, compressed []byte, memory int64) (*Module, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	program, err := io.ReadAll(unpacked)
	if err != nil {
		return nil, err
	}
	pages := min(max(memory/pageBytes, minPages), maxPages)
	m := &Module{ctx: ctx, runtime: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().
		WithCloseOnContextDone(true).
		WithMemoryLimitPages(uint32(pages)).
		WithMemoryCapacityFromMax(true))} // else growing copies all of it, again and again
	if _, err = wasi_snapshot_preview1.Instantiate(ctx, m.runtime); err == nil {
		// Without a configuration there are no files, no arguments, and no output.
		m.Module, err = m.runtime.InstantiateWithConfig(ctx, program, wazero.NewModuleConfig())
	}
	if err != nil {
		return nil, errors.Join(err, m.End())
	}
	return m, nil
}

// End ends the program.
func (m *Module) End() error {
	// The context may have ended, and closing must happen all the same.
	return m.runtime.Close(context.WithoutCancel(m.ctx))
}

// Call calls a function that returns one 32-bit number. Where the program fails, the error
// is ErrTrap, and where the context ends, its cause.
func (m *Module) Call(function string, arguments ...uint64) (uint32, error) {
	f := m.ExportedFunction(function)
	if f == nil {
		return 0, fmt.Errorf("the program in the sandbox has no function %s", function)
	}
	results, err := f.Call(m.ctx, arguments...)
	switch {
	case m.ctx.Err() != nil:
		return 0, context.Cause(m.ctx)
	case err != nil:
		return 0, ErrTrap
	}
	return api.DecodeU32(results[0]), nil
}

// Allocate returns the address of so many bytes, or ErrMemory.
func (m *Module) Allocate(bytes int64) (uint32, error) {
	if bytes > MaxBytes {
		return 0, ErrMemory
	}
	address, err := m.Call("malloc", uint64(bytes))
	if err == nil && address == 0 {
		err = ErrMemory
	}
	return address, err
}

// Load puts data into the program's memory, and returns their address.
func (m *Module) Load(data []byte) (at uint32, err error) {
	if at, err = m.Allocate(int64(len(data))); err == nil && !m.Memory().Write(at, data) {
		err = ErrMemory
	}
	return at, err
}
