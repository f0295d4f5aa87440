package studio

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"impasto/internal/picture"
	"impasto/model"
)

// previewQuality is that of JPEG and WebP that are looked at; what is downloaded has
// the best.
const previewQuality = 85

// imageQuery says as what a picture is wanted.
type imageQuery struct {
	size     int    // longer side at most, 0 for its own
	format   string // one of picture.Written
	depth    int    // bits a channel
	download bool
}

// readImageQuery reads what a query says of size, format and depth, and whether the picture
// is to be saved.
func readImageQuery(query url.Values, format string) (q imageQuery, err error) {
	q = imageQuery{format: format, depth: 8}
	if text := query.Get("size"); text != "" {
		if q.size, err = strconv.Atoi(text); err != nil || q.size < 1 || q.size > model.MaxSize {
			return q, invalid("size", "size %q: want a whole number of pixels from 1 to %d", text, model.MaxSize)
		}
	}
	if text := query.Get("format"); text != "" {
		if q.format = text; !slices.Contains(picture.Written[:], text) {
			return q, invalid("format", "format %q: want one of %s", text, strings.Join(picture.Written[:], ", "))
		}
	}
	switch text := query.Get("depth"); text {
	case "", "8":
	case "16":
		if q.depth = 16; picture.IsShallow(q.format) {
			return q, invalid("depth", "%s has 8 bits a channel, not 16; want png or tiff", picture.Title(q.format))
		}
	default:
		return q, invalid("depth", "depth %q: want 8 or 16", text)
	}
	switch text := query.Get("download"); text {
	case "", "0":
	case "1":
		q.download = true
	default:
		return q, invalid("download", "download %q: want 1, or nothing", text)
	}
	return q, nil
}

// key tells apart what is encoded.
func (q imageQuery) key() string {
	return fmt.Sprintf("%d-%s-%d-%t", q.size, q.format, q.depth, q.download)
}

// fitted is the size of a picture where it is no larger than wanted.
func (q imageQuery) fitted(size image.Point) (width, height int) {
	if q.size == 0 || max(size.X, size.Y) <= q.size {
		return size.X, size.Y
	}
	return picture.FitSize(size.X, size.Y, q.size)
}

// turns has what takes memory and time wait for its turn, so that many who ask take no more
// than a few.
type turns chan struct{}

// wait waits for a turn, which ends by release.
func (t turns) wait(ctx context.Context) (release func(), err error) {
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// encode makes a picture's file.
func encode(ctx context.Context, img image.Image, q imageQuery, o picture.SaveOptions) ([]byte, error) {
	width, height := q.fitted(img.Bounds().Size())
	if size := img.Bounds().Size(); size != image.Pt(width, height) {
		fitted, err := picture.ResizedTo(ctx, img, picture.ResizeOptions{Filter: picture.Lanczos}, width, height)
		if err != nil {
			return nil, err
		}
		img = fitted
	}
	o.Format, o.Depth = q.format, q.depth
	if !q.download {
		o.Quality, o.WebPQuality = previewQuality, previewQuality
	}
	if err := picture.CheckSize(image.Pt(width, height), "", o); err != nil {
		return nil, problemf(http.StatusUnprocessableEntity, "%s", strings.TrimPrefix(err.Error(), "picture: "))
	}
	var out bytes.Buffer
	if err := picture.Encode(&out, img, o); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// mediaTypes are those of picture.Written.
var mediaTypes = map[string]string{"png": "image/png", "jpeg": "image/jpeg", "tiff": "image/tiff", "webp": "image/webp"}

// extensions are those of picture.Written in names of files.
var extensions = map[string]string{"png": ".png", "jpeg": ".jpg", "tiff": ".tif", "webp": ".webp"}

// serve answers with an encoded picture. What is behind the URL for good may be kept by the
// client as long as it likes. Name is what a file of it is called, without an extension.
func (q imageQuery) serve(w http.ResponseWriter, r *http.Request, data []byte, etag string, forGood bool, name string) error {
	h := w.Header()
	h.Set("Content-Type", mediaTypes[q.format])
	h.Set("ETag", etag)
	h.Set("Cache-Control", "private, no-cache")
	if forGood {
		h.Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	if q.download {
		h.Set("Content-Disposition", contentDisposition(name+extensions[q.format]))
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	return nil
}
