package compare

import (
	"bytes"
	"context"
	"errors"
	"os"
	"reflect"
	"testing"

	"impasto/internal/records"
	"impasto/model"
)

// filled paints an order, and returns the bytes of the picture, and its record.
func filled(t *testing.T, ctx context.Context, order Order, o Options, watch Watch) (picture []byte, r records.Record, err error) {
	t.Helper()
	picturePath, recordPath, err := FillOrder(ctx, order, o.Content, []string{o.Styles[0].File}, t.TempDir(), watch)
	if err != nil {
		return nil, r, err
	}
	if picture, err = os.ReadFile(picturePath); err != nil {
		t.Fatal(err)
	}
	if err := records.Read(recordPath, &r); err != nil {
		t.Fatal(err)
	}
	return picture, r, nil
}

// TestAnOrderGoesOnFromACheckpoint has an order stopped after an iteration, and gone on with:
// picture, curve and measures are those of one that wasn't.
func TestAnOrderGoesOnFromACheckpoint(t *testing.T) {
	o := tiny(t, Dimension{Name: "loss", Values: []string{"gram", "moments"}})
	cell := o.Cells[0].Settings
	cell.Options.FirstIterations = 8
	base := cell.Values()
	order := Order{Name: "cell", Weights: []float64{1}, Settings: base, Version: "test", Measure: &Measure{Losses: []string{"gram"}, Settings: base, ScoreSize: 16, Largest: 32}}
	want, whole, err := filled(t, t.Context(), order, o, Watch{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var checkpoint bytes.Buffer
	_, _, err = filled(t, ctx, order, o, Watch{Checkpoint: func(m model.Moment, attachment []byte) {
		if m.Last.Done == 4 && checkpoint.Len() == 0 {
			if err := m.Write(&checkpoint, attachment); err != nil {
				t.Error(err)
			}
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("stopped it says %v", err)
	}
	from, err := model.OpenCheckpoint(bytes.NewReader(checkpoint.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	got, r, err := filled(t, t.Context(), order, o, Watch{Resume: from})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the picture is another")
	}
	if len(r.Curve) != len(whole.Curve) || len(whole.Measured) < 3 || len(r.Measured) != len(whole.Measured) {
		t.Fatalf("the curve has %d points and %d measures, want %d and %d", len(r.Curve), len(r.Measured), len(whole.Curve), len(whole.Measured))
	}
	for i, at := range whole.Measured {
		if now := r.Measured[i]; now.Iteration != at.Iteration || !reflect.DeepEqual(now.Style, at.Style) {
			t.Errorf("it is measured %+v, want %+v", now, at)
		}
	}
}

func TestOrdersThatDontFitAreRefused(t *testing.T) {
	o := tiny(t, Dimension{Name: "loss", Values: []string{"gram"}})
	values := o.Cells[0].Settings.Values()
	values["size"] = "large"
	for name, order := range map[string]Order{"a setting": {Weights: []float64{1}, Settings: values}, "weights": {Settings: o.Cells[0].Settings.Values()}} {
		if _, _, err := filled(t, t.Context(), order, o, Watch{}); err == nil {
			t.Errorf("%s that won't do is taken", name)
		}
	}
}
