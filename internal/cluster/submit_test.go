package cluster

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"impasto/internal/cluster/server"
)

// A job that has ended is submitted anew before its worker has acknowledged the end: then the
// message that is there goes, and another has to come.
func TestAJobIsQueuedAnewThoughItsOldMessageIsThere(t *testing.T) {
	s, err := server.Start(server.Options{Folder: t.TempDir(), Silent: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	c, err := Setup(t.Context(), Options{Name: "test", Native: []nats.Option{s.Option()}}, DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	job := Job{Kind: "test", Name: "job", Program: "impasto 1.2.3", Device: "any", Batch: "b", Memory: 1}
	state, err := c.Submit(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	of := job.class()
	consumer, err := c.consumer(t.Context(), of, job.Program)
	if err != nil {
		t.Fatal(err)
	}
	next := func() jetstream.Msg {
		t.Helper()
		message, err := consumer.Next(jetstream.FetchMaxWait(20 * time.Second))
		if err != nil {
			t.Fatal(err)
		}
		return message
	}
	old := next()
	if _, err := c.change(t.Context(), state.Key, func(s *State) (bool, error) { s.Phase = Failed; return true, nil }); err != nil {
		t.Fatal(err)
	}
	again := make(chan error, 1)
	go func() {
		_, err := c.Submit(t.Context(), job)
		again <- err
	}()
	for phase := Failed; phase == Failed; { // until it is submitted
		now, err := c.State(t.Context(), state.Key)
		if err != nil {
			t.Fatal(err)
		}
		phase = now.Phase
	}
	if err := old.DoubleAck(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := <-again; err != nil {
		t.Fatal(err)
	}
	if decoded, err := decodeJob(next().Data()); err != nil || decoded.Key != state.Key {
		t.Errorf("the next message is of the job %s, %v", decoded.Key, err)
	}
}
