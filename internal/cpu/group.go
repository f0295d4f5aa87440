package cpu

import (
	"errors"

	"impasto/internal/ops"
	"impasto/internal/plan"
	"impasto/internal/pure"
)

// groupKernel runs Gaussian losses at a time. The widest share the device's threads,
// the others have one each.
var groupKernel = kernel{
	bind: func(m *machine, step plan.Step) (func() error, error) {
		members := step.Op.(*plan.Group).Members
		losses := make([]pure.Gaussian, len(members))
		most, widest := 0, 0
		for i, member := range members {
			loss, _, _ := member.Loss()
			losses[i] = loss.(*ops.Comparison[pure.Gaussian]).Loss
			switch channels := losses[i].Channels; {
			case channels > most:
				most, widest = channels, 1
			case channels == most:
				widest++
			}
		}
		seats := map[int]int{}
		runs, errs := make([]func() error, len(members)), make([]error, len(members))
		for i, member := range members {
			channels := losses[i].Channels
			key := workspaceKey{channels: channels, seat: seats[channels], threads: 1}
			seats[channels]++
			if channels == most {
				key.threads = max(1, m.device.workers.Threads()/widest)
			}
			_, inputs, _ := member.Loss()
			runs[i] = m.bindLoss(member, m.gaussian(losses[i], inputs, key))
		}
		return func() error {
			m.device.workers.Run(len(runs), func(i int) { errs[i] = runs[i]() })
			return errors.Join(errs...)
		}, nil
	},
	keeps: func(d *Device, step plan.Step) (own, shared int64) {
		for _, member := range step.Op.(*plan.Group).Members {
			of, with := gaussianKernel.keeps(d, member)
			own, shared = own+of, max(shared, with)
		}
		return own, shared
	},
}
