//go:build !unix

package flow_test

import "time"

// processorTime isn't known.
func processorTime() time.Duration { return 0 }
