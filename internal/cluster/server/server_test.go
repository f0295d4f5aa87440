package server

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"impasto/internal/cluster/clustertest"
)

// certificate writes a certificate for this machine that signs itself, and its key.
func certificate(t *testing.T) (path, key string) {
	t.Helper()
	certificate, private := clustertest.Certificate(t)
	folder := t.TempDir()
	path, key = filepath.Join(folder, "host.pem"), filepath.Join(folder, "host.key")
	for file, text := range map[string][]byte{path: certificate, key: private} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path, key
}

func TestOnlyThoseWithTheTokenConnectAndEncrypted(t *testing.T) {
	path, key := certificate(t)
	s, err := Start(Options{Folder: t.TempDir(), Host: "127.0.0.1", Port: -1, Token: "token", Certificate: path, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Shutdown()
	if !strings.HasPrefix(s.URL(), "tls://127.0.0.1:") {
		t.Errorf("it is at %s", s.URL())
	}
	with := strings.Replace(s.URL(), "://", "://token@", 1)
	conn, err := nats.Connect(with, nats.RootCAs(path))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	for what, connect := range map[string]func() (*nats.Conn, error){
		"without a token": func() (*nats.Conn, error) { return nats.Connect(s.URL(), nats.RootCAs(path)) },
		"with another": func() (*nats.Conn, error) {
			return nats.Connect(strings.Replace(with, "token", "guess", 1), nats.RootCAs(path))
		},
		"without trusting the server": func() (*nats.Conn, error) { return nats.Connect(with) },
	} {
		if conn, err := connect(); err == nil {
			conn.Close()
			t.Errorf("%s one connects", what)
		}
	}
}

func TestClientsShowCertificatesWhereTheyAreAskedFor(t *testing.T) {
	path, key := certificate(t)
	s, err := Start(Options{Folder: t.TempDir(), Host: "127.0.0.1", Port: -1, Certificate: path, Key: key, Authority: path})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Shutdown()
	if conn, err := nats.Connect(s.URL(), nats.RootCAs(path)); err == nil {
		conn.Close()
		t.Error("without a certificate one connects")
	}
	conn, err := nats.Connect(s.URL(), nats.RootCAs(path), nats.ClientCert(path, key))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestWhatWasKeptIsThereAfterARestart(t *testing.T) {
	folder := t.TempDir()
	for round := range 2 {
		s, err := Start(Options{Folder: folder, Silent: true})
		if err != nil {
			t.Fatal(err)
		}
		conn, err := nats.Connect("", s.Option())
		if err != nil {
			t.Fatal(err)
		}
		js, err := jetstream.New(conn)
		if err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "KEPT"})
		} else {
			_, err = js.Stream(t.Context(), "KEPT")
		}
		if err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		conn.Close()
		s.Shutdown()
	}
}

func TestATakenPortIsAnError(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if s, err := Start(Options{Folder: t.TempDir(), Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port}); err == nil || !strings.Contains(err.Error(), "doesn't start: Error listening") {
		if err == nil {
			s.Shutdown()
		}
		t.Errorf("on a taken port it is %v", err)
	}
	if _, err := Start(Options{Folder: t.TempDir(), Certificate: "gone", Key: "gone"}); err == nil {
		t.Error("it starts without its certificate")
	}
}
