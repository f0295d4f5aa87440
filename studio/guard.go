package studio

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// contentPolicy is the Content-Security-Policy of all answers: the page runs its own scripts
// only and talks to this server only.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// tokenCookie is the name of the cookie that stands for the token.
const tokenCookie = "impasto-studio"

// guard lets those requests through that are meant for this server and come from where they
// may.
type guard struct {
	hosts  []string
	token  string
	secret string // the cookie's value, from which the token doesn't follow
}

func newGuard(o Options) guard {
	sum := sha256.Sum256([]byte("cookie of the token " + o.Token))
	return guard{hosts: o.Hosts, token: o.Token, secret: hex.EncodeToString(sum[:])}
}

// secure sets the headers that all answers have.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// check refuses requests. Where the token is in the URL, done tells that the answer, a cookie
// and the URL without it, was given.
func (g guard) check(w http.ResponseWriter, r *http.Request) (done bool, err error) {
	if !g.knows(r) {
		return false, problemf(http.StatusForbidden,
			"this server isn't known as %q; open it by the address that it printed, or start it with that name as one of its hosts", r.Host)
	}
	if !sameOrigin(r) {
		return false, problemf(http.StatusForbidden, "the request comes from another site's page; only this server's own page and programs may make it")
	}
	if g.token == "" {
		return false, nil
	}
	return g.checkToken(w, r)
}

// knows tells whether a request is to a name of this server: a page of another site whose
// name was made to lead here has that site's.
func (g guard) knows(r *http.Request) bool {
	name, port := splitHost(r.Host)
	listened, known := "", false
	if at, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		_, listened, _ = net.SplitHostPort(at.String())
		known = true
	}
	proxied := port == "" // which a proxy's port, the protocol's own, makes it
	if proxied {
		port = "80"
		if r.TLS != nil {
			port = "443"
		}
	}
	here := !known || port == listened
	if slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, name) {
		return here
	}
	return slices.ContainsFunc(g.hosts, func(host string) bool {
		hostName, hostPort := splitHost(host)
		if hostPort != "" {
			return name == hostName && port == hostPort
		}
		return name == hostName && (here || proxied)
	})
}

// sameOrigin tells whether a request is none that a browser makes for another site's page.
// Programs send neither of the headers. Any page may have a link to the studio's, so what
// isn't of the API may be asked for from anywhere.
func sameOrigin(r *http.Request) bool {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	if reads && !strings.HasPrefix(r.URL.Path, apiPrefix+"/") {
		return true
	}
	for _, site := range r.Header.Values("Sec-Fetch-Site") {
		if site != "same-origin" && !(reads && site == "none") { // none: typed by the user
			return false
		}
	}
	for _, origin := range r.Header.Values("Origin") {
		of, err := url.Parse(origin)
		if err != nil || of.Scheme != "http" && of.Scheme != "https" || !strings.EqualFold(of.Host, r.Host) {
			return false
		}
	}
	return true
}

// checkToken looks for the token in the request.
func (g guard) checkToken(w http.ResponseWriter, r *http.Request) (done bool, err error) {
	query := r.URL.Query()
	if given := query.Get("token"); given != "" {
		if !same(given, g.token) {
			return false, unauthorised(w)
		}
		http.SetCookie(w, &http.Cookie{
			Name: tokenCookie, Value: g.secret, Path: "/", HttpOnly: true, Secure: r.TLS != nil,
			SameSite: http.SameSiteStrictMode, MaxAge: 30 * 24 * 60 * 60,
		})
		query.Del("token")
		to := url.URL{Path: "/" + strings.TrimLeft(r.URL.Path, "/"), RawQuery: query.Encode()}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Location", to.String())
		w.WriteHeader(http.StatusSeeOther)
		return true, nil
	}
	if given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && same(given, g.token) {
		return false, nil
	}
	for _, cookie := range r.CookiesNamed(tokenCookie) {
		if same(cookie.Value, g.secret) {
			return false, nil
		}
	}
	return false, unauthorised(w)
}

func unauthorised(w http.ResponseWriter) *problem {
	w.Header().Set("WWW-Authenticate", `Bearer realm="impasto studio"`)
	return problemf(http.StatusUnauthorized, "this studio wants its token; open the address that it printed, which has it, or send it as a bearer token")
}

// same compares two texts in a time that doesn't tell where they differ.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
