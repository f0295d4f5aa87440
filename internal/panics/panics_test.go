package panics

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"testing"
)

func TestTogetherRunsAllAtATime(t *testing.T) {
	for _, n := range []int{0, 1, 3} {
		var all sync.WaitGroup
		all.Add(n)
		called := make([]bool, n)
		err := Together(n, func(i int) error {
			called[i] = true
			all.Done()
			all.Wait()
			return nil
		})
		if err != nil || slices.Contains(called, false) {
			t.Errorf("of %d were called %v, %v", n, called, err)
		}
	}
}

func TestTogetherGivesTheFirstError(t *testing.T) {
	errs := []error{nil, errors.New("one"), errors.New("two")}
	if err := Together(3, func(i int) error { return errs[i] }); err != errs[1] {
		t.Errorf("error %v, want %v", err, errs[1])
	}
}

func TestPanicsReachWhoWaits(t *testing.T) {
	defer func() {
		p, ok := recover().(*Panic)
		if !ok || p.Cause != "a mistake" || p.String() != "a mistake" || !bytes.Contains(p.Stack(), []byte("TestPanicsReachWhoWaits")) {
			t.Errorf("got the panic %v, want the mistake and where it was made", p)
		}
	}()
	Together(2, func(i int) error {
		if i == 1 {
			panic("a mistake")
		}
		return nil
	})
	t.Error("nobody panics")
}
