package cpu

import (
	"context"
	"testing"

	"impasto/vgg19"
)

// Steps are all that is counted here: what one of them leaves of its parts is the
// business of kernels.Workers.
func TestNoStepBeginsOnceTheContextHasEnded(t *testing.T) {
	p := defaultNetwork(t)
	for _, style := range []string{"gram", "sliced"} {
		l := networkLossOf(t, p, vgg19.Options{}, 64, style, fiveLayers...)
		m := compiled(t, opened(t, Options{}), l.Schedule).(*machine)
		write(t, m, l.picture, noise(3*64*64, 1))
		count, last := 0, len(m.steps)
		var ctx context.Context
		var cancel context.CancelFunc
		for i, r := range m.steps {
			m.steps[i].run = func() error {
				err := r.run()
				if count++; count == last {
					cancel()
				}
				return err
			}
		}
		for last = 1; last < len(m.steps); last += 7 {
			count = 0
			ctx, cancel = context.WithCancel(t.Context())
			if err := m.Run(ctx); err != context.Canceled || count != last {
				t.Errorf("%s: %d of %d steps were made, and the error is %v; want %d and %v", style, count, len(m.steps), err, last, context.Canceled)
			}
		}
		cancel()
		count = 0
		if err := m.Run(ctx); err != context.Canceled || count != 0 {
			t.Errorf("%s: %d steps were made, and the error is %v, though the context had ended before", style, count, err)
		}
	}
}
