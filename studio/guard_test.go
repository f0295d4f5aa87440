package studio

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const testToken = "correct-horse"

// ask has a request come to a server that listens on a port of every address.
func ask(s *Studio, method, target string, header map[string]string) *httptest.ResponseRecorder {
	q := httptest.NewRequest(method, target, nil)
	q = q.WithContext(context.WithValue(q.Context(), http.LocalAddrContextKey, net.Addr(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8000})))
	for name, value := range header {
		if name == "Host" {
			q.Host = value
		} else {
			q.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, q)
	return w
}

func TestRequestsAreOfThisServerOnly(t *testing.T) {
	c := open(t, Options{Hosts: []string{"studio.lan", "example.org:443", "192.168.1.5"}})
	for _, test := range []struct {
		method, path string
		header       map[string]string
		want         int
	}{
		// Names that another site's may be made to lead to this server by.
		{"GET", "/", map[string]string{"Host": "127.0.0.1:8000"}, 200},
		{"GET", "/", map[string]string{"Host": "localhost:8000"}, 200},
		{"GET", "/", map[string]string{"Host": "LOCALHOST.:8000"}, 200},
		{"GET", "/", map[string]string{"Host": "[::1]:8000"}, 200},
		{"GET", "/", map[string]string{"Host": "studio.lan:8000"}, 200},
		{"GET", "/", map[string]string{"Host": "192.168.1.5:8000"}, 200},
		{"GET", "/", map[string]string{"Host": "studio.lan"}, 200}, // behind a proxy
		{"GET", "/", map[string]string{"Host": "studio.lan:9000"}, 403},
		{"GET", "/", map[string]string{"Host": "example.org:443"}, 200},
		{"GET", "/", map[string]string{"Host": "example.org:8000"}, 403},
		{"GET", "/", map[string]string{"Host": "127.0.0.1"}, 403},
		{"GET", "/", map[string]string{"Host": "127.0.0.1:8001"}, 403},
		{"GET", "/", map[string]string{"Host": "evil.example:8000"}, 403},
		{"GET", "/", map[string]string{"Host": "localhost.evil.example:8000"}, 403},
		{"GET", "/", map[string]string{"Host": "127.0.0.1.evil.example:8000"}, 403},
		{"GET", "/", map[string]string{"Host": "studio.lan@evil.example:8000"}, 403},
		{"GET", "/", map[string]string{"Host": ":8000"}, 403},
		{"GET", "/api/v1/runs", map[string]string{"Host": "evil.example:8000"}, 403},

		// Pages of other sites.
		{"POST", "/api/v1/runs", map[string]string{}, 415}, // let through: no JSON
		{"POST", "/api/v1/runs", map[string]string{"Origin": "http://127.0.0.1:8000"}, 415},
		{"POST", "/api/v1/runs", map[string]string{"Sec-Fetch-Site": "same-origin"}, 415},
		{"POST", "/api/v1/runs", map[string]string{"Origin": "http://evil.example"}, 403},
		{"POST", "/api/v1/runs", map[string]string{"Origin": "http://127.0.0.1:8001"}, 403},
		{"POST", "/api/v1/runs", map[string]string{"Origin": "null"}, 403},
		{"POST", "/api/v1/runs", map[string]string{"Origin": "file://127.0.0.1:8000"}, 403},
		{"POST", "/api/v1/runs", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"POST", "/api/v1/runs", map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{"POST", "/api/v1/runs", map[string]string{"Sec-Fetch-Site": "none"}, 403},
		{"POST", "/api/v1/runs", map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"}, 403},
		{"DELETE", "/api/v1/runs/x", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"PATCH", "/api/v1/runs/x", map[string]string{"Origin": "http://evil.example"}, 403},
		{"POST", "/", map[string]string{"Origin": "http://evil.example"}, 403},
		{"POST", "/", map[string]string{}, 405},
		{"GET", "/api/v1/runs", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"GET", "/api/v1/runs", map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{"GET", "/api/v1/runs", map[string]string{"Origin": "http://evil.example"}, 403},
		{"GET", "/api/v1/runs", map[string]string{"Sec-Fetch-Site": "none"}, 200},
		{"GET", "/api/v1/runs", map[string]string{"Sec-Fetch-Site": "same-origin"}, 200},
		{"HEAD", "/api/v1/runs", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"GET", "/", map[string]string{"Sec-Fetch-Site": "cross-site"}, 200}, // a link to the page
	} {
		header := map[string]string{"Host": "127.0.0.1:8000"}
		for name, value := range test.header {
			header[name] = value
		}
		w := ask(c.studio, test.method, test.path, header)
		if w.Code != test.want {
			t.Errorf("%s %s with %v: %d, want %d: %s", test.method, test.path, test.header, w.Code, test.want, w.Body)
		}
		if w.Code == 403 && w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s with %v: refused as %s", test.method, test.path, test.header, w.Header().Get("Content-Type"))
		}
		if w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s lets other sites read", test.method, test.path)
		}
	}
}

func TestAllAnswersAreSecured(t *testing.T) {
	c := open(t, Options{})
	for _, path := range []string{"/", "/main.js", "/nothing", "/api/v1/", "/api/v1/nothing", "/api/v1/runs", "/api/v1/pictures/" + c.bundle("whirl.jpg").ID + "/image?size=16"} {
		for _, host := range []string{"127.0.0.1:8000", "evil.example"} {
			h := ask(c.studio, "GET", path, map[string]string{"Host": host}).Header()
			for name, want := range map[string]string{
				"Content-Security-Policy": contentPolicy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
				"Cross-Origin-Resource-Policy": "same-origin", "X-Frame-Options": "DENY",
			} {
				if h.Get(name) != want {
					t.Errorf("%s to %s: %s is %q, want %q", path, host, name, h.Get(name), want)
				}
			}
		}
	}
	if !strings.Contains(contentPolicy, "default-src 'none'") || strings.Contains(contentPolicy, "unsafe") {
		t.Errorf("the policy is %s", contentPolicy)
	}
}

func TestATokenIsWanted(t *testing.T) {
	c := open(t, Options{Token: testToken})
	g := newGuard(Options{Token: testToken})
	host := "127.0.0.1:8000"
	for _, test := range []struct {
		path   string
		header map[string]string
		want   int
	}{
		{"/", nil, 401},
		{"/main.js", nil, 401},
		{"/api/v1/", nil, 401},
		{"/api/v1/events", nil, 401},
		{"/api/v1/runs", map[string]string{"Authorization": "Bearer " + testToken}, 200},
		{"/api/v1/runs", map[string]string{"Authorization": "Bearer " + testToken + "x"}, 401},
		{"/api/v1/runs", map[string]string{"Authorization": "Bearer "}, 401},
		{"/api/v1/runs", map[string]string{"Authorization": "Basic " + testToken}, 401},
		{"/api/v1/runs", map[string]string{"Authorization": testToken}, 401},
		{"/api/v1/runs", map[string]string{"Cookie": tokenCookie + "=" + g.secret}, 200},
		{"/api/v1/runs", map[string]string{"Cookie": tokenCookie + "=" + testToken}, 401},
		{"/api/v1/runs", map[string]string{"Cookie": tokenCookie + "="}, 401},
		{"/?token=wrong", nil, 401},
		{"/?token=" + testToken, nil, 303},
	} {
		header := map[string]string{"Host": host}
		for name, value := range test.header {
			header[name] = value
		}
		if w := ask(c.studio, "GET", test.path, header); w.Code != test.want {
			t.Errorf("GET %s with %v: %d, want %d", test.path, test.header, w.Code, test.want)
		}
	}
	if w := ask(c.studio, "GET", "/?token="+testToken, map[string]string{"Host": "evil.example"}); w.Code != 403 || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("another host is given %d and %q", w.Code, w.Header().Get("Set-Cookie"))
	}
}

func TestATokenInTheAddressBecomesACookie(t *testing.T) {
	c := open(t, Options{Token: testToken})
	w := ask(c.studio, "GET", "//evil.example/?a=1&token="+testToken, map[string]string{"Host": "127.0.0.1:8000"})
	if to := w.Header().Get("Location"); to != "/evil.example/?a=1" {
		t.Errorf("redirected to %q, want a path of this server without the token", to)
	}
	cookies := w.Result().Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode || strings.Contains(cookies[0].Value, testToken) {
		t.Fatalf("cookies %v", cookies)
	}
	if w := ask(c.studio, "GET", "/", map[string]string{"Host": "127.0.0.1:8000", "Cookie": cookies[0].String()}); w.Code != 200 {
		t.Errorf("with the cookie: %d", w.Code)
	}
}
