package main

import "impasto/model"

// What happens to a stylisation is told as one JSON object a line. The keys are a
// promise to scripts.

// iterationEvent is written after every iteration.
type iterationEvent struct {
	Event string `json:"event"` // "iteration"
	iterationKeys
	Work float64 `json:"work"` // the share that is done, by the time that it takes
	// Remaining is the time left in seconds, missing while nothing tells.
	Remaining *float64 `json:"remaining_seconds,omitempty"`
}

// iterationKeys are what there is to be said of an iteration wherever it is told.
type iterationKeys struct {
	Scale        int                `json:"scale"` // from 1
	Scales       int                `json:"scales"`
	Width        int                `json:"width"` // of the picture at this scale, in pixels
	Height       int                `json:"height"`
	Iteration    int                `json:"iteration"` // at this scale, from 1
	Iterations   int                `json:"iterations"`
	Done         int                `json:"done"` // over all scales
	Total        int                `json:"total"`
	Loss         float64            `json:"loss"`
	Terms        map[string]float64 `json:"terms"` // the loss by its parts, which sum to it
	GradientNorm float64            `json:"gradient_norm"`
	Seconds      float64            `json:"seconds"` // since the run began, or went on
}

func newIterationKeys(p model.Progress) iterationKeys {
	terms := make(map[string]float64, len(p.Terms))
	for _, t := range p.Terms {
		terms[t.Name] = t.Value
	}
	return iterationKeys{
		Scale: p.Level, Scales: p.Levels, Width: p.Width, Height: p.Height,
		Iteration: p.Iteration, Iterations: p.Iterations, Done: p.Done, Total: p.Total,
		Loss: p.Loss, Terms: terms, GradientNorm: p.GradientNorm, Seconds: p.Elapsed.Seconds(),
	}
}

// writtenEvent is written after a picture was.
type writtenEvent struct {
	Event       string `json:"event"`       // "written"
	Path        string `json:"path"`        // where it is
	Final       bool   `json:"final"`       // false for an intermediate picture
	Interrupted bool   `json:"interrupted"` // the final picture isn't the finished one
	Width       int    `json:"width"`
	Height      int    `json:"height"`
	// PaintedWidth and PaintedHeight are those of the scale that was reached.
	PaintedWidth  int     `json:"painted_width"`
	PaintedHeight int     `json:"painted_height"`
	Iterations    int     `json:"iterations"`
	Loss          float64 `json:"loss"`
	Seconds       float64 `json:"seconds"`
	Checkpoint    string  `json:"checkpoint,omitempty"` // to go on from
	Error         string  `json:"error,omitempty"`      // why it isn't where it was to go
	// Remarks say in what the picture may not be what was asked for.
	Remarks []string `json:"remarks,omitempty"`
}

func newIterationEvent(p model.Progress) iterationEvent {
	event := iterationEvent{Event: "iteration", iterationKeys: newIterationKeys(p), Work: p.Work / p.TotalWork}
	if left := p.Remaining.Seconds(); left >= 0 {
		event.Remaining = &left
	}
	return event
}
