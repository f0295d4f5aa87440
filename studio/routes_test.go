package studio

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
)

// TestEveryRouteRefusesWhatWontDo has a row at least for each endpoint that can refuse a
// request by what is in it.
func TestEveryRouteRefusesWhatWontDo(t *testing.T) {
	c := open(t, Options{AtOnce: 1})
	c.blocked(1)
	content, painting := c.bundle("harbour.png").ID, c.bundle("whirl.jpg").ID
	c.waitFor(c.begin(c.request(1)).ID, running)
	run := c.begin(c.request(1)).ID // which waits
	none := strings.Repeat("0", 64)
	request := func(change map[string]any) map[string]any {
		body := map[string]any{"content": content, "styles": []any{map[string]any{"picture": painting}}}
		for key, value := range change {
			body[key] = value
		}
		return body
	}
	set := func(name string, value any) map[string]any {
		return request(map[string]any{"settings": map[string]any{name: value}})
	}
	style := func(change map[string]any) map[string]any {
		one := map[string]any{"picture": painting}
		for key, value := range change {
			one[key] = value
		}
		return request(map[string]any{"styles": []any{one}})
	}
	many := make([]any, mostStyles+1)
	for i := range many {
		many[i] = map[string]any{"picture": painting}
	}
	type row struct {
		method, path string
		body         any
		status       int
		field, says  string
	}
	rows := []row{
		{"GET", "/nothing", nil, 404, "", "openapi.json"},
		{"GET", "/runs/", nil, 404, "", "openapi.json"},
		{"POST", "/", nil, 405, "", "GET"},
		{"PUT", "/runs", nil, 405, "", "GET, HEAD, POST"},
		{"DELETE", "/runs", nil, 405, "", "GET, HEAD, POST"},
		{"GET", "/plan", nil, 405, "", "POST"},
		{"POST", "/events", nil, 405, "", "GET"},
		{"POST", "/settings", nil, 405, "", "GET"},
		{"POST", "/openapi.json", nil, 405, "", "GET"},
		{"POST", "/pictures", bytes.NewReader([]byte("x")), 415, "", "PNG"},
		{"GET", "/pictures/" + none, nil, 404, "", "no picture"},
		{"DELETE", "/pictures/" + none, nil, 404, "", "no picture"},
		{"GET", "/pictures/" + none + "/image", nil, 404, "", "no picture"},
		{"GET", "/pictures/" + content + "/image?size=0", nil, 422, "size", "1 to"},
		{"GET", "/runs/x", nil, 404, "", "no run"},
		{"PATCH", "/runs/x", map[string]any{}, 404, "", "no run"},
		{"DELETE", "/runs/x", nil, 404, "", "no run"},
		{"POST", "/runs/x/pause", nil, 404, "", "no run"},
		{"POST", "/runs/x/continue", nil, 404, "", "no run"},
		{"POST", "/runs/x/stop", nil, 404, "", "no run"},
		{"POST", "/runs/x/enlarge", map[string]any{"size": 100}, 404, "", "no run"},
		{"GET", "/runs/x/picture", nil, 404, "", "no run"},
		{"GET", "/runs/x/curve", nil, 404, "", "no run"},
		{"GET", "/runs/x/film", nil, 404, "", "no run"},
		{"GET", "/runs/x/command", nil, 404, "", "no run"},
		{"GET", "/runs/x/events", nil, 404, "", "no run"},
		{"GET", "/runs/" + run + "/picture", nil, 404, "", "no picture of the run yet"},
		{"GET", "/runs/" + run + "/film", nil, 404, "", "no picture of the run yet"},
		{"POST", "/runs/" + run + "/enlarge", map[string]any{"size": 100}, 409, "", "no result"},
		{"POST", "/runs/" + run + "/enlarge", map[string]any{"size": "large"}, 400, "size", "string where whole number"},
		{"POST", "/runs/" + run + "/enlarge", map[string]any{}, 409, "", "no result"},
		{"PATCH", "/runs/" + run, map[string]any{"nam": "x"}, 400, "", `unknown field "nam"`},
		{"PATCH", "/runs/" + run, map[string]any{"settings": map[string]any{"size": 0}}, 422, "size", "1 to"},
		{"PATCH", "/runs/" + run, map[string]any{"styles": []any{}}, 422, "styles", "0 styles"},
		{"PATCH", "/runs/" + run, map[string]any{"protect": none}, 422, "protect", "upload one"},
		{"PATCH", "/runs/" + run, map[string]any{"content": content}, 400, "", `unknown field "content"`},
	}
	for _, path := range []string{"/runs", "/plan"} {
		rows = append(rows, []row{
			{"POST", path, nil, 415, "", "application/json"},
			{"POST", path, bytes.NewReader([]byte(`{}`)), 415, "", "application/json"},
			{"POST", path, []any{}, 400, "", "array"},
			{"POST", path, map[string]any{}, 422, "content", "no picture"},
			{"POST", path, map[string]any{"content": strings.Repeat("x", longestRequest)}, 413, "", "bytes"},
			{"POST", path, request(map[string]any{"content": none}), 422, "content", "upload one"},
			{"POST", path, request(map[string]any{"content": "../../etc/passwd"}), 422, "content", "upload one"},
			{"POST", path, request(map[string]any{"content": 5}), 400, "content", "number where string"},
			{"POST", path, request(map[string]any{"styles": []any{}}), 422, "styles", "0 styles"},
			{"POST", path, request(map[string]any{"styles": many}), 422, "styles", "33 styles"},
			{"POST", path, request(map[string]any{"styles": "x"}), 400, "styles", "string where"},
			{"POST", path, request(map[string]any{"protect": none}), 422, "protect", "upload one"},
			{"POST", path, request(map[string]any{"more": 1}), 400, "", `unknown field "more"`},
			{"POST", path, style(map[string]any{"picture": none}), 422, "styles", "upload one"},
			{"POST", path, style(map[string]any{"picture": ""}), 422, "styles", "upload one"},
			{"POST", path, style(map[string]any{"weight": -1}), 422, "styles", "weight -1"},
			{"POST", path, style(map[string]any{"weight": 1e9}), 422, "styles", "weight 1e+09"},
			{"POST", path, style(map[string]any{"weight": 0}), 422, "styles", "above 0"},
			{"POST", path, style(map[string]any{"weight": 0, "mask": content}), 422, "styles", "weight 0"},
			{"POST", path, style(map[string]any{"mask": none}), 422, "styles", "upload one"},
			{"POST", path, style(map[string]any{"style_mask": content}), 422, "styles", "no mask"},
			{"POST", path, set("siz", 100), 422, "siz", "no such setting"},
			{"POST", path, set("size", "large"), 422, "size", "1 to"},
			{"POST", path, set("size", 1e9), 422, "size", "1 to"},
			{"POST", path, set("size", 100.5), 422, "size", "1 to"},
			{"POST", path, set("size", true), 422, "size", "1 to"},
			{"POST", path, set("size", nil), 400, "", "want a number"},
			{"POST", path, set("size", []any{1}), 400, "", "want a number"},
			{"POST", path, set("size", map[string]any{}), 400, "", "want a number"},
			{"POST", path, set("keep-colors", 2), 422, "keep-colors", "0 to 1"},
			{"POST", path, set("loss", "grm"), 422, "loss", "did you mean gram"},
			{"POST", path, set("layer-loss", "relu9_1=gram"), 422, "layer-loss", "no such layer"},
			{"POST", path, set("layer-loss", "relu2_2=gram"), 422, "layer-loss", "no style layer"},
			{"POST", path, set("start", "/etc/passwd"), 422, "start", "content, style"},
			{"POST", path, set("start", "result:/etc/passwd"), 422, "start", "content, style"},
			{"POST", path, set("start", "image"), 422, "start", "content, style"},
			{"POST", path, set("start", ""), 422, "start", "content, style"},
			{"POST", path, set("weights", "/etc/passwd"), 422, "weights", "can't be set"},
			{"POST", path, set("mask", "a=b"), 422, "mask", "can't be set"},
			{"POST", path, set("protect", "/etc/passwd"), 422, "protect", "can't be set"},
			{"POST", path, set("device", "cuda"), 422, "device", "can't be set"},
			{"POST", path, set("threads", 1), 422, "threads", "can't be set"},
			{"POST", path, set("memory", "1GiB"), 422, "memory", "can't be set"},
			{"POST", path, set("precision", "f16"), 422, "precision", "can't be set"},
			{"POST", path, set("samples", 3), 422, "", "16 to"},
			{"POST", path, set("step-size", 0.5), 422, "step-size", "Adam"},
			{"POST", path, set("content-weight", "NaN"), 422, "content-weight", "0 to"},
			{"POST", path, request(map[string]any{"settings": map[string]any{"strength": 60, "content-weight": 3}}), 422, "strength", "give one of them"},
		}...)
	}
	for _, row := range rows {
		p := c.problemOf(row.status, row.method, row.path, row.body)
		if p.Field != row.field || !strings.Contains(p.Detail, row.says) {
			t.Errorf("%s %s %v: %+v, want a problem of %q that says %q", row.method, row.path, row.body, p, row.field, row.says)
		}
		if strings.Contains(p.Detail, "--") {
			t.Errorf("%s %s %v: %s, in the words of a command line", row.method, row.path, row.body, p.Detail)
		}
	}
	for _, e := range c.studio.endpoints() {
		switch e.method + " " + e.path {
		case "GET /", "GET /openapi.json", "GET /settings", "GET /pictures", "GET /runs", "GET /events": // which take whatever there is in a request
			continue
		}
		pattern := strings.Split(e.path, "/")
		has := false
		for _, row := range rows {
			parts := strings.Split(strings.SplitN(row.path, "?", 2)[0], "/")
			same := row.method == e.method && len(parts) == len(pattern) && row.status != 405
			for i := 0; same && i < len(parts); i++ {
				same = parts[i] == pattern[i] || pattern[i] == "{id}"
			}
			has = has || same
		}
		if !has {
			t.Errorf("there is no row for %s %s", e.method, e.path)
		}
	}
}

func TestAProblemOfTheServerIsToldWithoutItsInside(t *testing.T) {
	c := open(t, Options{})
	c.studio.mutex.Lock()
	c.studio.pictures["lost"] = &pictureInfo{ID: "lost", Name: "lost.png"}
	c.studio.mutex.Unlock()
	p := c.problemOf(http.StatusInternalServerError, "GET", "/pictures/lost/image", nil)
	if strings.Contains(p.Detail, c.studio.options.Folder) {
		t.Errorf("%s, which tells of the folder", p.Detail)
	}
}

func TestThePageIsServed(t *testing.T) {
	c := open(t, Options{})
	for path, kind := range map[string]string{
		"/": "text/html; charset=utf-8", "/index.html": "text/html; charset=utf-8", "/main.js": "text/javascript; charset=utf-8",
		"/style.css": "text/css; charset=utf-8", "/icon.svg": "image/svg+xml", "/web/views.js": "text/javascript; charset=utf-8", "/web/theme.css": "text/css; charset=utf-8",
	} {
		w := ask(c.studio, "GET", path, map[string]string{"Host": "127.0.0.1:8000"})
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != kind || w.Body.Len() == 0 {
			t.Errorf("%s: %d, %s, %d bytes", path, w.Code, w.Header().Get("Content-Type"), w.Body.Len())
		}
		again := ask(c.studio, "GET", path, map[string]string{"Host": "127.0.0.1:8000", "If-None-Match": w.Header().Get("ETag")})
		if again.Code != http.StatusNotModified {
			t.Errorf("%s again: %d", path, again.Code)
		}
	}
}
