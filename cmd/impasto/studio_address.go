package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"impasto/internal/quote"
)

const (
	// loopback is the address that only this machine can reach.
	loopback = "127.0.0.1"
	// firstPort and those after it are tried where no port is asked for, so that the page's
	// address is mostly the same.
	firstPort  = 7878
	mostPorts  = 20
	leastToken = 16 // characters
)

// tokenVariable in the environment is the token that requests need.
const tokenVariable = "IMPASTO_STUDIO_TOKEN"

// studioAddress is where a studio is reached.
type studioAddress struct {
	listener net.Listener
	urls     []string // the best first, each with the token
	hosts    []string // names beside those of this machine for itself
	token    string   // empty where none is needed
	open     bool     // others than this machine can reach it
}

// listen opens the port, and finds out under what addresses it is reached.
func (o studioOptions) listen() (*studioAddress, error) {
	ip, err := o.ip()
	if err != nil {
		return nil, err
	}
	a := &studioAddress{hosts: o.Hosts, open: !ip.IsLoopback()}
	if a.token, err = o.token(a.open); err != nil {
		return nil, err
	}
	if a.listener, err = o.bind(ip); err != nil {
		return nil, err
	}
	port := strconv.Itoa(a.listener.Addr().(*net.TCPAddr).Port)
	addresses := []net.IP{ip}
	if ip.IsUnspecified() {
		addresses = append(reachable(ip), net.ParseIP(loopback))
	}
	for _, address := range addresses {
		u := url.URL{Scheme: "http", Host: net.JoinHostPort(address.String(), port), Path: "/"}
		if a.token != "" {
			u.RawQuery = url.Values{"token": {a.token}}.Encode()
		}
		a.urls = append(a.urls, u.String())
		a.hosts = append(a.hosts, address.String())
	}
	if name, err := os.Hostname(); a.open && err == nil && name != "" {
		a.hosts = append(a.hosts, name, strings.TrimSuffix(name, ".local")+".local")
	}
	return a, nil
}

// ip is the address to listen on.
func (o studioOptions) ip() (net.IP, error) {
	text := o.Listen
	if text == "localhost" {
		text = loopback
	}
	ip := net.ParseIP(strings.Trim(text, "[]"))
	if ip == nil {
		return nil, usagef("--listen %q: want an address of this machine, such as %s, or 0.0.0.0 for all; the port has a flag of its own, --port", o.Listen, loopback)
	}
	if ip.IsLoopback() || ip.IsUnspecified() {
		return ip, nil
	}
	own := interfaceAddresses()
	if !slices.ContainsFunc(own, ip.Equal) {
		var texts []string
		for _, address := range own {
			texts = append(texts, address.String())
		}
		return nil, usagef("--listen %s is no address of this machine, which has %s; 0.0.0.0 stands for all", o.Listen, strings.Join(texts, ", "))
	}
	return ip, nil
}

var plainToken = regexp.MustCompile(`^[\w.~-]+$`)

// token is what requests need, where others than this machine's user may make them.
func (o studioOptions) token(open bool) (string, error) {
	token := os.Getenv(tokenVariable)
	switch {
	case token != "" && (len(token) < leastToken || !plainToken.MatchString(token)):
		return "", usagef("the token in %s won't do; want %d letters, digits or .~_- at least", tokenVariable, leastToken)
	case token == "" && (open || len(o.Hosts) > 0):
		return rand.Text(), nil
	}
	return token, nil
}

// bind opens the port that is asked for, or else a free one.
func (o studioOptions) bind(ip net.IP) (net.Listener, error) {
	network := "tcp"
	if ip.To4() != nil {
		network = "tcp4"
	}
	try := func(port int) (net.Listener, error) {
		return net.Listen(network, net.JoinHostPort(ip.String(), strconv.Itoa(port)))
	}
	if o.Port != 0 {
		listener, err := try(o.Port)
		if err != nil {
			return nil, fmt.Errorf("studio: port %d of %s can't be had: %w; choose another with --port, or leave that out for one that is free", o.Port, ip, systemError(err))
		}
		return listener, nil
	}
	for port := firstPort; port < firstPort+mostPorts; port++ {
		if listener, err := try(port); err == nil {
			return listener, nil
		}
	}
	listener, err := try(0)
	if err != nil {
		return nil, fmt.Errorf("studio: no port of %s can be had: %w", ip, systemError(err))
	}
	return listener, nil
}

// systemError is what the system said, without what was asked of it.
func systemError(err error) error {
	if call := (*os.SyscallError)(nil); errors.As(err, &call) {
		return call.Err
	}
	return err
}

// interfaceAddresses are those of this machine, but for those that lead nowhere without the
// name of an interface.
func interfaceAddresses() (addresses []net.IP) {
	all, _ := net.InterfaceAddrs() // where they can't be told, there are none
	for _, address := range all {
		if of, ok := address.(*net.IPNet); ok && !of.IP.IsLinkLocalUnicast() {
			addresses = append(addresses, of.IP)
		}
	}
	return addresses
}

// reachable are the addresses under which others reach this machine where it listens on all
// of a family, the likeliest first: that of the way out, private ones, others.
func reachable(all net.IP) []net.IP {
	addresses := slices.DeleteFunc(interfaceAddresses(), func(ip net.IP) bool {
		return ip.IsLoopback() || all.To4() != nil && ip.To4() == nil
	})
	out := wayOut()
	rank := func(ip net.IP) int {
		switch {
		case ip.Equal(out):
			return 0
		case ip.To4() != nil && ip.IsPrivate():
			return 1
		case ip.To4() != nil:
			return 2
		}
		return 3
	}
	slices.SortStableFunc(addresses, func(a, b net.IP) int { return rank(a) - rank(b) })
	return addresses
}

// wayOut is the address from which this machine would talk to one that is far; nil where
// there is no way. Nothing is sent.
func wayOut() net.IP {
	connection, err := net.Dial("udp4", "192.0.2.1:9") // an address of documentation (RFC 5737)
	if err != nil {
		return nil
	}
	defer connection.Close()
	return connection.LocalAddr().(*net.UDPAddr).IP
}

// listeningEvent is written once a studio can be reached. The keys are a promise to scripts.
type listeningEvent struct {
	Event  string   `json:"event"` // "listening"
	URL    string   `json:"url"`
	URLs   []string `json:"urls"`
	Folder string   `json:"folder"`
	Token  string   `json:"token,omitempty"`
}

// tell says where the studio is.
func (a *studioAddress) tell(folder string, global globalOptions, std streams) error {
	if global.JSON {
		return printJSON(std.out, listeningEvent{"listening", a.urls[0], a.urls, folder, a.token})
	}
	for i, u := range a.urls {
		lead := "The studio is at"
		if i > 0 {
			lead = "          and at"
		}
		if _, err := fmt.Fprintln(std.out, lead, u); err != nil {
			return fmt.Errorf("studio: say where it is: %w", err)
		}
	}
	if a.open && isTerminal(std.out) {
		code, err := qrCode(a.urls[0])
		if err == nil {
			_, err = fmt.Fprint(std.out, "\n", code, "\n")
		}
		if err != nil {
			return fmt.Errorf("studio: show a QR code: %w", err)
		}
	}
	if global.Quiet {
		return nil
	}
	if a.open {
		fmt.Fprintln(std.err, "whoever has that address can use the studio, and nothing that is sent is encrypted")
	}
	_, err := fmt.Fprintf(std.err, "pictures and runs are in %s; Ctrl-C ends the studio, and what is under way goes on at the next start\n", quote.Name(folder))
	return err
}
