package studio

import (
	"container/list"
	"errors"
	"sync"
)

// encodings keeps what pictures were encoded to, so that all who ask for one at a time, and
// those who come shortly after, are given the same bytes. What wasn't asked for longest is
// forgotten once there are too many bytes.
type encodings struct {
	most int

	mutex sync.Mutex
	bytes int
	known map[string]*encoding
	used  *list.List // of *encoding, the last used first
}

// encoding is a picture that is being encoded, or was.
type encoding struct {
	key  string
	done chan struct{} // closed when data or err is there
	data []byte
	err  error
	at   *list.Element
}

func newEncodings(most int) *encodings {
	return &encodings{most: most, known: map[string]*encoding{}, used: list.New()}
}

// get returns what encode makes, or made before under the same key. Errors aren't kept.
func (e *encodings) get(key string, encode func() ([]byte, error)) ([]byte, error) {
	e.mutex.Lock()
	one := e.known[key]
	if one != nil {
		e.used.MoveToFront(one.at)
		e.mutex.Unlock()
		<-one.done
		return one.data, one.err
	}
	one = &encoding{key: key, done: make(chan struct{})}
	one.at = e.used.PushFront(one)
	e.known[key] = one
	e.mutex.Unlock()

	defer e.keep(one)
	one.err = errNotEncoded // which stays where encode panics
	one.data, one.err = encode()
	return one.data, one.err
}

// errNotEncoded is what those are told who wait for an encoding that wasn't made.
var errNotEncoded = errors.New("studio: the picture was not encoded")

// keep keeps an encoding that was made, and forgets old ones.
func (e *encodings) keep(one *encoding) {
	close(one.done)
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if one.err != nil {
		e.forget(one)
		return
	}
	e.bytes += len(one.data)
	for oldest := e.used.Back(); e.bytes > e.most && oldest != nil; {
		before := oldest.Prev()
		if old := oldest.Value.(*encoding); old.finished() {
			e.forget(old)
		}
		oldest = before
	}
}

func (o *encoding) finished() bool {
	select {
	case <-o.done:
		return true
	default:
		return false
	}
}

// forget is called with the mutex locked.
func (e *encodings) forget(one *encoding) {
	if e.known[one.key] == one {
		delete(e.known, one.key)
		e.used.Remove(one.at)
		e.bytes -= len(one.data)
	}
}
