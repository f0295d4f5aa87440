package studio

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// described is a transport that holds all requests that were accepted, and all answers, to
// the API's description.
type described struct{ http.RoundTripper }

// router finds what the description says of a request.
var router = sync.OnceValues(func() (routers.Router, error) {
	document, err := openapi3.NewLoader().LoadFromData(description)
	if err != nil {
		return nil, err
	}
	return legacy.NewRouter(document)
})

func init() {
	for _, kind := range []string{"image/jpeg", "image/png", "image/tiff", "image/webp", "image/gif", "text/event-stream", "application/octet-stream"} {
		openapi3filter.RegisterBodyDecoder(kind, openapi3filter.FileBodyDecoder)
	}
}

func (d described) RoundTrip(q *http.Request) (*http.Response, error) {
	var sent []byte
	if q.Body != nil && q.Header.Get("Content-Type") == "application/json" {
		var err error
		if sent, err = io.ReadAll(q.Body); err != nil {
			return nil, err
		}
		q.Body = io.NopCloser(bytes.NewReader(sent))
	}
	r, err := d.RoundTripper.RoundTrip(q)
	if err != nil || !strings.HasPrefix(q.URL.Path, apiPrefix) {
		return r, err
	}
	find, err := router()
	if err != nil {
		return nil, err
	}
	asked := q.Clone(q.Context())
	asked.URL = &url.URL{Path: q.URL.Path, RawQuery: q.URL.RawQuery}
	asked.Body = io.NopCloser(bytes.NewReader(sent))
	route, parameters, err := find.FindRoute(asked)
	if err != nil {
		if r.StatusCode == http.StatusNotFound || r.StatusCode == http.StatusMethodNotAllowed {
			return r, nil
		}
		return nil, fmt.Errorf("%s %s is answered by %s, and not described: %w", q.Method, q.URL.Path, r.Status, err)
	}
	input := &openapi3filter.RequestValidationInput{
		Request: asked, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, ExcludeRequestBody: sent == nil},
	}
	if r.StatusCode < 300 {
		if err := openapi3filter.ValidateRequest(q.Context(), input); err != nil {
			return nil, fmt.Errorf("%s %s is accepted, and not as described: %w", q.Method, q.URL, err)
		}
	}
	answer := &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: r.StatusCode, Header: r.Header, Options: input.Options}
	if r.Header.Get("Content-Type") == "text/event-stream" { // which doesn't end
		answer.SetBodyBytes([]byte("event"))
	} else {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer.SetBodyBytes(body)
	}
	if err := openapi3filter.ValidateResponse(q.Context(), answer); err != nil {
		return nil, fmt.Errorf("%s %s: the answer isn't as described: %w", q.Method, q.URL, err)
	}
	return r, nil
}

func TestTheDescriptionIsValid(t *testing.T) {
	document, err := openapi3.NewLoader().LoadFromData(description)
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTheDescriptionHasTheEndpointsAndNoOthers(t *testing.T) {
	document, err := openapi3.NewLoader().LoadFromData(description)
	if err != nil {
		t.Fatal(err)
	}
	var said, there []string
	for path, item := range document.Paths.Map() {
		for method := range item.Operations() {
			said = append(said, method+" "+path)
		}
	}
	for _, e := range new(Studio).endpoints() {
		there = append(there, e.method+" "+e.path)
	}
	sort.Strings(said)
	sort.Strings(there)
	if fmt.Sprint(said) != fmt.Sprint(there) {
		t.Errorf("described:\n%s\nthere:\n%s", strings.Join(said, "\n"), strings.Join(there, "\n"))
	}
}

func TestTheDescriptionIsServed(t *testing.T) {
	c := open(t, Options{})
	if _, data := c.do("GET", "/openapi.json", nil); !bytes.Equal(data, description) {
		t.Error("what is served isn't the description")
	}
}
