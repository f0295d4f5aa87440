package metadata

// Schema is the version of the document that is written, and the only one that is read.
const Schema = 1

// Document says how a picture was made.
type Document struct {
	Schema      int         `json:"impasto"`
	Program     Program     `json:"program"`
	Content     Input       `json:"content"`
	Styles      []Style     `json:"styles"`
	Masks       []Mask      `json:"masks,omitempty"`
	Protect     *Input      `json:"protect,omitempty"` // the mask of what stays as it is
	Start       *Input      `json:"start,omitempty"`   // where that is a picture
	Weights     Input       `json:"weights"`           // without a name for the embedded ones
	Settings    Settings    `json:"settings"`
	Output      Output      `json:"output"`
	Computation Computation `json:"computation"`
	Painted     Painted     `json:"painted"`
}

// Program is the build of impasto that made the picture.
type Program struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // the commit
	Go       string `json:"go"`
	Platform string `json:"platform"` // operating system/architecture
}

// Input is a file that the picture was made of.
type Input struct {
	// Name is the last part of the file's path; empty for what came from standard input,
	// and for embedded weights.
	Name string `json:"name,omitempty"`
	// NameBytes are the bytes of a name that isn't UTF-8, of which Name has U+FFFD instead.
	NameBytes []byte `json:"name_bytes,omitempty"`
	Bytes     int64  `json:"bytes"`
	SHA256    string `json:"sha256"` // hexadecimal
}

// Style is a style picture.
type Style struct {
	Input
	Weight float64 `json:"weight"` // beside the other styles
}

// Mask is a region that takes a style of its own.
type Mask struct {
	Region      Input  `json:"region"`
	Style       Input  `json:"style"`
	StyleRegion *Input `json:"style_region,omitempty"`
}

// Settings are values of flags by their names, without dashes.
type Settings map[string]string

// Output is how the picture was written.
type Output struct {
	Format  string `json:"format"`            // png, jpeg, tiff or webp
	Depth   int    `json:"depth"`             // bits a channel
	Quality int    `json:"quality,omitempty"` // of a JPEG or a lossy WebP
	Dither  bool   `json:"dither,omitempty"`
	DPI     int    `json:"dpi,omitempty"` // where it was asked for
	EXIF    bool   `json:"exif,omitempty"`
	GPS     bool   `json:"gps,omitempty"`
}

// Computation is what the pixels depend on to their last bits, beside all else.
type Computation struct {
	// Arithmetic has the kinds of devices that the run was on, in order.
	Arithmetic []string `json:"arithmetic"`
	// Levels say of each scale whether it was looked at whole or in which tiles.
	Levels []string `json:"levels"`
	// Variant is which of the optimiser's forms there was the memory for.
	Variant int `json:"variant"`
}

// Painted is how far the run came.
type Painted struct {
	Width      int `json:"width"` // of the scale that was reached
	Height     int `json:"height"`
	Iterations int `json:"iterations"` // over all scales
	// Unfinished tells that the run hadn't come to its end, of which it was After of Total
	// iterations.
	Unfinished bool `json:"unfinished,omitempty"`
	Total      int  `json:"total,omitempty"`
	// Seconds is the time that the run was given, where it wasn't iterations.
	Seconds float64 `json:"seconds,omitempty"`
}

// FileName is the name of the input's file, as bytes.
func (i Input) FileName() string {
	if len(i.NameBytes) > 0 {
		return string(i.NameBytes)
	}
	return i.Name
}
