package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"rsc.io/qr"
)

func TestQRCodesOnATerminalHaveTheirModules(t *testing.T) {
	const url = "http://192.168.178.123:7878/?token=ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	text, err := qrCode(url)
	if err != nil {
		t.Fatal(err)
	}
	code, err := qr.Encode(url, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for row, line := range lines {
		inner, coloured := strings.CutPrefix(line, blackOnWhite)
		inner, plain := strings.CutSuffix(inner, plainAgain)
		if characters := []rune(inner); !coloured || !plain || len(characters) != code.Size+2*quietZone {
			t.Fatalf("line %d is %q, want %d characters in colours that end with it", row, line, code.Size+2*quietZone)
		}
		for column, c := range []rune(inner) {
			x, y := column-quietZone, 2*row-quietZone
			upper, lower := c == '█' || c == '▀', c == '█' || c == '▄'
			if upper != code.Black(x, y) || lower != code.Black(x, y+1) {
				t.Fatalf("the character of modules %d, %d and below is %q", x, y, c)
			}
		}
	}
	// A code of 2 modules a line and its quiet zone have to fit on a usual terminal.
	if len(lines) > 24 || code.Size+2*quietZone > 80 {
		t.Errorf("the code has %d lines of %d characters", len(lines), code.Size+2*quietZone)
	}
	if _, err := qrCode(strings.Repeat("x", 8000)); err == nil {
		t.Error("no error for more than a code can hold")
	}
}

func TestBrowsersAreOpenedWhereOneCanBeSeen(t *testing.T) {
	for _, test := range []struct {
		system, environment, want string
	}{
		{"darwin", "", "[[open]]"}, {"darwin", "SSH_CONNECTION", "[]"},
		{"windows", "", "[[rundll32 url.dll,FileProtocolHandler]]"},
		{"linux", "", "[]"}, {"linux", "DISPLAY", "[[xdg-open] [wslview]]"}, {"freebsd", "WAYLAND_DISPLAY", "[[xdg-open] [wslview]]"},
		{"linux", "DISPLAY SSH_CONNECTION", "[]"}, {"linux", "WSL_DISTRO_NAME", "[[xdg-open] [wslview]]"},
	} {
		got := browserOpeners(test.system, func(name string) string {
			for _, set := range strings.Fields(test.environment) {
				if set == name {
					return "1"
				}
			}
			return ""
		})
		if fmt.Sprint(got) != test.want {
			t.Errorf("on %s with %q: %v, want %s", test.system, test.environment, got, test.want)
		}
	}
}

func TestPanicsOfHandlersAreALine(t *testing.T) {
	var said []string
	l := serverLog{say: func(line string) { said = append(said, line) }}
	for _, text := range []string{"http: panic serving 127.0.0.1:5: oh\ngoroutine 7 [running]:\nmain.main()\n", "http: TLS handshake error\n"} {
		if n, err := l.Write([]byte(text)); n != len(text) || err != nil {
			t.Errorf("wrote %d of %d bytes, %v", n, len(text), err)
		}
	}
	if line, trace, _ := strings.Cut(strings.Join(said, ""), "\n"); !strings.HasPrefix(line, "internal error: http: panic serving 127.0.0.1:5: oh; this is a bug") || !strings.HasPrefix(trace, "goroutine 7") || len(said) != 1 {
		t.Errorf("said %q", said)
	}
	l.all = true
	if _, _ = l.Write([]byte("http: TLS handshake error\n")); len(said) != 2 {
		t.Errorf("with --verbose said %q", said[1:])
	}
}

func TestAddressesThatWillNotDoAreRefused(t *testing.T) {
	for _, test := range []struct {
		options studioOptions
		token   string
		want    string
	}{
		{studioOptions{Listen: "nowhere"}, "", `--listen "nowhere": want an address of this machine`},
		{studioOptions{Listen: "127.0.0.1:80"}, "", "the port has a flag of its own"},
		{studioOptions{Listen: "192.0.2.7"}, "", "--listen 192.0.2.7 is no address of this machine, which has 127.0.0.1"},
		{studioOptions{Listen: loopback}, "short", "the token in IMPASTO_STUDIO_TOKEN won't do"},
		{studioOptions{Listen: loopback}, "has a space in it, or two", "won't do"},
	} {
		t.Setenv(tokenVariable, test.token)
		a, err := test.options.listen()
		if usage := (*usageError)(nil); !errors.As(err, &usage) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v, %q: %v, %v, want %q", test.options, test.token, a, err, test.want)
		}
	}
}

func TestTokensAreNeededWhereOthersReachTheStudio(t *testing.T) {
	const own = "a-token.of_ones~own"
	for _, test := range []struct {
		listen, token string
		hosts         []string
		needed        bool
	}{
		{"127.0.0.1", "", nil, false}, {"localhost", "", nil, false}, {"127.0.0.2", "", nil, false},
		{"0.0.0.0", "", nil, true}, {"127.0.0.1", own, nil, true}, {"127.0.0.1", "", []string{"pictures.example.org"}, true},
	} {
		if test.listen == "127.0.0.2" && runtime.GOOS != "linux" {
			continue // there, only 127.0.0.1 is this machine
		}
		t.Setenv(tokenVariable, test.token)
		a, err := studioOptions{Listen: test.listen, Hosts: test.hosts}.listen()
		if err != nil {
			t.Fatal(err)
		}
		a.listener.Close()
		if (a.token != "") != test.needed || test.token != "" && a.token != test.token || test.needed && len(a.token) < leastToken {
			t.Errorf("%+v: the token is %q", test, a.token)
		}
		if ip := net.ParseIP(test.listen); ip != nil && !ip.IsUnspecified() && !slices.Contains(a.hosts, test.listen) {
			t.Errorf("%+v: the studio isn't known as that, but as %q", test, a.hosts)
		}
		for _, url := range a.urls {
			if has := strings.HasSuffix(url, "/?token="+a.token); has != test.needed || !test.needed && !strings.HasSuffix(url, "/") {
				t.Errorf("%+v: an address is %s", test, url)
			}
		}
		if name, err := os.Hostname(); err == nil && test.listen == "0.0.0.0" && !strings.Contains(strings.Join(a.hosts, " "), name) {
			t.Errorf("the machine isn't known as %s: %q", name, a.hosts)
		}
	}
}
