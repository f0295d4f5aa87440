// Package server runs a NATS server with JetStream within the program: for a cluster on one
// machine, and for tests.
package server

import (
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Options say what is served and where.
type Options struct {
	Folder string // where everything is kept
	// Host and Port are where it listens; port 0 stands for 4222, and -1 for any that is free.
	Host string
	Port int
	// Silent has it not listen at all: only this program can connect, by Server.Option.
	Silent bool
	// Token is what clients have to give, or empty for none.
	Token string
	// Certificate and Key are files with which connections are encrypted, and Authority one
	// with the certificates of who signs clients' own, which are then asked for; or empty.
	Certificate, Key, Authority string
	MaxBytes                    int64 // on disk; 0 leaves it to the server
	// Log is told in a line what operators should know; nil for none.
	Log func(line string)
}

// startWait is how long a server may take to start, since it reads what it has kept, and
// startLook how often it is looked whether it has.
const (
	startWait = 5 * time.Minute
	startLook = 50 * time.Millisecond
)

// Server is one that runs.
type Server struct{ server *server.Server }

// Start starts a server. Shut it down in the end.
func Start(o Options) (*Server, error) {
	native := &server.Options{
		ServerName: "impasto", Host: o.Host, Port: o.Port, DontListen: o.Silent, Authorization: o.Token,
		JetStream: true, StoreDir: o.Folder, JetStreamMaxStore: o.MaxBytes, NoSigs: true,
	}
	if o.Certificate != "" {
		configuration, err := server.GenTLSConfig(&server.TLSConfigOpts{
			CertFile: o.Certificate, KeyFile: o.Key, CaFile: o.Authority, Verify: o.Authority != "",
		})
		if err != nil {
			return nil, fmt.Errorf("cluster: %w", err)
		}
		native.TLS, native.TLSConfig, native.TLSTimeout = true, configuration, 5
	}
	s, err := server.NewServer(native)
	if err != nil {
		return nil, fmt.Errorf("cluster: start a server: %w", err)
	}
	log := logger{log: o.Log, fatal: make(chan string, 1)}
	if o.Log == nil {
		log.log = func(string) {}
	}
	s.SetLogger(log, false, false)
	s.Start()
	for began := time.Now(); !s.ReadyForConnections(startLook); {
		reason := fmt.Sprintf("it takes longer than %s", startWait)
		select {
		case reason = <-log.fatal:
		default:
			if time.Since(began) < startWait {
				continue
			}
		}
		s.Shutdown()
		return nil, fmt.Errorf("cluster: the server doesn't start: %s", reason)
	}
	return &Server{s}, nil
}

// URL is where it listens.
func (s *Server) URL() string { return s.server.ClientURL() }

// Option has a client connect within the program.
func (s *Server) Option() nats.Option { return nats.InProcessServer(s.server) }

// Shutdown ends it, and returns when everything is on disk.
func (s *Server) Shutdown() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
}

// logger passes on what goes wrong, and has the last of it where the server ends by it.
type logger struct {
	log   func(line string)
	fatal chan string
}

func (l logger) Noticef(string, ...any) {}

func (l logger) Warnf(format string, values ...any) { l.log(fmt.Sprintf(format, values...)) }

func (l logger) Fatalf(format string, values ...any) {
	select {
	case l.fatal <- fmt.Sprintf(format, values...):
	default:
	}
}

func (l logger) Errorf(format string, values ...any) { l.log(fmt.Sprintf(format, values...)) }

func (l logger) Debugf(string, ...any) {}

func (l logger) Tracef(string, ...any) {}
