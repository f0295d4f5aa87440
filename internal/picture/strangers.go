package picture

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// stranger is a kind of file that is known but not read.
type stranger struct {
	name   string
	advice string   // a command that makes a PNG of it, or what else to do; may be empty
	magic  []string // what a file may begin with; ? is any byte
}

// What to do about a file, by its extension.
const (
	magick   = "convert it to PNG, e.g. with `magick in.%s out.png`"
	develop  = "develop it first, e.g. with `darktable-cli in.%s out.tif`"
	oneFrame = "take one picture of it, e.g. with `ffmpeg -i in.%s -frames:v 1 out.png`"
)

func with(advice, extension string) string { return fmt.Sprintf(advice, extension) }

// strangers are looked at before the formats that are read.
var strangers = [...]stranger{
	{"JPEG XL", with(magick, "jxl"), []string{"\xff\x0a", "\x00\x00\x00\x0cJXL \r\n\x87\n"}},
	{"JPEG 2000", with(magick, "jp2"), []string{"\x00\x00\x00\x0cjP  \r\n\x87\n", "\xff\x4f\xff\x51"}},
	{"JPEG XR", with(magick, "jxr"), []string{"II\xbc\x01"}},
	{"JPEG-LS", with(magick, "jls"), []string{"\xff\xd8\xff\xf7"}},
	{"a camera's raw file (CR2)", with(develop, "cr2"), []string{"II*\x00\x10\x00\x00\x00CR"}},
	{"a camera's raw file (CR3)", with(develop, "cr3"), []string{"????ftypcrx "}},
	{"a camera's raw file (ORF)", with(develop, "orf"), []string{"IIRO", "IIRS", "MMOR"}},
	{"a camera's raw file (RW2)", with(develop, "rw2"), []string{"IIU\x00"}},
	{"a camera's raw file (RAF)", with(develop, "raf"), []string{"FUJIFILMCCD-RAW"}},
	{"a camera's raw file (X3F)", with(develop, "x3f"), []string{"FOVb"}},
	{"a camera's raw file (MRW)", with(develop, "mrw"), []string{"\x00MRM"}},
	{"a Photoshop document", with(magick+" -flatten", "psd"), []string{"8BPS"}},
	{"a GIMP document", "export it as PNG from GIMP", []string{"gimp xcf"}},
	{"a Krita document or another archive", "export it as PNG, or unpack it", []string{"PK\x03\x04"}},
	{"OpenEXR", with(magick, "exr"), []string{"\x76\x2f\x31\x01"}},
	{"Radiance HDR", with(magick, "hdr"), []string{"#?RADIANCE", "#?RGBE"}},
	{"a Windows icon", with(magick, "ico"), []string{"\x00\x00\x01\x00", "\x00\x00\x02\x00"}},
	{"an Apple icon", with(magick, "icns"), []string{"icns"}},
	{"QOI", with(magick, "qoi"), []string{"qoif"}},
	{"farbfeld", with(magick, "ff"), []string{"farbfeld"}},
	{"FLIF", with(magick, "flif"), []string{"FLIF"}},
	{"BPG", with(magick, "bpg"), []string{"BPG\xfb"}},
	{"DjVu", with(magick, "djvu"), []string{"AT&TFORM"}},
	{"a DirectDraw surface", with(magick, "dds"), []string{"DDS "}},
	{"FITS", with(magick, "fits"), []string{"SIMPLE  ="}},
	{"DPX", with(magick, "dpx"), []string{"SDPX", "XPDS"}},
	{"PAM", with(magick, "pam"), []string{"P7\n"}},
	{"PFM", with(magick, "pfm"), []string{"PF\n", "Pf\n"}},
	{"PCX", with(magick, "pcx"), []string{"\x0a?\x01\x08", "\x0a?\x01\x01"}},
	{"an SGI picture", with(magick, "sgi"), []string{"\x01\xda"}},
	{"a Sun raster", with(magick, "ras"), []string{"\x59\xa6\x6a\x95"}},
	{"a Windows metafile", with(magick, "wmf"), []string{"\xd7\xcd\xc6\x9a", "\x01\x00\x00\x00????????????????????????????????????\x20EMF"}},
	{"PDF", "render it first, e.g. with `pdftoppm -png -r 150 in.pdf out`", []string{"%PDF"}},
	{"PostScript", "render it first, e.g. with `gs -sDEVICE=png16m -r150 -o out.png in.eps`", []string{"%!PS", "\xc5\xd0\xd3\xc6"}},
	{"an MP4 video", with(oneFrame, "mp4"), []string{"????ftypisom", "????ftypiso", "????ftypmp4", "????ftypM4V", "????ftypavc1", "????ftypdash", "????ftyp3g", "????ftypMSNV"}},
	{"a QuickTime video", with(oneFrame, "mov"), []string{"????ftypqt  ", "????moov", "????mdat", "????wide"}},
	{"a Matroska or WebM video", with(oneFrame, "mkv"), []string{"\x1a\x45\xdf\xa3"}},
	{"an AVI video", with(oneFrame, "avi"), []string{"RIFF????AVI "}},
	{"an MPEG video", with(oneFrame, "mpg"), []string{"\x00\x00\x01\xba", "\x00\x00\x01\xb3"}},
	{"a sound file", "", []string{"RIFF????WAVE", "ID3", "OggS", "fLaC"}},
	{"a compressed archive", "unpack it first", []string{"\x1f\x8b", "BZh", "\xfd7zXZ\x00", "7z\xbc\xaf\x27\x1c", "Rar!", "\x28\xb5\x2f\xfd"}},
	{"a program", "", []string{"\x7fELF", "MZ", "\xcf\xfa\xed\xfe"}},
	{"a NumPy array", "save it as PNG", []string{"\x93NUMPY"}},
	{"a pointer of Git LFS", "fetch the file that it stands for with `git lfs pull`", []string{"version https://git-lfs"}},
}

// Texts are known by what they begin with, whatever its case, after white space
// and comments.
var texts = [...]stranger{
	{"SVG", "render it first, e.g. with `rsvg-convert -w 1024 in.svg -o out.png`", []string{"<svg"}},
	{"an HTML page, not a picture", "the download may have gone wrong", []string{"<!doctype html", "<html", "<head", "<body", "<script"}},
	{"an XML text, not a picture", "the download may have gone wrong", []string{"<"}},
	{"a JSON text, not a picture", "the download may have gone wrong", []string{"{", "["}},
	{"a text, not a picture", "", []string{""}},
}

// strangerOf tells which kind of file that is not read has that beginning, or
// nil.
func strangerOf(head []byte) *stranger {
	for i := range strangers {
		if startsLike(head, strangers[i].magic) {
			return &strangers[i]
		}
	}
	if !isText(head) || startsLike(head, pnmMagic) {
		return nil
	}
	text := bytes.ToLower(skipPreamble(head))
	if bytes.HasPrefix(text, []byte("<!doctype svg")) {
		return &texts[0]
	}
	for i := range texts {
		if startsLike(text, texts[i].magic) {
			return &texts[i]
		}
	}
	return nil
}

// refuse says what the file is and what to do with it.
func (s *stranger) refuse() error {
	name := s.name
	if !strings.HasSuffix(name, "not a picture") {
		name += ", which is not read"
	}
	advice := s.advice
	if advice == "" {
		advice = "want a " + Formats() + " image"
	}
	return fmt.Errorf("%s; %s", name, advice)
}

// isText tells whether the data are text in UTF-8 or UTF-16, but for a character
// that is cut at the end.
func isText(data []byte) bool {
	if startsLike(data, []string{"\xff\xfe", "\xfe\xff"}) {
		return true
	}
	if len(data) < 4 {
		return false
	}
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size == 1 && utf8.FullRune(data) || r < ' ' && !strings.ContainsRune("\t\n\f\r\x1b", r) {
			return false
		}
		data = data[size:]
	}
	return true
}

// skipPreamble goes past what may stand before a text's first element: a byte
// order mark, white space, XML's declaration and comments.
func skipPreamble(text []byte) []byte {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	for {
		text = bytes.TrimSpace(text)
		end := ""
		switch {
		case bytes.HasPrefix(text, []byte("<?")):
			end = "?>"
		case bytes.HasPrefix(text, []byte("<!--")):
			end = "-->"
		default:
			return text
		}
		at := bytes.Index(text, []byte(end))
		if at < 0 {
			return text
		}
		text = text[at+len(end):]
	}
}
