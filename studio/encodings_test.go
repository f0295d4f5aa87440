package studio

import (
	"bytes"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

func TestAnEncodingIsMadeOnceForAll(t *testing.T) {
	e := newEncodings(100)
	var made atomic.Int32
	begin := make(chan struct{})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			data, err := e.get("a", func() ([]byte, error) {
				made.Add(1)
				<-begin
				return []byte("picture"), nil
			})
			if err != nil || string(data) != "picture" {
				t.Errorf("%q, %v", data, err)
			}
		})
	}
	close(begin)
	all.Wait()
	if made.Load() != 1 {
		t.Errorf("made %d times, want once", made.Load())
	}
}

func TestEncodingsAreForgotten(t *testing.T) {
	e := newEncodings(100)
	made := map[string]int{}
	get := func(key string) {
		t.Helper()
		if _, err := e.get(key, func() ([]byte, error) {
			made[key]++
			return bytes.Repeat([]byte{1}, 40), nil
		}); err != nil {
			t.Error(err)
		}
	}
	for _, key := range []string{"a", "b", "a", "c", "a", "b"} { // c takes the place of b
		get(key)
	}
	if made["a"] != 1 || made["b"] != 2 || made["c"] != 1 {
		t.Errorf("made %v, want a and c once and b twice", made)
	}
	if e.bytes > 100 {
		t.Errorf("%d bytes are kept, want 100 at most", e.bytes)
	}
}

func TestFailedEncodingsAreTriedAgain(t *testing.T) {
	e := newEncodings(100)
	if _, err := e.get("a", func() ([]byte, error) { return nil, errWrong }); !errors.Is(err, errWrong) {
		t.Errorf("%v, want the error", err)
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = e.get("a", func() ([]byte, error) { panic("deliberate") })
	}()
	if data, err := e.get("a", func() ([]byte, error) { return []byte("x"), nil }); err != nil || string(data) != "x" {
		t.Errorf("%q, %v", data, err)
	}
}
