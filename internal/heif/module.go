package heif

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

// pageBytes is the unit in which a WebAssembly memory grows.
const pageBytes = 1 << 16

// module is a WebAssembly program in a sandbox of its own: it sees nothing but
// its memory, which can't grow beyond a limit, and ends with its context.
type module struct {
	ctx     context.Context
	runtime wazero.Runtime
	api.Module
}

// newModule starts a program that may take so many bytes of memory. Close ends
// it.
func newModule(ctx context.Context, compressed []byte, memory int64) (*module, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	program, err := io.ReadAll(unpacked)
	if err != nil {
		return nil, err
	}
	pages := min(max(memory/pageBytes, minPages), maxPages)
	m := &module{ctx: ctx, runtime: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().
		WithCloseOnContextDone(true).
		WithMemoryLimitPages(uint32(pages)).
		WithMemoryCapacityFromMax(true))} // else growing copies all of it, again and again
	if _, err = wasi_snapshot_preview1.Instantiate(ctx, m.runtime); err == nil {
		// Without a configuration there are no files, no arguments, and no output.
		m.Module, err = m.runtime.InstantiateWithConfig(ctx, program, wazero.NewModuleConfig())
	}
	if err != nil {
		return nil, errors.Join(err, m.close())
	}
	return m, nil
}

func (m *module) close() error {
	// The context may have ended, and closing must happen all the same.
	return m.runtime.Close(context.WithoutCancel(m.ctx))
}

// call calls a function that returns one 32-bit number.
func (m *module) call(function string, arguments ...uint64) (uint32, error) {
	f := m.ExportedFunction(function)
	if f == nil {
		return 0, fmt.Errorf("the decoder has no function %s", function)
	}
	results, err := f.Call(m.ctx, arguments...)
	switch {
	case m.ctx.Err() != nil:
		return 0, context.Cause(m.ctx)
	case err != nil:
		return 0, ErrDamaged // a trap: the program ran into its own guards
	}
	return api.DecodeU32(results[0]), nil
}

// allocate returns the address of so many bytes.
func (m *module) allocate(bytes int64) (uint32, error) {
	if bytes > maxPages*pageBytes {
		return 0, errMemory
	}
	address, err := m.call("malloc", uint64(bytes))
	if err == nil && address == 0 {
		err = errMemory
	}
	return address, err
}
