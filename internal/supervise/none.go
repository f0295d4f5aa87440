//go:build !unix

package supervise

import (
	"os"
	"os/signal"
)

// Run does nothing on this system.
func Run() (status int, done bool) { return 0, false }

// Adopt does nothing on this system.
func Adopt() {}

// Notify is signal.Notify.
func Notify(c chan<- os.Signal, signals ...os.Signal) { signal.Notify(c, signals...) }

// Stop is signal.Stop.
func Stop(c chan<- os.Signal) { signal.Stop(c) }
