package studio

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"impasto/internal/picture"
	"impasto/internal/settings"
	"impasto/model"
)

const (
	// longestRequest is how many bytes of JSON a request may have.
	longestRequest = 1 << 20
	// mostStyles is how many style pictures a run may have.
	mostStyles = 32
)

// readJSON reads a request's body, which has to be one JSON value without keys that aren't
// known.
func readJSON(w http.ResponseWriter, r *http.Request, value any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return problemf(http.StatusUnsupportedMediaType, "the request's body is no JSON by its Content-Type; want application/json")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longestRequest))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return problemf(http.StatusRequestEntityTooLarge, "the request's JSON has more than %d bytes", longestRequest)
		}
		return problemf(http.StatusBadRequest, "the request ended before its end; send it again")
	}
	return decodeJSON(string(body), value)
}

// decodeJSON is readJSON for a text.
func decodeJSON(body string, value any) error {
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(value); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			p := problemf(http.StatusBadRequest, "the request's JSON has %s where %s is wanted", wrong.Value, kindName(wrong.Type))
			p.Field = wrong.Field
			return p
		}
		return problemf(http.StatusBadRequest, "the request's JSON can't be read: %s", cleanName(strings.TrimPrefix(err.Error(), "json: ")))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return problemf(http.StatusBadRequest, "the request's JSON goes on after its end; want one value")
	}
	return nil
}

// kindName is what JSON calls the values of a type.
func kindName(of reflect.Type) string {
	switch of.Kind() {
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Slice:
		return "array"
	case reflect.Int:
		return "whole number"
	case reflect.Float64:
		return "number"
	}
	return of.Kind().String()
}

// styleRequest is a style of a run as a request has it.
type styleRequest struct {
	Picture   string   `json:"picture"`
	Weight    *float64 `json:"weight"` // 1 where there is none
	Mask      string   `json:"mask"`
	StyleMask string   `json:"style_mask"`
}

// runRequest is what a run is to be made of.
type runRequest struct {
	Content  string         `json:"content"`
	Styles   []styleRequest `json:"styles"`
	Protect  string         `json:"protect"`
	Settings values         `json:"settings"`
	Name     string         `json:"name"`
	Group    string         `json:"group"`
}

// recipe is what a run's picture follows from, as it is kept.
type recipe struct {
	Content  string                `json:"content"`
	Styles   []style               `json:"styles"`
	Protect  string                `json:"protect,omitempty"`
	Settings []settings.Assignment `json:"settings"` // those that differ from the defaults
}

// style is a style picture of a recipe. Pictures are told by their ids.
type style struct {
	Picture   string  `json:"picture"`
	Weight    float64 `json:"weight"`
	Mask      string  `json:"mask,omitempty"`
	StyleMask string  `json:"style_mask,omitempty"`
}

// recipe checks a request, whose pictures have to be there.
func (s *Studio) recipe(q runRequest) (of recipe, err error) {
	if err := s.wantPicture("content", q.Content); err != nil {
		return of, err
	}
	of.Content = q.Content
	if of.Styles, err = s.stylesOf(q.Styles); err != nil {
		return of, err
	}
	if q.Protect != "" {
		if err := s.wantPicture("protect", q.Protect); err != nil {
			return of, err
		}
		of.Protect = q.Protect
	}
	if of.Settings, err = q.Settings.assignments(); err != nil {
		return of, err
	}
	return of, of.check()
}

// check reports settings that don't go together.
func (of recipe) check() error {
	_, err := settled(of.Settings)
	return err
}

// stylesOf checks the styles of a request. Those with masks come last, as on the command
// line.
func (s *Studio) stylesOf(list []styleRequest) ([]style, error) {
	if len(list) == 0 || len(list) > mostStyles {
		return nil, invalid("styles", "there are %d styles, want 1 to %d", len(list), mostStyles)
	}
	var styles []style
	for _, q := range list {
		one := style{Picture: q.Picture, Weight: 1, Mask: q.Mask, StyleMask: q.StyleMask}
		if q.Weight != nil {
			one.Weight = *q.Weight
		}
		if !(one.Weight >= 0 && one.Weight <= model.MaxWeight) || one.Weight == 0 && one.Mask != "" {
			return nil, invalid("styles", "a style has the weight %g, want 0 to %g, and more than 0 with a mask", one.Weight, float64(model.MaxWeight))
		}
		if one.StyleMask != "" && one.Mask == "" {
			return nil, invalid("styles", "a style has a style_mask and no mask; a part of a style picture goes to a region of the content")
		}
		for _, id := range []string{one.Picture, one.Mask, one.StyleMask} {
			if id == "" && one.Picture != "" {
				continue
			}
			if err := s.wantPicture("styles", id); err != nil {
				return nil, err
			}
		}
		styles = append(styles, one)
	}
	slices.SortStableFunc(styles, func(a, b style) int {
		return boolInt(a.Mask != "") - boolInt(b.Mask != "")
	})
	if !slices.ContainsFunc(styles, func(one style) bool { return one.Weight > 0 }) {
		return nil, invalid("styles", "all styles have the weight 0; want one above 0")
	}
	return styles, nil
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// wantPicture reports an id that is no picture's.
func (s *Studio) wantPicture(field, id string) error {
	if _, err := s.picture(id); err != nil {
		return invalid(field, "%s %q: there is no picture of this id; upload one first", field, cleanName(id))
	}
	return nil
}

// ids are the pictures that the recipe names.
func (of recipe) ids() []string {
	ids := []string{of.Content, of.Protect}
	for _, one := range of.Styles {
		ids = append(ids, one.Picture, one.Mask, one.StyleMask)
	}
	return slices.DeleteFunc(ids, func(id string) bool { return id == "" })
}

// ingredients are what model.Stylize takes.
type ingredients struct {
	content  *picture.Source
	styles   []model.Style
	options  model.Options
	settings settings.Stylization
}

// open opens the pictures of a recipe and settles its options.
func (s *Studio) open(ctx context.Context, of recipe) (in ingredients, err error) {
	if in.settings, err = settled(of.Settings); err != nil {
		return in, err
	}
	in.settings.Options.Device, in.settings.Options.Threads = s.options.Device, s.options.Threads
	if in.options, err = in.settings.Open(ctx, nil); err != nil {
		return in, err
	}
	opened := map[string]*picture.Source{}
	source := func(id string) *picture.Source {
		if id == "" || err != nil {
			return nil
		}
		if opened[id] == nil {
			var info *pictureInfo
			if info, err = s.picture(id); err == nil {
				opened[id], err = s.openPicture(ctx, info)
			}
		}
		return opened[id]
	}
	in.content = source(of.Content)
	for i, one := range of.Styles {
		in.styles = append(in.styles, model.Style{Image: source(one.Picture), Weight: one.Weight})
		if one.Mask == "" {
			continue
		}
		region := model.Region{Style: i, Mask: source(one.Mask)}
		if part := source(one.StyleMask); part != nil {
			region.StyleMask = part
		}
		in.options.Regions = append(in.options.Regions, region)
	}
	if mask := source(of.Protect); mask != nil {
		in.options.Protect = mask
	}
	return in, err
}
