package compare

import (
	"context"
	"time"

	"impasto/model"
)

// Plan is what the pictures that aren't there yet are expected to take.
type Plan struct {
	Pictures int           // to be painted
	Reused   int           // there already
	Time     time.Duration // of all, one after the other; scoring isn't in it
	Memory   int64         // in bytes, of the one that takes the most; see model.Level
	Device   string        // where that one is painted
}

// announce tells what Run will take, unless nobody wants to know it or nothing can be
// painted any more.
func (c *Comparison) announce(ctx context.Context) error {
	if !c.options.Announce || c.options.Progress == nil {
		return nil
	}
	plan, err := c.plan(ctx)
	if err != nil || plan.Device == "" {
		return err
	}
	return c.tell(Event{Kind: Planned, Plan: plan})
}

// plan adds up what each picture will take. One that can't be painted takes nothing: why,
// is told when its turn comes.
func (c *Comparison) plan(ctx context.Context) (Plan, error) {
	var p Plan
	for i, cell := range c.options.Cells {
		record, _, _, err := c.find(ctx, cell, c.entries[1+i])
		if err != nil {
			return p, err
		}
		if record != nil {
			p.Reused++
			continue
		}
		p.Pictures++
		of, err := c.planOf(ctx, cell)
		if ctx.Err() != nil {
			return p, c.interrupted(ctx, 0)
		}
		if err != nil {
			continue
		}
		c.memory[i] = of.Memory
		p.Time += of.Time
		if p.Device == "" || of.Memory > p.Memory {
			p.Memory, p.Device = of.Memory, of.Device
		}
	}
	return p, nil
}

// planOf is what one picture takes.
func (c *Comparison) planOf(ctx context.Context, cell Cell) (model.Plan, error) {
	o, err := cell.Settings.Open(ctx, c.networks)
	if err != nil {
		return model.Plan{}, err
	}
	styles, err := cell.Settings.Guide(ctx, c.content, c.modelStyles(), &o, nil)
	if err != nil {
		return model.Plan{}, err
	}
	return model.MakePlan(ctx, c.content, styles, o)
}
