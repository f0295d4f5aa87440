package studio

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// problem is an answer that says what is wrong with a request (RFC 9457).
type problem struct {
	Title  string `json:"title"` // that of the status
	Status int    `json:"status"`
	Detail string `json:"detail"`          // what is wrong, and what to do
	Field  string `json:"field,omitempty"` // the one part of the request that is at fault
}

func (p *problem) Error() string { return p.Detail }

// problemf is a problem of a status.
func problemf(status int, format string, values ...any) *problem {
	return &problem{Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, values...)}
}

// invalid is the problem of one part of a request.
func invalid(field, format string, values ...any) *problem {
	p := problemf(http.StatusUnprocessableEntity, format, values...)
	p.Field = field
	return p
}

// writeError answers with what went wrong. What isn't a problem of the request is one of the
// server, which is logged.
func (s *Studio) writeError(w http.ResponseWriter, r *http.Request, err error) {
	var p *problem
	if !errors.As(err, &p) {
		if r.Context().Err() != nil {
			return // nobody reads it
		}
		s.options.Log(fmt.Sprintf("%s %s: %v", r.Method, r.URL.Path, err))
		p = problemf(http.StatusInternalServerError, "the server could not do it; its log says why")
	}
	body, err := json.Marshal(p)
	if err != nil {
		s.options.Log(fmt.Sprintf("%s %s: %v", r.Method, r.URL.Path, err))
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // who is gone doesn't read it
}

// writeJSON answers with a value.
func writeJSON(w http.ResponseWriter, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // who is gone doesn't read it
	return nil
}
