package studio

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAPictureIsUploadedOnce(t *testing.T) {
	c := open(t, Options{})
	data := scene(t, 40, 30, red, blue)
	info := c.upload(data, "photo.png")
	if info.Name != "photo.png" || info.Format != "PNG" || info.Width != 40 || info.Height != 30 || info.Bytes != int64(len(data)) || info.Bundled || time.Since(info.Added) > patience {
		t.Errorf("%+v", info)
	}
	var again pictureInfo
	c.want(http.StatusOK, "POST", "/pictures?name=other.png", bytes.NewReader(data), &again)
	if again != info {
		t.Errorf("the same bytes are %+v, want %+v", again, info)
	}
	c.want(http.StatusOK, "GET", "/pictures/"+info.ID, nil, &again)
	if again != info {
		t.Errorf("it is listed as %+v, want %+v", again, info)
	}
}

func TestPicturesOutliveTheServer(t *testing.T) {
	folder := t.TempDir()
	c := open(t, Options{Folder: folder})
	info := c.upload(scene(t, 40, 30, red, blue), "photo.png")
	c.close()
	c = open(t, Options{Folder: folder})
	var again pictureInfo
	c.want(http.StatusOK, "GET", "/pictures/"+info.ID, nil, &again)
	if again != info {
		t.Errorf("%+v, want %+v", again, info)
	}
}

func TestOneServerAtATimeHasAFolder(t *testing.T) {
	c := open(t, Options{Folder: t.TempDir()})
	_, err := New(c.studio.options)
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), c.studio.options.Folder) {
		t.Errorf("%v, want an error that says that the folder is in use", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, o := range map[string]Options{
		"no folder":         {},
		"file":              {Folder: file},
		"-1 threads":        {Folder: folder, Threads: -1},
		"memory -1":         {Folder: folder, Memory: -1},
		"unknown device":    {Folder: folder, Device: "gpu"},
		`host "http://a/b"`: {Folder: folder, Hosts: []string{"http://a/b"}},
	} {
		s, err := New(o)
		if err == nil {
			t.Errorf("%s: no error", want)
			_ = s.Close(t.Context())
			continue
		}
		if !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "studio: ") {
			t.Errorf("%v, want something of %s", err, want)
		}
	}
}

func TestBundledPicturesAreThere(t *testing.T) {
	c := open(t, Options{})
	for _, name := range []string{"harbour.png", "dots.jpg", "mosaic.jpg", "whirl.jpg", "woodcut.jpg"} {
		info := c.bundle(name)
		if p := c.problemOf(http.StatusConflict, "DELETE", "/pictures/"+info.ID, nil); !strings.Contains(p.Detail, name) {
			t.Errorf("%s can't be deleted: %s", name, p.Detail)
		}
	}
	data, err := os.ReadFile("../examples/whirl.jpg")
	if err != nil {
		t.Fatal(err)
	}
	var info pictureInfo
	c.want(http.StatusOK, "POST", "/pictures", bytes.NewReader(data), &info)
	if !info.Bundled {
		t.Errorf("uploaded, it is %+v, want the bundled one", info)
	}
}

func TestImagesAreFitted(t *testing.T) {
	c := open(t, Options{})
	info := c.upload(scene(t, 80, 40, red, blue), "photo.png")
	for _, test := range []struct {
		query, kind   string
		width, height int
	}{
		{"", "image/jpeg", 80, 40},
		{"size=20", "image/jpeg", 20, 10},
		{"size=200", "image/jpeg", 80, 40},
		{"size=20&format=png", "image/png", 20, 10},
		{"size=20&format=png&depth=16", "image/png", 20, 10},
		{"size=20&format=webp", "image/webp", 20, 10},
		{"size=20&format=tiff&depth=16&download=1", "image/tiff", 20, 10},
	} {
		r, data := c.do("GET", "/pictures/"+info.ID+"/image?"+test.query, nil)
		if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != test.kind || !strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %s, %v", test.query, r.Status, r.Header)
			continue
		}
		if test.kind == "image/tiff" {
			if d := r.Header.Get("Content-Disposition"); d != "attachment; filename=photo.tif" {
				t.Errorf("saved as %s", d)
			}
			continue
		}
		config, _, err := image.DecodeConfig(bytes.NewReader(data))
		if err != nil || config.Width != test.width || config.Height != test.height {
			t.Errorf("%s: %d×%d, want %d×%d (%v)", test.query, config.Width, config.Height, test.width, test.height, err)
		}
		if again, _ := c.do("GET", "/pictures/"+info.ID+"/image?"+test.query, nil); again.Header.Get("ETag") != r.Header.Get("ETag") {
			t.Errorf("%s: tags %s and %s", test.query, r.Header.Get("ETag"), again.Header.Get("ETag"))
		}
	}
	for query, field := range map[string]string{
		"size=0": "size", "size=x": "size", "size=-5": "size", "size=99999": "size", "size=1e3": "size", "format=gif": "format", "format=../x": "format",
		"depth=12": "depth", "depth=16&format=jpeg": "depth", "depth=16": "depth", "download=yes": "download",
	} {
		if p := c.problemOf(http.StatusUnprocessableEntity, "GET", "/pictures/"+info.ID+"/image?"+query, nil); p.Field != field {
			t.Errorf("%s: %+v, want a problem of %s", query, p, field)
		}
	}
}

func TestAKnownImageIsntSentAgain(t *testing.T) {
	c := open(t, Options{})
	path := "/pictures/" + c.bundle("whirl.jpg").ID + "/image?size=32"
	r, _ := c.do("GET", path, nil)
	q, err := http.NewRequestWithContext(t.Context(), "GET", c.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("If-None-Match", r.Header.Get("ETag"))
	again, err := c.http.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	again.Body.Close()
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("%s, want 304", again.Status)
	}
}

func TestWhatIsNoPictureIsRefused(t *testing.T) {
	c := open(t, Options{})
	whole := scene(t, 40, 30, red, blue)
	for what, data := range map[string][]byte{
		"nothing":         {},
		"a text":          []byte("hello"),
		"a page":          []byte("<!doctype html><script>alert(1)</script>"),
		"an SVG":          []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`),
		"a PDF":           []byte("%PDF-1.7\n"),
		"a program":       []byte("\x7fELF\x02\x01\x01"),
		"a zip":           []byte("PK\x03\x04"),
		"half a picture":  whole[:len(whole)/2],
		"a damaged one":   append(append([]byte{}, whole[:60]...), bytes.Repeat([]byte{0xaa}, len(whole)-60)...),
		"a header's lie":  pngHeader(1<<30, 1<<30),
		"a picture of 0":  pngHeader(0, 5),
		"a false JPEG":    []byte("\xff\xd8\xff\xe0 nothing"),
		"a false WebP":    []byte("RIFF\x10\x00\x00\x00WEBPVP8 "),
		"a beginning GIF": []byte("GIF89a"),
	} {
		p := c.problemOf(http.StatusUnsupportedMediaType, "POST", "/pictures?name=photo.png", bytes.NewReader(data))
		if !strings.Contains(p.Detail, "PNG, JPEG") {
			t.Errorf("%s: %s; want what would do", what, p.Detail)
		}
		if strings.Contains(p.Detail, c.studio.options.Folder) {
			t.Errorf("%s: %s, which tells of the folder", what, p.Detail)
		}
	}
	c.leavesNothing()
}

// leavesNothing tells whether there is no picture but bundled ones, and nothing of an upload.
func (c *client) leavesNothing() {
	c.t.Helper()
	for _, sub := range []string{"pictures", "uploads"} {
		entries, err := os.ReadDir(filepath.Join(c.studio.options.Folder, sub))
		if err != nil || len(entries) > 0 {
			c.t.Errorf("there are %v in %s (%v), want nothing", entries, sub, err)
		}
	}
}

func pngHeader(width, height uint32) []byte {
	out := bytes.NewBufferString("\x89PNG\r\n\x1a\n")
	pngChunk(out, "IHDR", binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height), 8, 2, 0, 0, 0)
	return out.Bytes()
}

func pngChunk(out *bytes.Buffer, kind string, body []byte, more ...byte) {
	body = append(body, more...)
	_ = binary.Write(out, binary.BigEndian, uint32(len(body)))
	tagged := append([]byte(kind), body...)
	out.Write(tagged)
	_ = binary.Write(out, binary.BigEndian, crc32.ChecksumIEEE(tagged))
}

// oneColour is a PNG of a single colour, which has few bytes however large it is.
func oneColour(t *testing.T, width, height uint32) []byte {
	t.Helper()
	out := bytes.NewBufferString("\x89PNG\r\n\x1a\n")
	pngChunk(out, "IHDR", binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height), 1, 0, 0, 0, 0)
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	row := make([]byte, 1+(width+7)/8)
	for range height {
		if _, err := z.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	pngChunk(out, "IDAT", packed.Bytes())
	pngChunk(out, "IEND", nil)
	return out.Bytes()
}

func TestAPictureOf100MegapixelsIsTakenAndScaled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	c := open(t, Options{})
	info := c.upload(oneColour(t, 12500, 8000), "wall.png")
	if info.Width != 12500 || info.Height != 8000 {
		t.Errorf("%+v", info)
	}
	r, data := c.do("GET", "/pictures/"+info.ID+"/image?size=50&format=png", nil)
	if r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", r.Status, data)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil || img.Bounds() != image.Rect(0, 0, 50, 32) {
		t.Errorf("%v (%v)", img.Bounds(), err)
	}
}

func TestAPictureOfTooManyPixelsIsRefused(t *testing.T) {
	c := open(t, Options{})
	p := c.problemOf(http.StatusUnsupportedMediaType, "POST", "/pictures", bytes.NewReader(pngHeader(20_000, 20_000)))
	if !strings.Contains(p.Detail, "pixels") {
		t.Errorf("%s; want how many pixels are too many", p.Detail)
	}
	c.leavesNothing()
}

func TestAFileThatIsTooLargeIsRefused(t *testing.T) {
	c := open(t, Options{UploadBytes: 1000})
	data := bytes.Repeat([]byte("x"), 1001)
	for what, body := range map[string]io.Reader{"of known length": bytes.NewReader(data), "of unknown length": io.MultiReader(bytes.NewReader(data))} {
		p := c.problemOf(http.StatusRequestEntityTooLarge, "POST", "/pictures", body)
		if !strings.Contains(p.Detail, "1000 bytes") {
			t.Errorf("%s: %s", what, p.Detail)
		}
	}
	c.leavesNothing()
}

// trickle gives its data a few bytes at a time.
type trickle struct {
	data  []byte
	pause time.Duration
	fail  error // instead of the end
}

func (s *trickle) Read(to []byte) (int, error) {
	if len(s.data) == 0 {
		if s.fail != nil {
			return 0, s.fail
		}
		return 0, io.EOF
	}
	time.Sleep(s.pause)
	n := copy(to, s.data[:min(len(s.data), 50)])
	s.data = s.data[n:]
	return n, nil
}

func TestASlowUploadIsTaken(t *testing.T) {
	c := open(t, Options{})
	data := scene(t, 64, 48, red, blue)
	var info pictureInfo
	c.want(http.StatusCreated, "POST", "/pictures", &trickle{data: data, pause: 20 * time.Millisecond}, &info)
	if info.Width != 64 {
		t.Errorf("%+v", info)
	}
}

func TestAnUploadThatBreaksOffLeavesNothing(t *testing.T) {
	c := open(t, Options{})
	data := scene(t, 64, 48, red, blue)
	q, err := http.NewRequestWithContext(t.Context(), "POST", c.url+"/pictures", &trickle{data: data[:len(data)/2], fail: errWrong})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := c.http.Do(q); err == nil {
		r.Body.Close()
		t.Errorf("it is answered by %s", r.Status)
	}
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		entries, err := os.ReadDir(c.studio.store.uploads())
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 || time.Now().After(end) {
			break
		}
	}
	c.leavesNothing()
}

func TestNamesOfPicturesAreTextOnly(t *testing.T) {
	c := open(t, Options{})
	for i, test := range [][2]string{
		{"<img src=x onerror=alert(1)>.png", "<img src=x onerror=alert(1)>.png"},
		{"../../../etc/passwd", "passwd"},
		{`..\..\boot.ini`, "boot.ini"},
		{"a\r\nSet-Cookie: x=1.png", "a Set-Cookie: x=1.png"},
		{"\x1b]0;title\x07.png", "]0;title.png"},
		{"\u202egnp.png", "gnp.png"},
		{"", "picture"},
		{"\x00", "picture"},
		{`"; filename="evil.exe`, `"; filename="evil.exe`},
	} {
		info := c.upload(scene(t, 16+i, 16, red, blue), url.QueryEscape(test[0]))
		if info.Name != test[1] {
			t.Errorf("%q is named %q, want %q", test[0], info.Name, test[1])
		}
		r, _ := c.do("GET", "/pictures/"+info.ID+"/image?download=1", nil)
		if d := r.Header.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment; filename") || strings.ContainsAny(d, "\r\n<>/") {
			t.Errorf("%q is saved as %s", test[0], d)
		}
		if _, err := os.Stat(c.studio.store.picture(info.ID)); err != nil {
			t.Error(err)
		}
	}
}

func TestPathsOfClientsNeverReachTheDisk(t *testing.T) {
	c := open(t, Options{})
	outside := filepath.Join(c.studio.options.Folder, "secret.json")
	if err := os.WriteFile(outside, []byte(`{"id":"secret"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"..%2fsecret", "%2e%2e%2fsecret.json", "..%5csecret", "%00", "..", ".", "studio.lock", "..%2f..%2f..%2f..%2fetc%2fpasswd", strings.Repeat("a", 5000)} {
		for _, path := range []string{"/pictures/" + id, "/pictures/" + id + "/image", "/runs/" + id, "/runs/" + id + "/picture", "/runs/" + id + "/film", "/runs/" + id + "/curve", "/runs/" + id + "/events"} {
			r, data := c.do("GET", path, nil)
			cleaned := r.StatusCode == http.StatusTemporaryRedirect && strings.HasPrefix(r.Header.Get("Location"), apiPrefix)
			if r.StatusCode != http.StatusNotFound && !cleaned || bytes.Contains(data, []byte("root:")) {
				t.Errorf("GET %s: %s: %s", path, r.Status, data)
			}
		}
		for _, path := range []string{"/pictures/" + id, "/runs/" + id} {
			if r, _ := c.do("DELETE", path, nil); r.StatusCode != http.StatusNotFound && r.StatusCode != http.StatusMethodNotAllowed && r.StatusCode != http.StatusTemporaryRedirect {
				t.Errorf("DELETE %s: %s", path, r.Status)
			}
		}
	}
	for _, path := range []string{"/../studio.go", "/..%2fstudio.go", "/%2e%2e/%2e%2e/go.mod", "/page.go", "/web/../page.go", "/web/files.go", "/.", "/web", "/web/", "//etc/passwd"} {
		w := ask(c.studio, "GET", path, map[string]string{"Host": "127.0.0.1:8000"})
		if w.Code == http.StatusOK {
			t.Errorf("GET %s is answered", path)
		}
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error(err)
	}
}

func TestAPictureThatARunNeedsStays(t *testing.T) {
	c := open(t, Options{})
	photo, painting, mask, part, kept := c.upload(scene(t, 64, 48, red, blue), "photo.png"), c.upload(scene(t, 64, 64, green, white), "painting.png"),
		c.upload(scene(t, 32, 32, white, white), "mask.png"), c.upload(scene(t, 33, 32, white, white), "part.png"), c.upload(scene(t, 34, 32, blue, white), "kept.png")
	run := c.begin(map[string]any{
		"content": photo.ID, "protect": kept.ID, "settings": map[string]any{"size": 64, "min-size": 64},
		"styles": []any{map[string]any{"picture": painting.ID, "mask": mask.ID, "style_mask": part.ID}},
	})
	for _, p := range []pictureInfo{photo, painting, mask, part, kept} {
		if problem := c.problemOf(http.StatusConflict, "DELETE", "/pictures/"+p.ID, nil); !strings.Contains(problem.Detail, run.Name) {
			t.Errorf("%s: %s; want the run's name", p.Name, problem.Detail)
		}
	}
	c.want(http.StatusNoContent, "DELETE", "/runs/"+run.ID, nil, nil)
	for _, p := range []pictureInfo{photo, painting, mask, part, kept} {
		c.want(http.StatusNoContent, "DELETE", "/pictures/"+p.ID, nil, nil)
		c.problemOf(http.StatusNotFound, "GET", "/pictures/"+p.ID, nil)
	}
	c.leavesNothing()
}
