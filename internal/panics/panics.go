// Package panics carries panics from one goroutine to another, so that whoever waits for
// goroutines gets theirs as if they were its own.
package panics

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// Panic is what a goroutine panicked with, and where.
type Panic struct {
	Cause any
	stack []byte
}

// New is a panic of the goroutine that calls it, with what recover gave.
func New(cause any) *Panic { return &Panic{cause, debug.Stack()} }

func (p *Panic) String() string { return fmt.Sprint(p.Cause) }

// Stack is the trace of the goroutine that panicked.
func (p *Panic) Stack() []byte { return p.stack }

// Together calls f with every number from 0 to n−1, each on a goroutine of its own, or the
// only one on the caller's, and returns when all have ended: the error of the first in
// order that fails. Where one panics, so does Together, with a *Panic.
func Together(n int, f func(i int) error) error {
	if n == 1 {
		return f(0)
	}
	failed, panicked := make([]error, n), make([]*Panic, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			defer func() {
				if cause := recover(); cause != nil {
					panicked[i] = New(cause)
				}
			}()
			failed[i] = f(i)
		})
	}
	all.Wait()
	for _, p := range panicked {
		if p != nil {
			panic(p)
		}
	}
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}
