package cluster

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// Server is one of those that keep what a cluster has. The keys of its JSON are a promise to
// scripts.
type Server struct {
	Name string `json:"name"`
	// Leads are the streams that it answers for. Of those that others lead, Away are the ones
	// whose leader takes the server for gone, and Late those that it has yet to catch up with.
	Leads []string `json:"leads"`
	Away  []string `json:"away"`
	Late  []string `json:"late"`
	// Behind is how many changes it lacks, of all streams together.
	Behind uint64 `json:"behind"`
	// Heard is how many seconds ago a leader last heard of it, the one that did longest ago.
	Heard float64 `json:"heard_seconds"`
}

// streamNames are the streams of a cluster, with those that stores are made of.
var streamNames = []string{jobStream, deadStream, "KV_" + stateBucket, "KV_" + workerBucket, "OBJ_" + objectBucket}

// Servers are those that keep what the cluster has, by their names, as JetStream tells. The
// streams that have no leader are leaderless: of these nobody can read or change anything until
// more than half of their servers are there.
func (c *Cluster) Servers(ctx context.Context) (servers []Server, leaderless []string, err error) {
	known := map[string]*Server{}
	server := func(name string) *Server {
		if known[name] == nil {
			known[name] = &Server{Name: name, Leads: []string{}, Away: []string{}, Late: []string{}}
		}
		return known[name]
	}
	for _, name := range streamNames {
		stream, err := c.stream(ctx, name)
		switch {
		case err != nil && passes(err) && ctx.Err() == nil:
			leaderless = append(leaderless, name)
			continue
		case err != nil:
			return nil, nil, fmt.Errorf("cluster: ask for the servers of %s: %w", name, explain(err))
		}
		of := stream.CachedInfo().Cluster
		if of == nil || of.Leader == "" {
			leaderless = append(leaderless, name)
			continue
		}
		leader := server(of.Leader)
		leader.Leads = append(leader.Leads, name)
		for _, replica := range of.Replicas {
			s := server(replica.Name)
			s.Heard = max(s.Heard, replica.Active.Seconds())
			s.Behind += replica.Lag
			switch {
			case replica.Offline:
				s.Away = append(s.Away, name)
			case !replica.Current:
				s.Late = append(s.Late, name)
			}
		}
	}
	for _, s := range known {
		servers = append(servers, *s)
	}
	slices.SortFunc(servers, func(a, b Server) int { return cmp.Compare(a.Name, b.Name) })
	return servers, leaderless, nil
}

// stream asks for a stream once.
func (c *Cluster) stream(ctx context.Context, name string) (jetstream.Stream, error) {
	within, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	return c.js.Stream(within, name)
}

// mayLag tells whether one server may not know yet what another does. Those of a cluster may
// have been set up with more replicas since this connected.
func (c *Cluster) mayLag() bool { return c.Config.Replicas > 1 || c.Name() != "" }

// Name is the name of the cluster of servers, or empty where the server is by itself.
func (c *Cluster) Name() string { return c.conn.ConnectedClusterName() }
