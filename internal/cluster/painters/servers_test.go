package painters

import (
	"context"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"impasto/internal/batch"
	"impasto/internal/cluster"
	"impasto/internal/cluster/clustertest"
)

// trio are three servers that keep everything three times, as examples/cluster/three.conf has
// it: with its users, and with encrypted connections between them and to clients.
type trio struct {
	t         *testing.T
	roles     [3]role
	ports     [3]int
	processes [3]*process
	authority string // the file with the certificate of who signed theirs
}

// freePorts are ports of this machine that nobody listens on. They are none of those that the
// system gives connections of their own, so that they stay free while a server is away.
func freePorts(t *testing.T, count int) (ports []int) {
	t.Helper()
	for range 1000 {
		port := 10000 + mathrand.N(20000)
		listener, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
		if err != nil {
			continue
		}
		defer listener.Close() // at the end, so that no two are the same
		if ports = append(ports, port); len(ports) == count {
			return ports
		}
	}
	t.Fatal("there are no free ports")
	return nil
}

// startTrio starts three servers.
func startTrio(t *testing.T) *trio {
	t.Helper()
	servers := &trio{t: t}
	ports, certificates := freePorts(t, 6), writeCertificates(t)
	copy(servers.ports[:], ports)
	routes := ports[3:]
	servers.authority = filepath.Join(certificates, "ca.pem")
	for _, user := range []string{"OPERATOR", "WORKER", "SUBMITTER"} {
		t.Setenv(user+"_PASSWORD", "secret-of-"+strings.ToLower(user))
	}
	for i := range servers.roles {
		folder := t.TempDir()
		replace := strings.NewReplacer("0.0.0.0:4222", fmt.Sprint("127.0.0.1:", ports[i]), "0.0.0.0:6222", fmt.Sprint("127.0.0.1:", routes[i]),
			"queue-1:6222", fmt.Sprint("127.0.0.1:", routes[0]), "queue-2:6222", fmt.Sprint("127.0.0.1:", routes[1]), "queue-3:6222", fmt.Sprint("127.0.0.1:", routes[2]),
			`"/data"`, fmt.Sprintf("%q", filepath.ToSlash(filepath.Join(folder, "data"))), "/certs/", filepath.ToSlash(certificates)+"/", "100GB", "1GB")
		for _, name := range []string{"three.conf", "nats.conf", "tls.conf", "routes-tls.conf"} {
			text, err := os.ReadFile(filepath.Join("../../../examples/cluster", name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, name), []byte(replace.Replace(string(text))), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		servers.roles[i] = role{Server: true, Name: fmt.Sprint("queue-", i+1), Configuration: filepath.Join(folder, "three.conf")}
		servers.start(i)
	}
	return servers
}

// writeCertificates writes a certificate of this machine that signs itself, for servers and
// clients, under the names of the example, and returns the folder.
func writeCertificates(t *testing.T) string {
	t.Helper()
	certificate, key := clustertest.Certificate(t)
	folder := t.TempDir()
	for name, data := range map[string][]byte{"server.pem": certificate, "ca.pem": certificate, "server.key": key} {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// start starts a server, whether it was there before or not, and waits until it answers.
func (s *trio) start(i int) {
	s.t.Helper()
	s.processes[i] = start(s.t, s.roles[i])
	select {
	case line := <-s.processes[i].first:
		if !strings.HasPrefix(line, "serving") {
			s.t.Errorf("the server says %q", line)
		}
	case <-s.processes[i].ended:
		s.t.Error("the server ended")
	}
}

// url is that of all three, for a user.
func (s *trio) url(user string) string {
	var all []string
	for _, port := range s.ports {
		all = append(all, fmt.Sprintf("tls://%s:secret-of-%s@127.0.0.1:%d", user, user, port))
	}
	return strings.Join(all, ",")
}

func (s *trio) options(user string, say func(line string)) cluster.Options {
	return cluster.Options{URL: s.url(user), Authority: s.authority, Name: user, Log: say}
}

// connect makes an operator's connection.
func (s *trio) connect() *nats.Conn {
	s.t.Helper()
	conn, err := nats.Connect(s.url("operator"), nats.RootCAs(s.authority), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(conn.Close)
	return conn
}

// gone are the names of servers that others take for gone, or that have yet to catch up.
func (s *trio) gone(ctx context.Context, operator *cluster.Cluster) (names []string) {
	servers, leaderless, err := operator.Servers(ctx)
	for _, of := range servers {
		if len(of.Away) > 0 || len(of.Late) > 0 {
			names = append(names, of.Name)
		}
	}
	if err != nil || len(leaderless) > 0 || len(servers) != len(s.roles) {
		names = append(names, fmt.Sprint("(", len(servers), " servers, nobody leads ", leaderless, ", ", err, ")"))
	}
	return names
}

// until waits until so many servers are gone, by their names.
func (s *trio) until(ctx context.Context, operator *cluster.Cluster, gone ...string) {
	s.t.Helper()
	for last := []string(nil); ; time.Sleep(50 * time.Millisecond) {
		if last = s.gone(ctx, operator); slices.Equal(last, gone) {
			return
		}
		if ctx.Err() != nil {
			s.t.Errorf("the servers %q are gone, want %q", last, gone)
			return
		}
	}
}

// lead makes a server the leader of the stream of jobs.
func (s *trio) lead(ctx context.Context, operator *cluster.Cluster, conn *nats.Conn, i int) {
	s.t.Helper()
	name := s.roles[i].Name
	for {
		servers, _, err := operator.Servers(ctx)
		if slices.ContainsFunc(servers, func(of cluster.Server) bool { return of.Name == name && slices.Contains(of.Leads, "IMPASTO_JOBS") }) {
			return
		}
		if ctx.Err() != nil {
			s.t.Errorf("%v: %s doesn't lead: %+v", err, name, servers)
			return
		}
		within, cancel := context.WithTimeout(ctx, time.Second)
		_, _ = conn.RequestWithContext(within, "$JS.API.STREAM.LEADER.STEPDOWN.IMPASTO_JOBS", fmt.Appendf(nil, `{"placement": {"preferred": %q}}`, name))
		cancel()
		time.Sleep(100 * time.Millisecond)
	}
}

// TestNothingIsLostWhicheverServerDies has two workers paint while each of three servers in
// turn is killed as the leader of the queue, and started again. They are set up as in the
// example, with its users and certificates.
func TestNothingIsLostWhicheverServerDies(t *testing.T) {
	folder := t.TempDir()
	contents, styles := writePictures(t, folder, "content", 5), writePictures(t, folder, "style", 3)
	s, pairs := tiny(t, 16), pairsOf(contents, styles)
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	painting := func(folder string, pairs []batch.Pair, runner batch.Runner) <-chan map[string][]byte {
		painted := make(chan map[string][]byte, 1)
		go func() {
			defer close(painted) // where it failed
			painted <- paint(ctx, t, pairs, s, folder, runner)
		}()
		return painted
	}
	alone := painting(filepath.Join(folder, "alone"), pairs, batch.NewLocal())
	servers, heard := startTrio(t), &clustertest.Lines{}
	config := cluster.DefaultConfig()
	config.AckWait, config.Tries, config.Replicas = 1500*time.Millisecond, 50, 3
	operator, err := cluster.Setup(ctx, servers.options("operator", heard.Add), config)
	if err != nil {
		t.Fatal(err)
	}
	defer operator.Close()
	told := &ends{of: map[string]int{}, more: make(chan struct{}, 1)}
	go func() { _ = operator.Listen(ctx, told.take) }()
	conn := servers.connect()
	var workers []*process
	for _, name := range []string{"a", "b"} {
		workers = append(workers, start(t, role{
			URL: servers.url("worker"), Authority: servers.authority, Name: name, Program: program, Folder: filepath.Join(t.TempDir(), "worker"),
			Threads: 1, Every: 50 * time.Millisecond, Pause: 10 * time.Millisecond, // so that kills find it at work
		}))
	}
	texts := func() string {
		return fmt.Sprintf("%s\n\nThe worker a says\n%s\n\nThe worker b says\n%s", heard.Text(), workers[0].text(), workers[1].text())
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(texts())
		}
	})
	c, err := cluster.Connect(ctx, servers.options("submitter", heard.Add))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.Config.Replicas != 3 || c.Name() != "impasto" {
		t.Errorf("everything is kept %d times by the cluster %q", c.Config.Replicas, c.Name())
	}
	runner, err := NewRunner(ctx, c, program, "servers", heard.Add)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]byte{}
	for i, style := range styles { // a part for each server
		servers.until(ctx, operator)
		servers.lead(ctx, operator, conn, i)
		select { // that of the part before
		case <-told.more:
		default:
		}
		painted := painting(filepath.Join(folder, "together"), pairsOf(contents, []string{style}), runner)
		select {
		case <-told.more:
		case <-ctx.Done():
			t.Fatal("nothing is painted")
		}
		servers.processes[i].kill()
		if i == 0 {
			servers.until(ctx, operator, servers.roles[i].Name)
		}
		servers.start(i)
		maps.Copy(got, <-painted)
	}
	same(t, got, <-alone)
	allDone(ctx, t, c, len(pairs), told)
	servers.until(ctx, operator) // or nobody answers yet
	empty(t, conn)
	if text := texts(); strings.Contains(text, "mistake") || strings.Contains(strings.ToLower(text), "permission") {
		t.Errorf("somebody makes a mistake, or lacks a permission:\n%s", text)
	}
}
